"""The shipped agent while its node changes: images that are being pulled, pins, another collector, labels, and tokens.
"""
import json

import pytest

from lab import agent
from lab.cell import wait_until
from lab.chart import NAMESPACE
from lab.containerd import DEBIAN
from lab.daemonset import DaemonSet
from lab.kubernetes import NODE


@pytest.fixture
def sweeping(cluster):
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace()
    daemonset.install(policy=json.loads(agent.policy(suspend=True)))
    return daemonset


def phase(cluster, pod):
    """The phase of the pod, or why its container waits."""
    status = cluster.kubernetes.get("pod", pod, "-n", cluster.namespace)["status"]
    waiting = [state["state"].get("waiting", {}).get("reason") for state in status.get("containerStatuses", [])]
    return next((reason for reason in waiting if reason), status["phase"])


def test_keeps_the_pulled_image_of_a_waiting_pod(cluster, sweeping):
    name = "registry.example/shop/slow:v1"
    cluster.kubernetes.apply({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": cluster.namespace, "name": "slow"},
        "spec": {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1, "containers": [
            {"name": "slow", "image": name, "imagePullPolicy": "IfNotPresent"}]}})
    assert wait_until(lambda: phase(cluster, "slow") in ("ErrImagePull", "ImagePullBackOff"), 60, every=0.5)
    arrived, unneeded = cluster.image("v1", "slow"), cluster.image("old", "other")
    # The kubelet waits before it tries again. Meanwhile no container shows that the image is needed.
    assert sweeping.sweep_until(lambda: unneeded.id not in cluster.containerd.ids()), sweeping.text()
    assert arrived.id in cluster.containerd.ids()
    assert wait_until(lambda: phase(cluster, "slow") == "Running", 120, every=1)


# containerd 2 has the pause image in its list of pins, so it is pinned as long as it is the pause image.
@pytest.mark.containerd(DEBIAN)
def test_keeps_the_pause_image_when_nothing_is_pinned(cluster, sweeping):
    cluster.deploy(cluster.image("v1"))
    pause = next(image for image in sweeping.json("images")["images"] if any("pause" in name for name in image["names"]))
    assert pause["code"] == "Sandbox"
    unneeded = cluster.image("old", "other")
    assert sweeping.sweep_until(lambda: unneeded.id not in cluster.containerd.ids()), sweeping.text()
    cluster.deploy(cluster.image("v2"), name="after")


def test_the_kubelet_s_own_collector_at_the_same_time_does_no_harm(cluster, sweeping):
    used = cluster.image("v1")
    cluster.deploy(used)
    unneeded = [cluster.image("old", f"other-{number}") for number in range(8)]
    path = cluster.kubernetes.directory / "kubelet.yaml"
    # It runs when the kubelet starts, and removes every image that it considers unused.
    path.write_text(json.dumps({**json.loads(path.read_text()), "imageGCHighThresholdPercent": 1,
                                "imageGCLowThresholdPercent": 0, "imageMinimumGCAge": "1ns"}))
    before = len(sweeping.lines())
    sweeping.put_policy(limits={"removalDelay": "300ms"})
    cluster.kubernetes.restart_kubelet()
    assert cluster.gone(*unneeded, seconds=90), sweeping.text()
    lines = sweeping.lines()[before:]
    assert not [line for line in lines if line.get("msg") == "Failed to remove image"], lines
    assert used.id in cluster.containerd.ids()
    cluster.deploy(cluster.image("v2"))
    assert sweeping.pod()["status"]["containerStatuses"][0]["restartCount"] == 0


def test_a_label_of_the_node_makes_it_leave_and_come_back(cluster, sweeping):
    unneeded = cluster.image("old", "other")
    cluster.kubernetes.kubectl("label", "node", NODE, "imagesweep/exclude=true")
    assert wait_until(lambda: not sweeping.pods(), 60, every=0.5)
    sweeping.put_policy()
    assert unneeded.id in cluster.containerd.ids()
    cluster.kubernetes.kubectl("label", "node", NODE, "imagesweep/exclude-")
    assert wait_until(lambda: len(sweeping.pods()) == 1 and sweeping.running(), 60, every=0.5)
    sweeping.await_ready()
    assert sweeping.sweep_until(lambda: unneeded.id not in cluster.containerd.ids()), sweeping.text()


def test_an_upgrade_after_an_edit_by_hand_is_what_the_values_say(cluster, sweeping):
    by_hand = sweeping.put_policy(suspend=True, limits={"maxFailures": 77})
    assert "77" in by_hand
    sweeping.install(policy=json.loads(agent.policy(suspend=True, limits={"maxFailures": 78})))
    text = cluster.kubernetes.get("configmap", "imagesweep-policy", "-n", NAMESPACE)["data"]["policy.yaml"]
    assert "78" in text and "77" not in text
    followed = sweeping.lines()[-1:] and [line for line in sweeping.lines() if line.get("msg") == "Loaded policy"]
    assert wait_until(lambda: sweeping.metric("imagesweep_policy_info", sha256=followed[-1]["sha256"]) == 1, 20)


def test_uses_a_replaced_token_without_the_old_one(cluster):
    """Rotates the token as the kubelet does: the file changes, and its old token becomes invalid."""
    kubernetes = cluster.kubernetes
    cluster.deploy(cluster.image("v1"))
    kubernetes.kubectl("create", "serviceaccount", "agent", "-n", cluster.namespace)
    kubernetes.kubectl("create", "clusterrolebinding", "agent", "--clusterrole=cluster-admin",
                       f"--serviceaccount={cluster.namespace}:agent")
    file = kubernetes.directory / "token"

    def write_token(secret):
        kubernetes.kubectl("create", "secret", "generic", secret, "-n", cluster.namespace)
        file.write_text(kubernetes.kubectl("create", "token", "agent", "-n", cluster.namespace, "--duration=10m",
                                           "--bound-object-kind=Secret", f"--bound-object-name={secret}").strip())
    write_token("first")
    config = json.loads(kubernetes.kubectl("config", "view", "--raw", "--flatten", "-o", "json"))
    config["users"] = [{"name": user["name"], "user": {"tokenFile": str(file)}} for user in config["users"]]
    path = kubernetes.directory / "by-token.json"
    path.write_text(json.dumps(config))
    cluster.put_policy(suspend=True)
    sources = [f"--kubeconfig={path}" if flag.startswith("--kubeconfig=") else flag for flag in cluster.sources()]
    with agent.Agent(*sources, enter=kubernetes.cell.enter(), address="127.0.0.1:18080") as running:
        running.wait_for("Finished run")
        write_token("second")
        kubernetes.kubectl("delete", "secret", "first", "-n", cluster.namespace)
        unneeded = cluster.image("old", "other")
        assert cluster.sweep_until_gone(unneeded, seconds=150), running.text()
        assert running.running
