"""The shipped agent while parts of the node are down: it removes nothing without evidence, and recovers without a
restart."""
import json

import pytest

from lab import agent
from lab.cell import wait_until
from lab.daemonset import DaemonSet

POLICY = json.loads(agent.policy(maximumAge="8s"))


@pytest.fixture
def shipped(cluster):
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace()
    daemonset.install(policy=POLICY)
    daemonset.wait_for("Finished run")
    return daemonset


def the_same(shipped, before):
    """The pod is the same and was not restarted."""
    pod = shipped.pod()
    return pod["metadata"]["uid"] == before["metadata"]["uid"] \
        and pod["status"]["containerStatuses"][0]["restartCount"] == 0


def test_continues_after_a_restart_of_containerd(cluster, shipped):
    used, before = cluster.image("v1"), shipped.pod()
    cluster.deploy(used)
    cluster.containerd.stop()
    assert wait_until(lambda: shipped.fetch("/readyz")[0] == 503, 30)
    assert shipped.fetch("/livez")[0] == 200
    cluster.containerd.start()
    assert wait_until(lambda: shipped.fetch("/readyz")[0] == 200, 30)  # through the same mount
    unneeded = cluster.image("old", "other")
    assert shipped.sweep_until(lambda: unneeded.id not in cluster.containerd.ids()), shipped.text()
    assert the_same(shipped, before) and used.id in cluster.containerd.ids()
    cluster.deploy(used, name="after")


def test_continues_after_a_restart_of_the_kubelet(cluster, shipped):
    used, before = cluster.image("v1"), shipped.pod()
    cluster.deploy(used)
    cluster.kubernetes.restart_kubelet()
    unneeded = cluster.image("old", "other")
    assert shipped.sweep_until(lambda: unneeded.id not in cluster.containerd.ids()), shipped.text()
    assert the_same(shipped, before) and used.id in cluster.containerd.ids()
    shipped.await_ready()


def test_removes_nothing_while_the_api_server_is_unavailable(cluster, shipped):
    before = shipped.pod()
    unneeded = cluster.image("old", "other")
    cluster.kubernetes.stop_api_server()
    address = before["status"]["podIP"]

    def metrics():
        return cluster.kubernetes.cell.run("curl", "-sS", "--max-time", "10", f"http://{address}:8080/metrics").stdout
    assert wait_until(lambda: agent.series(metrics(), "imagesweep_refused_runs_total", source="pods"), 90, every=1)
    assert unneeded.id in cluster.containerd.ids()
    cluster.kubernetes.start_api_server()
    # The back-offs of the watch and of refused runs add up: at most a minute each, and then the run.
    assert shipped.sweep_until(lambda: unneeded.id not in cluster.containerd.ids(), 180), shipped.text()
    assert the_same(shipped, before)


@pytest.mark.parametrize("kind, resource, verb", [
    ("clusterrole", "pods", "list"), ("clusterrole", "pods", "watch"), ("clusterrole", "nodes", "get"),
    ("role", "configmaps", "list"), ("role", "configmaps", "watch")])
def test_without_a_permission_it_says_which_and_removes_nothing(cluster, shipped, kind, resource, verb):
    role = json.loads(shipped.kubectl("get", kind, "imagesweep", "-o", "json"))
    whole = json.dumps({"rules": role["rules"]})
    for rule in role["rules"]:
        if resource in rule["resources"]:
            rule["verbs"].remove(verb)
    shipped.kubectl("patch", kind, "imagesweep", "--type=merge", "-p",
                    json.dumps({"rules": [rule for rule in role["rules"] if rule["verbs"]]}))
    unneeded = cluster.image("old", "other")
    shipped.kubectl("delete", "pod", shipped.pod()["metadata"]["name"])  # a new one has not observed anything yet

    def said():
        return "Started" in shipped.text() and f'cannot {verb} resource \\"{resource}\\"' in shipped.explanation()
    assert wait_until(lambda: len(shipped.pods()) == 1 and shipped.running(), 60)
    assert wait_until(said, 60, every=0.5), shipped.explanation()
    assert "imagesweep" in shipped.explanation() and unneeded.id in cluster.containerd.ids()
    assert not any(line.get("msg") == "Removed image" for line in shipped.lines())
    shipped.kubectl("patch", kind, "imagesweep", "--type=merge", "-p", whole)
    assert shipped.sweep_until(lambda: unneeded.id not in cluster.containerd.ids(), 120), shipped.text()
