"""The package of the built program, and a host with Docker and systemd that has it installed."""
import subprocess

import pytest

from lab import agent
from lab.debian_host import DebianHost
from lab.dockerd import DEBIAN
from lab.pages import ROOT
from runtime.docker_host import host_with


@pytest.fixture(scope="session")
def made():
    """The completed run of scripts/package."""
    made = subprocess.run([ROOT / "scripts/package", agent.program()], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert made.returncode == 0, made.stdout
    return made


@pytest.fixture(scope="session")
def package(made):
    """The path of the package."""
    return ROOT / made.stdout.splitlines()[-1].partition(":")[0]


@pytest.fixture(scope="session")
def docker():
    with host_with(DEBIAN, **{"data-root": "/var/lib/docker"}) as docker:
        yield docker


@pytest.fixture
def clean_host(docker, package):
    """Without the package. Docker is where the program looks for it."""
    binds = {"/run/docker.sock": docker.dockerd.socket, "/var/lib/docker": docker.dockerd.cell.outside("/var/lib/docker"),
             package: package}
    with DebianHost(docker.workdir, binds) as host:
        host.run("rm", "-rf", "/var/lib/imagesweep")  # the machine itself may have run the program
        yield host


@pytest.fixture
def host(clean_host, package):
    clean_host.run("dpkg", "--install", package)
    return clean_host
