"""A real one-node Kubernetes for each test."""
import contextlib
import json
import os
import typing

import pytest

from lab import agent, gobuild, images, runtimes
from lab.cell import wait_until
from lab.containerd import DEBIAN, LAST_1, LATEST
from lab.crio import CRIO
from lab.kubernetes import DEFAULT, NEWEST, NODE, OLDEST, Kubernetes
from lab.workdir import Workdir

CONFIGMAP = "imagesweep-policy"


class Versions(typing.NamedTuple):
    kubernetes: str
    containerd: str


# Each Kubernetes with a containerd of its time. From 1.36 on, it needs containerd 2.
NODES = [Versions(DEFAULT, LATEST), Versions(DEFAULT, DEBIAN), Versions(NEWEST, LATEST), Versions(OLDEST, LAST_1)]


class Cluster:
    """The policy is in ConfigMap NAMESPACE/CONFIGMAP. The images are in a separate repository."""

    namespace = "shop"

    def __init__(self, kubernetes, workdir):
        self.kubernetes, self.containerd = kubernetes, kubernetes.containerd
        self.state, self._edits = workdir.path / "state", 0
        self._base = images.pause_layer(workdir.path)
        kubernetes.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        assert wait_until(lambda: "default" in kubernetes.kubectl("get", "serviceaccounts", "-n", self.namespace,
                                                                  "-o", "name"), 30)

    def image(self, tag, repository="app", local=False, size=256 << 10):
        archive = images.Archive()
        name = f"registry.example/shop/{repository}:{tag}"
        image = archive.add([name], [self._base, images.layer({"tag": tag.encode()}, name, size)])
        self.containerd.load(archive, **{"local" if local else "pulled": [image]})
        return self.containerd.as_listed(image)

    def deploy(self, image, name="app", replicas=2):
        """Creates or updates a Deployment, and returns when all its pods run IMAGE and no other pods are left."""
        self.kubernetes.apply({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": self.namespace, "name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 1, "automountServiceAccountToken": False, "containers": [
                    {"name": "app", "image": image.names[0], "imagePullPolicy": "Never"}]}}}})
        self.kubernetes.kubectl("rollout", "status", f"deployment/{name}", "-n", self.namespace, "--timeout=60s")
        assert wait_until(lambda: {container["image"] for pod in self.pods(name) for container in
                                   pod["spec"]["containers"]} == {image.names[0]}, 60, every=0.5)

    def pods(self, app="app"):
        return self.kubernetes.get("pods", "-n", self.namespace, "-l", f"app={app}")["items"]

    def put_policy(self, **fields):
        """Returns the text of the policy when the API server has it."""
        text = agent.policy(**fields)
        self.kubernetes.apply({"apiVersion": "v1", "kind": "ConfigMap",
                               "metadata": {"namespace": self.namespace, "name": CONFIGMAP},
                               "data": {"policy.yaml": text}})
        return text

    def sweep_until_gone(self, *expected, seconds=60, **fields):
        """Edits the policy, each time to another text, which makes the agent run at once, until EXPECTED are removed.
        """
        def gone():
            self._edits += 1
            self.put_policy(**{**fields, "limits": {"maxFailures": 5 + self._edits}})
            return self.gone(*expected, seconds=2, patience=1)
        return wait_until(gone, seconds)

    def sources(self, node=NODE):
        records = [f"--kubelet-dir={self.containerd.kubelet_directory}"] if self.containerd.version == CRIO else []
        return [f"--runtime-endpoint={self.containerd.endpoint}", f"--kubeconfig={self.kubernetes.kubeconfig}",
                f"--node-name={node}", f"--policy-configmap={self.namespace}/{CONFIGMAP}", f"--state-dir={self.state}",
                "--count-unwatched", *records]

    def agent(self, node=NODE):
        return agent.Agent(*self.sources(node), enter=self.kubernetes.cell.enter(), address="127.0.0.1:18080")

    def run(self, *arguments, code=0, node=NODE):
        return agent.run(*arguments, *self.sources(node), code=code, enter=self.kubernetes.cell.enter())

    def json(self, *arguments, **options):
        return json.loads(self.run(*arguments, "-o", "json", **options).stdout)

    def age(self, *waiting):
        """Makes every image known, and returns when those in WAITING are old enough for agent.policy()."""
        wanted = {image.id for image in waiting}
        assert wait_until(lambda: all(image["ageSeconds"] >= 2 for image in self.json("images")["images"]
                                      if image["id"] in wanted), 30, every=0.5)

    def gone(self, *expected, seconds=60, **options):
        ids = {image.id for image in expected}
        return wait_until(lambda: not ids & self.containerd.ids(), seconds, every=0.2, **options)


def nodes(test):
    """A test runs on the containerds that its mark names. Otherwise it runs on the newest one, because the runtime tier
    covers all. With the mark `crio` it also runs on CRI-O. With the mark `newest_kubernetes` it also, or only, runs on
    that. With IMAGESWEEP_TEST_VERSIONS=all, as
    `make e2e` sets it, it runs on all NODES that its marks do not exclude."""
    containerd, newest = test.get_closest_marker("containerd"), test.get_closest_marker("newest_kubernetes")
    only_newest = newest and newest.kwargs.get("only")
    suitable = [node for node in NODES if (not containerd or node.containerd in containerd.args)
                and (not only_newest or node.kubernetes == NEWEST)]
    on_crio = [Versions(DEFAULT, CRIO)] if test.get_closest_marker("crio") else []
    if os.environ.get("IMAGESWEEP_TEST_VERSIONS") == "all":
        return suitable + on_crio
    return [node for node in suitable if node.kubernetes in ((DEFAULT, NEWEST) if newest else (DEFAULT,))
            and (containerd or node.containerd == LATEST)] + on_crio


def pytest_generate_tests(metafunc):
    if "versions" in metafunc.fixturenames:
        metafunc.parametrize("versions", nodes(metafunc.definition), ids="-".join, indirect=True)


@pytest.fixture
def versions(request):
    return request.param


def versions_of(kubernetes):
    """Those that the kubelet reports: of itself and of its runtime."""
    info = kubernetes.get("node", NODE)["status"]["nodeInfo"]
    return f"{info['kubeletVersion']} with {info['containerRuntimeVersion'].replace('://v', ' ').replace('://', ' ')}" \
        .replace("cri-o", "CRI-O")


@contextlib.contextmanager
def cluster_in(workdir, versions, **options):
    try:
        gobuild.kubernetes(versions.kubernetes)
    except gobuild.MissingGo as missing:
        pytest.fail(str(missing), pytrace=False)

    def start():
        return Kubernetes(workdir, versions.containerd, versions.kubernetes, **options)
    with runtimes.start("Kubernetes", start, versions_of) as kubernetes:
        yield Cluster(kubernetes, workdir)


@pytest.fixture
def cluster(versions):
    with Workdir() as workdir, cluster_in(workdir, versions) as cluster:
        yield cluster
