"""The real program with a sample workshop, and plain HTTP to it."""

import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "target/debug/motoreach"
START_S = 30
ANSWER_S = 10


class Box:
    """A sample workshop that listens on a free port; ends with the `with` block."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        sample = Path(self.folder.name) / "sample.json"
        self.log = open(Path(self.folder.name) / "log", "w+")
        words = [PROGRAM, "demo", "--no-relay", "--listen", "127.0.0.1:0", "--requests", "4"]
        words += ["--data", Path(self.folder.name) / "data", "--json", sample]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=self.log)
        deadline = time.monotonic() + START_S
        while not sample.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise AssertionError("the box did not start:\n" + self.log.read())
            time.sleep(0.01)
        told = json.loads(sample.read_text())
        self.url = told["box"].rstrip("/")
        self.people = told["people"]
        self.requests = told["requests"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(ANSWER_S)
        self.log.close()
        self.folder.cleanup()

    def staff(self, role):
        """The first person of this role."""
        return next(person for person in self.people if person["role"] == role)

    def owner(self, request):
        """The owner of a request."""
        return next(person for person in self.people if person["id"] == request["owner_id"])

    def call(self, method, path, token=None, body=None):
        """Status, headers and JSON of an answer."""
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
                return answer.status, answer.headers, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers, json.load(refused)
