"""A real containerd with its files where k3s, RKE2, k0s, MicroK8s, kind, and Minikube have them, and the program as it
runs there: from a shell of the node, and in the container that the chart renders, with and without its preset."""
import contextlib
import dataclasses

import pytest

from lab import agent, cri, dockerd, images, pull_records
from lab.agent import outcomes
from lab.containerd import DEFAULT, LATEST, Paths
from lab.disk import workdir_on_a_disk
from lab.pod_view import PodView
from lab.registry import Registry
from lab.standin_api import StandInApi
from runtime import docker_host
from runtime.commands import Commands
from runtime.conftest import CONFIGMAP, NODE, Node, policy_configmap, started
from runtime.docker_host import ATTEMPTS, DockerHost, removed
from runtime.test_docker_pods import start_pod
from runtime.test_true_sizes import MIB, Disk

UPSTREAM = "registry.example"  # which the node pulls through its mirror
KUBELET = "/var/lib/kubelet"
# df and restore need no policy and no API server.
ALONE = {"policy_file": None, "kubeconfig": None, "node_name": None, "count_unwatched": None}


@dataclasses.dataclass(frozen=True)
class Layout:
    """`preset` is for runtime.name of the chart. `import_flags` are those with which the distribution imports images
    from files. With `labels_imports`, such images get the label of a pull, so it proves nothing there."""
    preset: str
    paths: Paths
    discard: bool = False  # discard_unpacked_layers
    import_flags: tuple = ()
    labels_imports: bool = False


def rancher(name):
    """k3s pkg/agent/containerd and pkg/agent/templates; RKE2 is built from them."""
    state = "/run/k3s/containerd"
    return Layout(name, Paths(f"/var/lib/rancher/{name}/agent/containerd", state, f"{state}/containerd.sock"),
                  labels_imports=True)


SNAP = "/var/snap/microk8s/common"
LAYOUTS = {
    "k3s": rancher("k3s"),
    "rke2": rancher("rke2"),
    # k0s pkg/component/worker/containerd
    "k0s": Layout("k0s", Paths("/var/lib/k0s/containerd", "/run/k0s/containerd", "/run/k0s/containerd.sock")),
    # microk8s-resources/default-args/containerd
    "microk8s": Layout("microk8s", Paths(f"{SNAP}/var/lib/containerd", f"{SNAP}/run/containerd",
                                         f"{SNAP}/run/containerd.sock")),
    # kind images/base/files/etc/containerd/config.toml, pkg/cluster/nodeutils (LoadImageArchive)
    "kind": Layout("containerd", DEFAULT, discard=True, import_flags=("--digests",)),
    # minikube pkg/minikube/cruntime/containerd.go
    "minikube": Layout("containerd", DEFAULT, discard=True),
}


class Shell(Commands):
    """The program in a shell of the node of HOST, without a flag for the runtime. STATE is its state directory, and PREFIX is
    where it sees the sockets of the node. With NETWORK it is in the network of the cell, which has the registry, but not
    the API server."""

    prefix = ""

    def __init__(self, host, state):
        self._flags = {**host.flags(), "runtime-endpoint": None, "state-dir": state}
        self._cell = host.cell

    def flags(self):
        return self._flags

    def run(self, *arguments, network=False, **options):
        return super().run(*arguments, **options, enter=self._enter(network))

    def _enter(self, network):
        return self._cell.enter(network=network, mounts=True, processes=True)


class InPod(Shell):
    """The program in the agent of the chart with runtime.name=PRESET. Only the kubeconfig is a flag."""

    prefix = "/host"

    def __init__(self, host, state, preset):
        super().__init__(host, state)
        values = {"runtime": {"name": preset}, "workloads": {"mode": "off"}, "kubeletPullRecords": {"enabled": True},
                  "policy": {"config": {"keep": {"workloads": {"enabled": False}}}},
                  "persistence": {"hostPath": str(state)}}
        self._flags = {"kubeconfig": host.api.kubeconfig}
        self._pod = PodView(host.cell, host.workdir.path, values, NODE, host.own, host.api.kubeconfig)

    def _enter(self, network):
        return self._pod.enter(network)


