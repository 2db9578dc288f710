"""The agent as it is shipped: its own image, run by the kubelet as the DaemonSet of the chart or the manifests."""
import functools
import json
import platform
import tempfile

import pytest
import yaml

from lab import agent, gobuild, runtimes
from lab.cell import PATIENCE, wait_until
from lab.chart import CHART, NAMESPACE, ROOT

IMAGE = "localhost/imagesweep:0.1.0"


def archive():
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
    path = ROOT / f"build/image/imagesweep-0.1.0-{architecture}.oci.tar"
    if not path.exists():
        pytest.fail(f"{path} is not there: make image", pytrace=False)
    return path


class DaemonSet:
    """On a cluster that has the image and an empty namespace for it. `install` installs the chart with HELM_VERSION."""

    def __init__(self, kubernetes, helm_version=gobuild.DEFAULT_HELM):
        self.kubernetes, self.release, self.helm_version = kubernetes, "imagesweep", helm_version
        kubernetes.containerd.load_file(archive(), IMAGE)

    def make_namespace(self, level="privileged"):
        self.kubernetes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": NAMESPACE, "labels": {"pod-security.kubernetes.io/enforce": level}}})

    @functools.cached_property
    def _helm(self):
        program = gobuild.helm(self.helm_version) / "helm"
        version = self.kubernetes.cell.run(program, "version", "--template={{.Version}}").stdout
        runtimes.note(f"Helm {version.removeprefix('v')}")
        return program

    def helm(self, *arguments):
        return self.kubernetes.cell.run(self._helm, f"--kubeconfig={self.kubernetes.kubeconfig}",
                                        f"--namespace={NAMESPACE}", *arguments).stdout

    def install(self, values=None, policy=None, ready_within=90, arguments=()):
        """Installs or upgrades, and returns when the pod of that version is ready. POLICY replaces the default policy.
        ARGUMENTS are more flags of Helm."""
        values = {**self.kubernetes.chart_values, **(values or {})}
        if policy is not None:
            values["policy"] = {**values.get("policy", {}), "config": policy}
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            self.helm("upgrade", "--install", self.release, CHART, "--values", file.name, *arguments)
        self.await_ready(ready_within)

    def await_ready(self, seconds=90):
        try:
            self.kubectl("rollout", "status", "daemonset/imagesweep", f"--timeout={seconds}s")
        except Exception as error:
            raise AssertionError(f"{self.kubectl('describe', 'pods')}\n{self.text()}") from error

    def kubectl(self, *arguments, **options):
        return self.kubernetes.kubectl("-n", NAMESPACE, *arguments, **options)

    def pods(self):
        return self.kubernetes.get("pods", "-n", NAMESPACE, "-l", "app.kubernetes.io/component=agent")["items"]

    def pod(self):
        alive = [pod for pod in self.pods() if "deletionTimestamp" not in pod["metadata"]]
        assert len(alive) == 1, [pod["metadata"]["name"] for pod in alive]
        return alive[0]

    def run(self, *arguments):
        """Runs a command of the program in the container of the agent."""
        return self.kubectl("exec", self.pod()["metadata"]["name"], "--", "imagesweep", *arguments)

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "-o", "json"))

    def lines(self):
        """The log of the running container."""
        found = []
        for line in self.kubectl("logs", "--tail=-1", self.pod()["metadata"]["name"]).splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"msg": line})
        return found

    def text(self):
        return "\n".join(map(json.dumps, self.lines()))

    def wait_for(self, message, seconds=30, after=0, **fields):
        """The first line after number AFTER with that message and those fields."""
        def found():
            return next((line for line in self.lines()[after:] if line.get("msg") == message
                         and all(line.get(name) == value for name, value in fields.items())), None)
        line = wait_until(found, seconds, every=0.2)
        assert line, f"no {message!r} {fields} within {seconds * PATIENCE} s:\n{self.text()}"
        return line

    def fetch(self, path):
        """(status, body) of an endpoint of the pod, requested from the node."""
        address = self.pod()["status"]["podIP"]
        output = self.kubernetes.cell.run("curl", "-sS", "--max-time", "10", "-w", "\n%{http_code}",
                                          f"http://{address}:8080{path}").stdout
        body, _, status = output.rpartition("\n")
        return int(status), body

    def running(self):
        return "running" in self.pod()["status"].get("containerStatuses", [{"state": {}}])[0]["state"]

    def explanation(self):
        """Its own diagnosis: its log, and why it is not ready."""
        return self.text() + "\n" + self.fetch("/readyz?verbose")[1].replace('"', '\\"')

    def metric(self, name, **labels):
        return agent.series(self.fetch("/metrics")[1], name, **labels)

    def sweep_until(self, condition, seconds=60, **fields):
        """Edits the policy, each time to another text, which makes the agent run at once, until CONDITION holds."""
        edits = iter(range(100, 1000))

        def swept():
            self.put_policy(**{**fields, "limits": {"maxFailures": next(edits)}})
            return wait_until(condition, 2, every=0.2, patience=1)
        return wait_until(swept, seconds)

    def put_policy(self, name="imagesweep-policy", **fields):
        """Edits the policy with kubectl, as an administrator does. Returns the text when the API server has it."""
        text = agent.policy(**fields)
        self.put_text(text, name)
        return text

    def put_text(self, text, name="imagesweep-policy"):
        self.kubectl("patch", "configmap", name, "--type=merge", "-p", json.dumps({"data": {"policy.yaml": text}}))
