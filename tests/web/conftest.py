"""One node for all browser tests: a private containerd with images, a stand-in API server, and a real agent after three
runs. The first run saw everything for the first time, the second was a dry run, and the third removed the images that
its limit allowed."""
import contextlib
import json
import os
import pathlib

import pytest

from lab import agent, images
from lab.browser import Browser, MissingProgram
from lab.cell import wait_until
from lab.containerd import DEBIAN, Containerd
from lab.standin_api import StandInApi
from lab.workdir import Workdir

NODE = "worker-1"
HOSTILE = "<img src=x onerror=document.title='owned'>\"'&"  # as the name of a pod, for the worst case
WEB = "web-5c4" if os.environ.get("IMAGESWEEP_SCREENSHOTS") else HOSTILE  # for documentation that looks realistic


def pod(name, containers, namespace="shop"):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": namespace, "name": name, "uid": f"uid-{namespace}-{len(name)}"},
            "spec": {"nodeName": NODE, "hostNetwork": True,
                     "containers": [{"name": f"c{at}", "image": image.names[0]} for at, image in enumerate(containers)]},
            "status": {"phase": "Running"}}


class Site:
    """The node, its agent, and the address of its page."""

    def __init__(self, workdir, containerd, api):
        self.workdir, self.containerd = workdir, containerd
        self._archive, self._number = images.Archive(), 0
        self._base = images.pause_layer(workdir.path)
        containerd.load_pause()
        proxy, api_image = self.add("registry.example/system/proxy:v1"), self.add("registry.example/shop/api:v3", size=3)
        pulled = [proxy, api_image, self.add("registry.example/shop/web:v7", "registry.example/shop/web:stable", size=2)]
        for version in range(1, 7):
            pulled.append(self.add(f"registry.example/shop/old-{version}:v{version}", size=version))
        local = [self.add("docker.io/library/built-here:dev", size=1)]
        containerd.load(self._archive, pulled=pulled, local=local)
        self.removable = [image for image in pulled if "/old-" in image.names[0]]
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "uid": "6d1f0a52"}})
        running = containerd.cri.start_pod("proxy", {"c0": proxy.id}, namespace="kube-system")
        in_api = pod("proxy", [proxy], "kube-system")
        in_api["metadata"]["uid"] = running.uid
        api.put(in_api)
        api.put(pod("api-7d9", [api_image]))
        (pathlib.Path(workdir.path) / "objects/hostile.json").write_text(json.dumps(pod(WEB, [pulled[2]])))
        self.policy_file = workdir.path / "policy.yaml"
        self.flags = ["--runtime-endpoint", containerd.endpoint, "--kubeconfig", api.kubeconfig, "--node-name", NODE,
                      "--policy-file", self.policy_file, "--state-dir", workdir.path / "state"]
        self.write_policy(dryRun=True, maximumAge="14d")

    def add(self, *names, size=0):
        self._number += 1
        layers = [self._base, images.layer({"number": str(self._number).encode()}, self._number, size << 20)]
        return self._archive.add(names, layers)

    def write_policy(self, **fields):
        self.policy_file.write_text(agent.policy(**{"interval": "1h", "keep": {"localOnly": "Always"},
                                                    "diskUsage": {"highThresholdPercent": 99, "lowThresholdPercent": 98},
                                                    **fields}))

    def run_thrice(self, running):
        def age(image):
            return next((one["ageSeconds"] for one in running.json("/api/v1/images")["images"] if one["id"] == image.id), -1)

        def runs(more=0):
            return sum(line.get("msg") == "Finished run" for line in running.lines) + more
        assert wait_until(lambda: runs() == 1, 30), running.text()
        number = 0
        while age(self.removable[0]) < 2:  # each edit causes a run, and each run reads the clock
            number += 1
            self.write_policy(dryRun=True, maximumAge=f"{14 + number}d")
            before = runs()
            assert wait_until(lambda: runs() > before, 30), running.text()
        for fields in ({"dryRun": True}, {"dryRun": False, "limits": {"maxImages": 2}}):
            before = runs()
            self.write_policy(**fields)
            assert wait_until(lambda: runs() > before, 30), running.text()


class Agent(agent.Agent):
    @property
    def pid(self):
        return self._process.pid

    @property
    def url(self):
        return f"http://{self._address}"

    def json(self, path):
        status, body = self.fetch(path)
        assert status == 200, body
        return json.loads(body)


@pytest.fixture(scope="session")
def site():
    with Workdir() as workdir, StandInApi(workdir.path / "objects") as api, Containerd(workdir, DEBIAN) as containerd:
        made = Site(workdir, containerd, api)
        with Agent(*made.flags) as made.agent:
            made.run_thrice(made.agent)
            yield made


@pytest.fixture
def start_agent(site, tmp_path):
    """Starts another agent on the same node: (agent, the file of its policy, which is not written yet)."""
    policy_file = tmp_path / "policy.yaml"
    own = {site.workdir.path / "state": tmp_path / "state", site.policy_file: policy_file}
    with contextlib.ExitStack() as running:
        def start(*flags):
            return running.enter_context(Agent(*(own.get(flag, flag) for flag in site.flags), *flags)), policy_file
        yield start


@pytest.fixture(scope="session")
def browser():
    with Workdir() as workdir:
        try:
            with Browser(workdir.path) as running:
                yield running
        except MissingProgram as missing:
            pytest.fail(str(missing), pytrace=False)
