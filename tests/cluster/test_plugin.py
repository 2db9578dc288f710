"""kubectl imagesweep with a real API server and a real kubelet: kubectl finds it, the right pod answers, and failures
are explained."""
import json
import os
import subprocess

import pytest

from lab import agent, gobuild
from lab.chart import NAMESPACE, ROOT
from lab.daemonset import DaemonSet
from lab.kubernetes import NODE


class Plugin:
    def __init__(self, kubernetes, directory):
        self._kubernetes = kubernetes
        kubectl = directory / "kubectl"
        kubectl.write_text(f'#!/bin/sh\nexec {gobuild.kubernetes(kubernetes.version) / "kubernetes"} kubectl "$@"\n')
        kubectl.chmod(0o755)
        (directory / "kubectl-imagesweep").symlink_to(ROOT / "scripts/kubectl-imagesweep")
        self._path = f"{directory}:{os.environ['PATH']}"

    def __call__(self, *arguments, code=0, kubeconfig=None, program=("kubectl", "imagesweep")):
        """As a user types it, with KUBECONFIG set."""
        result = subprocess.run(
            self._kubernetes.cell.enter(*program, *arguments), text=True, capture_output=True, timeout=60,
            env={**os.environ, "PATH": self._path, "KUBECONFIG": str(kubeconfig or self._kubernetes.kubeconfig)})
        assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
        return result


@pytest.fixture
def plugin(cluster, tmp_path):
    return Plugin(cluster.kubernetes, tmp_path)


def test_kubectl_finds_it_and_the_node_s_agent_answers(cluster, plugin):
    used, unneeded = cluster.image("v1"), cluster.image("old", "other")
    cluster.deploy(used)
    shipped = DaemonSet(cluster.kubernetes)
    shipped.make_namespace()
    nobody = plugin("plan", code=1)
    assert f"no agent in namespace {NAMESPACE}" in nobody.stderr and nobody.stdout == ""
    shipped.install(policy=json.loads(agent.policy(dryRun=True)))
    shipped.wait_for("Finished run")

    found = json.loads(plugin("images", "-o", "json").stdout)
    assert {used.id, unneeded.id} <= {image["id"] for image in found["images"]}
    assert plugin("plan").stdout.splitlines()[0] == shipped.run("plan").splitlines()[0]
    assert "other:old" in plugin("explain", unneeded.names[0], "--node", NODE).stdout
    for command in ("status", "report", "history", "analyze"):
        assert plugin(command, f"--kubeconfig={cluster.kubernetes.kubeconfig}").stdout
    table = plugin("images", "--all-nodes").stdout
    assert table.startswith(f"NODE {NODE}\n") and "other:old" in table
    listed = json.loads(plugin("plan", "--all-nodes", "-o", "json").stdout)
    assert listed["kind"] == "List" and [item["node"] for item in listed["items"]] == [NODE]

    # The exit codes and messages of the program itself.
    assert "there-is-none" in plugin("explain", "there-is-none", code=1).stderr
    plugin("plan", "--no-such-flag", code=2)
    # A pod that does not exist, and an account without the right.
    missing = plugin("plan", "--node", "node9", code=1)
    assert "no agent on node node9" in missing.stderr and f"nodes with an agent: {NODE}" in missing.stderr
    forbidden = plugin("plan", code=1, kubeconfig=limited(cluster))
    assert "Forbidden" in forbidden.stderr and "cannot list the agents' pods" in forbidden.stderr
    cluster.kubernetes.kubectl("create", "role", "lists", "--verb=list,get", "--resource=pods", "-n", NAMESPACE)
    cluster.kubernetes.kubectl("create", "rolebinding", "lists", "--role=lists", "-n", NAMESPACE,
                               f"--serviceaccount={cluster.namespace}:default")
    forbidden = plugin("plan", code=1, kubeconfig=limited(cluster))
    assert "pods/exec" in forbidden.stderr and forbidden.stdout == ""


def limited(cluster):
    """The kubeconfig of an account without any rights."""
    kubernetes = cluster.kubernetes
    token = kubernetes.kubectl("create", "token", "default", "-n", cluster.namespace).strip()
    config = json.loads(kubernetes.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path = kubernetes.directory / "limited.json"
    path.write_text(json.dumps(config))
    return path


def test_answers_and_warns_when_the_agent_is_not_ready(cluster, plugin):
    shipped = DaemonSet(cluster.kubernetes)
    shipped.make_namespace()
    with pytest.raises(AssertionError):
        shipped.install(policy=json.loads(agent.policy(diskUsage={"highThresholdPercent": 60, "lowThresholdPercent": 70})),
                        ready_within=5)
    shipped.wait_for("Rejected policy")
    answer = plugin("images", code=2, program=("kubectl-imagesweep",))
    assert f"the agent on node {NODE} is not ready" in answer.stderr and "lowThresholdPercent" in answer.stderr
