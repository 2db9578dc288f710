"""Runs the program under test: one command, or the agent as a process."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from lab.cell import PATIENCE, wait_until

PROGRAM = pathlib.Path(os.environ.get("IMAGESWEEP")
                       or pathlib.Path(__file__).resolve().parents[2] / "build/release/imagesweep")


def program():
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is not there: make build", pytrace=False)
    return PROGRAM


def policy(**fields):
    """A policy that removes everything unneeded a second after it was first seen. JSON is YAML."""
    text = {"apiVersion": "imagesweep/v1alpha1", "kind": "SweepPolicy", "dryRun": False, "interval": "1m",
            "initialDelay": "0s", "jitterPercent": 0, "minimumAge": "0s", "maximumAge": "1s",
            "removeDangling": True, "removeSuperseded": False,
            "keep": {"lastPerRepository": 0, "workloads": {"enabled": False}},
            "diskUsage": {"highThresholdPercent": 0},
            "limits": {"maxImages": 1000, "maxPercentOfImages": 100, "removalDelay": "0s", "confirmRuns": 1}}
    for name, value in fields.items():
        text[name] = {**text.get(name, {}), **value} if isinstance(value, dict) else value
    return json.dumps(text, indent=1) + "\n"


def run(*arguments, code=0, enter=(), seconds=120, **options):
    """Runs one command, which must end with CODE (None for any) within SECONDS. Returns the completed process."""
    result = subprocess.run([*enter, str(program()), *map(str, arguments)], text=True, capture_output=True,
                            timeout=seconds, env=environment(), **options)
    assert code in (None, result.returncode), f"{arguments} ended with {result.returncode}, not {code}:\n" \
                                      f"{result.stdout}\n{result.stderr}"
    return result


def outcomes(report):
    """id -> outcome, of a SweepReport."""
    return {outcome["id"]: outcome["outcome"] for outcome in report["outcomes"]}


def environment():
    """The environment of this process, without variables that point the program to another cluster."""
    ignored = {"KUBECONFIG", "NODE_NAME", "KUBERNETES_SERVICE_HOST", "POD_NAME", "POD_NAMESPACE", "POD_UID"}
    return {name: value for name, value in os.environ.items()
            if name not in ignored and not name.startswith("IMAGESWEEP_")}


def series(text, name, **labels):
    """The sum of the series of the metric that have LABELS, or None if there are none."""
    values = []
    for line in text.splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if match and match[1] == name \
                and all(f'{label}="{value}"' in (match[2] or "") for label, value in labels.items()):
            values.append(float(match[3]))
    return sum(values) if values else None


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Agent:
    """`imagesweep agent` (or another COMMAND that keeps running) with its log lines as they arrive (readAt: the
    monotonic time). `fetch` reads its endpoints."""

    def __init__(self, *arguments, enter=(), address=None, command="agent"):
        self._address = address or f"127.0.0.1:{_free_port()}"
        self.lines, self._enter, self._more = [], list(enter), threading.Condition()
        self._process = subprocess.Popen(
            [*enter, str(program()), command, "--listen-address", self._address, "--log-format", "json",
             *map(str, arguments)], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=environment(), start_new_session=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()

    @property
    def address(self):
        return self._address

    @property
    def running(self):
        return self._process.poll() is None

    def wait_for(self, message, seconds=20, after=0, **fields):
        """The first line after number AFTER with that message and those fields."""
        def found():
            return next((line for line in self.lines[after:] if line.get("msg") == message
                         and all(line.get(name) == value for name, value in fields.items())), None)
        with self._more:
            line = self._more.wait_for(found, seconds * PATIENCE)
        assert line, f"no {message!r} {fields} within {seconds * PATIENCE} s:\n{self.text()}"
        return line

    def text(self):
        return "\n".join(json.dumps(line) for line in self.lines)

    def fetch(self, path):
        """(status, body), by curl, which can run in the network of a cell."""
        curl = ["curl", "-sS", "--retry", "20", "--retry-connrefused", "--retry-delay", "1", "-w", "\n%{http_code}"]
        result = subprocess.run([*self._enter, *curl, "--retry-max-time", "5", f"http://{self._address}{path}"],
                                text=True, capture_output=True, check=True, timeout=20)
        body, _, status = result.stdout.rpartition("\n")
        return int(status), body

    def metric(self, name, **labels):
        return series(self.fetch("/metrics")[1], name, **labels)

    def wait_for_metric(self, name, at_least, seconds=30, **labels):
        value = wait_until(lambda: (self.metric(name, **labels) or 0) >= at_least, seconds, every=0.2)
        assert value, f"{name}{labels} did not reach {at_least} but {self.metric(name, **labels)}:\n{self.text()}"

    def terminate(self, seconds=10):
        """Sends SIGTERM, and returns the exit code within SECONDS."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout=seconds)

    def signal(self, number):
        self._process.send_signal(number)

    def _read(self):
        for line in self._process.stderr:
            try:
                value = json.loads(line)
            except ValueError:
                value = {"msg": line.rstrip()}
            with self._more:
                value["readAt"] = time.monotonic()
                self.lines.append(value)
                self._more.notify_all()
