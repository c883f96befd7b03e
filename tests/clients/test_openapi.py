"""schemathesis drives every operation of the OpenAPI document, and finds no fault of the server's."""

import json
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from demo import Demo

# How long new requests are made up, in seconds.
SECONDS = "60"

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance"
)


class OpenApi(unittest.TestCase):
    def test_the_document_describes_every_door(self):
        with Demo() as demo:
            root = demo.base.removesuffix("/fhir")
            with urllib.request.urlopen(f"{root}/openapi.json") as answer:
                document = json.load(answer)
            self.assertEqual(document["openapi"], "3.1.0")
            self.assertEqual(document["servers"], [{"url": root}])
            doors = {path.split("/")[1] for path in document["paths"]}
            self.assertLessEqual({"fhir", "export", "okt", "pmd", "events"}, doors)

    def test_no_made_up_request_is_a_fault(self):
        program = Path(sys.executable).parent / "schemathesis"
        with Demo() as demo:
            root = demo.base.removesuffix("/fhir")
            command = [program, "run", f"{root}/openapi.json", "--checks", CHECKS]
            command += ["--header", f"Authorization: Bearer {demo.token('utvikler')}"]
            command += ["--phases", "examples,coverage,fuzzing", "--max-time", SECONDS]
            command += ["--seed", "1", "--generation-database", "none", "--suppress-health-check", "all"]
            # Lines of JSON are no form that schemathesis can make up.
            command += ["--exclude-operation-id", "import"]
            ran = subprocess.run(command, capture_output=True, text=True, cwd=demo.folder)
            self.assertEqual(ran.returncode, 0, ran.stdout[-8000:] + ran.stderr[-2000:])


if __name__ == "__main__":
    unittest.main()
