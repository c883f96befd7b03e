"""Reads and verifies a municipality's ledger with its key, from docs/format.md alone.

    python read_ledger.py FOLDER ledger|audit
"""

import base64
import hashlib
import hmac
import json
import sqlite3
import struct
import sys
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DICTIONARY = Path(__file__).parents[2] / "crates/ledger/data/body-v1.dict"
KINDS = {1: "version", 2: "removal", 3: "erasure", 4: "audit", 5: "decision", 6: "resealing"}


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def need(holds, what):
    if not holds:
        raise ValueError(what)


def read_entry(data):
    at = 0

    def take(count):
        nonlocal at
        need(at + count <= len(data), "the entry is cut")
        at += count
        return data[at - count : at]

    def text():
        length = int.from_bytes(take(4))
        return None if length == 0xFFFFFFFF else take(length).decode()

    need(take(4) == b"FKJ1", "not an entry")
    position, recorded, kind = struct.unpack(">QqB", take(17))
    source, event, owner = text(), text(), text()
    person = {b"\0": lambda: None, b"\1": lambda: take(16)}[take(1)]()
    entry = {"position": position, "recorded_at": recorded, "kind": KINDS[kind], "source": source}
    entry |= {"source_event_id": event, "owner": owner, "person": person, "category": text()}
    entry |= {"content_mac": take(16), "body_hash": take(32), "prev_hash": take(32)}
    need(at == len(data), "something stands after the entry")
    return entry


