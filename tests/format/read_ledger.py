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
KINDS = {1: "version", 2: "removal", 3: "erasure", 4: "audit", 5: "decision"}


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
        self.key = AESGCM((folder / "municipality.key").read_bytes())
        keys = sqlite3.connect(folder / "keys.db")
        self.meta = dict(keys.execute("SELECT name, value FROM meta"))
        self.persons = dict(keys.execute("SELECT id, wrapped FROM person"))
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

    def body(self, entry, sealed):
        """The plain body, or None where the person was erased."""
        need(sha256(sealed) == entry["body_hash"], "the body is another")
        person, about = entry["person"], entry["person"] or b""
        if self.name.endswith("/audit") or person is None or entry["kind"] == "erasure":
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
        before, leaves, hashes = bytes(32), [], {0: bytes(32)}
        for position, data, sealed in self.ledger.execute(query):
            entry = read_entry(data)
            need(entry["position"] == position == len(leaves) + 1, f"no entry {len(leaves) + 1}")
            need(entry["prev_hash"] == before, f"the chain is broken before {position}")
            yield entry, self.body(entry, sealed)
            before = hashes[position] = sha256(data)
            leaves.append(sha256(b"\0", before))
        self.ends(hashes, leaves)

    def ends(self, hashes, leaves):
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
        need(count == len(leaves), "bodies without entries")
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
