"""Removal through containerd's own services: one garbage collection for each batch, and freed bytes as predicted."""
import functools
import hashlib
import json

import pytest

from lab import images
from lab.cell import wait_until
from runtime.conftest import node_on_a_disk
from runtime.test_true_sizes import MIB, Disk

pytestmark = pytest.mark.every_containerd


@pytest.fixture
def disk(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB) as node:
        yield Disk(node)


def removed(report):
    return {outcome["id"] for outcome in report["outcomes"] if outcome["outcome"] == "Removed"}


def remove_calls(node):
    """The calls of RemoveImage in the log of containerd."""
    return [line for line in node.containerd.cell.log("containerd").read_text().splitlines()
            if "RemoveImage" in line and "returns" not in line]


def test_a_run_frees_to_the_byte_what_it_predicted(disk):
    node = disk.node
    base = disk.load("registry.example/base:v1", "base")
    apps = [disk.load([f"registry.example/shop/app{number}:v1", f"registry.example/shop/app{number}:stable"],
                      "base", f"app{number}") for number in range(6)]
    used = disk.load("registry.example/shop/used:v1", "base", "used")
    node.start_pod("used", used)
    disk.collect_garbage()
    node.write_policy(limits={"maxPercentOfImages": 100})
    node.age()
    predicted, before, calls = disk.predict(base, *apps), disk.used(), remove_calls(node)
    report = node.sweep()
    freed = before - disk.used()
    assert removed(report) == {base.id, *(app.id for app in apps)}
    assert node.containerd.ids() == {node.pause.id, node.system.id, used.id}
    assert freed == predicted
    assert report["predictedFreedBytes"] == predicted.bytes
    # The measure of the run includes containerd's databases and log, which grow.
    assert abs(report["measuredFreedBytes"] - predicted.bytes) < MIB
    assert remove_calls(node) == calls, "all of it by containerd's own services"


# containerd issue 7698
@pytest.mark.parametrize("also_by_name", [True, False], ids=["beside-others", "alone"])
def test_a_name_that_the_runtime_cannot_remove_goes_and_leaves_no_ghost(disk, also_by_name):
    node, odd = disk.node, "import-2025-01-01@sha256:" + "0" * 64
    image = disk.load("registry.example/shop/app:v1", "app")
    disk.containerd.ctr("images", "tag", image.names[0], odd)
    if not also_by_name:
        for name in (image.names[0], *image.digest_references):
            disk.containerd.ctr("images", "rm", name)
        assert wait_until(lambda: image.names[0] not in node.containerd.names(), 10)
    disk.collect_garbage()
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    predicted, before = disk.predict(image), disk.used()
    assert removed(node.sweep()) == {image.id}
    assert image.id not in node.containerd.ids()
    assert before - disk.used() == predicted
    assert odd not in disk.containerd.ctr("images", "ls", "-q").split()


def test_an_image_of_a_container_that_the_cri_does_not_list_stays(disk):
    node = disk.node
    image = disk.load("registry.example/tools/debug:v1", "debug")
    other = disk.load("registry.example/tools/old:v1", "old")
    disk.containerd.ctr("containers", "create", *disk.containerd.import_flags[-2:], image.names[0], "by-hand")
    node.age()
    verdicts = node.verdicts()
    assert verdicts[image.id] == ("Keep", "InUse")
    assert "by-hand" in node.run("explain", image.names[0]).stdout
    assert removed(node.sweep()) == {other.id}
    disk.containerd.ctr("containers", "rm", "by-hand")
    node.age()
    assert removed(node.sweep()) == {image.id}


def test_the_image_that_such_a_container_runs_on_stays_when_its_name_moves_on(disk):
    node = disk.node
    image = disk.load("registry.example/tools/debug:v1", "debug")
    disk.containerd.ctr("containers", "create", *disk.containerd.import_flags[-2:], image.names[0], "by-hand")
    moved = disk.load("registry.example/tools/debug:v1", "debug2")
    other = disk.load("registry.example/tools/old:v1", "old")
    node.age()
    verdicts = node.verdicts()
    assert verdicts[image.id] == verdicts[moved.id] == ("Keep", "InUse")
    assert "in use: a sweep keeps it" in node.run("df", "--if-removed", image.id).stdout
    assert removed(node.sweep()) == {other.id}
    disk.containerd.ctr("containers", "rm", "by-hand")
    node.age()
    assert removed(node.sweep()) == {image.id, moved.id}


def chain_id(disk, image):
    """The name of the snapshot of all its layers (OCI image-spec, config.md)."""
    lowest, *others = json.loads(disk.containerd.ctr("content", "get", image.id))["rootfs"]["diff_ids"]
    return functools.reduce(lambda below, layer: "sha256:" + hashlib.sha256(f"{below} {layer}".encode()).hexdigest(),
                            others, lowest)


# A CSI driver for images prepares snapshots of its own.
@pytest.mark.parametrize("by", ["ctr images mount", "ctr snapshots prepare"])
def test_an_image_whose_layers_are_mounted_without_a_container_stays(disk, by):
    node, namespace, target = disk.node, disk.containerd.import_flags[-2:], disk.node.workdir.path / "mounted"
    target.mkdir()

    def in_cell(*arguments):
        disk.containerd.cell.run(*disk.containerd.ctr_command(*arguments))

    image = disk.load("registry.example/models/llm:v1", "llm")
    other = disk.load("registry.example/models/old:v1", "old")
    if by == "ctr images mount":
        in_cell("images", "mount", *namespace, image.names[0], target)
    else:
        disk.containerd.ctr("snapshots", *namespace, "prepare", "mounted", chain_id(disk, image))
    node.age()
    assert node.verdicts()[image.id] == ("Keep", "InUse")
    assert "mounted" in node.run("explain", image.names[0]).stdout
    assert removed(node.sweep()) == {other.id}
    if by == "ctr images mount":
        in_cell("images", "unmount", *namespace, "--rm", target)
    else:
        disk.containerd.ctr("snapshots", *namespace, "rm", "mounted")
    node.age()
    assert removed(node.sweep()) == {image.id}


def test_removes_for_space_only_images_that_free_space(disk):
    node = disk.node
    used = disk.load("registry.example/shop/used:v1", "base", "big")
    node.start_pod("used", used)
    same = disk.load("registry.example/shop/same:v1", "base", "big", labels={"of": "another"})
    pair = [disk.load(f"registry.example/shop/{name}:v1", "shared", labels={"of": name}) for name in ("one", "two")]
    disk.collect_garbage()
    node.write_policy(maximumAge="0s", removeSuperseded=False,
                      diskUsage={"highThresholdPercent": 2, "lowThresholdPercent": 1,
                                 "inodes": {"highThresholdPercent": 0, "lowThresholdPercent": 0},
                                 "critical": {"thresholdPercent": 0}})
    node.age()
    verdicts = node.verdicts()
    assert verdicts[same.id] == ("Defer", "NoGain"), "all its layers are in use"
    assert {verdicts[image.id] for image in pair} == {("Remove", "Space")}, "each frees nothing, both free much"
    assert removed(node.sweep()) == {image.id for image in pair}
