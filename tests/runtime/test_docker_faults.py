"""On a real Docker, of both versions: without evidence, the program removes nothing and names the source."""
import signal

import pytest

from lab.dockerd import EXITED
from runtime.docker_host import NEVER, relay, removed

# As root, but without the right to use files of other modes.
WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all", "--")


@pytest.fixture
def prepared(docker):
    """A host with one image to remove and one in use. The removal must be possible, otherwise these tests prove
    nothing."""
    docker.unneeded = docker.load("registry.example/shop/old:v1")
    used = docker.load("registry.example/shop/api:v1")
    docker.dockerd.run(used.names[0], "api", EXITED)
    docker.write_policy(keep=NEVER)
    docker.age()
    assert docker.verdicts()[docker.unneeded.id][0] == "Remove"
    docker.before = docker.dockerd.names()
    return docker


def refuse(docker, *sources, enter=(), code=1, **replaced):
    for command in (("plan",), ("sweep", "--dry-run=false"), ("ensure-space", "1000Ti", "--dry-run=false")):
        result = docker.run(*command, code=code, enter=enter, **replaced)
        for source in sources:
            assert source in result.stderr, result.stderr


def test_removes_nothing_when_docker_is_stopped(prepared):
    prepared.dockerd.stop()
    refuse(prepared, str(prepared.dockerd.socket))
    prepared.dockerd.start()
    assert prepared.dockerd.names() == prepared.before
    assert removed(prepared.sweep()) == {prepared.unneeded.id}


def test_removes_nothing_when_docker_was_killed(prepared):
    prepared.dockerd.stop(signal.SIGKILL)
    assert prepared.dockerd.socket.exists()
    refuse(prepared, str(prepared.dockerd.socket))
    prepared.dockerd.start()
    assert prepared.dockerd.names() == prepared.before


def test_removes_nothing_when_docker_hangs(prepared):
    prepared.dockerd.cell.send("dockerd", signal.SIGSTOP)
    try:
        refuse(prepared, str(prepared.dockerd.socket), timeout="3s")
    finally:
        prepared.dockerd.cell.send("dockerd", signal.SIGCONT)
    assert prepared.dockerd.names() == prepared.before
    assert removed(prepared.sweep()) == {prepared.unneeded.id}


def test_removes_nothing_without_rights_for_the_socket(prepared):
    prepared.dockerd.socket.chmod(0)
    refuse(prepared, str(prepared.dockerd.socket), "ermission", enter=WITHOUT_RIGHTS)
    assert prepared.dockerd.names() == prepared.before


def test_removes_nothing_when_the_endpoint_is_the_containerd_of_docker(prepared):
    refuse(prepared, str(prepared.dockerd.containerd_socket),
           runtime_endpoint=f"unix://{prepared.dockerd.containerd_socket}")
    assert prepared.dockerd.names() == prepared.before


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:2375", "http://127.0.0.1:2375", "ssh://root@host"])
def test_removes_nothing_when_the_endpoint_is_not_a_socket(prepared, endpoint):
    refuse(prepared, endpoint, code=None, runtime_endpoint=endpoint)
    assert prepared.run("sweep", code=None, runtime_endpoint=endpoint).returncode in (1, 2)
    assert prepared.dockerd.names() == prepared.before


def test_the_report_names_the_source_when_docker_fails_during_a_run(prepared):
    """A daemon that answers the probe and then hangs."""
    with relay(prepared.dockerd, holds=b"/containers/json") as endpoint:
        report = prepared.sweep(code=1, runtime_endpoint=endpoint, timeout="2s")
    assert "GET /containers/json" in report["refused"]["error"] and report["refused"]["source"]
    assert report["outcomes"] == [] and prepared.dockerd.names() == prepared.before


def test_finds_docker_when_its_containerd_has_no_cri(prepared):
    """As on most hosts with Docker: containerd is at its usual path too."""
    prefix = prepared.workdir.path / "root"
    for path, target in (("run/docker.sock", prepared.dockerd.socket),
                         ("run/containerd/containerd.sock", prepared.dockerd.containerd_socket)):
        (prefix / path).parent.mkdir(parents=True, exist_ok=True)
        (prefix / path).symlink_to(target)
    report = prepared.sweep(runtime_endpoint=None, host_prefix=prefix)
    assert report["runtime"]["name"] == "docker" and report["runtime"]["endpoint"] == f"unix://{prefix}/run/docker.sock"
    assert removed(report) == {prepared.unneeded.id}
    (prefix / "run/docker.sock").unlink()
    refuse(prepared, "docker.sock", "containerd.sock", runtime_endpoint=None, host_prefix=prefix)
