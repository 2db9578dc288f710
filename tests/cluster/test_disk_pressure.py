"""The agent beside the kubelet, which also removes unused images when the disk is full, but by its own rules."""
import datetime
import json
import os

import pytest

from cluster.conftest import cluster_in
from lab import agent
from lab.cell import wait_until
from lab.daemonset import DaemonSet
from lab.disk import workdir_on_a_disk
from lab.kubernetes import NODE

MIB = 1 << 20
# Of the file system, in percent. The kubelet acts below 20 percent of free space, as soon as it has seen an image twice.
AGENT_STARTS, AGENT_ENDS, FILLED, KUBELET_ACTS = 60, 50, 68, 80
# Without the isolation, cAdvisor does not measure disks, and the kubelet evicts nothing.
KUBELET = {"localStorageCapacityIsolation": True,
           "evictionHard": {"memory.available": "50Mi", "nodefs.available": f"{100 - KUBELET_ACTS}%",
                            "imagefs.available": f"{100 - KUBELET_ACTS}%"},
           "evictionPressureTransitionPeriod": "5s", "imageMinimumGCAge": "1s"}


class Disk:
    """The file system of the node. A file of its own fills it."""

    def __init__(self, path):
        self._path, self._ballast = path, path / "ballast"

    def used(self):
        """In percent, without the blocks that are reserved for root, as the agent and the kubelet count."""
        seen = os.statvfs(self._path)
        used = seen.f_blocks - seen.f_bfree
        return 100 * used / (used + seen.f_bavail)

    def fill(self, percent):
        """Until PERCENT are used."""
        seen = os.statvfs(self._path)
        size = self._ballast.stat().st_size if self._ballast.exists() else 0
        whole = (seen.f_blocks - seen.f_bfree + seen.f_bavail) * seen.f_frsize
        with open(self._ballast, "ab") as file:
            os.posix_fallocate(file.fileno(), 0, size + int((percent - self.used()) / 100 * whole))


@pytest.fixture
def small(versions):
    """(cluster, disk)"""
    with workdir_on_a_disk(1024 * MIB) as workdir, cluster_in(workdir, versions, kubelet=KUBELET) as cluster:
        yield cluster, Disk(workdir.path)


def under_pressure(cluster):
    """(whether the kubelet reports it, when it last reported)"""
    conditions = cluster.kubernetes.get("node", NODE)["status"]["conditions"]
    condition = next(one for one in conditions if one["type"] == "DiskPressure")
    return condition["status"] == "True", datetime.datetime.fromisoformat(condition["lastHeartbeatTime"].replace("Z", "+00:00"))


def test_frees_space_before_the_kubelet_collects_what_the_policy_keeps(small):
    cluster, disk = small
    used, kept = cluster.image("v1"), cluster.image("v1", "rollback")
    cluster.deploy(used)
    idle = [cluster.image("v1", f"idle-{number}", size=20 * MIB) for number in range(8)]
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace()
    fields = {"maximumAge": "0s", "keep": {"images": ["registry.example/shop/rollback"]},
              "diskUsage": {"highThresholdPercent": AGENT_STARTS, "lowThresholdPercent": AGENT_ENDS}}
    daemonset.install(policy=json.loads(agent.policy(**fields, suspend=True)))
    disk.fill(FILLED)
    assert daemonset.sweep_until(lambda: disk.used() <= AGENT_ENDS, **fields), daemonset.text()
    freed = datetime.datetime.now(datetime.timezone.utc)
    # The kubelet looks at the disk every ten seconds, and reports as often.
    assert wait_until(lambda: under_pressure(cluster)[1] >= freed + datetime.timedelta(seconds=15), 60, every=1)
    assert not under_pressure(cluster)[0]
    left = cluster.containerd.ids()
    assert {used.id, kept.id} < left and 0 < len([image for image in idle if image.id in left]) < len(idle)
    assert all(pod["status"]["phase"] == "Running" for pod in cluster.pods())

    # The kubelet would have collected the kept image too, had it come to that.
    daemonset.put_policy(**fields, suspend=True)
    disk.fill(KUBELET_ACTS + 8)
    assert wait_until(lambda: under_pressure(cluster)[0], 60, every=1), cluster.kubernetes.cell.tail("kubelet")
    assert cluster.gone(kept, *idle, seconds=90), cluster.kubernetes.cell.tail("kubelet")
    assert daemonset.running(), "its priority protects it from eviction"
