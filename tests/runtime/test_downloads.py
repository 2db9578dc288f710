"""Removal during a long pull of an image."""
import os

from lab.trickling_registry import TricklingRegistry
from runtime.test_native_removal import remove_calls, removed


def test_a_pull_that_does_not_end_holds_up_no_removal(node):
    idle = [node.load(f"registry.example/shop/app-{number}:v1") for number in range(3)]
    registry = TricklingRegistry(node.containerd)
    node.write_policy(maximumAge="1s", limits={"maxPercentOfImages": 100})
    node.age()
    registry.begin_pull()
    before = remove_calls(node)
    report = node.sweep()
    assert registry.is_pulling(), "else this shows nothing"
    assert removed(report) == {image.id for image in idle}
    assert not {image.id for image in idle} & node.containerd.ids()
    assert len(remove_calls(node)) - len(before) == 3, "one by one, through the CRI"


def test_a_free_space_target_is_pursued_beside_a_pull_too(node):
    idle = [node.load(f"registry.example/shop/app-{number}:v1", size=2 << 20) for number in range(3)]
    registry = TricklingRegistry(node.containerd)
    node.write_policy(maximumAge="0s", limits={"maxPercentOfImages": 100})
    node.age()
    registry.begin_pull()
    disk = os.statvfs(node.containerd.root)
    report = node.json("ensure-space", f"{disk.f_blocks * disk.f_frsize}B", "--dry-run=false", code=1)  # cannot be reached
    assert registry.is_pulling(), "else this shows nothing"
    assert removed(report) == {image.id for image in idle}
