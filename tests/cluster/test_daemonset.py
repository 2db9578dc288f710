"""The agent as it is shipped: the chart, its own image, a pod of the kubelet."""
import pytest

from lab import agent
from lab.cell import wait_until
from lab.chart import NAMESPACE
from lab.daemonset import IMAGE, DaemonSet


@pytest.fixture
def shipped(cluster):
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace()
    return daemonset


def test_the_defaults_are_ready_and_remove_nothing(cluster, shipped):
    cluster.deploy(cluster.image("v1"))
    unneeded = cluster.image("old", "other")
    before = cluster.containerd.ids()
    shipped.install()
    pod = shipped.pod()
    assert pod["status"]["containerStatuses"][0]["image"] == IMAGE
    assert pod["spec"]["priorityClassName"] == "system-node-critical"
    line = shipped.wait_for("Finished run", dryRun=True)
    assert line["removed"] == 0
    assert shipped.metric("imagesweep_dry_run") == 1 and shipped.metric("imagesweep_cri_up") == 1
    assert shipped.metric("imagesweep_image_filesystem_size_bytes") > 0  # the host's directory is there to stat
    images = {image["id"]: image for image in shipped.json("images")["images"]}
    own = next(image for image in images.values() if IMAGE in image["names"])
    assert own["code"] == "InUse", own
    assert images[unneeded.id]["code"] == "TooYoung"
    assert cluster.containerd.ids() == before
    assert shipped.fetch("/readyz") == (200, "ok\n") and shipped.fetch("/livez")[0] == 200
