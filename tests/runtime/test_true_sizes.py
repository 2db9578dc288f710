"""The predictions of `imagesweep df` compared with the file system after the removals: equal to the byte."""
import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import time
import types

import pytest

from lab import agent, images, leases
from lab.containerd import LATEST
from lab.registry import Registry
from runtime.conftest import node_on_a_disk

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Space:
    bytes: int
    inodes: int

    def __sub__(self, other):
        return Space(self.bytes - other.bytes, self.inodes - other.inodes)


class Disk:
    """A node on a separate file system, with images made of named layers."""

    def __init__(self, node, kind="ext4"):
        self.node, self.containerd, self.kind = node, node.containerd, kind
        self.pause = images.pause_layer(node.workdir.path)
        self._layers = {}
        self.settle()

    def layer(self, name, size=3 * MIB, files=20):
        if name not in self._layers:
            small = {f"{name}/{number}": b"x" * number * 97 for number in range(files)}
            self._layers[name] = images.layer(small, seed=name, size=size)
        return self._layers[name]

    def tars(self, layers):
        return [self.pause, *(self.layer(name) for name in layers)]

    def load(self, names, *layers, namespace=None, local=False, **extra):
        """One image of the pause layer and the named layers, also in NAMESPACE if one is given."""
        archive = images.Archive()
        image = archive.add(names, self.tars(layers), **extra)
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
        """The document of `imagesweep df`, whose figures must be exact."""
        asked = [argument for image in removed for argument in ("--if-removed", image.id)]
        out = agent.run("df", "-o", "json", f"--runtime-endpoint={self.containerd.endpoint}", *asked).stdout
        document = json.loads(out)
        assert document["unread"] == [] and document["warnings"] == []
        return document

    def predict(self, *removed):
        freed = self.df(*removed)["ifRemoved"]
        if self.kind == "ext4":
            assert (freed["certainty"], freed["why"]) == ("exactly", "")
        else:
            assert freed["certainty"] == "roughly" and "whole blocks" in freed["why"]
        return Space(freed["bytes"], freed["inodes"])

    def remove(self, *removed):
        """The bytes that were really freed, with the lowest id first."""
        before = self.used()
        for image in sorted(removed, key=lambda image: image.id):
            self.containerd.cri.remove_image(image.id)
        assert not {image.id for image in removed} & self.containerd.ids()
        return before - self.used()

    def collect_garbage(self):
        """After the lease of an import ends, nothing holds its index, and it is deleted some moments later. This
        deletes it now."""
        self.containerd.ctr("leases", "create", "--id", "over")
        self.containerd.ctr("leases", "delete", "--sync", "over")

    def used(self):
        """Everything on the disk except containerd's log and databases, which only grow."""
        os.sync()
        self._inactivate()
        while True:
            grown = self._log_and_databases()
            seen = os.statvfs(self.containerd.root)
            if grown == self._log_and_databases():
                return Space((seen.f_blocks - seen.f_bfree) * seen.f_frsize - grown, seen.f_files - seen.f_ffree)

    def _inactivate(self):
        """XFS frees the blocks of a deleted file later, in the background. It frees all of them before it is frozen
        (fs/xfs/xfs_super.c, xfs_fs_sync_fs)."""
        for option in ("--freeze", "--unfreeze") if self.kind == "xfs" else ():
            subprocess.run(["fsfreeze", option, self.node.workdir.path], check=True)

    def _log_and_databases(self):
        files = [self.containerd.directory / "logs/containerd.log", *self.containerd.root.glob("*/*.db")]
        return sum(file.stat().st_blocks * 512 for file in files)

    def account(self, name):
        account = next(one for one in self.df()["accounts"] if one["account"] == name)
        return Space(account["bytes"], account["inodes"])

    @contextlib.contextmanager
    def freed_of_images(self):
        """The freed blobs and layers of images: everything that is freed, without the data of pods."""
        freed = types.SimpleNamespace(space=None)
        used, own = self.used(), self._all_but_images()
        yield freed
        self.collect_garbage()
        freed.space = (used - self.used()) - (own - self._all_but_images())

    def _all_but_images(self):
        """Measured on each file. Of the snapshots, it has the active ones, whose content df does not know."""
        root = self.containerd.root
        left_out = {*root.glob("*.content.*/blobs"), *root.glob("*.overlayfs/snapshots/*")}
        left_out -= set(self._active_snapshots())
        sizes, directories = {}, [self.node.workdir.path]
        while directories:
            for entry in os.scandir(directories.pop()):
                if pathlib.Path(entry.path) in left_out:
                    continue
                seen = entry.stat(follow_symlinks=False)
                sizes[seen.st_ino] = seen.st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    directories.append(entry.path)
        return Space(sum(sizes.values()) - self._log_and_databases(), len(sizes))

    def _active_snapshots(self):
        snapshots = ("snapshots", *self.containerd.import_flags[-2:])
        for line in self.containerd.ctr(*snapshots, "ls").splitlines():
            key, *_, kind = line.split()
            if kind == "Active":
                mount = self.containerd.ctr(*snapshots, "mounts", "/nowhere", key)
                yield pathlib.Path(re.search("upperdir=([^,]+)/fs", mount)[1])

    def check(self, *removed):
        """Predicts, removes, and compares. Returns the freed bytes."""
        self.collect_garbage()
        predicted = self.predict(*removed)
        freed = self.remove(*removed)
        names = [image.names[0] for image in removed]
        print(f"{self.containerd.version}: {names} predicted {predicted}, freed {freed}")
        assert freed == predicted
        return freed


