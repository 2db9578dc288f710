"""Recorded facts belong to one image. They do not apply to a later image with its name, or to an image that was away in
between. They also cover names that the CRI does not show."""
import time

import pytest

from lab import agent

AGE = 15  # seconds


@pytest.fixture
def watched(node):
    """A function that starts an agent that only watches. It returns when the current images are old enough."""
    running = []

    def start():
        ages = {"minimumAge": f"{AGE}s", "maximumAge": f"{AGE}s"}
        node.put_configmap(suspend=True, interval="1h", **ages)
        node.write_policy(**ages)
        one = node.agent(count_unwatched=None).__enter__()
        running.append(one)
        one.wait_for("Finished run")
        time.sleep(AGE + 2)
    yield start
    for one in running:
        one.__exit__()


def outcomes(node):
    time.sleep(1.5)  # a use is written within a second
    return agent.outcomes(node.json("sweep", "--dry-run=false", count_unwatched=None))


def test_counts_a_use_for_the_image_of_the_name_at_that_time(node, watched):
    used = node.load("registry.example/dev/tool:latest")
    idle = node.load("registry.example/dev/idle:v1")
    watched()
    node.containerd.ctr("containers", "create", *node.containerd.import_flags[-2:], used.names[0], "by-hand")
    node.containerd.ctr("containers", "rm", "by-hand")
    node.load("registry.example/dev/tool:latest")  # the tag moves
    assert outcomes(node) == {idle.id: "Removed"}
    assert used.id in node.containerd.ids()


def test_restarts_the_age_of_an_image_pulled_again(node, watched):
    again = node.load("registry.example/dev/again:v1")
    idle = node.load("registry.example/dev/idle:v1")
    archive = node.workdir.path / "again.tar"
    names = [name for name in node.containerd.ctr("images", "ls", "-q").split() if "dev/again" in name]
    node.containerd.ctr("images", "export", str(archive), *names)
    watched()
    for name in [*names, again.id]:
        node.containerd.ctr("images", "rm", "--sync", name)
    node.containerd.ctr("images", "import", *node.containerd.import_flags, str(archive))
    node.containerd.label_as_pulled(again)
    assert outcomes(node) == {idle.id: "Removed"}
    assert again.id in node.containerd.ids()


# The CRI does not list records without a tag or a domain. A removal deletes them too.
@pytest.mark.parametrize("name, pattern", [("registry.corp/base/app", "registry.corp/base/**"),
                                           ("golden", "docker.io/library/golden")])
@pytest.mark.parametrize("local_only", ["Always", "Never"])
def test_a_name_that_the_cri_does_not_show_keeps_its_image(node, name, pattern, local_only):
    image = node.load("registry.example/team/app:v1")
    idle = node.load("registry.example/team/idle:v1")
    node.containerd.ctr("images", "tag", image.names[0], name)
    keep = [] if local_only == "Always" else [pattern]  # no registry is known to have the name
    node.write_policy(keep={"localOnly": local_only, "images": keep})
    node.age()
    assert agent.outcomes(node.sweep()) == {idle.id: "Removed"}
    assert name in node.containerd.ctr("images", "ls", "-q").split()


def test_an_image_that_only_such_a_name_has_is_not_dangling(node):
    image = node.load("registry.example/vendor/airgap:v1", local=True)
    node.containerd.ctr("images", "tag", image.names[0], "registry.example/vendor/airgap")
    node.containerd.ctr("images", "rm", image.names[0])
    node.write_policy(keep={"localOnly": "UnlessSuperseded"})
    node.age()
    assert agent.outcomes(node.sweep()) == {}
    assert image.id in node.containerd.ids()
