"""`imagesweep ensure-space`: frees space on a real disk, the safest images first. The exit code shows whether there is
enough space."""
import os
import pty
import re
import subprocess

import pytest

from lab import agent
from lab.agent import outcomes
from lab.crio import CRIO
from runtime.conftest import node_on_a_disk

MIB = 1 << 20


@pytest.fixture
def small_disk(containerd_version):
    with node_on_a_disk(containerd_version, 512 * MIB) as node:
        yield node


def available(node):
    seen = os.statvfs(node.containerd.root)
    return seen.f_bavail * seen.f_frsize


def stored(node, size):
    """What images of SIZE take. containerd also keeps their compressed layers."""
    return size if node.containerd.version == CRIO else 2 * size


@pytest.fixture
def full(small_disk):
    """One image in use, a superseded one, and idle ones of 20 MiB each: (node, used, superseded, idle)."""
    node = small_disk
    superseded = node.load("registry.example/shop/api:v1", size=20 * MIB)
    used = node.load("registry.example/shop/api:v2", size=20 * MIB)
    node.start_pod("api-0", used)
    idle = [node.load(f"registry.example/shop/idle-{number}:v1", size=20 * MIB) for number in range(4)]
    node.write_policy(maximumAge="0s", removeSuperseded=True, dryRun=True, keep={"lastPerRepository": 1})
    node.age()
    return node, used, superseded, idle


@pytest.mark.crio
def test_removes_safest_images_first_until_the_target(full):
    node, used, superseded, idle = full
    wanted = available(node) + stored(node, 25 * MIB)
    report = node.json("ensure-space", f"{wanted}B", "--dry-run=false")
    removed = [outcome["id"] for outcome in report["outcomes"] if outcome["outcome"] == "Removed"]
    assert removed[0] == superseded.id and set(removed[1:]) <= {image.id for image in idle}
    assert 2 <= len(removed) < 5 and available(node) >= wanted
    assert "which is enough" in report["stoppedEarly"]
    assert {used.id, node.pause.id, node.system.id} <= node.containerd.ids()


def test_removes_nothing_when_enough_space_is_available(full):
    node = full[0]
    before = node.containerd.ids()
    assert "enough space is available" in node.run("ensure-space", "1MiB").stdout
    assert node.containerd.ids() == before


@pytest.mark.crio
def test_reports_progress_and_keeps_needed_images_when_short(full):
    node, used, superseded, idle = full
    result = node.run("ensure-space", "480Mi", "--dry-run=false", code=1)
    assert re.search(r"480(\.0)?MiB requested on the image filesystem .*, .* available \(.* before\): .* missing",
                     result.stdout)
    assert node.containerd.ids() == {used.id, node.pause.id, node.system.id}
    assert result.stderr.count("Removed registry.example/shop/") == 5  # a line each, as stderr is no terminal


def test_removes_nothing_when_the_target_exceeds_the_capacity(full):
    node = full[0]
    before = node.containerd.ids()
    assert "in total, so no image was removed" in node.run("ensure-space", "100Gi", "--dry-run=false", code=1).stdout
    assert node.containerd.ids() == before


@pytest.mark.crio
def test_stops_when_the_policy_is_suspended(full):
    node = full[0]
    node.write_policy(maximumAge="0s", limits={"removalDelay": "1s"})
    before = node.containerd.ids()
    command = [str(agent.program()), "ensure-space", "480Mi", "--dry-run=false", *node.sources()]
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=agent.environment()) as process:
        assert process.stderr.readline().startswith("Removed ")
        node.write_policy(maximumAge="0s", suspend=True)
        assert "stopped early: the policy was edited" in process.communicate(timeout=60)[0]
        assert process.returncode == 1
    assert len(before - node.containerd.ids()) == 1


@pytest.mark.crio
@pytest.mark.parametrize("flags", [[], ["--dry-run"], ["--dry-run=true"]])
def test_it_is_a_dry_run_unless_told_and_picks_what_the_real_run_removes(full, flags):
    node = full[0]
    node.write_policy(maximumAge="0s", dryRun=False)
    before = node.containerd.ids()
    target = f"{available(node) + stored(node, 25 * MIB)}B"
    report = node.json("ensure-space", target, *flags)  # exits with 0: enough space would be available
    would = {one["id"] for one in report["outcomes"] if one["outcome"] == "WouldRemove"}
    assert len(would) == 2 and node.containerd.ids() == before
    assert "enough space would be available" in node.run("ensure-space", target, *flags).stdout
    node.run("ensure-space", target, "--dry-run=false")
    assert before - node.containerd.ids() == would


def test_a_dry_run_that_cannot_reach_the_target_exits_as_the_real_run_would(full):
    node = full[0]
    before = node.containerd.ids()
    result = node.run("ensure-space", "480Mi", code=1)
    assert re.search(r"the removals would free .*: .* missing", result.stdout) and node.containerd.ids() == before


# btrfs frees the space of deleted files at its next commit, XFS in the background.
@pytest.mark.parametrize("kind", ["btrfs", "xfs", "ext4"])
def test_no_more_goes_on_a_file_system_that_gives_space_back_late(containerd_version, kind):
    with node_on_a_disk(containerd_version, 900 * MIB, kind=kind) as node:
        idle = [node.load(f"registry.example/shop/old:v{number}", size=40 * MIB) for number in range(6)]
        node.write_policy(maximumAge="0s", removeSuperseded=False, minimumAge="0s")
        node.age()
        os.sync()
        node.run("ensure-space", f"{available(node) + stored(node, 30 * MIB)}B", "--dry-run=false")
        assert len({image.id for image in idle} - node.containerd.ids()) == 1
        assert not re.search(r"^other files.* -\d", node.run("df").stdout, re.MULTILINE)


def test_a_policy_with_dry_run_is_overridden_on_the_command_line_alone_and_a_warning_says_so(full):
    node = full[0]
    wanted = f"{available(node) + MIB}B"
    assert set(outcomes(node.json("ensure-space", wanted)).values()) == {"WouldRemove"}
    report = node.json("ensure-space", wanted, "--dry-run=false")
    assert "the command line overrides dryRun: true of the policy" in report["warnings"]
    assert "Removed" in outcomes(report).values()


def test_removes_nothing_when_suspended(full):
    node = full[0]
    before = node.containerd.ids()
    node.write_policy(maximumAge="0s", suspend=True)
    assert "suspended" in node.run("ensure-space", "480Mi", "--dry-run=false", code=1).stdout
    assert node.containerd.ids() == before


@pytest.mark.parametrize("size, says", [("20GB", "20GB"), ("", "SIZE"), ("-1Gi", "-1Gi"), ("0", "more than 0"),
                                        ("20", "needs a unit")])
def test_names_an_invalid_size(size, says):
    assert says in agent.run("ensure-space", *([size] if size else []), code=2).stderr


def test_shows_a_progress_bar_on_a_terminal_unless_quiet(full):
    node = full[0]
    ours, theirs = pty.openpty()
    command = [str(agent.program()), "ensure-space", f"{available(node) + MIB}B", "--dry-run=false", *node.sources()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=theirs, env=agent.environment())
    os.close(theirs)
    assert "[####" in os.read(ours, 65536).decode()
    os.close(ours)
    assert node.run("sweep", "--dry-run=false", "--quiet").stderr == ""
