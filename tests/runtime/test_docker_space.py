"""On a real Docker with a separate file system: the predictions of the program compared with what removals free, the
layers of images, and ensure-space. With Docker's containerd image store, predictions are equal to the byte."""
import contextlib
import json
import os
import subprocess

import pytest

from lab import agent, images, leases
from lab.containerd import LATEST as CONTAINERD
from lab.containerd import Containerd
from lab.disk import workdir_on_a_disk
from lab.dockerd import DEBIAN, EXITED, LATEST, NAMESPACE
from runtime.docker_host import MIB, NEVER, DockerHost, removed, started

BLOCKS = 64 << 10  # a bound counts bytes, and a prediction the blocks of the files
ALONE = {"without_kubernetes": None, "policy_file": None, "state_dir": None, "count_unwatched": None}


class Disk(DockerHost):
    def __init__(self, workdir, dockerd):
        super().__init__(workdir, dockerd)
        self._layers = {}
        # 29 keeps each layer twice: unpacked, and compressed as it came.
        self.layer_bytes = 6 * MIB if dockerd.version == LATEST else 3 * MIB
        settle = self.image("settle:v1", "settle")  # the databases then have the pages that a removal needs
        self.dockerd.remove_image(settle.id)

    def image(self, names, *layers, pulled=False):
        """One image of the pause layer and the named layers of 3 MiB."""
        names = [names] if isinstance(names, str) else names
        names = [f"{self.registry.host if pulled else 'registry.example'}/{name}" for name in names]
        archive = images.Archive()
        image = archive.add(names, self.tars(layers))
        if pulled:
            self.registry.push(archive, image)
            for name in names:
                self.dockerd.pull(name)
        else:
            self.dockerd.load(archive)
        return self.as_stored(image)

    def tars(self, layers):
        return [self._pause, *(self._layer(name) for name in layers)]

    def _layer(self, name):
        if name not in self._layers:
            small = {f"{name}/{number}": b"x" * number * 97 for number in range(20)}
            self._layers[name] = images.layer(small, seed=name, size=3 * MIB)
        return self._layers[name]

    def df(self, *asked):
        flags = [argument for image in asked for argument in ("--if-removed", image.id)]
        return self.json("df", *flags, **ALONE)

    def account(self, name):
        return next(one["bytes"] for one in self.df()["accounts"] if one["account"] == name)

    def collect_garbage(self):
        """Deletes now what a load or a pull left without a holder, which containerd deletes some moments later."""
        if self.dockerd.version == LATEST:
            self.dockerd.ctr("leases", "create", "--id", "over")
            self.dockerd.ctr("leases", "delete", "--sync", "over")

    def used(self):
        """The bytes on the disk, except those of logs, of the databases of Docker and its containerd, and of the state
        of the program."""
        os.sync()
        while True:
            grown = self._grown()
            seen = os.statvfs(self.workdir.path)
            if grown == self._grown():
                return (seen.f_blocks - seen.f_bfree) * seen.f_frsize - grown

    def _grown(self):
        files = [*(self.dockerd.directory / "logs").iterdir(), *self.state.rglob("*"),
                 *(path for path in self.dockerd.directory.rglob("*.db")
                   if "overlay2" not in path.parts and "snapshots" not in path.parts)]
        return sum(path.lstat().st_blocks * 512 for path in files)

    def predict(self, *gone):
        """The bytes that `df` predicts. Of the containerd image store, they must be exact."""
        self.collect_garbage()
        freed = self.df(*gone)["ifRemoved"]
        if self.dockerd.version == LATEST:
            assert (freed["certainty"], freed["why"]) == ("exactly", "")
        return freed["bytes"]

    def compare(self, what, predicted, freed):
        print(f"| {self.dockerd.version} | {what} | {predicted} | {freed} | {predicted - freed:+} |")
        if self.dockerd.version == LATEST:
            assert predicted == freed, what
        else:
            assert abs(predicted - freed) <= max(64 << 10, freed // 100), what

    def check(self, *gone):
        """Predicts, removes, and compares. Returns the freed bytes."""
        predicted, before = self.predict(*gone), self.used()
        for image in sorted(gone, key=lambda image: image.id):
            for name in self.names(image):
                self.dockerd.remove_image(name, check=False)
        assert not {image.id for image in gone} & self.dockerd.ids()
        freed = before - self.used()
        self.compare(", ".join(image.names[0] for image in gone), predicted, freed)
        return freed


@contextlib.contextmanager
def disk_with(version):
    with workdir_on_a_disk(512 * MIB) as workdir, started(workdir, version) as dockerd:
        yield Disk(workdir, dockerd)


@pytest.fixture(params=[DEBIAN, LATEST])
def disk(request):
    with disk_with(request.param) as host:
        yield host


@pytest.fixture
def latest():
    with disk_with(LATEST) as host:
        yield host


@contextlib.contextmanager
def mounted(directory, over):
    """DIRECTORY in the place of OVER, for this process and its children. The daemon does not see it."""
    subprocess.run(["mount", "--bind", directory, over], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", over], check=True)


def test_frees_shared_layers_with_the_last_image_that_has_them(disk):
    one, two, three = (disk.image(f"{name}:v1", "shared", name) for name in ("one", "two", "three"))
    assert 0 < disk.check(one) - disk.layer_bytes < MIB, "its own layer"
    assert 0 < disk.check(two, three) - 3 * disk.layer_bytes < 2 * MIB


def test_frees_nothing_but_documents_when_a_container_has_the_layers(disk):
    """Docker refuses the removal of the image itself, so another image has its layers."""
    used, same = disk.image("used:v1", "app"), disk.image("same:v1", "app")
    disk.dockerd.run(used.names[0], "app", EXITED)
    assert disk.check(same) < MIB // 4
    assert {one["id"]: one["inUse"] for one in disk.df()["images"]}[used.id]


def test_predicts_an_image_with_several_tags_and_one_that_was_pulled(disk):
    several = disk.image(["app:v1", "app:v2", "mirror/app:v1"], "app")
    pulled = disk.image(["web:v1", "web:v2"], "web", "more", pulled=True)
    assert 0 < disk.check(several) - disk.layer_bytes < MIB
    assert 0 < disk.check(pulled) - 2 * disk.layer_bytes < 2 * MIB, "and the pause layer, which no other image has now"


def test_the_accounts_add_up_to_what_lies_on_the_disk(disk):
    used, idle = disk.image("used:v1", "base", "used"), disk.image("idle:v1", "base", "idle")
    disk.dockerd.run(used.names[0], "app", EXITED)
    disk.collect_garbage()
    document = disk.df()
    assert document["unread"] == [] and document["warnings"] == [], document
    accounts = {one["account"]: one["bytes"] for one in document["accounts"]}
    assert accounts["in-use"] > 2 * disk.layer_bytes, accounts
    assert 0 < accounts["idle"] - disk.layer_bytes < MIB, accounts
    assert document["counted"]["bytes"] + document["disk"]["otherBytes"] == document["disk"]["usedBytes"]
    by_id = {one["id"]: one for one in document["images"]}
    assert by_id[used.id]["inUse"] and not by_id[idle.id]["inUse"]
    assert 0 < by_id[idle.id]["freedBytes"] - disk.layer_bytes < MIB


def test_shows_the_layers_of_images(disk):
    for name in ("one", "two"):
        disk.image(f"{name}:v1", "shared", name)
    document = disk.json("analyze", "--layers", **ALONE)
    assert document["unread"] == []
    shared = [layer for layer in document["heaviestLayers"] if len(layer["images"]) == 2]
    assert shared and all(layer["instruction"] for layer in shared), document


def test_a_run_frees_what_its_plan_predicted(disk):
    used, *idle = [disk.image(f"app{number}:v1", "shared", f"app{number}") for number in range(4)]
    disk.dockerd.run(used.names[0], "app", EXITED)
    rule = {"name": "idle", "selector": {"images": ["registry.example/*"]}, "action": "Remove"}
    disk.write_policy(maximumAge="0s", keep=NEVER, rules=[rule])
    disk.age()
    predicted = disk.predict(*idle)
    assert 0 < predicted - 3 * disk.layer_bytes < 2 * MIB
    plan = disk.json("plan")
    assert plan["totals"]["predictedFreedBytes"] == predicted
    disk.used()  # writes everything to the disk first
    before, report = disk.used(), disk.sweep()
    assert removed(report) == {image.id for image in idle}
    assert report["predictedFreedBytes"] == predicted
    assert abs(report["measuredFreedBytes"] - predicted) < MIB
    disk.compare("a run", predicted, before - disk.used())


def test_an_index_of_which_one_platform_was_pulled(latest):
    archive, name = images.Archive(), latest.registry.name("app:v1")
    image, there = (archive.add(latest.registry.name(f"app:{tag}"), latest.tars([tag])) for tag in ("v1", "there"))
    for one in (image, there):
        latest.registry.push(archive, one)
    index = archive.index(name, image, (there.digest, len(archive.content(there.digest))))
    latest.registry.push_index(archive, index)
    latest.dockerd.pull(name)
    index = latest.as_stored(index)
    assert index.id in latest.dockerd.ids() and image.digest not in latest.dockerd.ids()
    assert 0 < latest.check(index) - latest.layer_bytes < 2 * MIB, "and the pause layer, which no other image has now"


def test_an_index_of_several_platforms(latest):
    archive, name = images.Archive(), "registry.example/app:v1"
    here, there = (archive.add(f"registry.example/{place}:v1", latest.tars([place])) for place in ("here", "there"))
    size = len(archive.content(there.digest))
    index = latest.as_stored(archive.index(name, here, (there.digest, size)))
    file = archive.write(latest.workdir.path / "index.tar")  # an OCI layout; Docker's own form has no indexes
    latest.dockerd.load(file.read_bytes())
    file.unlink()
    there = latest.as_stored(there)
    assert {index.id, there.id} <= latest.dockerd.ids()
    latest.collect_garbage()
    assert latest.check(there) < 2 * 4096, "the index has its content too"
    assert latest.check(index) > latest.layer_bytes + 3 * MIB, "the layers of both platforms"


def test_a_build_with_its_steps(latest):
    built = latest.build("registry.example/built:v1", size=3 * MIB)
    other = latest.image("other:v1", "other")
    assert latest.check(built) > 3 * MIB
    assert 0 < latest.check(other) - latest.layer_bytes < 2 * MIB, "and the pause layer, which no other image has now"


def test_the_build_cache_keeps_what_it_has(latest):
    context = latest.workdir.path / "context"
    context.mkdir()
    (context / "content").write_bytes(os.urandom(3 * MIB))
    (context / "Dockerfile").write_text("FROM scratch\nCOPY content /\n")
    name = "registry.example/built:v1"
    latest.dockerd.build_by_buildkit(name, context)
    built = next(one["Id"] for one in latest.dockerd.images() if name in one["RepoTags"])
    latest.check(images.Image((name,), built, built))
    assert latest.account("build-cache") > 3 * MIB, "the layer, which the next build uses again"


@pytest.mark.parametrize("holder", ["namespace", "lease"])
def test_others_keep_what_they_hold(latest, holder):
    image = latest.image("app:v1", "app")
    if holder == "lease":
        leases.hold(latest.dockerd.containerd_socket, "keeper", image.id, "content", namespace=NAMESPACE)
        assert latest.check(image) == 0
        assert latest.account("leased") > latest.layer_bytes
        return
    file = latest.workdir.path / "app.tar"
    file.write_bytes(latest.dockerd.save(image.names[0]))
    latest.dockerd.ctr("images", "import", "--snapshotter", "overlayfs", file, namespace="tools")
    file.unlink()
    assert 3 * MIB < latest.check(image) < 4 * MIB, "the unpacked layer, which is of the namespace"
    assert latest.account("other-namespaces") > latest.layer_bytes


def test_bounds_when_the_containerd_of_docker_cannot_be_reached(latest):
    image, empty = latest.image("app:v1", "app"), latest.workdir.path / "empty"
    empty.mkdir()
    with mounted(empty, latest.dockerd.containerd_socket.parent):
        document = latest.df(image)
        bound = document["ifRemoved"]["freedBytesAtMost"]
        assert "containerd.sock does not exist" in json.dumps(document), document
        assert image.names[0] in latest.run("plan").stdout
        assert "not mounted" in latest.run("analyze", "--layers", code=None, **ALONE).stderr
    exact = latest.predict(image)
    assert exact > latest.layer_bytes and abs(exact - bound) < BLOCKS


def test_bounds_when_another_containerd_is_at_the_path(latest):
    image = latest.image("app:v1", "app")
    with Containerd(latest.workdir, CONTAINERD) as other:
        with mounted(other.directory, latest.dockerd.containerd_socket.parent):
            document = latest.df(image)
    assert abs(latest.predict(image) - document["ifRemoved"]["freedBytesAtMost"]) < BLOCKS
    assert "is not the containerd of this Docker Engine" in json.dumps(document), document


def test_frees_space_and_stops_when_enough_is_available(disk):
    used, *idle = [disk.load(f"registry.example/shop/app{number}:v1", size=20 * MIB) for number in range(5)]
    disk.dockerd.run(used.names[0], "app", EXITED)
    disk.write_policy(maximumAge="0s", keep=NEVER)
    disk.age()
    seen = os.statvfs(disk.workdir.path)
    target = seen.f_bavail * seen.f_frsize + 25 * MIB
    before = disk.dockerd.ids()
    would = disk.json("ensure-space", f"{target}B")
    assert disk.dockerd.ids() == before and {one["outcome"] for one in would["outcomes"]} == {"WouldRemove"}
    report = disk.json("ensure-space", f"{target}B", "--dry-run=false")
    assert removed(report) and removed(report) <= {image.id for image in idle}
    assert len(removed(report)) < len(idle)
    seen = os.statvfs(disk.workdir.path)
    assert seen.f_bavail * seen.f_frsize >= target and "which is enough" in report["stoppedEarly"]
    agent.run("ensure-space", "480MiB", "--dry-run=false", *disk.sources(), code=1)
    assert disk.dockerd.ids() == {used.id}
