"""A separate Prometheus server that scrapes one agent as the PodMonitor of the chart does: with the label `node`."""
import json
import math
import pathlib
import re
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request

import yaml

from lab.cell import wait_until

SELECTOR = re.compile(r"\b((?:imagesweep|process)_\w+(?:\{[^}]*\})?)")


class MissingProgram(Exception):
    """Prometheus is not installed."""


def selectors(query):
    """The series that a query reads: names with their label matchers."""
    return SELECTOR.findall(query)


class Prometheus:
    """On a loopback port, with its data in DIRECTORY. RULES are the content of a rule file."""

    def __init__(self, directory, target, node, rules):
        if not shutil.which("prometheus"):
            raise MissingProgram("prometheus is not there: scripts/bootstrap test")
        directory = pathlib.Path(directory)
        (directory / "rules.yaml").write_text(yaml.safe_dump(rules))
        config = directory / "prometheus.yaml"
        config.write_text(yaml.safe_dump({
            "global": {"scrape_interval": "250ms", "scrape_timeout": "250ms", "evaluation_interval": "1s"},
            "rule_files": ["rules.yaml"],
            "scrape_configs": [{"job_name": "imagesweep",
                                "static_configs": [{"targets": [target], "labels": {"node": node}}]}]}))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{probe.getsockname()[1]}"
        self._log = open(directory / "prometheus.log", "w+")
        self._process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory / 'data'}",
             f"--web.listen-address={self._address}"], stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)

    def __enter__(self):
        if not wait_until(self._ready, 20, every=0.2):
            self.__exit__()
            raise RuntimeError(f"Prometheus did not start:\n{pathlib.Path(self._log.name).read_text()}")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def get(self, path, **parameters):
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, query):
        """[(labels, value)] at this time. Values that are not numbers are left out, as in a panel."""
        found = [(one["metric"], float(one["value"][1])) for one in self.get("query", query=query)["result"]]
        return [(labels, value) for labels, value in found if not math.isnan(value)]

    def value(self, query):
        """The sum of the results of the query."""
        return sum(value for _, value in self.query(query))

    def await_value(self, query, holds, seconds=20):
        if not wait_until(lambda: holds(self.value(query)), seconds, every=0.2):
            raise AssertionError(f"{query} is {self.query(query)} after {seconds} s")

    def _ready(self):
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False