def chain_id(disk, *layers):
    """The snapshot of the layers of the last image (image-spec, config.md)."""
    chain = ""
    for tar in disk.tars(layers):
        diff = "sha256:" + hashlib.sha256(tar).hexdigest()
        chain = "sha256:" + hashlib.sha256(f"{chain} {diff}".encode()).hexdigest() if chain else diff
    return chain


@pytest.fixture
def disk(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB) as node:
        yield Disk(node)


# L01: the shared layer is freed with the last of its images, and not earlier.
def test_frees_shared_layers_with_the_second_image(disk):
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
    assert disk.account("other-namespaces").bytes > 6 * MIB


@pytest.mark.parametrize("labels", [{}, {"containerd.io/gc.flat": "2026-01-01T00:00:00Z"}], ids=["whole", "flat"])
def test_a_lease_on_a_manifest(disk, labels):
    image = disk.load("registry.example/shop/app:v1", "app")
    leases.hold(disk.containerd.socket, "keeper", image.digest, "content", labels)
    freed = disk.check(image)
    if labels:
        assert freed.bytes > 6 * MIB, "all but the manifest"
    else:
        assert freed == Space(0, 0)
        assert disk.account("leased").bytes > 6 * MIB


@pytest.mark.parametrize("seconds", [3, 3600], ids=["expired", "expires"])
def test_a_lease_that_ends(disk, seconds):
    image = disk.load("registry.example/shop/app:v1", "app")
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    leases.hold(disk.containerd.socket, "for-a-while", image.digest, "content",
                {"containerd.io/gc.expire": until.strftime("%Y-%m-%dT%H:%M:%SZ")})
    if seconds < 60:  # containerd may delete a lease as soon as it expired, also before its resource is added
        time.sleep(seconds + 1)
    freed = disk.check(image)
    if seconds > 60:
        assert freed == Space(0, 0)
    else:
        assert freed.bytes > 6 * MIB


# As in builds. Of the two, `ctr` protects only prepared snapshots from the garbage collector.
@pytest.mark.parametrize("kind", ["prepare", "view"])
def test_a_snapshot_on_top_keeps_the_layers_below(disk, kind):
    snapshotter = disk.containerd.import_flags[-2:]
    if kind == "view":
        leases.hold(disk.containerd.socket, "sandbox", "by-hand", f"snapshots/{snapshotter[-1]}")
    image = disk.load("registry.example/shop/app:v1", "below", "app")
    other = disk.load("registry.example/shop/other:v1", "below", "other")
    disk.containerd.ctr("snapshots", *snapshotter, kind, "by-hand", chain_id(disk, "below", "app"))
    freed = disk.check(image)
    assert 3 * MIB < freed.bytes < 4 * MIB, "what came for the upper layer"
    freed = disk.check(other)
    assert 9 * MIB < freed.bytes < 10 * MIB, "both blobs and the upper layer"


# KEP-4639. The snapshot above its layers belongs to the sandbox. A lease with the name of the sandbox holds it.
@pytest.mark.containerd(LATEST)  # since 2.1
def test_an_image_volume_keeps_the_layers_that_it_shows(disk):
    app = disk.load("registry.example/shop/app:v1", "below", "app")
    files = disk.load("registry.example/shop/files:v1", "below", "files")
    pod = disk.containerd.cri.start_pod("reader", {"c": app.id}, volumes={"/files": files.id})
    assert {one["id"]: one["inUse"] for one in disk.df()["images"]}[files.id]
    freed = disk.check(files)
    assert 3 * MIB < freed.bytes < 4 * MIB, "what came for the upper layer"
    upper = disk.account("leased")
    assert 3 * MIB < upper.bytes < 4 * MIB, "the upper layer, which only the mount needs now"

    with disk.freed_of_images() as freed:
        disk.containerd.cri.remove_container(pod, "c")
    assert freed.space == Space(0, 0) and disk.account("leased") == upper, "the sandbox has it mounted"
    with disk.freed_of_images() as freed:
        disk.containerd.cri.remove_pod(pod)
    print(f"{disk.containerd.version}: with the pod predicted {upper}, freed {freed.space}")
    assert freed.space == upper and disk.account("leased") == Space(0, 0)
    freed = disk.check(app)
    assert 12 * MIB < freed.bytes < 13 * MIB, "both of its layers, unpacked and as they came"


