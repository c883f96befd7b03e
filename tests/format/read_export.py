"""Verifies a municipality's export with its public key, from docs/export.md alone.

    python read_export.py FOLDER KEY
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from read_ledger import need, read_entry, root, sha256

LINES = {"ledger": "ledger/clinical.ndjson", "audit": "ledger/audit.ndjson"}


class Export:
    def __init__(self, folder, key, trusting_files=False):
        self.folder = Path(folder)
        self.raw = base64.b64decode(key.split("+", 2)[2])[1:]
        self.key = Ed25519PublicKey.from_public_bytes(self.raw)
        content = (self.folder / "manifest.json").read_bytes()
        self.manifest = json.loads(content)
        self.number = self.manifest["municipality"]
        note = (self.folder / "manifest.note").read_text()
        need(self.note(note, f"{self.number}/export") == (1, sha256(b"\0", sha256(content))), "the manifest")
        named = {it["name"]: it for it in self.manifest["files"]}
        own = {"manifest.json", "manifest.note"}
        there = {str(it.relative_to(self.folder)) for it in self.folder.rglob("*") if it.is_file()}
        need(there == named.keys() | own, "files are missing, or too many")
        for name, file in [] if trusting_files else named.items():
            with open(self.folder / name, "rb") as it:
                need(hashlib.file_digest(it, "sha256").hexdigest() == file["sha256"], f"{name} was changed")

    def note(self, note, name):
        """Size and root of a signed checkpoint."""
        origin, size, digest = note.split("\n")[:3]
        need(origin == f"fkj.no/{name}", "a checkpoint of something else")
        text, signatures = note.split("\n\n", 1)
        own = sha256(origin.encode(), b"\n\1", self.raw)[:4]
        lines = [line.split(" ") for line in signatures.splitlines()]
        ours = [base64.b64decode(it[2]) for it in lines if it[:2] == ["\u2014", origin]]
        (signature,) = [it[4:] for it in ours if it[:4] == own]
        self.key.verify(signature, (text + "\n").encode())
        return int(size), base64.b64decode(digest)

    def lines(self, name):
        with open(self.folder / name, "rb") as file:
            for line in file:
                need(line.endswith(b"\n"), f"{name} is cut")
                yield line[:-1]

    def read(self, ledger):
        """Each entry with its line and content, None where it was erased."""
        part = next(it for it in self.manifest["ledgers"] if it["ledger"] == f"{self.number}/{ledger}")
        before, leaves, files, claims, said = bytes(32), [], {}, {}, (set(), set())
        for text in self.lines(LINES[ledger]):
            line = json.loads(text)
            data = base64.b64decode(line["entry"])
            entry = read_entry(data)
            person = entry["person"] and entry["person"].hex()
            need(entry["position"] == line["position"] == len(leaves) + 1, f"no entry {len(leaves) + 1}")
            need(entry["prev_hash"] == before, f"the chain is broken before {line['position']}")
            need((line["kind"], line.get("person")) == (entry["kind"], person), "the line says otherwise")
            names = {"source": "source", "event": "source_event_id", "owner": "owner", "category": "category"}
            need(all(line.get(it) == entry[of] for it, of in names.items()), "the line says otherwise")
            before = sha256(data)
            leaves.append(sha256(b"\0", before))
            content = None
            if place := line.get("content"):
                file = files.setdefault(place["file"], self.lines(place["file"]))
                content = next(file, b"")
                need(sha256(content).hex() == place["sha256"], f"another line in {place['file']}")
                content = json.loads(content)
            else:
                claims[entry["position"]] = person
            if entry["kind"] == "version" and content:
                told = line["body"][0]
                meta = content["meta"]
                need((content["resourceType"], content["id"]) == (told["type"], told["id"]), "another resource")
                need(meta["versionId"] == str(line["position"]), "another version")
                need(meta["lastUpdated"] == line["recorded"], "another time")
            if entry["kind"] == "erasure":
                said[0].add(person)
            if entry["kind"] == "resealing":
                said[1].update(line["body"][0]["erased"])
            yield entry, line, content
        need((len(leaves), root(leaves)) == self.note(part["checkpoint"], part["ledger"]), "other entries")
        need(len(leaves) == part["entries"], "another number of entries")
        need(all(next(it, None) is None for it in files.values()), "lines that no entry names")
        need(all(who in said[0] or at in said[1] for at, who in claims.items()), "content is missing")


if __name__ == "__main__":
    export = Export(*sys.argv[1:])
    for ledger in LINES:
        print(ledger, sum(1 for _ in export.read(ledger)))
