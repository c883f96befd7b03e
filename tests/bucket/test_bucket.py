"""Backups in a bucket of a third party's S3 server (moto), which checks signatures and rights."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import boto3

sys.path.append(str(Path(__file__).parents[1] / "clients"))
from demo import PROGRAM, Demo, number  # noqa: E402

EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}
MAKING_A_USER = 4  # requests that moto takes from anybody before it asks for rights


def free_port():
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


class Store:
    """moto's server, with a user who may do everything, and a bucket."""

    def __init__(self):
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(MAKING_A_USER)}
        program = Path(sys.executable).parent / "moto_server"
        self.process = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(self.port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.wait()
        anybody = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        iam = boto3.client("iam", endpoint_url=self.endpoint, **anybody)
        iam.create_user(UserName="fkj")
        iam.put_user_policy(UserName="fkj", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
        key = iam.create_access_key(UserName="fkj")["AccessKey"]
        self.key = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
        boto3.client("s3", endpoint_url=self.endpoint, **anybody).create_bucket(Bucket="backups")
        self.s3 = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            region_name="us-east-1",
        )

    def wait(self):
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("moto does not start")

    def names(self):
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket="backups")
        return {it["Key"] for page in pages for it in page.get("Contents", [])}

    def close(self):
        self.process.kill()
        self.process.wait()


