"""On a real Docker, of both versions: the agent watches containers that come and go, and counts time without uses."""
import contextlib
import signal
import time

import pytest

from lab import agent
from lab.cell import wait_until
from lab.dockerd import EXITED
from runtime.docker_host import NEVER, removed


@contextlib.contextmanager
def watching_agent(docker, **replaced):
    """An agent that has run, and removes nothing by itself."""
    docker.write_policy(suspend=True, interval="1h", minimumAge="3s", maximumAge="3s", keep=NEVER)
    with docker.agent("--log-level=debug", **replaced, count_unwatched=None) as agent_:
        agent_.wait_for("Subscribed to runtime events")
        agent_.wait_for("Finished run")
        yield agent_


def age(docker, image):
    return next(one for one in docker.json("images", count_unwatched=None)["images"] if one["id"] == image.id)


def sweep_now(docker):
    """What a command removes by the ages that the agent watched."""
    policy = docker.workdir.path / "another-policy.yaml"  # the agent removes nothing by its own
    policy.write_text(agent.policy(minimumAge="3s", maximumAge="3s", keep=NEVER))
    return removed(docker.sweep(count_unwatched=None, policy_file=policy))


def test_a_short_container_counts_as_a_use_when_the_agent_watches(docker):
    used, unneeded = docker.load("registry.example/shop/job:v1"), docker.load("registry.example/shop/old:v1")
    assert not docker.sweep(count_unwatched=None)["outcomes"], "no time counts without an agent"
    with watching_agent(docker) as agent_:
        assert wait_until(lambda: age(docker, used)["watchedUnusedSeconds"] >= 4, 30, every=0.3), agent_.text()
        docker.dockerd.run(used.names[0], "job", HostConfig={"NetworkMode": "none", "AutoRemove": True})
        docker.dockerd.request("POST", "/containers/job/kill")
        assert wait_until(lambda: docker.dockerd.get("/containers/json", all="1") == [], 10)
        assert sweep_now(docker) == {unneeded.id}, agent_.text()
        assert age(docker, used)["lastUsed"] is not None
        assert agent_.terminate() == 0


def test_a_use_counts_for_the_image_of_its_time_when_the_tag_moves(docker):
    used = docker.load("registry.example/shop/job:v1", "registry.example/shop/job:old")
    with watching_agent(docker) as agent_:
        assert wait_until(lambda: age(docker, used)["watchedUnusedSeconds"] >= 4, 30, every=0.3), agent_.text()
        docker.dockerd.run("registry.example/shop/job:v1", "job", EXITED)
        new = docker.load("registry.example/shop/job:v1")
        docker.dockerd.remove_container("job")
        assert sweep_now(docker) == set(), agent_.text()
        assert {used.id, new.id} <= docker.dockerd.ids()
        assert age(docker, used)["lastUsed"] is not None


def test_events_come_again_when_docker_was_killed(docker):
    used, unneeded = docker.load("registry.example/shop/job:v1"), docker.load("registry.example/shop/old:v1")
    with watching_agent(docker) as agent_:
        docker.dockerd.stop(signal.SIGKILL)
        lost = agent_.wait_for("Lost runtime events")
        docker.dockerd.start()
        agent_.wait_for("Subscribed to runtime events", after=agent_.lines.index(lost))
        assert wait_until(lambda: age(docker, unneeded)["watchedUnusedSeconds"] >= 4, 30, every=0.3), agent_.text()
        docker.dockerd.create(used.names[0], "job")
        docker.dockerd.remove_container("job")
        assert sweep_now(docker) == {unneeded.id}, agent_.text()


@pytest.mark.parametrize("before", ["stopped", "hanging"])
def test_the_agent_recovers_when_docker_starts_after_it(docker, before):
    unneeded = docker.load("registry.example/shop/old:v1")
    if before == "stopped":
        docker.dockerd.stop()
    else:
        docker.dockerd.cell.send("dockerd", signal.SIGSTOP)
    docker.write_policy(keep=NEVER, interval="1m")
    with docker.agent("--log-level=debug", count_unwatched=None) as agent_:
        time.sleep(6)
        if before == "stopped":
            docker.dockerd.start()
        else:
            docker.dockerd.cell.send("dockerd", signal.SIGCONT)
        agent_.wait_for("Connected to container runtime", runtime="docker")
        assert wait_until(lambda: unneeded.id not in docker.dockerd.ids(), 40), agent_.text()
