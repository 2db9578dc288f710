"""On a real Docker with a separate file system: the predictions of `imagesweep df` compared with what removals free,
the layers of images, and ensure-space."""
import contextlib
import json
import os

import pytest

from lab import agent, images
from lab.dockerd import DEBIAN, EXITED, LATEST
from runtime.conftest import workdir_on_a_disk
from runtime.docker_host import MIB, NEVER, DockerHost, removed, started


class Disk(DockerHost):
    def __init__(self, workdir, dockerd):
        super().__init__(workdir, dockerd)
        self._layers = {}
        settle = self.image("settle:v1", "settle")  # the databases then have the pages that a removal needs
        self.dockerd.remove_image(settle.id)

    def image(self, names, *layers, pulled=False):
        """One image of the pause layer and the named layers of 3 MiB."""
        names = [names] if isinstance(names, str) else names
        names = [f"{self.registry.host if pulled else 'registry.example'}/{name}" for name in names]
        archive = images.Archive()
        image = archive.add(names, [self._pause, *(self._layer(name) for name in layers)])
        if pulled:
            self.registry.push(archive, image)
            for name in names:
                self.dockerd.pull(name)
        else:
            self.dockerd.load(archive)
        return self.as_stored(image)

    def _layer(self, name):
        if name not in self._layers:
            small = {f"{name}/{number}": b"x" * number * 97 for number in range(20)}
            self._layers[name] = images.layer(small, seed=name, size=3 * MIB)
        return self._layers[name]

    def df(self, *asked):
        flags = [argument for image in asked for argument in ("--if-removed", image.id)]
        return self.json("df", *flags, without_kubernetes=None, policy_file=None, state_dir=None, count_unwatched=None)

    def used(self):
        """The bytes on the disk, except those of the log and the databases of Docker and its containerd."""
        os.sync()
        grown = [self.dockerd.directory / "logs/dockerd.log",
                 *(path for path in self.dockerd.directory.rglob("*.db") if "overlay2" not in path.parts)]
        seen = os.statvfs(self.workdir.path)
        return (seen.f_blocks - seen.f_bfree) * seen.f_frsize - sum(path.stat().st_blocks * 512 for path in grown)

    def check(self, *gone):
        """Predicts, removes, and compares. Returns the freed bytes."""
        predicted = self.df(*gone)["ifRemoved"]
        before = self.used()
        for image in sorted(gone, key=lambda image: image.id):
            for name in self.names(image):
                self.dockerd.remove_image(name, check=False)
        assert not {image.id for image in gone} & self.dockerd.ids()
        freed = before - self.used()
        line = f"| {self.dockerd.version} | {', '.join(gone[0].names)} | {predicted['bytes']} | {freed} | " \
               f"{predicted['bytes'] - freed:+} | {predicted['certainty']} |"
        print(line)
        assert abs(predicted["bytes"] - freed) <= max(64 << 10, freed // 100), f"{line} {predicted}"
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
def overlay2():
    with disk_with(DEBIAN) as host:
        yield host


def test_frees_shared_layers_with_the_last_image_that_has_them(overlay2):
    one, two, three = (overlay2.image(f"{name}:v1", "shared", name) for name in ("one", "two", "three"))
    assert 3 * MIB < overlay2.check(one) < 4 * MIB, "its own layer"
    assert 9 * MIB < overlay2.check(two, three) < 11 * MIB


def test_frees_nothing_but_documents_when_a_container_has_the_layers(overlay2):
    """Docker refuses the removal of the image itself, so another image has its layers."""
    used, same = overlay2.image("used:v1", "app"), overlay2.image("same:v1", "app")
    overlay2.dockerd.run(used.names[0], "app", EXITED)
    assert overlay2.check(same) < MIB // 4
    assert {one["id"]: one["inUse"] for one in overlay2.df()["images"]}[used.id]


def test_predicts_an_image_with_several_tags_and_one_that_was_pulled(overlay2):
    several = overlay2.image(["app:v1", "app:v2", "mirror/app:v1"], "app")
    pulled = overlay2.image(["web:v1", "web:v2"], "web", "more", pulled=True)
    assert 3 * MIB < overlay2.check(several) < 4 * MIB
    assert 6 * MIB < overlay2.check(pulled) < 7 * MIB


def test_the_accounts_add_up_to_what_lies_on_the_disk(overlay2):
    used, idle = overlay2.image("used:v1", "base", "used"), overlay2.image("idle:v1", "base", "idle")
    overlay2.dockerd.run(used.names[0], "app", EXITED)
    document = overlay2.df()
    assert document["unread"] == [] and document["warnings"] == [], document
    accounts = {one["account"]: one["bytes"] for one in document["accounts"]}
    assert accounts["in-use"] > 6 * MIB and 3 * MIB < accounts["idle"] < 4 * MIB, accounts
    assert document["counted"]["bytes"] + document["disk"]["otherBytes"] == document["disk"]["usedBytes"]
    by_id = {one["id"]: one for one in document["images"]}
    assert by_id[used.id]["inUse"] and not by_id[idle.id]["inUse"]
    assert 3 * MIB < by_id[idle.id]["freedBytes"] < 4 * MIB


def test_shows_the_layers_of_images_when_docker_has_its_own_store(overlay2):
    for name in ("one", "two"):
        overlay2.image(f"{name}:v1", "shared", name)
    document = overlay2.json("analyze", "--layers", without_kubernetes=None, policy_file=None, state_dir=None,
                             count_unwatched=None)
    assert document["unread"] == []
    shared = [layer for layer in document["heaviestLayers"] if len(layer["images"]) == 2]
    assert shared and all(layer["instruction"] for layer in shared), document


def test_says_why_sizes_of_layers_are_unknown_when_containerd_has_the_images():
    with disk_with(LATEST) as host:
        image = host.image("app:v1", "app")
        document = host.df()
        assert image.id in {one["id"] for one in document["images"]}
        assert "keeps them in containerd" in json.dumps(document), document
        assert image.names[0] in host.run("plan").stdout


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
