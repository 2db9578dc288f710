"""On a real Docker, of both versions: uses and names that change in the middle of a removal."""
import json
import signal
import subprocess

import pytest

from lab import agent
from lab.cell import wait_until
from runtime.docker_host import ATTEMPTS, NEVER, reasons, relay, removed

MANY = 60


# Each image waits for limits.removalDelay. Within it, its container is created.
def test_keeps_an_image_when_its_container_comes_after_the_plan(docker):
    unneeded = [docker.load(f"registry.example/app{number}:v1") for number in range(2)]
    docker.write_policy(keep=NEVER, limits={"removalDelay": "3s"})
    docker.age()
    first, second = (next(image for image in unneeded if image.id == one)
                     for one in docker.json("plan")["removalOrder"])
    command = [str(agent.program()), "sweep", "--dry-run=false", "-o", "json", *docker.sources()]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=agent.environment()) as sweep:
        assert wait_until(lambda: first.id not in docker.dockerd.ids(), 20)
        docker.dockerd.create(second.names[0], "late")
        out, err = sweep.communicate(timeout=60)
    assert sweep.returncode == 0, err
    report = json.loads(out)
    assert removed(report) == {first.id} and second.names[0] in docker.names(second)
    assert "late" in reasons(report)[second.id], report["outcomes"]
    docker.dockerd.request("POST", "/containers/late/start")


@pytest.mark.parametrize("by", ["tag", "id"])
def test_keeps_an_image_with_all_tags_when_its_container_comes_while_its_names_go(docker, by):
    image = docker.load(*(f"registry.example/many:t{number:04}" for number in range(MANY)), "other.example/many:v1")
    docker.write_policy(keep=NEVER)
    docker.age()
    before, made = docker.names(image), []

    def create(request):
        """Right before the removal of the third name, which is that of the container or another one."""
        if request.startswith(b"DELETE ") and image.id[7:].encode() not in request:
            deletions.append(request)
            if len(deletions) == 3:
                made.append(docker.dockerd.create(image.names[MANY - 1] if by == "tag" else image.id, "late"))
    for _ in range(ATTEMPTS):
        deletions = []
        with relay(docker.dockerd, on_request=create) as endpoint:
            report = docker.sweep(code=None, runtime_endpoint=endpoint)
        if made:
            break
    assert made, report["outcomes"]
    assert removed(report) == set() and image.id in reasons(report)
    assert docker.names(image) == before
    docker.dockerd.request("POST", "/containers/late/start")
    assert docker.verdicts()[image.id] == ("Keep", "InUse")


def test_restores_the_names_when_a_run_was_killed_between_them(docker):
    image = docker.load(*(f"registry.example/many:t{number:04}" for number in range(MANY)))
    docker.write_policy(keep=NEVER)
    docker.age()
    before, deletions = docker.names(image), []

    def kill(request):
        if request.startswith(b"DELETE ") and image.id[7:].encode() not in request:
            deletions.append(request)
            if len(deletions) == 5:
                sweep.send_signal(signal.SIGKILL)
                sweep.wait()
    for _ in range(ATTEMPTS):
        deletions.clear()
        with relay(docker.dockerd, on_request=kill) as endpoint:
            sources = docker.sources(runtime_endpoint=endpoint)
            sweep = subprocess.Popen([str(agent.program()), "sweep", "--dry-run=false", *sources],
                                     env=agent.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            assert wait_until(lambda: sweep.poll() is not None, 20)
        if sweep.returncode == -signal.SIGKILL:
            break
    left = docker.names(image)
    assert left and left != before, "killed between two names"
    docker.write_policy(keep={**NEVER, "images": [image.names[0]]})
    report = docker.sweep()
    assert any("restored the names" in warning for warning in report["warnings"]), report["warnings"]
    assert docker.names(image) == before
    docker.write_policy(keep=NEVER)
    docker.sweep_away(image)


def test_a_tag_that_moves_before_its_removal_stays_with_the_other_image(docker):
    image = docker.load("registry.example/app:v1", "other.example/app:v1", "third.example/app:v1")
    docker.write_policy(keep=NEVER)
    docker.age()
    other, moved = docker.load("registry.example/new:v1"), []

    def move(request):
        if request.startswith(b"DELETE ") and not moved:
            moved.append(docker.dockerd.tag(other.id, "third.example/app:v1"))
    with relay(docker.dockerd, on_request=move) as endpoint:
        report = docker.sweep(code=None, runtime_endpoint=endpoint)
    assert moved
    assert other.id in docker.dockerd.ids() and "third.example/app:v1" in docker.names(other), report["outcomes"]
