"""What `imagesweep df` predicts, against what the file system says after the images went: equal to the byte."""
import dataclasses
import json
import os

import pytest

from lab import agent, images, leases
from runtime.conftest import node_on_a_disk

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Space:
    bytes: int
    inodes: int

    def __sub__(self, other):
        return Space(self.bytes - other.bytes, self.inodes - other.inodes)


class Disk:
    """A node on an ext4 of its own, with images made of named layers."""

    def __init__(self, node):
        self.node, self.containerd = node, node.containerd
        self.pause = images.pause_layer(node.workdir.path)
        self._layers = {}
        self.settle()

    def layer(self, name, size=3 * MIB, files=20):
        if name not in self._layers:
            small = {f"{name}/{number}": b"x" * number * 97 for number in range(files)}
            self._layers[name] = images.layer(small, seed=name, size=size)
        return self._layers[name]

    def load(self, names, *layers, namespace=None, local=False, **extra):
        """One image of the pause layer and those named; into NAMESPACE, too, if one is given."""
        archive = images.Archive()
        image = archive.add(names, [self.pause, *(self.layer(name) for name in layers)], **extra)
        self.containerd.load(archive, **{"local" if local else "pulled": [image]})
        if namespace:
            path = archive.write(self.node.workdir.path / "other.tar")
            self.containerd.ctr("images", "import", *self.containerd.import_flags, str(path), namespace=namespace)
            path.unlink()
        return image

    def settle(self):
        """Loads and removes one image, so that the runtime's database has the pages it needs to write a removal."""
        image = self.load("registry.example/settle:v1", "settle")
        self.containerd.cri.remove_image(image.id)

    def df(self, *removed):
        """The document of `imagesweep df`, which must be sure of it."""
        asked = [argument for image in removed for argument in ("--if-removed", image.id)]
        out = agent.run("df", "-o", "json", f"--runtime-endpoint={self.containerd.endpoint}", *asked).stdout
        document = json.loads(out)
        assert document["unread"] == [] and document["warnings"] == []
        return document

    def predict(self, *removed):
        freed = self.df(*removed)["ifRemoved"]
        assert (freed["certainty"], freed["why"]) == ("exactly", "")
        return Space(freed["bytes"], freed["inodes"])

    def remove(self, *removed):
        """What really came free, with the lowest id first."""
        before = self.used()
        for image in sorted(removed, key=lambda image: image.id):
            self.containerd.cri.remove_image(image.id)
        assert not {image.id for image in removed} & self.containerd.ids()
        return before - self.used()

    def collect_garbage(self):
        """An import's index is nobody's as soon as its lease ends, and goes some moments later; here, now."""
        self.containerd.ctr("leases", "create", "--id", "over")
        self.containerd.ctr("leases", "delete", "--sync", "over")

    def used(self):
        """All that lies on the disk but containerd's log and databases, which only grow."""
        os.sync()
        while True:
            grown = self._log_and_databases()
            seen = os.statvfs(self.containerd.root)
            if grown == self._log_and_databases():
                return Space((seen.f_blocks - seen.f_bfree) * seen.f_frsize - grown, seen.f_files - seen.f_ffree)

    def _log_and_databases(self):
        files = [self.containerd.directory / "logs/containerd.log", *self.containerd.root.glob("*/*.db")]
        return sum(file.stat().st_blocks * 512 for file in files)

    def account(self, name):
        return next(one for one in self.df()["accounts"] if one["account"] == name)

    def check(self, *removed):
        """Predicts, removes and compares; how much it was."""
        self.collect_garbage()
        predicted = self.predict(*removed)
        freed = self.remove(*removed)
        print(f"{self.containerd.version}: {[image.names[0] for image in removed]} predicted {predicted}, freed {freed}")
        assert freed == predicted
        return freed


@pytest.fixture
def disk(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB) as node:
        yield Disk(node)


# L01: the shared layer goes with the last of its images, and no earlier.
def test_what_two_images_share_goes_with_the_second(disk):
    one = disk.load("registry.example/shop/one:v1", "shared", "one")
    two = disk.load("registry.example/shop/two:v1", "shared", "two")
    three = disk.load("registry.example/shop/three:v1", "shared", "three")
    alone = disk.check(one)
    assert 3 * MIB < alone.bytes < 9 * MIB, "its own layer, unpacked and as it came"
    both = disk.check(two, three)
    assert both.bytes > 2 * alone.bytes + 3 * MIB


def test_four_tags_are_one_image(disk):
    image = disk.load([f"registry.example/shop/app:v{number}" for number in range(4)], "app")
    assert disk.check(image).bytes > 6 * MIB


