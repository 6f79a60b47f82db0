"""A client of the HTTP endpoint: it asks as Prometheus, an orchestrator or a browser does."""

import http.client
import json
import re

from waiting import wait_for

SAMPLE = re.compile(r"(firehosed_[a-z0-9_]+)(\{[a-z_]+=\"[^\"]*\"\})? (\S+)")


class Endpoint:
    def __init__(self, port):
        self.port = port

    def ask(self, path, method="GET", body=None, headers=None):
        """Returns (status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def json(self, path):
        status, _, body = self.ask(path)
        return status, json.loads(body)

    def metrics(self):
        """Returns {series: value}, {family: type}."""
        status, headers, body = self.ask("/metrics")
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
        series, types = {}, {}
        for line in body.splitlines():
            if line.startswith("# TYPE"):
                types[line.split()[2]] = line.split()[3]
            elif not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                series[name + (labels or "")] = float(value)
        return series, types

    def wait_ready(self, ready=True):
        return wait_for(lambda: self.ask("/readyz")[0] == (200 if ready else 503) or None,
                        lambda: f"readyz to say {'yes' if ready else 'no'}: {self.ask('/readyz')}")  # fmt: skip
