"""A node without a kubelet for each test: a private containerd or CRI-O, a stand-in API server, and the program under
test."""
import contextlib
import os

import pytest

from lab import agent, cri, gobuild, images, runtimes
from lab.containerd import DEBIAN, LAST_1, LATEST, Containerd
from lab.crio import CRIO, Crio
from lab.disk import workdir_on_a_disk
from lab.standin_api import StandInApi
from lab.workdir import Workdir
from runtime import docker_host
from runtime.commands import Commands

NODE = "node1"
CONFIGMAP = ("imagesweep-system", "imagesweep-policy")


class Node(Commands):
    """`containerd` is its runtime, which may also be a Crio."""

    def __init__(self, workdir, containerd, api):
        self.workdir, self.containerd, self.api = workdir, containerd, api
        self._base = images.pause_layer(workdir.path)
        self.api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "uid": "6d1f0a52"}})
        self.pause = containerd.load_pause()
        self.system = self.load("registry.example/system/proxy:v1")  # a node without pods is refused
        self.system_pod = self.start_pod("proxy", self.system)
        self.write_policy()

    def put_configmap(self, **fields):
        """Writes the policy for an agent into a ConfigMap. Each call makes the agent run at once."""
        self.api.put(policy_configmap(agent.policy(**fields)))

    def load(self, *names, local=False, size=0):
        """Loads one image with all of NAMES, pulled unless LOCAL. Another image with one of the names loses it."""
        archive = images.Archive()
        self._loaded = getattr(self, "_loaded", 0) + 1
        layers = [self._base, images.layer({"number": str(self._loaded).encode()}, self._loaded, size)]
        image = archive.add(names, layers)
        self.containerd.load(archive, **{"local" if local else "pulled": [image]})
        return self.containerd.as_listed(image)

    def pull(self, name, user=None):
        """Pulls as a kubelet does, which then has a record of it."""
        reference = self.containerd.cri.pull(name, user)
        if self.containerd.version == CRIO:
            self.containerd.record_pull(name, reference)

    def start_pod(self, name, *used, state=cri.RUNNING, in_api=True, by_kubelet=True):
        """A pod with one container for each image of USED, named after its first name."""
        containers = {f"c{number}": image for number, image in enumerate(used)}
        pod = self.containerd.cri.start_pod(name, {c: image.id for c, image in containers.items()}, state=state,
                                            by_kubelet=by_kubelet)
        if in_api:
            self.put_pod(pod, containers)
        return pod

    def put_pod(self, pod, containers, node=NODE):
        self.api.put(pod_object(pod, containers, node))

    def remove_pod(self, pod):
        self.containerd.cri.remove_pod(pod)
        self.api.delete(pod_object(pod, {}, NODE))

    def flags(self):
        flags = {"runtime-endpoint": self.containerd.endpoint, "kubeconfig": self.api.kubeconfig, "node-name": NODE,
                 "policy-file": self.policy_file, "state-dir": self.state}
        if self.containerd.version == CRIO:
            flags["kubelet-dir"] = self.containerd.kubelet_directory
        return flags

    def agent(self, *arguments, **replaced):
        configmap = {"policy_file": None, "policy_configmap": "/".join(CONFIGMAP)}
        return agent.Agent(*arguments, *self.sources(**{**configmap, **replaced}))


def policy_configmap(policy):
    namespace, name = CONFIGMAP
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name},
            "data": {"policy.yaml": policy}}


def pod_object(pod, containers, node):
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid},
            "spec": {"nodeName": node, "hostNetwork": True,
                     "containers": [{"name": name, "image": image.names[0]} for name, image in containers.items()]},
            "status": {"phase": "Running", "containerStatuses": [
                {"name": name, "image": image.names[0], "imageID": image.id} for name, image in containers.items()]}}


def pytest_generate_tests(metafunc):
    """Each test that uses a node runs on every containerd, or on those that its mark names. It runs on 1.7 only with the
    mark `every_containerd`, or with IMAGESWEEP_TEST_VERSIONS=all, as `make e2e` sets it. With the mark `crio` it also
    runs on CRI-O, unless a nearer one says crio(False)."""
    if "containerd_version" in metafunc.fixturenames:
        marks = {name: metafunc.definition.get_closest_marker(name) for name in ("containerd", "every_containerd", "crio")}
        versions = marks["containerd"].args if marks["containerd"] else (DEBIAN, LAST_1, LATEST)
        if not marks["every_containerd"] and os.environ.get("IMAGESWEEP_TEST_VERSIONS") != "all":
            versions = [version for version in versions if version != LAST_1]
        also = (CRIO,) if marks["crio"] and marks["crio"].args != (False,) else ()
        metafunc.parametrize("containerd_version", (*versions, *also), indirect=True)


@pytest.fixture
def containerd_version(request):
    return request.param


@pytest.fixture
def node(containerd_version):
    with node_with(containerd_version) as node:
        yield node


@contextlib.contextmanager
def node_with(version, **options):
    with Workdir() as workdir, StandInApi(workdir.path / "objects") as api, \
            started(workdir, version, **options) as containerd:
        yield Node(workdir, containerd, api)


def started(workdir, version, **options):
    """The containerd of that version, or CRI-O."""
    name, make = ("CRI-O", lambda: Crio(workdir, **options)) if version == CRIO else \
        ("containerd", lambda: Containerd(workdir, version, **options))
    try:
        return runtimes.start(name, make, lambda runtime: runtime.cri.version().runtime_version)
    except gobuild.MissingGo as missing:
        pytest.fail(str(missing), pytrace=False)


@contextlib.contextmanager
def node_on_a_disk(containerd_version, size, *mkfs, kind="ext4", **options):
    """A node whose runtime, with OPTIONS, has a separate file system."""
    with workdir_on_a_disk(size, *mkfs, kind=kind) as workdir, StandInApi(workdir.path.parent / "objects") as api, \
            started(workdir, containerd_version, **options) as containerd:
        yield Node(workdir, containerd, api)


@pytest.fixture(params=docker_host.VERSIONS)
def docker(request):
    """A host with Docker."""
    with docker_host.host_with(request.param) as host:
        yield host
