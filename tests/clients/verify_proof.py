"""Verifies a proof of an entry in the log, and what connects two checkpoints, from the published formats
alone: RFC 6962 for the tree, C2SP's signed-note, tlog-checkpoint and tlog-proof for the texts."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def read_checkpoint(note, verifier_key):
    """The size and root of a checkpoint that the key has signed."""
    origin, key_id, key = verifier_key.strip().split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1, "an Ed25519 key"
    assert key_id == sha256(origin.encode(), b"\n", key)[:4].hex()
    text, signatures = note.split("\n\n", 1)
    text += "\n"
    for line in signatures.splitlines():
        dash, name, signature = line.split(" ")
        signature = base64.b64decode(signature)
        if dash == "\u2014" and name == origin and signature[:4].hex() == key_id:
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(signature[4:], text.encode())
            named, size, root = text.splitlines()
            assert named == origin
            return int(size), base64.b64decode(root)
    raise ValueError("not signed by this key")


def verify_proof(proof, verifier_key):
    """The canonical bytes of the entry, its index and the size of the tree it is in."""
    head, checkpoint = proof.split("\n\n", 1)
    version, extra, index, *path = head.splitlines()
    assert version == "c2sp.org/tlog-proof@v1"
    entry = base64.b64decode(extra.removeprefix("extra "))
    index = int(index.removeprefix("index "))
    size, root = read_checkpoint(checkpoint, verifier_key)
    # The entry says itself where it stands: after `FKJ1`, counted from 1.
    assert entry[:4] == b"FKJ1" and int.from_bytes(entry[4:12]) == index + 1
    node, place, last = sha256(b"\0", sha256(entry)), index, size - 1
    for sibling in map(base64.b64decode, path):
        assert last > 0
        if place % 2 or place == last:
            node = sha256(b"\1", sibling, node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = sha256(b"\1", node, sibling)
        place, last = place // 2, last // 2
    assert last == 0 and node == root, "the proof does not lead to the root"
    return entry, index, size


def verify_consistency(old, new, path, verifier_key):
    """That nothing of the older checkpoint was changed in the newer."""
    (first, old_root), (second, new_root) = (read_checkpoint(it, verifier_key) for it in (old, new))
    path = [base64.b64decode(line) for line in path.splitlines()]
    if first == second:
        assert not path and old_root == new_root
        return
    if first & (first - 1) == 0:
        path.insert(0, old_root)
    place, last = first - 1, second - 1
    while place % 2:
        place, last = place // 2, last // 2
    smaller = larger = path[0]
    for node in path[1:]:
        assert last > 0
        if place % 2 or place == last:
            smaller, larger = sha256(b"\1", node, smaller), sha256(b"\1", node, larger)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            larger = sha256(b"\1", larger, node)
        place, last = place // 2, last // 2
    assert last == 0 and (smaller, larger) == (old_root, new_root)
