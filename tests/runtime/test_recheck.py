"""Removals in several steps: a use that appears in between, a process that is killed in between, and names that leave
images that the CRI still lists."""
import contextlib
import signal
import subprocess
import threading

import grpc
import pytest

from lab import agent, images
from lab.cell import wait_until

MANY = 300


def load_many(node, count=MANY):
    """One image of COUNT tags and a digest, which no registry has."""
    archive = images.Archive()
    names = [f"registry.example/many:t{number:04}" for number in range(count)]
    image = archive.name_by_digest(archive.add(names, [node._base, images.layer({"number": b"many"}, 99)]))
    node.containerd.load(archive, local=[image])
    return image


def listed(node, image):
    return next((one for one in node.containerd.cri.images() if one.id == image.id), None)


@contextlib.contextmanager
def while_names_go(node, image):
    """A thread that runs the appended functions when the image has lost a name."""
    actions, ended = [], threading.Event()

    def watch():
        while not ended.is_set():
            now = listed(node, image)
            if now is not None and len(now.repo_tags) < MANY:
                for action in actions:
                    action()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield actions
    finally:
        ended.set()
        thread.join()


def removed(report):
    return {outcome["id"] for outcome in report["outcomes"] if outcome["outcome"] == "Removed"}


# A container is created while the names of its image are deleted: the last name stays, and the others are restored.
def test_an_image_that_comes_into_use_while_its_names_go_keeps_all_of_them(node):
    image = load_many(node)
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    pod = node.start_pod("late", node.system)
    made = []

    def use():
        # The CRI creates a container with the first name that it knows, which may just have been deleted.
        while not made and listed(node, image) is not None:
            with contextlib.suppress(grpc.RpcError):
                made.append(node.containerd.cri.add_container(pod, "late", image.id))
    with while_names_go(node, image) as actions:
        actions.append(use)
        report = node.sweep()
    if not made:
        pytest.fail("the container was never made: the names went before it was seen")
    assert image.id not in removed(report)
    # containerd's CRI learns of names from events, a moment after their creation.
    assert wait_until(lambda: len(listed(node, image).repo_tags) == MANY, 10)
    assert report["verification"]["missing"] == []


def test_an_image_that_a_killed_run_left_with_a_part_of_its_names_gets_them_back_and_goes_as_a_whole(node):
    image = load_many(node)
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    before = listed(node, image)
    sweep = subprocess.Popen([str(agent.program()), "sweep", "--dry-run=false", *node.sources()],
                             env=agent.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_until(lambda: listed(node, image) is None or len(listed(node, image).repo_tags) < MANY, 20, every=0)
    sweep.send_signal(signal.SIGKILL)
    sweep.wait()
    left = listed(node, image)
    assert left is not None and 0 < len(left.repo_tags) < MANY, "killed between two names"
    node.write_policy(keep={"localOnly": "Never", "images": ["registry.example/many:t0000"]})
    report = node.sweep()
    assert any("restored the names" in warning for warning in report["warnings"])
    now = listed(node, image)
    assert sorted(now.repo_tags) == sorted(before.repo_tags)
    assert sorted(now.repo_digests) == sorted(before.repo_digests)
    node.write_policy(keep={"localOnly": "Never"})
    assert removed(node.sweep()) == {image.id}
    assert listed(node, image) is None


# containerd issue 8848
@pytest.mark.parametrize("name", ["myalpine", "docker.io/alpine", "team/app"])
def test_a_name_without_a_domain_or_a_tag_leaves_no_ghost(node, name):
    image = node.load("registry.example/alpine:3.19")
    node.containerd.ctr("images", "tag", image.names[0], name)
    node.write_policy(keep={"localOnly": "Never"})  # no registry is known to have that name
    node.age()
    assert removed(node.sweep()) == {image.id}
    assert image.id not in node.containerd.ids()
    assert [one for one in node.containerd.ctr("images", "ls", "-q").split() if "alpine" in one or "app" in one] == []


# The CRI does not list a container of `ctr` that is created after the start of the batch.
def test_a_container_outside_the_cri_that_comes_while_names_go_keeps_its_image(node):
    image = load_many(node)
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    with while_names_go(node, image) as actions:
        actions.append(lambda: node.containerd.ctr("containers", "create", *node.containerd.import_flags[-2:],
                                                   image.names[MANY - 1], "by-hand"))
        report = node.sweep()
    made = "by-hand" in node.containerd.ctr("containers", "ls", "-q").split()
    if not made:
        pytest.fail("the container was never made: the names went before it was seen")
    assert image.id not in removed(report)
    # containerd's CRI learns of names from events, a moment after their creation.
    assert wait_until(lambda: len(listed(node, image).repo_tags) == MANY, 10)
