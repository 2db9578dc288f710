"""Both versions of dockerd start in the lab, take images in every way, run containers, and leave nothing behind."""
import pytest

from lab import images
from lab.cell import wait_until
from lab.dockerd import CREATED, DEBIAN, EXITED, LATEST, RUNNING, DockerError, Dockerd
from lab.registry import Registry
from lab.workdir import Workdir

DOCKERFILE = 'FROM scratch\nCOPY pause /\nENTRYPOINT ["/pause"]\n'


@pytest.fixture(params=[DEBIAN, LATEST])
def dockerd(request):
    with Workdir() as workdir, Dockerd(workdir, request.param) as daemon:
        daemon.base = images.pause_layer(workdir.path)
        daemon.pause = (workdir.path / "pause").read_bytes()
        yield daemon


def archive(dockerd, name):
    made = images.Archive()
    return made, made.add(name, [dockerd.base, images.layer({"name": name.encode()})])


def states(dockerd):
    return {one["Names"][0]: one["State"] for one in dockerd.get("/containers/json", all="1")}


def test_it_is_the_version_and_has_its_image_store(dockerd):
    assert dockerd.get("/version")["Version"].startswith(dockerd.version + ".")
    in_containerd = ["driver-type", "io.containerd.snapshotter.v1"] in dockerd.get("/info")["DriverStatus"]
    assert in_containerd == (dockerd.version == LATEST)


def test_images_come_by_load_build_and_pull(dockerd):
    made, _ = archive(dockerd, "docker.io/library/loaded:v1")
    dockerd.load(made)
    built = dockerd.build("built:v1", {"pause!": dockerd.pause}, DOCKERFILE)
    registry = Registry(dockerd)
    made, pulled = archive(dockerd, registry.name("team/app:v1"))
    registry.push(made, pulled)
    dockerd.pull(pulled.names[0])
    dockerd.pull(pulled.digest_references[0])
    dockerd.tag("built:v1", "mirror.example:5000/built:v2")
    assert {"loaded:v1", "built:v1", "mirror.example:5000/built:v2", *pulled.names,
            *pulled.digest_references} <= dockerd.names()
    assert built in dockerd.ids()
    with pytest.raises(DockerError, match="not found"):
        dockerd.pull(registry.name("team/app:none"))


def test_buildkit_builds(dockerd):
    context = dockerd.directory / "context"
    context.mkdir()
    (context / "pause").write_bytes(dockerd.pause)
    (context / "Dockerfile").write_text(DOCKERFILE)
    assert dockerd.build_by_buildkit("built:v1", context) in dockerd.ids()


def test_containers_have_the_state_that_was_asked_for(dockerd):
    dockerd.load(archive(dockerd, "docker.io/library/app:v1")[0])
    for state in (CREATED, RUNNING, EXITED):
        dockerd.run("app:v1", state, state)
    assert states(dockerd) == {f"/{state}": state for state in (CREATED, RUNNING, EXITED)}
    assert dockerd.remove_image("app:v1", check=False).status == 409
    for state in (CREATED, RUNNING, EXITED):
        dockerd.remove_container(state)
    dockerd.remove_image("app:v1")
    assert not dockerd.names() and not states(dockerd)


def test_images_and_containers_outlast_a_restart(dockerd):
    dockerd.load(archive(dockerd, "docker.io/library/app:v1")[0])
    dockerd.run("app:v1", "app")
    dockerd.stop()
    dockerd.start()
    assert dockerd.names() >= {"app:v1"} and wait_until(lambda: states(dockerd) == {"/app": EXITED}, 10)
    assert "moby" in dockerd.ctr("namespaces", "list")