class Reader:
    def __init__(self, folder, name):
        folder = Path(folder)
        keys = sqlite3.connect(folder / "keys.db")
        self.meta = dict(keys.execute("SELECT name, value FROM meta"))
        self.persons = dict(keys.execute("SELECT id, wrapped FROM person"))
        outer, wrapped = AESGCM((folder / "municipality.key").read_bytes()), self.meta["wrapping"]
        self.key = AESGCM(outer.decrypt(wrapped[:12], wrapped[12:], b"fkj wrapping key v1"))
        self.ledger = sqlite3.connect(folder / f"{name}.db")
        # The name stands in front of `/ledger` or `/audit` in the marks of keys.db.
        made = [it.removeprefix("made:") for it in self.meta if it.startswith("made:")]
        self.name = next(it for it in made if it.endswith(f"/{name}"))
        self.zstd = zstandard.ZstdDecompressor(zstandard.ZstdCompressionDict(DICTIONARY.read_bytes()))

    def unwrap(self, wrapped, context):
        return self.key.decrypt(wrapped[:12], wrapped[12:], context)

    def secret(self, name):
        return self.unwrap(self.meta[name], name.encode())

    def public(self, name):
        return Ed25519PrivateKey.from_private_bytes(self.secret(name)).public_key()

    def resealed(self):
        """What bodies must hash to since resealings: position to hash, or None where it is erased."""
        query = """SELECT position, entry.bytes, body.bytes FROM resealing JOIN entry USING (position)
                   JOIN body USING (position) ORDER BY position"""
        named, rows = {}, {}
        for at, data, sealed in self.ledger.execute(query):
            need(sha256(sealed) == read_entry(data)["body_hash"], f"the resealing {at} is another")
            for position, digest in manifest(sealed)[0]:
                named[position], rows[position] = digest, (digest, at)
        told = self.ledger.execute("SELECT position, hash, resealing FROM resealed")
        need(rows == {it[0]: it[1:] for it in told}, "the table `resealed` says something else")
        return named

    def body(self, entry, sealed, named):
        """The plain body, or None where it or the person was erased."""
        wanted = named.get(entry["position"], entry["body_hash"])
        need((sealed and sha256(sealed)) == wanted, "the body is another")
        if sealed is None:
            return None
        if entry["kind"] == "resealing":
            sealed = manifest(sealed)[1]
        person, about = entry["person"], entry["person"] or b""
        ledgers_own = person is None or entry["kind"] in ("erasure", "resealing")
        if self.name.endswith("/audit") or ledgers_own:
            secret = self.secret(f"content:{self.name}")
        elif self.persons.get(person) is None:
            return None
        else:
            secret = self.unwrap(self.persons[person], person)
        key = AESGCM(hmac.digest(secret, b"fkj seal v1", "sha256"))
        need(sealed[0] == 1, "a body of an unknown form")
        context = b"fkj body v1\0" + self.name.encode() + b"\0" + about
        return self.zstd.decompress(key.decrypt(sealed[1:13], sealed[13:], context))

    def signed(self, label, row):
        position, digest, signature = row
        message = label + b"\0" + self.name.encode() + b"\0" + position.to_bytes(8) + digest
        self.public(f"sign:{self.name}").verify(signature, message)

    def read(self):
        """Every entry with its body; raises at the first thing that is not as it was written."""
        query = """SELECT entry.position, entry.bytes, body.bytes FROM entry
                   LEFT JOIN body USING (position) ORDER BY entry.position"""
        before, leaves, hashes, named = bytes(32), [], {0: bytes(32)}, self.resealed()
        for position, data, sealed in self.ledger.execute(query):
            entry = read_entry(data)
            need(entry["position"] == position == len(leaves) + 1, f"no entry {len(leaves) + 1}")
            need(entry["prev_hash"] == before, f"the chain is broken before {position}")
            yield entry, self.body(entry, sealed, named)
            before = hashes[position] = sha256(data)
            leaves.append(sha256(b"\0", before))
        self.ends(hashes, leaves, [it for it in named.values() if it is None])

    def ends(self, hashes, leaves, erased):
        """What is signed, and the tree, against the entries."""
        (head,) = self.ledger.execute("SELECT position, hash, signature FROM head")
        need(head[:2] == (len(leaves), hashes[len(leaves)]), "the head is not the last entry's")
        self.signed(b"fkj head v1", head)
        points = list(self.ledger.execute("SELECT * FROM checkpoint ORDER BY position"))
        need([it[0] for it in points] == list(range(1024, len(leaves) + 1, 1024)), "checkpoints")
        for point in points:
            need(point[1] == hashes[point[0]], "a checkpoint of another chain")
            self.signed(b"fkj checkpoint v1", point)
        kept = {(level, n): digest for level, n, digest in self.ledger.execute("SELECT * FROM tree")}
        for level in range(1, 8):
            for n in range(len(leaves) >> 8 * level):
                part = leaves[n << 8 * level : (n + 1) << 8 * level]
                need(kept.pop((level, n), None) == root(part), f"the tree at {level}, {n}")
        need(not kept, "more of a tree than there are entries")
        (count,) = self.ledger.execute("SELECT count(*) FROM body").fetchone()
        need(count == len(leaves) - len(erased), "bodies without entries")
        for size, note in self.ledger.execute("SELECT size, bytes FROM note"):
            self.note(note.decode(), size, root(leaves[:size]))

    def note(self, note, size, digest):
        origin, key = f"fkj.no/{self.name}", self.public("checkpoints")
        text = f"{origin}\n{size}\n{base64.b64encode(digest).decode()}\n"
        need(note.startswith(text + "\n"), f"the checkpoint of {size} is of other entries")
        raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        named = sha256(origin.encode(), b"\n\1", raw)[:4]
        lines = [line.split(" ") for line in note[len(text) + 1 :].splitlines()]
        ours = [base64.b64decode(it[2]) for it in lines if it[:2] == ["\u2014", origin]]
        (signature,) = [it[4:] for it in ours if it[:4] == named]
        key.verify(signature, text.encode())


def manifest(body):
    """What a body of form 2 says in the clear, and the sealed body in it."""
    need(body[0] == 2, "a resealing of an unknown form")
    at = 5

    def number(size):
        nonlocal at
        at += size
        return int.from_bytes(body[at - size : at])

    named = [(number(8), None) for _ in range(number(4))]
    for _ in range(number(4)):
        position = number(8)
        named.append((position, body[at : at + 32]))
        at += 32
    length = number(4)
    need(at + length == 5 + int.from_bytes(body[1:5]), "a manifest that is cut or too long")
    return named, body[at + length :]


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1", root(leaves[:half]), root(leaves[half:]))


def resource(body):
    """What stands beside a resource, and the resource; None for a removal."""
    head, rest = body.split(b"\n", 1)
    return json.loads(head), json.loads(rest) if rest else None


if __name__ == "__main__":
    for entry, body in Reader(*sys.argv[1:]).read():
        told = {key: it.hex() if isinstance(it, bytes) else it for key, it in entry.items()}
        print(json.dumps(told | {"body": None if body is None else body.decode()}))
