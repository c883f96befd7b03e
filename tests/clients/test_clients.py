"""fhirpy drives the server; fhir.resources parses every answer it gives."""

import importlib
import json
import unittest
import urllib.error
import urllib.request

from demo import Demo, number
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

demo = None


def setUpModule():
    global demo
    demo = Demo().__enter__()


def tearDownModule():
    demo.__exit__()


def parsed(resource):
    """The resource as fhir.resources' model of its type; fails where that finds a fault."""
    kind = resource["resourceType"]
    module = importlib.import_module(f"fhir.resources.R4B.{kind.lower()}")
    return getattr(module, kind).model_validate(resource)


def patient(n):
    return {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": number(n)}],
        "name": [{"family": "Pytt", "given": ["Anne", "Lise"]}],
        "birthDate": "1950-11-02",
    }


def weight(who, day, value):
    return {
        "resourceType": "Observation",
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
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{who}"},
        "effectiveDateTime": f"2026-01-{day:02}T08:00:00+01:00",
        "valueQuantity": {
            "value": value,
            "unit": "kg",
            "system": "http://unitsofmeasure.org",
            "code": "kg",
        },
    }


class Fhirpy(unittest.TestCase):
    def setUp(self):
        self.client = SyncFHIRClient(demo.base, authorization=f"Bearer {demo.token('utvikler')}")

    def test_a_resource_is_saved_changed_patched_and_deleted(self):
        made = self.client.resource("Patient", **patient(1))
        made.save()
        self.assertTrue(made.id)
        made["gender"] = "female"
        made.save()
        read = self.client.reference("Patient", made.id).to_resource()
        self.assertEqual(read["gender"], "female")
        parsed(read.serialize())
        read.delete()
        with self.assertRaises((ResourceNotFound, OperationOutcome)):
            self.client.reference("Patient", made.id).to_resource()

    def test_searches_page_sort_count_and_include(self):
        who = self.client.resource("Patient", **patient(2))
        who.save()
        for day in range(1, 8):
            self.client.resource("Observation", **weight(who.id, day, 70 + day)).save()
        found = self.client.resources("Observation").search(patient=who.id).sort("-date").limit(3)
        values = [it["valueQuantity"]["value"] for it in found.fetch_all()]
        self.assertEqual(values, [77, 76, 75, 74, 73, 72, 71])
        self.assertEqual(found.count(), 7)
        heavy = self.client.resources("Observation").search(
            patient=who.id, value_quantity="gt75000||g"
        )
        self.assertEqual(heavy.count(), 0)
        late = self.client.resources("Observation").search(patient=who.id, date__ge="2026-01-06")
        self.assertEqual(len(late.fetch_all()), 2)
        raw = (
            self.client.resources("Observation")
            .search(patient=who.id)
            .include("Observation", "patient")
            .fetch_raw()
        )
        kinds = {entry["resource"]["resourceType"] for entry in raw["entry"]}
        self.assertEqual(kinds, {"Observation", "Patient"})
        parsed(json.loads(json.dumps(raw, default=lambda it: it.serialize())))

    def test_get_or_create_is_one_resource(self):
        name = {"system": "urn:fhirpy", "value": "only-one"}
        search = self.client.resources("Organization").search(identifier="urn:fhirpy|only-one")
        resource = self.client.resource("Organization", identifier=[name], name="Bare en")
        first, created = search.get_or_create(resource)
        again, created_again = search.get_or_create(resource)
        self.assertEqual((created, created_again), (True, False))
        self.assertEqual(first.id, again.id)

    def test_a_fault_comes_as_an_operation_outcome(self):
        with self.assertRaises(OperationOutcome) as raised:
            self.client.resource("Patient", colour="red").save()
        self.assertIn("Patient.colour", str(raised.exception))


class EveryAnswer(unittest.TestCase):
    """What the server prints is R4 by another's model."""

    def answer(self, method, path, body=None, **headers):
        headers = {"Authorization": f"Bearer {demo.token('utvikler')}", **headers}
        if body is not None:
            headers["Content-Type"] = "application/fhir+json"
            body = json.dumps(body).encode()
        request = urllib.request.Request(
            f"{demo.base}/{path}", method=method, headers=headers, data=body
        )
        try:
            with urllib.request.urlopen(request) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return json.load(error)

    def test_every_answer_parses(self):
        made = self.answer("POST", "Patient", patient(9))
        who = made["id"]
        self.answer("POST", "Observation", weight(who, 1, 70))
        batch = {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"request": {"method": "GET", "url": f"Patient/{who}"}}],
        }
        requests = [
            ("GET", "metadata", None),
            ("GET", "metadata?mode=terminology", None),
            ("GET", f"Patient/{who}", None),
            ("GET", f"Patient/{who}/_history", None),
            ("GET", "Patient/_history", None),
            ("GET", "_history", None),
            ("GET", f"Observation?patient={who}&_include=*", None),
            ("GET", f"Patient?_id={who}&_revinclude=Observation:patient", None),
            ("GET", f"Patient/{who}/$everything", None),
            ("GET", f"Patient/{who}/$meta", None),
            ("GET", f"Observation/$lastn?patient={who}&code=29463-7", None),
            ("POST", "Patient/$validate", patient(9)),
            ("GET", "ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender", None),
            ("POST", "", batch),
            ("GET", "Patient/none", None),
            ("POST", "Patient", {"resourceType": "Patient", "colour": "red"}),
        ]
        for method, path, body in requests:
            with self.subTest(f"{method} {path}"):
                answer = self.answer(method, path, body)
                parsed(answer)
                for entry in answer.get("entry", []):
                    if "resource" in entry:
                        parsed(entry["resource"])


if __name__ == "__main__":
    unittest.main()
