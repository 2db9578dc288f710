"""Images of many small files on a file system with few inodes: bytes are not what runs out."""
import ctypes
import os
import subprocess

import pytest

from lab import images
from lab.containerd import Containerd
from lab.standin_api import StandInApi
from lab.workdir import Workdir
from runtime.conftest import Node

INODES, FILES = 6000, 700
CLONE_NEWNS = 0x00020000  # linux/sched.h


def used_percent(path):
    seen = os.statvfs(path)
    return (seen.f_files - seen.f_ffree) * 100 // seen.f_files


@pytest.fixture
def small_disk(containerd_version):
    """A node whose containerd has an ext4 of its own, mounted where nobody but this process and its children sees it:
    whatever becomes of the test, the mount ends with them."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        pytest.fail(f"unshare: {os.strerror(ctypes.get_errno())}", pytrace=False)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with Workdir() as workdir, StandInApi(workdir.path / "objects") as api:
        disk, mounted = workdir.path / "disk", workdir.path / "node"
        mounted.mkdir()
        with open(disk, "wb") as file:
            file.truncate(512 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-N", str(INODES), disk], check=True)
        subprocess.run(["mount", "-o", "loop", disk, mounted], check=True)
        try:
            workdir.path, whole = mounted, workdir.path
            with Containerd(workdir, containerd_version) as containerd:
                yield Node(workdir, containerd, api)
        finally:
            workdir.path = whole
            subprocess.run(["umount", mounted], check=True)


# K15: unused images go until the low mark of inodes; what is in use stays, though bytes are plenty.
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