def views(host, preset, directory):
    """From a shell, in a pod with PRESET, and in a pod without a preset. Their states are in DIRECTORY."""
    return (Shell(host, directory / "state-shell"), InPod(host, directory / "state-preset", preset),
            InPod(host, directory / "state-pod", ""))


class Distribution(Node):
    """A node with LAYOUT. CERTIFICATES is the directory with the hosts.toml of registries."""

    def __init__(self, workdir, containerd, api, layout, certificates):
        super().__init__(workdir, containerd, api)
        self.layout, self.cell, self._registry = layout, containerd.cell, Registry(containerd)
        (certificates / UPSTREAM).mkdir(parents=True)
        (certificates / UPSTREAM / "hosts.toml").write_text(
            f'[host."http://{self._registry.host}"]\n  capabilities = ["pull", "resolve"]\n')
        own = self.load("localhost/imagesweep:0.1.0")
        self.own = containerd.cri.start_pod("imagesweep-x7d2p", {"imagesweep": own.id}, namespace=CONFIGMAP[0])
        self.put_pod(self.own, {"imagesweep": own})
        self.put_configmap()

    def pull_from_mirror(self, path):
        """Pulls an image through the mirror of its registry, as the kubelet does, which keeps a record of it."""
        archive = images.Archive()
        image = archive.add(self._registry.name(path), [self._base, images.layer({}, path, 3 * MIB)])
        self._registry.push(archive, image)
        image = dataclasses.replace(image, names=(f"{UPSTREAM}/{path}",))
        self.containerd.cri.pull(image.names[0])
        pull_records.write(self.cell.outside(KUBELET), image.names[0], image.id)
        return image

    def import_file(self, name):
        """Imports an image as the distribution imports the file of a user."""
        archive = images.Archive()
        image = archive.add(name, [self._base, images.layer({}, name, MIB)])
        path = archive.write(self.workdir.path / "import.tar")
        self.containerd.ctr("images", "import", *self.containerd.import_flags, *self.layout.import_flags, str(path))
        path.unlink()
        if self.layout.labels_imports:
            self.containerd.label_as_pulled(image)
        self.containerd.await_listed({image.id: {name}})
        return image

    def listed(self):
        """id -> all names, as in CRI."""
        return {image.id: {*image.repo_tags, *image.repo_digests} for image in self.containerd.cri.images()}


@contextlib.contextmanager
def distribution(layout):
    """The disk of the node has only the files of its containerd."""
    with workdir_on_a_disk(512 * MIB) as workdir, StandInApi(workdir.path.parent / "objects") as api:
        certificates = workdir.path / "certs.d"
        with started(workdir, LATEST, paths=layout.paths, discard=layout.discard, mirrors=certificates) as containerd:
            yield Distribution(workdir, containerd, api, layout, certificates)


def check_images(program, kept, socket, ids):
    """Finds the runtime and its images IDS. KEPT are the verdicts of some of them."""
    listed = program.json("images")
    assert listed["runtime"]["endpoint"] == f"unix://{program.prefix}{socket}"
    assert {image["id"] for image in listed["images"]} == ids
    program.age()
    verdicts = program.verdicts()
    assert {image: verdicts[image] for image in kept} == kept


def check_removal(program, image):
    """On a busy machine the runtime lists its containers too slowly for a removal, which then waits for the next run."""
    for _ in range(ATTEMPTS):
        report = program.sweep()
        assert set(outcomes(report)) == {image.id}, report["outcomes"]
        if removed(report):
            break
    assert removed(report) == {image.id}, report["outcomes"]
    assert report["measuredFreedBytes"] > 0  # it sees the image filesystem


def check_restore(program, image):
    report = program.json("restore", "--last", "--dry-run=false", network=True, **ALONE)
    assert {one["id"]: one["outcome"] for one in report["images"]} == {image.id: "Restored"}, report


