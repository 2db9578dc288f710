"""With the recorded answers of cri-dockerd, whose CRI does not list the containers that Docker runs besides its pods:
the program shows the images, and removes nothing."""
import json
import pathlib
import subprocess
import sys

import pytest

from lab import recorded_cri, runtimes
from lab.cell import wait_until
from lab.standin_api import StandInApi
from lab.workdir import Workdir
from runtime.commands import Commands
from runtime.conftest import NODE

RECORDINGS = pathlib.Path(__file__).resolve().parents[1] / "support/cri-dockerd"
REFUSAL = "the runtime is cri-dockerd, and its CRI does not list containers that Docker runs outside pods"


class CriDockerd(Commands):
    """A node whose API server has the pods of the recording."""

    def __init__(self, workdir, api, recording):
        self.workdir, self.api = workdir, api
        self.answers = json.loads(recording.read_text())
        self._socket, self._log = workdir.path / "cri.sock", workdir.path / "calls"
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "uid": "6d1f0a52"}})
        names = {image["id"]: [*image.get("repo_tags", ()), *image.get("repo_digests", ())][0]
                 for image in self.answers["ListImages"]["images"]}
        sandboxes = {sandbox["id"]: sandbox["metadata"] for sandbox in self.answers["ListPodSandbox"]["items"]}
        for container in self.answers["ListContainers"]["containers"]:
            api.put({"apiVersion": "v1", "kind": "Pod", "metadata": sandboxes[container["pod_sandbox_id"]],
                     "spec": {"nodeName": NODE, "containers": [
                         {"name": container["metadata"]["name"], "image": names[container["image_ref"]]}]},
                     "status": {"phase": "Running"}})
        self.write_policy(keep={"localOnly": "Never"})
        with open(self._log, "w") as log:
            self._server = subprocess.Popen(
                [sys.executable, recorded_cri.__file__, self._socket, workdir.path, recording], stdout=log)
        if not wait_until(self._socket.exists, 20):
            self.close()
            raise RuntimeError("the recorded CRI did not start")

    def close(self):
        self._server.terminate()
        self._server.wait(timeout=20)

    def flags(self):
        return {"runtime-endpoint": f"unix://{self._socket}", "kubeconfig": self.api.kubeconfig, "node-name": NODE,
                "policy-file": self.policy_file, "state-dir": self.state}

    @property
    def calls(self):
        return self._log.read_text().split()


@pytest.fixture(params=["docker-20.10", "docker-29"])
def cri_dockerd(request):
    with Workdir() as workdir, StandInApi(workdir.path / "objects") as api:
        node = runtimes.start("cri-dockerd (recorded)",
                              lambda: CriDockerd(workdir, api, RECORDINGS / f"{request.param}.json"),
                              lambda node: f"on {node.answers['Version']['runtime_version']}")
        try:
            yield node
        finally:
            node.close()


def test_shows_all_images_and_which_ones_containers_use(cri_dockerd):
    listed = {image["id"] for image in cri_dockerd.answers["ListImages"]["images"]}
    used = {container["image_ref"] for container in cri_dockerd.answers["ListContainers"]["containers"]}
    verdicts = cri_dockerd.verdicts()
    assert set(verdicts) == listed and used < listed
    assert {image for image, verdict in verdicts.items() if verdict == ("Keep", "InUse")} == used


@pytest.mark.parametrize("command", [("sweep",), ("ensure-space", "1000Ti")], ids=lambda command: command[0])
def test_removes_nothing_and_names_the_socket_of_docker(cri_dockerd, command):
    cri_dockerd.age()
    result = cri_dockerd.run(*command, "--dry-run=false", code=1)
    assert REFUSAL in result.stderr and "unix:///run/docker.sock" in result.stderr
    assert "ListImages" in cri_dockerd.calls and "RemoveImage" not in cri_dockerd.calls


def test_a_dry_run_warns_that_a_real_one_aborts(cri_dockerd):
    report = json.loads(cri_dockerd.run("sweep", "--dry-run", "-o", "json").stdout)
    assert any(REFUSAL in warning for warning in report["warnings"]), report["warnings"]
    assert "RemoveImage" not in cri_dockerd.calls
