"""The records that the kubelet keeps of its pulls (KEP-2535), as evidence of the shipped agent. A kubelet writes them by
default since Kubernetes 1.35."""
import json

import pytest

from lab import agent, images
from lab.cell import wait_until
from lab.daemonset import DaemonSet
from lab.registry import Registry

pytestmark = pytest.mark.newest_kubernetes(only=True)


class Pulls:
    """Images that the kubelet of CLUSTER pulls from a registry on its node, or finds there."""

    def __init__(self, cluster):
        self.cluster, self._registry = cluster, Registry(cluster.containerd)
        self._base = images.pause_layer(cluster.kubernetes.directory)

    def pushed(self, path):
        """An image that only the registry has."""
        archive, image = self._make(path)
        self._registry.push(archive, image)
        return image

    def imported(self, path):
        archive, image = self._make(path)
        self.cluster.containerd.load(archive, local=[image])
        return image

    def run_pod(self, name, image):
        """Returns when the kubelet has run IMAGE in a pod, and the pod is gone."""
        kubernetes, namespace = self.cluster.kubernetes, self.cluster.namespace
        kubernetes.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": namespace, "name": name}, "spec": {
            "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1, "containers": [
                {"name": "main", "image": image.names[0], "imagePullPolicy": "IfNotPresent"}]}})
        assert wait_until(lambda: kubernetes.get("pod", name, "-n", namespace)["status"]["phase"] == "Running", 60,
                          every=0.5), kubernetes.kubectl("describe", "pod", name, "-n", namespace)
        kubernetes.kubectl("delete", "pod", name, "-n", namespace, "--wait")

    def forget(self, image):
        """Removes containerd's own evidence of the pull."""
        self.cluster.containerd.ctr("content", "label", image.digest, "containerd.io/distribution.source.127.0.0.1=")

    def _make(self, path):
        archive = images.Archive()
        return archive, archive.add([self._registry.name(path)], [self._base, images.layer({"name": path.encode()}, path)])


@pytest.fixture
def pulls(cluster):
    return Pulls(cluster)


def described(daemonset, image):
    return next(one for one in daemonset.json("images")["images"] if one["id"] == image.id)


def test_the_record_of_a_pull_proves_an_origin_that_the_runtime_does_not(cluster, pulls):
    pulled, imported = pulls.pushed("shop/pulled:v1"), pulls.imported("shop/imported:v1")
    for name, image in (("pulled", pulled), ("imported", imported)):
        pulls.run_pod(name, image)
    pulls.forget(pulled)
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace()
    suspended = json.loads(agent.policy(suspend=True))
    daemonset.install(policy=suspended)
    assert described(daemonset, pulled)["origin"]["kind"] == "Unknown"
    daemonset.install({"kubeletPullRecords": {"enabled": True, "kubeletDir": str(cluster.kubernetes.kubelet_directory)}},
                      policy=suspended)
    assert described(daemonset, pulled)["origin"]["kind"] == "Pulled"
    assert "the kubelet's record of its pull of 127.0.0.1:5000/shop/pulled" in \
        described(daemonset, pulled)["origin"]["evidence"]
    assert described(daemonset, imported)["origin"]["kind"] == "Local"
    assert daemonset.sweep_until(lambda: pulled.id not in cluster.containerd.ids()), daemonset.text()
    assert imported.id in cluster.containerd.ids()
    assert not [line for line in daemonset.lines() if "pull records" in json.dumps(line)]
