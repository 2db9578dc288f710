"""Only watched time counts toward ages: time watched by a running agent. For a command alone, no time counts."""
import contextlib

from lab.cell import wait_until
from runtime.test_use_watch import come_and_go, listed

ALONE = {"count_unwatched": None}  # as a user runs a command without accepting unwatched time
YOUNG = {"minimumAge": "3s", "maximumAge": "3s"}


def age(node, image):
    """(seconds toward minimumAge, seconds toward maximumAge) in a command."""
    one = next(one for one in node.json("images", **ALONE)["images"] if one["id"] == image.id)
    return one["watchedUnusedSeconds"], one["ageSeconds"]


@contextlib.contextmanager
def watching_agent(node, **policy):
    """An agent that has run, and removes nothing by itself."""
    node.put_configmap(suspend=True, interval="1h", **policy)
    with node.agent("--log-level=debug", **ALONE) as agent:
        agent.wait_for("Subscribed to runtime events")
        agent.wait_for("Finished run")
        yield agent


def test_knows_no_use_in_a_command_without_an_agent(node):
    idle = node.load("registry.example/shop/job:v1", size=1 << 20)
    node.write_policy(minimumAge="1s", maximumAge="1s")
    node.age()
    report = node.sweep(**ALONE)
    assert not report["outcomes"]
    assert any("--count-unwatched" in warning for warning in report["warnings"])
    held = next(group for group in report["heldBack"] if group["code"] == "TooYoung")
    assert held["sizeBytes"] >= 1 << 20 and "--minimum-age" in held["release"]
    text = node.run("plan", **ALONE).stdout
    assert "Too young: 1 image" in text and "--minimum-age=0s" in text
    dry = node.json("sweep", minimum_age="0s", **ALONE)
    assert [one["id"] for one in dry["outcomes"]] == [idle.id] and "minimumAge 0s" in dry["policy"]["source"]
    assert idle.id in {one["id"] for one in node.sweep()["outcomes"]}, "accepted"


def test_reads_recent_uses_of_the_agent_in_a_command(node):
    used, unneeded = node.load("registry.example/shop/job:v1"), node.load("registry.example/shop/old:v1")
    node.write_policy(**YOUNG)
    with watching_agent(node) as agent:
        assert wait_until(lambda: age(node, used)[0] >= 4, 30, every=0.3), agent.text()
        come_and_go(node, used)
        removed = {one["id"] for one in node.sweep(**ALONE)["outcomes"]}
        assert removed == {unneeded.id}, agent.text()
        assert listed(node, used)["lastUsed"] is not None
        assert used.id in node.containerd.ids()


def test_ignores_unwatched_time_while_the_agent_was_stopped(node):
    used = node.load("registry.example/shop/job:v1")
    with watching_agent(node) as agent:
        assert wait_until(lambda: age(node, used)[0] >= 4, 30, every=0.3), agent.text()
        assert agent.terminate() == 0
    assert age(node, used)[0] == 0
    come_and_go(node, used)
    node.put_configmap(minimumAge="1h", maximumAge="1h")
    with node.agent(**ALONE) as agent:
        agent.wait_for("Finished run")
        watched, unused = age(node, used)
        assert watched < 4 <= unused, "a short gap pauses the time toward maximumAge"
        assert used.id in node.containerd.ids()


def test_restarts_ages_when_the_state_was_copied(node):
    image = node.load("registry.example/shop/job:v1")
    node.age()
    node.api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node1", "uid": "another"}})
    seen = node.json("images")
    assert next(one for one in seen["images"] if one["id"] == image.id)["ageSeconds"] == 0
    assert any("of another node" in warning for warning in seen["warnings"])
    assert not node.json("images")["warnings"]
