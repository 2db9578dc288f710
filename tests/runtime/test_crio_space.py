"""On a real CRI-O with a separate file system: the predictions of `imagesweep df` compared with what removals free."""
import json
import os

import pytest

from lab import agent, images
from lab.crio import CRIO
from runtime.conftest import node_on_a_disk

MIB = 1 << 20


class Disk:
    def __init__(self, node):
        self.node, self.crio = node, node.containerd
        self._pause = images.pause_layer(node.workdir.path)

    def image(self, name, *layers):
        """One image of the pause layer and the named layers of 3 MiB."""
        archive, name = images.Archive(), f"registry.example/{name}:v1"
        image = archive.add(name, [self._pause, *(images.layer({}, seed=layer, size=3 * MIB) for layer in layers)])
        self.crio.load(archive, pulled=[image])
        return self.crio.as_listed(image)

    def check(self, *gone):
        """Predicts, removes, and compares. Returns the freed bytes."""
        asked = [argument for image in gone for argument in ("--if-removed", image.id)]
        predicted = json.loads(agent.run("df", "-o", "json", f"--runtime-endpoint={self.crio.endpoint}",
                                         *asked).stdout)["ifRemoved"]
        assert (predicted["certainty"], predicted["why"]) == ("exactly", "")
        before = self._used()
        for image in gone:
            self.crio.cri.remove_image(image.id)
        assert not {image.id for image in gone} & self.crio.ids()
        freed, names = before - self._used(), ", ".join(image.names[0] for image in gone)
        print(f"| CRI-O | {names} | {predicted['bytes']} | {freed} | {predicted['bytes'] - freed:+} |")
        assert abs(predicted["bytes"] - freed) <= max(64 << 10, freed // 100)
        return freed

    def _used(self):
        """The bytes on the disk, except those of the log of CRI-O, which only grows."""
        os.sync()
        seen = os.statvfs(self.node.workdir.path)
        logs = sum(path.stat().st_blocks * 512 for path in (self.crio.directory / "logs").iterdir())
        return (seen.f_blocks - seen.f_bfree) * seen.f_frsize - logs


@pytest.fixture
def disk():
    with node_on_a_disk(CRIO, 512 * MIB) as node:
        yield Disk(node)


def test_frees_shared_layers_with_the_last_image_that_has_them(disk):
    one, two, three = (disk.image(name, "shared", name) for name in ("one", "two", "three"))
    assert 0 < disk.check(one) - 3 * MIB < MIB, "its own layer"
    assert 0 < disk.check(two, three) - 9 * MIB < MIB


def test_frees_nothing_but_documents_when_a_container_has_the_layers(disk):
    used, same = disk.image("used", "app"), disk.image("same", "app")
    disk.node.start_pod("app", used)
    assert disk.check(same) < MIB // 4
