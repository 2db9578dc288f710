"""`report` with several --runtime-endpoint, on real runtimes: Docker and a containerd that has pods, runtimes in mount
namespaces of their own, and stores on one btrfs."""
import contextlib
import json
import subprocess
import types

import pytest

from lab import agent
from lab.cell import Cell
from lab.containerd import DEBIAN, LATEST, Containerd
from lab.disk import workdir_on_a_disk
from lab.dockerd import EXITED
from lab.workdir import Workdir
from runtime import docker_host
from runtime.conftest import node_with

MIB = 1 << 20


@pytest.fixture(params=[(docker_host.DEBIAN, DEBIAN), (docker_host.LATEST, LATEST)], ids="-".join)
def machine(request):
    """A machine with Docker and a containerd. Returns both."""
    docker, containerd = request.param
    with docker_host.host_with(docker) as host, node_with(containerd) as node:
        yield host, node


def report(*endpoints, code=0, output="json"):
    return agent.run("report", *(f"--runtime-endpoint={endpoint}" for endpoint in endpoints), "-o", output, code=code)


def read(*endpoints, code=0):
    return json.loads(report(*endpoints, code=code).stdout)


def uses(store):
    return {image["id"]: image["use"] for image in store["images"]}


def test_shows_each_store_and_the_image_that_both_hold(machine):
    docker, node = machine
    archive, image = docker.make("registry.example/shop/api:v1", size=MIB)
    docker.dockerd.load(archive)
    node.containerd.load(archive, pulled=[image])
    web, idle = docker.load("registry.example/shop/web:v1"), node.load("registry.example/shop/idle:v1")
    node.start_pod("api", image)
    docker.dockerd.run(web.names[0], "web", EXITED)
    in_docker = docker.as_stored(image).id

    document = read(docker.dockerd.endpoint, node.containerd.endpoint)
    first, second = document["stores"]
    assert uses(first) == {in_docker: "Idle", web.id: "InUse"}
    assert uses(second) == {node.pause.id: "Pinned", node.system.id: "InUse", image.id: "InUse", idle.id: "Idle"}
    assert (first["runtime"]["name"], first["hasKubelet"]) == ("docker", False)
    assert (second["runtime"]["name"], second["hasKubelet"]) == ("containerd", True)
    both, = document["inSeveralStores"]
    assert [(copy["store"], copy["id"], copy["use"]) for copy in both["copies"]] == [
        (0, in_docker, "Idle"), (1, image.id, "InUse")]
    assert document["total"]["images"] == len(first["images"]) + len(second["images"])
    assert document["total"]["bytes"] == sum(image["sizeBytes"] for store in (first, second)
                                             for image in store["images"])
    disk, = document["filesystems"]  # both labs are below one directory
    assert disk["stores"] == [0, 1] and disk["sizeBytes"] == first["filesystems"][0]["sizeBytes"]

    text = report(docker.dockerd.endpoint, node.containerd.endpoint, output="text").stdout
    assert "1 image is in more than one store" in text and f"--runtime-endpoint {node.containerd.endpoint} " in text


def test_shows_the_others_when_one_store_cannot_be_read(machine):
    docker, node = machine
    docker.load("registry.example/shop/web:v1")
    docker.dockerd.stop()
    document = read(docker.dockerd.endpoint, node.containerd.endpoint, code=1)
    first, second = document["stores"]
    assert "docker.sock" in first["error"] and first["images"] is None
    assert second["error"] is None and node.system.id in uses(second)
    assert document["total"] is document["filesystems"] is document["inSeveralStores"] is None
    page = report(docker.dockerd.endpoint, node.containerd.endpoint, code=1, output="markdown")
    assert "There is no total, because store 1 cannot be read." in page.stdout and "docker.sock" in page.stderr


def test_refuses_one_store_under_two_names(machine):
    docker, node = machine
    docker.load("registry.example/shop/web:v1")
    link = docker.workdir.path / "link.sock"
    link.symlink_to(docker.dockerd.socket)
    with docker_host.relay(docker.dockerd) as relayed:
        for other, why in ((f"unix://{link}", "both are one socket"), (relayed, "both have the same images in ")):
            refused = report(docker.dockerd.endpoint, node.containerd.endpoint, other, code=2)
            assert why in refused.stderr and refused.stdout == ""


@contextlib.contextmanager
def containerd_in_a_container(version):
    """A containerd whose directories are those of every node, in a mount namespace of its own. Returns its endpoint
    outside, and the directory of its images there."""
    with Workdir() as workdir:
        cell = Cell(workdir.path)
        try:
            with Containerd(workdir, version, cell=cell) as containerd:
                containerd.load_pause()
                yield f"unix:///proc/{cell.pid}/root/run/containerd/containerd.sock", containerd.root
        finally:
            cell.close()


def test_finds_the_directories_of_a_runtime_in_a_container():
    with containerd_in_a_container(DEBIAN) as (one, one_root), containerd_in_a_container(LATEST) as (two, two_root):
        document = read(one, two)  # not refused: the names of the directories and the images are the same
        for store, root in zip(document["stores"], (one_root, two_root)):
            disk, = store["filesystems"]
            assert disk["mountpoint"].startswith("/proc/") and "/root/var/lib/containerd/" in disk["mountpoint"]
            size = subprocess.run(["df", "-B1", "--output=size", root], check=True, text=True, capture_output=True)
            assert disk["sizeBytes"] == int(size.stdout.split()[-1])
            assert store["warnings"] == []


def test_counts_a_btrfs_with_two_subvolumes_once():
    with contextlib.ExitStack() as stack:
        workdir = stack.enter_context(workdir_on_a_disk(512 * MIB, kind="btrfs"))
        endpoints = []
        for version in (DEBIAN, LATEST):
            path = workdir.path / version
            subprocess.run(["btrfs", "-q", "subvolume", "create", path], check=True)
            containerd = stack.enter_context(
                Containerd(types.SimpleNamespace(path=path, cgroup=workdir.cgroup), version))
            endpoints.append(containerd.endpoint)
        assert len({(workdir.path / version).stat().st_dev for version in (DEBIAN, LATEST)}) == 2
        disk, = read(*endpoints)["filesystems"]
        assert disk["stores"] == [0, 1]