def test_the_same_layers_with_another_config(disk):
    plain = disk.load("registry.example/shop/app:v1", "app")
    other = disk.load("registry.example/shop/other:v1", "app", entrypoint=("/pause", "again"))
    assert disk.check(plain) == Space(8192, 2), "config and manifest"
    assert disk.check(other).bytes > 6 * MIB


def test_a_container_keeps_the_layers_it_runs_on(disk):
    image = disk.load("registry.example/shop/app:v1", "app")
    disk.node.start_pod("app", image)
    in_use = {one["id"]: one["inUse"] for one in disk.df()["images"]}
    assert in_use[image.id]
    freed = disk.check(image)
    assert 3 * MIB < freed.bytes < 4 * MIB, "the compressed layer, not the unpacked one"


def test_another_namespace_has_the_same_blobs(disk):
    image = disk.load("registry.example/shop/app:v1", "app", namespace="elsewhere")
    freed = disk.check(image)
    assert 3 * MIB < freed.bytes < 4 * MIB, "the unpacked layer, which is the namespace's own"
    assert disk.account("other-namespaces")["bytes"] > 6 * MIB


@pytest.mark.parametrize("labels", [{}, {"containerd.io/gc.flat": "2026-01-01T00:00:00Z"}], ids=["whole", "flat"])
def test_a_lease_on_a_manifest(disk, labels):
    image = disk.load("registry.example/shop/app:v1", "app")
    leases.hold(disk.containerd.socket, "keeper", image.digest, "content", labels)
    freed = disk.check(image)
    if labels:
        assert freed.bytes > 6 * MIB, "all but the manifest"
    else:
        assert freed == Space(0, 0)
        assert disk.account("leased")["bytes"] > 6 * MIB


def test_an_image_that_was_imported(disk):
    image = disk.load("registry.example/shop/app:v1", "app", local=True)
    assert disk.check(image).bytes > 6 * MIB


# containerd issue 7698: the runtime deletes names as it would have written them.
def test_a_name_that_the_runtime_does_not_find(disk):
    image, name = disk.load("registry.example/shop/app:v1", "app"), "import-2025-01-01@sha256:" + "0" * 64
    disk.containerd.ctr("images", "tag", image.names[0], name)
    disk.collect_garbage()
    listed = next(one for one in disk.df()["images"] if one["id"] == image.id)
    assert listed["survivingNames"] == [name]
    predicted, before = disk.predict(image), disk.used()
    disk.containerd.cri.remove_image(image.id)
    assert before - disk.used() == Space(0, 0)
    disk.containerd.ctr("images", "rm", "--sync", name)
    assert before - disk.used() == predicted


def test_a_layer_that_occurs_twice_in_one_image(disk):
    image = disk.load("registry.example/shop/app:v1", "twice", "between", "twice")
    freed = disk.check(image)
    assert 15 * MIB < freed.bytes < 16 * MIB, "three unpacked, two blobs"


# Each blob and each snapshot is on one account, so that accounts and rest are the disk.
def test_accounts_add_up_to_what_lies_on_the_disk(disk):
    used = disk.load("registry.example/shop/used:v1", "base", "used")
    disk.node.start_pod("used", used)
    idle = disk.load("registry.example/shop/idle:v1", "base", "idle")
    disk.collect_garbage()
    document = disk.df()
    accounts = {one["account"]: one["bytes"] for one in document["accounts"]}
    assert accounts["in-use"] > 12 * MIB and 6 * MIB < accounts["idle"] < 7 * MIB
    assert accounts["dead"] == accounts["leased"] == accounts["other-namespaces"] == 0
    assert document["counted"]["bytes"] == sum(accounts.values())
    assert document["counted"]["bytes"] + document["disk"]["otherBytes"] == document["disk"]["usedBytes"]
    # Its database, its log and the file system's own; all of it small.
    assert 0 < document["disk"]["otherBytes"] < 4 * MIB
    by_name = {one["name"]: one for one in document["images"]}
    by_itself = by_name["registry.example/shop/idle:v1"]
    assert by_itself["freedBytes"] == by_itself["uniqueBytes"] == disk.predict(idle).bytes
    assert not by_itself["inUse"] and by_name["registry.example/shop/used:v1"]["inUse"]


def test_a_set_of_everything_that_is_idle(disk):
    used = disk.load("registry.example/shop/used:v1", "base", "used")
    disk.node.start_pod("used", used)
    idle = [disk.load(f"registry.example/shop/app{number}:v1", "base", f"app{number}") for number in range(3)]
    idle.append(disk.load("registry.example/shop/same:v1", "base", "app0", labels={"of": "another"}))
    together = disk.predict(*idle)
    alone = [disk.predict(image) for image in idle]
    assert sum(space.bytes for space in alone) < together.bytes
    assert disk.check(*idle) == together
