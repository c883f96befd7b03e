"""Another program reads what a real server wrote, from docs/format.md alone, and finds what was bent."""

import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from read_export import LINES, Export
from read_ledger import Reader, read_entry, resource, sha256

sys.path.append(str(Path(__file__).parents[1] / "clients"))
from demo import PROGRAM, Demo, number  # noqa: E402

GOLDEN = Path(__file__).parents[2] / "cases/formats/v1"
NUMBERS = "urn:oid:2.16.578.1.12.4.1.4.1"


def pulse(n, value):
    return {
        "resourceType": "Observation",
        "identifier": [{"system": "urn:format", "value": f"m{value}"}],
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"identifier": {"system": NUMBERS, "value": number(n)}},
        "effectiveDateTime": "2026-01-05",
        "valueQuantity": {
            "value": value,
            "unit": "/min",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    }


class Format(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="fkj-format-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        with Demo() as demo:
            cls.demo = demo
            cls.seen = cls.work(demo)
            demo.process.kill()
            demo.process.wait()
            shutil.copytree(demo.folder, cls.folder / "data")
        cls.place = cls.folder / "data" / "9901"

    @classmethod
    def send(cls, method, path, role, content=None, kind="application/fhir+json"):
        request = urllib.request.Request(f"{cls.demo.base}/{path}", method=method)
        request.add_header("Authorization", f"Bearer {cls.tokens[role]}")
        if content is not None:
            request.add_header("Content-Type", kind)
            request.data = content.encode()
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    @classmethod
    def work(cls, demo):
        """Writes, changes, removes and looks; tells what the server answered with, by version."""
        roles = ("plo-epj", "sykepleier", "personvernombud", "sikkerhetsleder")
        cls.tokens = {role: demo.token(role) for role in roles}
        written = {}
        entries = [
            {"resource": pulse(n % 9 + 2, n), "request": {"method": "POST", "url": "Observation"}}
            for n in range(1, 301)
        ]
        for part in range(0, 300, 100):
            bundle = {"resourceType": "Bundle", "type": "batch", "entry": entries[part : part + 100]}
            cls.send("POST", "", "plo-epj", json.dumps(bundle))
        ids = []
        for value in (301, 302):
            answer = json.loads(cls.send("POST", "Observation", "plo-epj", json.dumps(pulse(1, value))))
            ids.append(answer["id"])
        changed = pulse(1, 303) | {"id": ids[0]}
        cls.send("PUT", f"Observation/{ids[0]}", "plo-epj", json.dumps(changed))
        form = urllib.parse.urlencode({"patient.identifier": f"{NUMBERS}|{number(1)}", "_count": 1000})
        found = cls.send(
            "POST", "Observation/_search", "sykepleier", form, "application/x-www-form-urlencoded"
        )
        for entry in json.loads(found)["entry"]:
            if (it := entry["resource"])["resourceType"] == "Observation":
                written[int(it["meta"]["versionId"])] = it
        cls.send("DELETE", f"Observation/{ids[1]}", "plo-epj")
        cls.erase(pulse(1, 304))
        return written

    @classmethod
    def erase(cls, wrong):
        """Has two officers erase a record for good, and records something more of the same person."""
        record = json.loads(cls.send("POST", "Observation", "plo-epj", json.dumps(wrong)))
        cls.erased = int(record["meta"]["versionId"])
        cls.send("POST", "Observation", "plo-epj", json.dumps(pulse(1, 305)))
        base = cls.demo.base
        cls.demo.base = base.removesuffix("/fhir")
        asked = {"record": f"Observation/{record['id']}", "basis": "wrong-person", "why": "sak 26/118"}
        answer = cls.send("POST", "admin/erasures", "personvernombud", json.dumps(asked), "application/json")
        path = f"admin/proposals/{json.loads(answer)['proposal']}/approve"
        cls.send("POST", path, "sikkerhetsleder", json.dumps({"why": "enig"}), "application/json")
        cls.demo.base = base
        cls.send("POST", "Observation", "plo-epj", json.dumps(pulse(1, 306)))

    def test_every_entry_and_body_is_read_as_the_server_told(self):
        read = list(Reader(self.place, "ledger").read())
        kinds = {entry["kind"] for entry, _ in read}
        self.assertLessEqual({"version", "removal", "decision", "resealing"}, kinds)
        gone = [entry["position"] for entry, body in read if body is None]
        self.assertEqual(gone, [self.erased])
        self.assertGreater(len(read), 300)
        self.assertEqual(len(self.seen), 2)
        for position, told in self.seen.items():
            entry, body = read[position - 1]
            envelope, content = resource(body)
            self.assertEqual((envelope["v"], envelope["type"]), (1, "Observation"))
            self.assertEqual(envelope["id"], told["id"])
            self.assertEqual(content["valueQuantity"], told["valueQuantity"])
            self.assertEqual(content["identifier"], told["identifier"])
        for entry, body in read:
            if entry["kind"] == "removal":
                self.assertIsNone(resource(body)[1])
            elif entry["kind"] == "resealing":
                told, decision = resource(body)
                self.assertEqual(told["erased"], [self.erased])
                self.assertEqual(decision["change"]["type"], "record-erased")
            elif entry["kind"] == "decision":
                self.assertEqual(json.loads(body)["v"], 1)
        looks = [json.loads(body) for _, body in Reader(self.place, "audit").read()]
        self.assertIn("search", {look["action"] for look in looks})

    def test_it_counts_and_ends_as_fkj_does(self):
        counts = {it: len(list(Reader(self.place, it).read())) for it in ("ledger", "audit")}
        with tempfile.TemporaryDirectory() as copy:
            data = shutil.copytree(self.folder / "data", Path(copy) / "data")
            command = [PROGRAM, "ledger", "verify", "--kommune", "9901", "--dir", data]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for ledger, count in counts.items():
            self.assertIn(f"9901/{ledger}: {count} entries, the chain is whole", said)

    def test_what_was_erased_is_told_from_what_is_damaged(self):
        with tempfile.TemporaryDirectory() as copy:
            place = shutil.copytree(self.place, Path(copy) / "9901")
            whole = [(entry["person"], body) for entry, body in Reader(place, "ledger").read()]
            erased = next(person for person, _ in whole if person)
            keys = sqlite3.connect(place / "keys.db")
            with keys:
                keys.execute("UPDATE person SET wrapped = NULL WHERE id = ?", (erased,))
            keys.close()
            for (person, before), (_, after) in zip(whole, Reader(place, "ledger").read()):
                self.assertEqual(after, None if person == erased else before)

    def test_a_flipped_byte_is_noticed_wherever_it_is(self):
        columns = [("entry", "bytes"), ("body", "bytes"), ("head", "hash"), ("head", "signature")]
        for table, column in [*columns, ("tree", "hash"), ("note", "bytes"), ("resealed", "hash")]:
            with self.subTest(table=table, column=column), tempfile.TemporaryDirectory() as copy:
                place = shutil.copytree(self.place, Path(copy) / "9901")
                self.bend(place / "ledger.db", table, column)
                with self.assertRaises((ValueError, InvalidSignature, InvalidTag)):
                    list(Reader(place, "ledger").read())

    def test_an_export_is_verified_with_the_public_key_alone(self):
        with tempfile.TemporaryDirectory() as copy:
            data = shutil.copytree(self.folder / "data", Path(copy) / "data")
            place = ["--kommune", "9901", "--dir", data]
            act = ["--to", copy, "--who", "Torbjørg Aune", "--why", "kommunen flytter"]
            subprocess.run([PROGRAM, "export", *place, *act], capture_output=True, check=True)
            command = [PROGRAM, "audit", "key", *place]
            key = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
            folder = Path(copy) / "9901"
            read = {it: list(Export(folder, key).read(it)) for it in LINES}
            gone = [entry["position"] for entry, _, content in read["ledger"] if content is None]
            self.assertEqual(gone, [self.erased])
            for position, told in self.seen.items():
                self.assertEqual(read["ledger"][position - 1][2], told)
            self.assertIn("admin-export-all", {line["body"][0]["action"] for _, line, _ in read["audit"]})
            # In a line of an entry, even where the manifest were the attacker's own word.
            for name in (*LINES.values(), "current/Observation.ndjson"):
                path = folder / name
                whole = path.read_bytes()
                lines = whole.splitlines(keepends=True)
                middle = len(lines) // 2
                for bent in (lines[:middle] + lines[middle + 1 :], lines + lines[-1:]):
                    path.write_bytes(b"".join(bent))
                    with self.subTest(name), self.assertRaises((ValueError, TypeError)):
                        for ledger in LINES:
                            list(Export(folder, key, trusting_files=True).read(ledger))
                    with self.subTest(name), self.assertRaises(ValueError):
                        Export(folder, key)
                path.write_bytes(whole)
            Export(folder, key)

    def bend(self, path, table, column):
        """Changes one bit in the middle of the middle row."""
        connection = sqlite3.connect(path)
        rows = list(connection.execute(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL"))
        (value,) = rows[len(rows) // 2]
        bent = bytearray(value)
        bent[len(bent) // 2] ^= 1
        with connection:
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (bytes(bent), value))
        connection.close()

    def test_the_golden_entries_are_read(self):
        for block in (GOLDEN / "ledger-entry.txt").read_text().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[:20])
            if "canonical" in fields:
                data = bytes.fromhex(fields["canonical"])
                entry = read_entry(data)
                self.assertEqual(sha256(data).hex(), fields["hash"])
                self.assertEqual(str(entry["recorded_at"]), fields["recorded_at"])
                self.assertEqual(entry["source_event_id"], fields.get("source_event_id"))


if __name__ == "__main__":
    unittest.main()
