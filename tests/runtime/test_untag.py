"""Rules with Untag: a tag goes from an image that stays, by containerd's own record of it, and nothing else changes."""
import dataclasses

import pytest

from lab.cell import wait_until
from runtime.conftest import node_on_a_disk
from runtime.test_true_sizes import MIB, Disk, Space

APP = "registry.example/shop/app"
TAGS = [f"{APP}:v1", f"{APP}:build-7", f"{APP}:build-8"]
# What a person gives: neither Kubernetes nor a policy.
ALONE = {"kubeconfig": None, "policy_file": None, "node_name": None}


def write_policy(node, rule=None, **fields):
    """Nothing goes but tags, and those at once."""
    selector = {"images": ["registry.example/**"], "tags": ["build-*"]}
    node.write_policy(maximumAge="2h", removeDangling=False, **fields,
                      rules=[{"name": "builds", "selector": selector, "action": "Untag", **(rule or {})}])


def records(node):
    """The names that containerd itself has."""
    return set(node.containerd.ctr("images", "ls", "-q").split())


def listed(node, image):
    """(tags, digests) of the image as the CRI has it."""
    return next((set(one.repo_tags), set(one.repo_digests)) for one in node.containerd.cri.images()
                if one.id == image.id)


def containers(node):
    return sorted((one.id, one.state, one.image_ref) for one in node.containerd.cri.containers())


def named(image, *names):
    """The image as a pod calls it."""
    return dataclasses.replace(image, names=names)


@pytest.fixture
def disk(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB) as node:
        yield Disk(node)


def test_a_tag_goes_and_nothing_else_changes(disk):
    node = disk.node
    image = disk.load(TAGS, "app")
    node.start_pod("app", image)
    disk.collect_garbage()
    write_policy(node)
    before = (records(node), node.containerd.ids(), containers(node))
    node.run("sweep", "--dry-run")
    assert records(node) == before[0], "a dry run drops nothing"
    with disk.freed_of_images() as freed:
        node.sweep()
    assert (records(node), node.containerd.ids(), containers(node)) == (before[0] - set(TAGS[1:]), *before[1:])
    assert listed(node, image) == ({TAGS[0]}, set(image.digest_references))
    assert freed.space == Space(0, 0)
    node.containerd.stop()
    node.containerd.start()
    assert listed(node, image) == ({TAGS[0]}, set(image.digest_references))
    assert containers(node) == before[2]


def test_what_another_policy_would_do_to_tags_is_told(node):
    image = node.load(*TAGS)
    node.start_pod("app", image)
    write_policy(node)
    node.age()
    assert [name["tag"] for name in node.json("plan")["untags"]] == TAGS[1:]
    here = {"now": {"goes": False, "rule": ""}, "then": {"goes": True, "rule": "builds"}}
    added = node.json("plan", "--diff")  # against the defaults
    assert added["tagChanges"] == [{"tag": tag, **here} for tag in TAGS[1:]]
    same = node.json("plan", "--diff", "--profile=Balanced", policy_configmap=None)
    assert same["tagChanges"] == [] and same["changes"] == []


def test_a_tag_that_somebody_names_stays(node):
    image = node.load(*TAGS, f"{APP}:build-9")
    node.start_pod("app", image)
    node.start_pod("old", named(image, TAGS[2]))
    flags = node.containerd.import_flags[-2:]
    node.containerd.ctr("containers", "create", *flags, f"{APP}:build-9", "by-hand")  # not of the CRI
    write_policy(node)
    node.sweep()
    assert listed(node, image)[0] == {TAGS[0], TAGS[2], f"{APP}:build-9"}


def test_an_image_keeps_a_tag_and_one_that_cannot_be_pulled_again_all(node):
    builds = [f"{APP}:build-1", f"{APP}:build-2"]
    pulled, local = node.load(*builds), node.load("registry.example/own:v1", "registry.example/own:build-1", local=True)
    write_policy(node)
    for _ in range(2):
        node.sweep()
        assert len(listed(node, pulled)[0]) == 1
        assert listed(node, pulled)[0] < set(builds)
        assert listed(node, local)[0] == set(local.names)


def test_a_young_tag_stays(node):
    image = node.load(*TAGS)
    write_policy(node, minimumAge="1h")
    before = records(node)
    node.sweep()
    assert records(node) == before
    # The runs have known them for long enough, but one was written again since, as by a pull.
    write_policy(node, rule={"minimumAge": "10s"})
    node.sweep()
    assert records(node) == before
    assert wait_until(lambda: all(one["ageSeconds"] >= 10 for one in node.json("images")["images"]
                                  if one["id"] == image.id), 30)
    node.containerd.ctr("images", "tag", "--force", TAGS[0], TAGS[1])
    assert wait_until(lambda: TAGS[1] in listed(node, image)[0], 10)
    report = node.run("sweep", "--dry-run=false", "-o", "json").stdout
    assert records(node) == before - {TAGS[2]}
    assert "the name was written at" in report


def test_restore_brings_the_tags_back_without_a_pull(node):
    image = node.load(*TAGS)  # there is no such registry
    node.start_pod("app", image)
    write_policy(node)
    before = records(node)
    node.sweep()
    assert records(node) == before - set(TAGS[1:])
    node.run("restore", "--last", **ALONE)
    assert records(node) == before
    assert wait_until(lambda: listed(node, image)[0] == set(TAGS), 10)
