"""The chart with Helm 4, which applies on the server side. The other tests install it with Helm 3."""
import json
import subprocess

import pytest

from lab import agent
from lab.cell import wait_until
from lab.chart import CHART, NAMESPACE
from lab.daemonset import DaemonSet


@pytest.fixture
def by_helm_4(cluster):
    daemonset = DaemonSet(cluster.kubernetes, helm_version="4")
    daemonset.make_namespace()
    return daemonset


def policy(**fields):
    return json.loads(agent.policy(**fields))


def test_helm_4_installs_upgrades_and_uninstalls(cluster, by_helm_4):
    used, unneeded = cluster.image("v1"), cluster.image("old", "other")
    cluster.deploy(used)
    before = cluster.kubernetes.lasting_objects()
    by_helm_4.install({"grafanaDashboard": {"enabled": True}}, policy=policy(dryRun=True))
    pod = by_helm_4.pod()["metadata"]["uid"]
    assert len(cluster.kubernetes.lasting_objects() - before) >= 10
    assert wait_until(lambda: by_helm_4.json("plan")["totals"]["remove"] == 1, 30, every=0.5), by_helm_4.run("plan")
    by_helm_4.helm("upgrade", "imagesweep", CHART, "--reset-then-reuse-values", "--set", "policy.config.dryRun=false")
    assert cluster.gone(unneeded, seconds=30), by_helm_4.text()
    assert used.id in cluster.containerd.ids() and by_helm_4.pod()["metadata"]["uid"] == pod
    by_helm_4.helm("test", "imagesweep", "--timeout=60s")
    by_helm_4.helm("uninstall", "imagesweep", "--wait")
    assert wait_until(lambda: cluster.kubernetes.lasting_objects() <= before, 60, every=1), \
        cluster.kubernetes.lasting_objects() - before


def test_helm_4_does_not_overwrite_an_edit_by_hand_unless_told(by_helm_4):
    by_helm_4.install(policy=policy(suspend=True))
    by_hand = by_helm_4.put_policy(suspend=True, limits={"maxFailures": 77})
    values = {"values": {}, "policy": policy(suspend=True, limits={"maxFailures": 78})}

    def stored():
        return by_helm_4.kubernetes.get("configmap", "imagesweep-policy", "-n", NAMESPACE)["data"]["policy.yaml"]
    with pytest.raises(subprocess.CalledProcessError) as failed:
        by_helm_4.install(**values)
    assert "conflict" in failed.value.stderr and "policy.yaml" in failed.value.stderr
    assert stored() == by_hand
    by_helm_4.install(**values, arguments=["--force-conflicts"])
    assert "78" in stored() and "77" not in stored()


def test_helm_4_upgrades_a_release_of_helm_3(cluster, by_helm_4):
    unneeded = cluster.image("old", "other")
    by_helm_3 = DaemonSet(cluster.kubernetes)
    by_helm_3.install(policy=policy(dryRun=True))
    pod = by_helm_3.pod()["metadata"]["uid"]
    by_helm_4.install(policy=policy())
    assert cluster.gone(unneeded, seconds=30), by_helm_4.text()
    assert by_helm_4.pod()["metadata"]["uid"] == pod
