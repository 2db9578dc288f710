"""Images of many small files on a file system with few inodes: inodes run out before bytes."""
import os

import pytest

from lab import images
from runtime.conftest import node_on_a_disk

INODES, FILES = 6000, 700


def used_percent(path):
    seen = os.statvfs(path)
    return (seen.f_files - seen.f_ffree) * 100 // seen.f_files


@pytest.fixture
def small_disk(containerd_version):
    with node_on_a_disk(containerd_version, 512 << 20, "-N", str(INODES)) as node:
        yield node


# K15: unused images are removed down to the low threshold of inodes. Images in use stay, although there are enough
# bytes.
def test_unused_images_go_until_the_low_mark_of_inodes(small_disk):
    node = small_disk
    root = node.containerd.root

    def load(number):
        archive = images.Archive()
        files = {f"files/{number}-{file}": b"" for file in range(FILES)}
        image = archive.add(f"registry.example/shop/app-{number}:v1",
                            [images.pause_layer(node.workdir.path), images.layer(files)])
        node.containerd.load(archive, pulled=[image])
        return image

    used = load(0)
    node.start_pod("app-0", used)
    unused = [load(number) for number in range(1, 7)]
    assert used_percent(root) >= 75
    node.write_policy(maximumAge="0s", diskUsage={
        "highThresholdPercent": 0, "inodes": {"highThresholdPercent": 75, "lowThresholdPercent": 50}})
    node.age()
    report = node.sweep()
    removed = [outcome["id"] for outcome in report["outcomes"] if outcome["outcome"] == "Removed"]
    assert removed and set(removed) < {image.id for image in unused}, "some, not all, and none in use"
    assert used_percent(root) <= 50
    assert used_percent(root) * INODES // 100 + FILES > INODES // 2, "no more than needed, and the rest of one image"
    assert used.id in node.containerd.ids()
    assert all("inode use" in image["reason"] for image in report["images"] if image["id"] in removed)