class Between(BaseHTTPRequestHandler):
    """Passes requests on, and breaks off in the middle of the nth upload; or ends whoever sends it."""

    protocol_version = "HTTP/1.1"
    store, breaks, uploads, lock, victim = None, 0, 0, threading.Lock(), None

    def log_message(self, *_):
        pass

    def do(self):
        length = int(self.headers.get("content-length") or 0)
        if self.command == "PUT":
            with Between.lock:
                Between.uploads += 1
                is_broken = Between.uploads >= Between.breaks > 0
            if is_broken:
                self.rfile.read(length // 2)
                if Between.victim:
                    Between.victim.kill()
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
        body = self.rfile.read(length)
        request = urllib.request.Request(
            Between.store.endpoint + self.path, method=self.command, data=body or None
        )
        for name, value in self.headers.items():
            request.add_header(name, value)
        # Or urllib says that it is a form, and moto reads it as one.
        request.add_header("Content-Type", "application/octet-stream")
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            answer = error
        content = answer.read()
        self.send_response(answer.status)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = do


class Bucket(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = Store()
        cls.addClassCleanup(cls.store.close)
        Between.store = cls.store
        cls.between = ThreadingHTTPServer(("127.0.0.1", 0), Between)
        threading.Thread(target=cls.between.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.between.shutdown)
        cls.demo = cls.enterClassContext(Demo())

    def run_fkj(self, *command, **variables):
        variables = {"AWS_ENDPOINT_URL": self.store.endpoint, **self.store.key, **variables}
        done = subprocess.run(
            [PROGRAM, *command], capture_output=True, text=True, env={**os.environ, **variables}
        )
        told = done.stdout + done.stderr
        for secret in (variables["AWS_SECRET_ACCESS_KEY"], "wrong-secret"):
            self.assertNotIn(secret, told)
        return done.returncode == 0, told

    def backup(self, to, **variables):
        command = ["backup", "--kommune", "9901", "--dir", self.demo.folder, "--to", to]
        return self.run_fkj(*command, **variables)

    def send(self, n, beats):
        coding = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
        pulse = {
            "resourceType": "Observation",
            "status": "final",
            "category": [{"coding": [coding]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
            "subject": {"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": number(n)}},
            "effectiveDateTime": "2026-01-05",
            "valueQuantity": {
                "value": beats,
                "unit": "/min",
                "system": "http://unitsofmeasure.org",
                "code": "/min",
            },
        }
        request = urllib.request.Request(f"{self.demo.base}/Observation", data=json.dumps(pulse).encode())
        request.add_header("Authorization", f"Bearer {self.demo.token('plo-epj')}")
        request.add_header("Content-Type", "application/fhir+json")
        urllib.request.urlopen(request).close()

    def test_backups_are_taken_verified_and_restored(self):
        to = "s3://backups/whole"
        self.send(1, 71)
        good, told = self.backup(to)
        self.assertTrue(good, told)
        first = self.store.names()
        self.assertTrue(any(name.startswith("whole/9901/ledger/") for name in first), first)
        self.send(2, 72)
        good, told = self.backup(to)
        self.assertTrue(good, told)
        self.assertLess(first, self.store.names())
        self.assertFalse((Path(self.demo.folder) / "9901/outgoing").exists())
        good, told = self.run_fkj("verify-backup", to)
        self.assertTrue(good, told)
        self.assertIn("9901: 2 backups", told)
        with tempfile.TemporaryDirectory() as folder:
            good, told = self.run_fkj("restore", "--from", to, "--to", folder)
            self.assertTrue(good, told)
            self.assertTrue((Path(folder) / "9901/ledger.db").exists())
        with tempfile.TemporaryDirectory() as folder:
            config = str(Path(self.demo.folder) / "fkj.toml")
            drill = ["restore-drill", "--from", to, "--to", f"{folder}/drill", "--key-config", config]
            good, told = self.run_fkj(*drill)
            self.assertTrue(good, told)
        # A bit that turns in the store is found and placed.
        name = min(it for it in first if it.startswith("whole/9901/ledger/") and it.endswith(".bodies"))
        content = bytearray(self.store.s3.get_object(Bucket="backups", Key=name)["Body"].read())
        content[-1] ^= 1
        self.store.s3.put_object(Bucket="backups", Key=name, Body=bytes(content))
        good, told = self.run_fkj("verify-backup", to)
        self.assertFalse(good)
        self.assertIn(f"`{name.removeprefix('whole/9901/')}`, position ", told)

    def test_what_is_wrong_is_said_and_nothing_is_left(self):
        wrong = {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}
        for variables, to, said in [
            (wrong, "s3://backups/wrong", "403 SignatureDoesNotMatch"),
            ({"AWS_ACCESS_KEY_ID": "nobody"}, "s3://backups/wrong", "403 InvalidAccessKeyId"),
            ({}, "s3://nowhere/wrong", "404 NoSuchBucket"),
            ({"AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}, "s3://backups/wrong", "cannot be reached"),
            ({"AWS_ENDPOINT_URL": "http://s3.example"}, "s3://backups/wrong", "https"),
            ({"AWS_ENDPOINT_URL": ""}, "s3://backups/wrong", "AWS_ENDPOINT_URL"),
            ({}, "s3://backups/wr%20ng", "letters, digits"),
        ]:
            with self.subTest(said):
                good, told = self.backup(to, **variables)
                self.assertFalse(good)
                self.assertIn(said, told)
        self.assertFalse([name for name in self.store.names() if "wrong" in name])

    def test_a_backup_that_breaks_off_leaves_those_before_whole_and_goes_on(self):
        to = "s3://backups/broken"
        self.assertTrue(self.backup(to)[0])
        whole = self.store.names()
        self.send(3, 73)
        between = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.between.server_port}"}
        for breaks in range(1, 4):
            Between.breaks, Between.uploads = breaks, 0
            good, told = self.backup(to, **between)
            self.assertFalse(good, told)
            self.assertIn("cannot be reached", told)
            good, told = self.run_fkj("verify-backup", to)
            self.assertTrue(good, told)
            self.assertIn("9901: 1 backups", told)
            Between.uploads = 0
            environment = {**os.environ, **self.store.key, **between}
            command = [PROGRAM, "backup", "--kommune", "9901", "--dir", self.demo.folder, "--to", to]
            with subprocess.Popen(command, env=environment) as Between.victim:
                self.assertEqual(Between.victim.wait(), -signal.SIGKILL)
            Between.victim = None
            self.assertIn("9901: 1 backups", self.run_fkj("verify-backup", to)[1])
        Between.breaks = 0
        good, told = self.backup(to, **between)
        self.assertTrue(good, told)
        self.assertLess(whole, self.store.names())
        good, told = self.run_fkj("verify-backup", to)
        self.assertTrue(good, told)
        self.assertIn("9901: 2 backups", told)

    def test_more_pieces_than_stand_on_a_page_are_all_met(self):
        to = "s3://backups/paged"
        stray = {f"paged/9901/ledger/stray-{n:04}" for n in range(1_005)}
        for name in stray:
            self.store.s3.put_object(Bucket="backups", Key=name, Body=b"")
        # What no backup names is taken away, page by page.
        good, told = self.backup(to)
        self.assertTrue(good, told)
        self.assertFalse(stray & self.store.names())

    def test_the_key_may_come_as_a_credential_of_the_service(self):
        with tempfile.TemporaryDirectory() as folder:
            key = self.store.key
            held = f"{key['AWS_ACCESS_KEY_ID']}\n{key['AWS_SECRET_ACCESS_KEY']}\n"
            (Path(folder) / "fkj-s3").write_text(held)
            variables = {"CREDENTIALS_DIRECTORY": folder, "AWS_SECRET_ACCESS_KEY": "wrong-secret"}
            good, told = self.backup("s3://backups/credential", **variables)
            self.assertTrue(good, told)


if __name__ == "__main__":
    unittest.main()
