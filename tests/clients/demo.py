"""A demo of its own for the Python tests: two synthetic municipalities in a temporary folder."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

PROGRAM = os.environ.get("FKJ", Path(__file__).parents[2] / "target/debug/fkj")


class Demo:
    """A running `fkj demo` without patients."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="fkj-clients-")
        command = [PROGRAM, "demo", "--dir", self.folder, "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(
            [*command, "--patients", "0", "--live", "0"], stderr=subprocess.PIPE, text=True
        )
        said = ""
        for line in self.process.stderr:
            said += line
            if found := re.search(r"Open (http://[^/\s]+)/", line):
                self.base = f"{found[1]}/9901/fhir"
                return self
        raise RuntimeError(f"the demo ended: {said}")

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def token(self, role):
        command = [PROGRAM, "token", "--dir", self.folder, "--kommune", "9901", "--as", role]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def number(n):
    """The n-th identity number: a synthetic one (month + 80), with right check digits."""

    def check(digits, weights):
        return (11 - sum(d * w for d, w in zip(digits, weights)) % 11) % 11

    individual = 100 + n * 20
    while True:
        first = [int(digit) for digit in f"029150{individual}"]
        k1 = check(first, [3, 7, 6, 1, 8, 9, 4, 5, 2])
        k2 = check([*first, k1], [5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
        if k1 < 10 and k2 < 10:
            return "".join(map(str, [*first, k1, k2]))
        individual += 1
