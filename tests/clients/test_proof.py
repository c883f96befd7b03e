"""Somebody else's check of the log's proofs, from the published formats alone."""

import unittest
import urllib.request

from cryptography.exceptions import InvalidSignature
from demo import Demo
from verify_proof import verify_consistency, verify_proof


class Proofs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.demo = Demo().__enter__()
        cls.addClassCleanup(cls.demo.__exit__)
        cls.root = cls.demo.base.removesuffix("/fhir")

    def get(self, path, role=None):
        request = urllib.request.Request(self.root + path)
        if role:
            request.add_header("Authorization", f"Bearer {self.demo.token(role)}")
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()

    def test_entries_are_proven_and_checkpoints_fit(self):
        key = self.get("/admin/log/key")
        notes = []
        for position in range(1, 8):
            self.get("/log/AuditEvent", "personvernombud")
            proof = self.get(f"/admin/log/proof?position={position}", "personvernombud")
            _, index, size = verify_proof(proof, key)
            self.assertEqual((index + 1, size >= position), (position, True))
            notes.append(proof.split("\n\n", 1)[1])
        for old, new in zip(notes, notes[1:]):
            sizes = [note.splitlines()[1] for note in (old, new)]
            path = self.get(f"/admin/log/consistency?from={sizes[0]}&to={sizes[1]}")
            verify_consistency(old, new, path, key)
        with self.assertRaises(AssertionError):
            verify_consistency(notes[0], notes[-1], path, key)

    def test_what_was_bent_is_not_believed(self):
        key = self.get("/admin/log/key")
        self.get("/log/AuditEvent", "personvernombud")
        proof = self.get("/admin/log/proof?position=1", "personvernombud")
        lines = proof.splitlines(keepends=True)
        extra = lines[1]
        bent = extra[:40] + ("A" if extra[40] != "A" else "B") + extra[41:]
        with self.assertRaises(AssertionError):
            verify_proof(proof.replace(extra, bent), key)
        size = proof.split("\n\n", 1)[1].splitlines()[1]
        with self.assertRaises(InvalidSignature):
            verify_proof(proof.replace(f"\n{size}\n", f"\n{int(size) + 1}\n"), key)