def check_view(host, program, disk, idle, kept):
    """Removes IDLE, and restores it."""
    paths, names = host.layout.paths, host.listed()
    check_images(program, kept, paths.socket, host.containerd.ids())
    figures = program.json("df", "--if-removed", idle.id, **ALONE)
    assert (figures["boundsOnly"], figures["unread"], figures["warnings"]) == (None, [], []), figures
    assert figures["directory"].startswith(paths.root), figures["directory"]
    disk.collect_garbage()
    before = disk.used()
    check_removal(program, idle)
    freed = (before - disk.used()).bytes
    assert (figures["ifRemoved"]["certainty"], figures["ifRemoved"]["bytes"]) == ("exactly", freed)
    check_restore(program, idle)
    assert host.listed() == names


@pytest.mark.parametrize("name", LAYOUTS)
def test_removes_and_restores_images_where_the_distribution_has_them(name):
    layout = LAYOUTS[name]
    with distribution(layout) as host:
        used, idle = host.pull_from_mirror("shop/api:v2"), host.pull_from_mirror("shop/api:v1")
        imported = host.import_file("registry.example/shop/built:v1")
        host.start_pod("api-0", used)
        kept, disk = {used.id: ("Keep", "InUse"), imported.id: ("Keep", "LocalOnly")}, Disk(host)
        shell, preset, without_preset = views(host, layout.preset, host.workdir.path.parent)
        for program in (shell, preset):
            check_view(host, program, disk, idle, kept)
        if layout.paths.socket.startswith("/run/"):
            check_view(host, without_preset, disk, idle, kept)
        else:
            assert "no container runtime found" in without_preset.run("images", code=1).stderr
        shell.age()
        label_alone = shell.verdicts(kubelet_dir=host.workdir.path / "none")[idle.id]
        assert label_alone == (("Keep", "LocalOnly") if layout.labels_imports else ("Remove", "Age"))


class DockerNode(DockerHost):
    """A node whose pods Docker runs, with the files of Docker where it has them by default."""

    def __init__(self, workdir, dockerd, api):
        super().__init__(workdir, dockerd)
        self.cell, self.api = dockerd.cell, api
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "uid": "6d1f0a52"}})
        api.put(policy_configmap(agent.policy()))
        self.own = cri.Pod("shop", "imagesweep-x7d2p", "uid-imagesweep-x7d2p", None, None, {})
        self.start_pod(self.load("localhost/imagesweep:0.1.0"), self.own.name)

    def start_pod(self, image, name):
        start_pod(self, self.api, image, name)

    def flags(self):
        return {**super().flags(), "without-kubernetes": None, "kubeconfig": self.api.kubeconfig, "node-name": NODE}


# As on a node of Minikube with Docker, but without cri-dockerd, which the agent does not use.
def test_removes_and_restores_images_where_docker_has_them_by_default():
    with workdir_on_a_disk(512 * MIB) as workdir, StandInApi(workdir.path.parent / "objects") as api, \
            docker_host.started(workdir, dockerd.LATEST, default_paths=True) as docker:
        host = DockerNode(workdir, docker, api)
        used, idle = host.pull("shop/api:v2"), host.pull("shop/api:v1", size=3 * MIB)
        built = host.load("registry.example/shop/built:v1")
        host.start_pod(used, "api-0")
        kept, names = {used.id: ("Keep", "InUse"), built.id: ("Keep", "LocalOnly")}, docker.names()
        (docker.cell.outside(KUBELET) / "image_manager/pulled").mkdir(parents=True)
        for program in views(host, "cri-dockerd", workdir.path.parent):
            check_images(program, kept, "/run/docker.sock", docker.ids())
            figures = program.json("df", "--if-removed", idle.id, **ALONE)
            assert figures["directory"] == "/var/lib/docker" and figures["disk"]["usedBytes"] > 0, figures
            check_removal(program, idle)
            check_restore(program, idle)
            assert docker.names() == names