@pytest.mark.containerd(LATEST)
def test_an_image_that_was_a_volume_goes_whole(disk):
    app = disk.load("registry.example/shop/app:v1", "app")
    files = disk.load("registry.example/shop/files:v1", "below", "files")
    idle = disk.load("registry.example/shop/idle:v1", "below", "idle")
    pod = disk.containerd.cri.start_pod("reader", {"c": app.id}, volumes={"/files": files.id})
    freed = disk.check(idle)
    assert 6 * MIB < freed.bytes < 7 * MIB, "all but the layer below, which the mounted image has too"
    mounted = disk.predict(files)
    disk.containerd.cri.remove_pod(pod)
    freed = disk.check(files)
    assert freed.bytes > mounted.bytes + 6 * MIB, "both layers unpacked, too"


def test_one_image_with_two_manifests(disk):
    names = ["registry.example/shop/app:v1", "registry.example/shop/app:again"]
    label = {"org.opencontainers.image.ref.name": "both"}
    first, again = (disk.load(name, "app", labels=label, compression=1 + at) for at, name in enumerate(names))
    assert first.id == again.id and first.digest != again.digest
    freed = disk.check(first)
    assert 9 * MIB < freed.bytes < 10 * MIB, "one layer unpacked and, as it came, twice"


def test_an_index_of_which_one_platform_is_here(disk):
    archive, name = images.Archive(), "registry.example/shop/app:v1"
    absent = "sha256:" + hashlib.sha256(b"of another platform").hexdigest()
    image = archive.index(name, archive.add(name, disk.tars(["app"])), (absent, 500))
    disk.containerd.load(archive, pulled=[image])
    # A pull records all manifests of an index, and an import only those that it contains.
    disk.containerd.ctr("content", "label", image.digest, f"containerd.io/gc.ref.content.m.1={absent}")
    plain = disk.load("registry.example/shop/plain:v1", "app")
    assert disk.check(image) == Space(3 * 4096, 3), "index, manifest and config"
    assert disk.check(plain).bytes > 6 * MIB


def test_layers_that_are_not_kept_as_they_came(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB, discard=True) as node:
        disk, registry = Disk(node), Registry(node.containerd)
        pulled = []
        for name in ("one", "two"):
            archive = images.Archive()
            pulled.append(archive.add(registry.name(f"shop/{name}:v1"), disk.tars(["shared", name])))
            registry.push(archive, pulled[-1])
            disk.containerd.cri.pull(pulled[-1].names[0])
        freed = disk.check(pulled[0])
        assert 3 * MIB < freed.bytes < 4 * MIB, "its own layer, unpacked"
        assert 6 * MIB < disk.check(pulled[1]).bytes < 7 * MIB


def test_an_image_that_was_imported(disk):
    image = disk.load("registry.example/shop/app:v1", "app", local=True)
    assert disk.check(image).bytes > 6 * MIB


# containerd issue 7698: the runtime deletes names in the form in which it would have written them.
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


# There, an inode takes half a KiB, and 64 of them are freed together.
def test_on_xfs_within_one_and_a_half_percent(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB, kind="xfs") as node:
        disk = Disk(node, "xfs")
        used = disk.load("registry.example/shop/used:v1", "base", "used")
        node.start_pod("used", used)
        one, two, three = (disk.load(f"registry.example/shop/{name}:v1", "base", "shared", name, "same")
                           for name in ("one", "two", "three"))
        disk.layer("big", 12 * MIB, 400)
        four = disk.load("registry.example/shop/four:v1", "base", "big")
        disk.collect_garbage()
        for removed in ([four], [one, two, three]):
            predicted, freed = disk.predict(*removed), disk.remove(*removed)
            print(f"{containerd_version}: predicted {predicted}, freed {freed}, "
                  f"{(predicted.bytes - freed.bytes) / freed.bytes:+.2%}")
            assert freed.bytes > 20 * MIB
            assert abs(predicted.bytes - freed.bytes) <= freed.bytes * 0.015
            assert predicted.inodes == freed.inodes


# The default of mke2fs for less than 512 MiB.
def test_on_a_disk_with_small_blocks(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB, "-b", "1024") as node:
        disk = Disk(node)
        one, two = (disk.load(f"registry.example/shop/{name}:v1", "shared", name) for name in ("one", "two"))
        alone = disk.check(one)
        assert 6 * MIB < alone.bytes < disk.check(two).bytes


# Each blob and each snapshot belongs to one account, so the accounts and the rest add up to the disk.
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
    # Its database, its log, and the file system's own data, which are all small.
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
