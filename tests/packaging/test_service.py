"""The package on a host with systemd and Docker: the service in its sandbox, and the files that a removal leaves."""
import hashlib
import json
import re

import pytest

from lab.agent import outcomes
from lab.cell import wait_until

POLICY, STATE = "/etc/imagesweep/policy.yaml", "/var/lib/imagesweep"
UNIT = "/lib/systemd/system/imagesweep.service"
REMOVES_AT_ONCE = {"minimumAge": "0s", "maximumAge": "1s", "localOnly": "Never",
                   "more": "initialDelay: 0s\nlimits: {confirmRuns: 1}\n"}
EXPOSURE = 25  # tenths of the points of `systemd-analyze security`, which gives a unit without a sandbox 96


def run_of(host, condition=lambda report: True):
    """The report of a run under the policy in its file for which CONDITION holds, as soon as there is one."""
    def found():
        policy = host.run("cat", POLICY).stdout.encode()
        result = host.run("imagesweep", "report", "-o", "json", check=False)
        report = json.loads(result.stdout) if result.returncode == 0 else None
        if not report or not hashlib.sha256(policy).hexdigest().startswith(report["policy"]["sha256"]):
            return None
        if not condition(report):
            host.run("sh", "-c", f"echo '#' >> {POLICY}")  # each edit of the policy makes the agent run
            return None
        return report
    report = wait_until(found, 60, every=1)
    assert report, host.log()
    return report


def edit(host, more="", **values):
    """Sets fields that the file of the policy has already, and adds lines, as an administrator does."""
    text = host.run("cat", POLICY).stdout
    for name, value in values.items():
        text, count = re.subn(rf"^(\s*){name}: .*$", rf"\1{name}: {value}", text, flags=re.MULTILINE)
        assert count == 1, name
    host.run("sh", "-c", 'printf %s "$0" > "$1"', text + more, POLICY)


def is_active(host):
    return host.run("systemctl", "is-active", "imagesweep", check=False).stdout.strip()


@pytest.fixture
def images(docker):
    """An image that a container uses, and one that nothing uses."""
    used, unused = docker.load("registry.example/shop/api:v1"), docker.load("registry.example/shop/old:v1")
    docker.dockerd.run(used.id, "api")
    yield used, unused
    docker.dockerd.remove_container("api")
    for image in docker.dockerd.ids():
        docker.dockerd.remove_image(image)


def test_the_service_runs_from_the_installation_on_and_removes_nothing(docker, images, host):
    used, unused = images
    assert is_active(host) == "active"
    assert host.run("systemctl", "is-enabled", "imagesweep").stdout.strip() == "enabled"
    edit(host, **REMOVES_AT_ONCE)
    report = run_of(host, lambda report: outcomes(report) == {unused.id: "WouldRemove"})
    assert report["dryRun"] is True
    assert docker.dockerd.ids() == {used.id, unused.id}


def test_the_service_removes_unused_images_when_dry_run_is_turned_off(docker, images, host):
    used, unused = images
    edit(host, **REMOVES_AT_ONCE, dryRun="false")
    run_of(host, lambda _: docker.dockerd.ids() == {used.id})
    assert host.run("systemctl", "show", "--value", "--property=NRestarts", "imagesweep").stdout.strip() == "0"


def test_the_unit_is_valid_and_its_sandbox_is_tight(host):
    assert host.run("systemd-analyze", "verify", "--recursive-errors=no", UNIT).stdout == ""
    host.run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE}", UNIT)


def test_wrong_usage_is_not_tried_again(host):
    host.run("sh", "-c", "echo IMAGESWEEP_LISTEN_ADDRESS=nowhere > /etc/imagesweep/imagesweep.env")
    host.run("systemctl", "restart", "imagesweep", check=False)
    assert wait_until(lambda: is_active(host) == "failed", 20), host.log()


def test_an_upgrade_keeps_the_edited_configuration_and_restarts_the_service(host, package):
    edit(host, minimumAge="42h")
    before = host.run("systemctl", "show", "--value", "--property=MainPID", "imagesweep").stdout
    host.run("dpkg", "--install", package)
    assert "minimumAge: 42h" in host.run("cat", POLICY).stdout
    assert is_active(host) == "active"
    assert host.run("systemctl", "show", "--value", "--property=MainPID", "imagesweep").stdout != before


def test_remove_keeps_configuration_and_state_and_purge_deletes_them(docker, images, clean_host, package):
    host = clean_host
    host.run("dpkg", "--install", package)
    run_of(host)
    host.run("sh", "-c", f"mkdir {STATE}/archive && touch {STATE}/archive/one.tar")
    removed = host.run("dpkg", "--remove", "imagesweep").stdout
    assert f"{STATE}/archive" in removed and "purge deletes them" in removed
    assert is_active(host) == "inactive"
    assert not host.exists("/usr/bin/imagesweep") and not host.exists(UNIT)
    assert all(host.exists(path) for path in (POLICY, "/etc/imagesweep/imagesweep.env", f"{STATE}/archive/one.tar"))
    assert "deleting" in host.run("dpkg", "--purge", "imagesweep").stdout
    assert not [path for path in host.written() if re.match("/(etc|usr|var)/.*imagesweep", path)]


def test_remove_says_nothing_of_archives_when_there_are_none(docker, images, host):
    run_of(host)
    assert "archive" not in host.run("dpkg", "--remove", "imagesweep").stdout
