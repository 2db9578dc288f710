"""The agent as a process of a real node: pods come and go, and only unneeded images are removed."""
import hashlib
import time

import pytest

from lab.cell import wait_until
from lab.containerd import DEBIAN, LAST_1, LATEST


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


@pytest.mark.crio
@pytest.mark.containerd(DEBIAN, LAST_1, LATEST)
def test_removes_only_old_versions_after_a_rollout(cluster):
    v1, v2, v3 = (cluster.image(f"v{number}") for number in (1, 2, 3))
    stable, imported = cluster.image("stable", "tool"), cluster.image("v1", "side-loaded", local=True)
    keep = {"tags": ["stable"]}
    cluster.put_policy(dryRun=True, keep=keep)
    cluster.deploy(v1)
    with cluster.agent() as agent:
        agent.wait_for("Finished run")
        cluster.deploy(v2)
        assert cluster.sweep_until_gone(v1, v3, keep=keep), agent.text()  # no pod uses v3 yet
        assert v2.id in cluster.containerd.ids()
        v3 = cluster.image("v3")
        cluster.deploy(v3)
        assert cluster.sweep_until_gone(v2, keep=keep), agent.text()
        ids = cluster.containerd.ids()
        assert {v3.id, stable.id, imported.id} < ids and len(ids) == 4, cluster.containerd.names()
        assert any("pause" in name for name in cluster.containerd.names())
        for pod in cluster.pods():
            status = pod["status"]["containerStatuses"][0]
            assert pod["status"]["phase"] == "Running" and status["restartCount"] == 0
        cluster.deploy(v3, name="after")  # a new sandbox and a new container can still be created
        assert agent.terminate() == 0


def test_a_policy_edit_is_in_force_within_a_second(cluster):
    cluster.deploy(cluster.image("v1"))
    first = cluster.put_policy(suspend=True)
    with cluster.agent() as agent:
        agent.wait_for("Loaded policy", sha256=sha(first))
        agent.wait_for("Finished run")
        took = []
        for failures in range(10, 15):
            text = cluster.put_policy(suspend=True, limits={"maxFailures": failures})
            stored = time.monotonic()
            took.append(agent.wait_for("Loaded policy", sha256=sha(text))["readAt"] - stored)
        assert sorted(took)[len(took) // 2] <= 1.0, took  # some calls may meet a busy machine
        assert agent.metric("imagesweep_policy_info", sha256=sha(text)) == 1


def test_removes_nothing_while_the_api_server_is_unavailable(cluster):
    unneeded, used = cluster.image("old", "other"), cluster.image("v1")
    cluster.deploy(used)
    cluster.put_policy(maximumAge="30s")
    with cluster.agent() as agent:
        agent.wait_for("Finished run")
        cluster.kubernetes.stop_api_server()
        agent.wait_for_metric("imagesweep_refused_runs_total", 1, seconds=90, source="pods")
        status, text = agent.fetch("/readyz?verbose")
        assert "[-]last-run" in text and "pods" in text, text
        assert agent.fetch("/livez")[0] == 200
        assert {unneeded.id, used.id} <= cluster.containerd.ids()
        cluster.kubernetes.start_api_server()
        # The watch opens again after at most a minute, and the image must then be seen unused for half a minute. So
        # this takes two runs, a minute apart.
        assert cluster.gone(unneeded, seconds=90), agent.text()
        assert used.id in cluster.containerd.ids()
        assert wait_until(lambda: "[+]last-run" in agent.fetch("/readyz?verbose")[1], 30)
        assert agent.running


def test_a_wrong_node_name_refuses(cluster):
    unneeded = cluster.image("old", "other")
    cluster.deploy(cluster.image("v1"))
    cluster.put_policy()
    cluster.age(unneeded)
    result = cluster.run("sweep", "--dry-run=false", node="node2", code=1)
    assert "node2" in result.stderr
    with cluster.agent(node="node2") as agent:
        agent.wait_for_metric("imagesweep_refused_runs_total", 1)
        assert unneeded.id in cluster.containerd.ids()
    assert cluster.json("sweep", "--dry-run=false")["outcomes"][0]["id"] == unneeded.id
