"""The images that the shipped agent keeps while workloads come, go, roll out, and roll back."""
import json

import pytest

from lab import agent
from lab.cell import wait_until
from lab.daemonset import DaemonSet


@pytest.fixture
def sweeping(cluster):
    """A DaemonSet that removes every image that was unneeded for a second."""
    daemonset = DaemonSet(cluster.kubernetes)
    daemonset.make_namespace()
    daemonset.install(policy=json.loads(agent.policy(suspend=True)))
    return daemonset


def test_a_service_rolls_on_and_back_and_never_waits_for_an_image(cluster, sweeping):
    versions = []
    for number in range(1, 5):
        versions.append(cluster.image(f"v{number}"))
        cluster.deploy(versions[-1])
        if number >= 3:
            assert sweeping.sweep_until(lambda: versions[number - 3].id not in cluster.containerd.ids(),
                                        keep={"lastPerRepository": 2}), sweeping.text()
    v3, v4 = versions[2:]
    assert {v3.id, v4.id} < cluster.containerd.ids()
    cluster.kubernetes.kubectl("rollout", "undo", "deployment/app", "-n", cluster.namespace)
    cluster.kubernetes.kubectl("rollout", "status", "deployment/app", "-n", cluster.namespace, "--timeout=60s")
    assert wait_until(lambda: {container["image"] for pod in cluster.pods() for container in
                               pod["spec"]["containers"]} == {v3.names[0]}, 60, every=0.5)
    assert {pod["status"]["phase"] for pod in cluster.pods()} == {"Running"}
    failed = [event["message"] for event in cluster.kubernetes.get("events", "-n", cluster.namespace)["items"]
              if event["reason"] in ("Failed", "ErrImageNeverPull", "BackOff", "InspectFailed")]
    assert not failed


@pytest.mark.newest_kubernetes
def test_keeps_an_image_that_any_field_names(cluster, sweeping):
    volumes = cluster.kubernetes.mounts_images
    names = ("job", "cronjob", "static", "daemonset", "init", "sidecar", "ephemeral", "main", "unneeded",
             *(["volume"] if volumes else []))
    images = {name: cluster.image("v1", name) for name in names}

    def container(name, **fields):
        return {"name": name, "image": images[name].names[0], "imagePullPolicy": "Never", **fields}

    def pod(name, **fields):
        return {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1,
                "containers": [container(name)], **fields}
    job = {"backoffLimit": 0, "template": {"spec": pod("job", restartPolicy="Never")}}
    later = {"backoffLimit": 0, "template": {"spec": pod("cronjob", restartPolicy="Never")}}
    several = pod("main", initContainers=[container("init", command=["/pause", "0"]),
                                          container("sidecar", restartPolicy="Always")])
    if volumes:
        reference = {"reference": images["volume"].names[0], "pullPolicy": "Never"}
        several["volumes"] = [{"name": "files", "image": reference}]
        several["containers"][0]["volumeMounts"] = [{"name": "files", "mountPath": "/files"}]
    static = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "static", "namespace": cluster.namespace},
              "spec": {**pod("static"), "automountServiceAccountToken": False}}
    (cluster.kubernetes.directory / "static/static.yaml").write_text(json.dumps(static))
    cluster.kubernetes.apply(*({"metadata": {"name": name, "namespace": cluster.namespace}, **item} for name, item in (
        ("job", {"apiVersion": "batch/v1", "kind": "Job", "spec": job}),
        ("cronjob", {"apiVersion": "batch/v1", "kind": "CronJob",
                     "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": later}}}),
        ("daemonset", {"apiVersion": "apps/v1", "kind": "DaemonSet", "spec": {
            "selector": {"matchLabels": {"app": "d"}},
            "template": {"metadata": {"labels": {"app": "d"}}, "spec": pod("daemonset")}}}),
        ("several", {"apiVersion": "v1", "kind": "Pod", "spec": several}))))
    cluster.kubernetes.kubectl("create", "job", "now", "--from=cronjob/cronjob", "-n", cluster.namespace)

    def running():
        pods = cluster.kubernetes.get("pods", "-n", cluster.namespace)["items"]
        return len(pods) == 5 and all(pod["status"]["phase"] == "Running" for pod in pods)
    assert wait_until(running, 60, every=0.5), cluster.kubernetes.kubectl("describe", "pods", "-n", cluster.namespace)
    path = f"/api/v1/namespaces/{cluster.namespace}/pods/several"
    with_ephemeral = json.loads(cluster.kubernetes.kubectl("get", "--raw", path))
    with_ephemeral["spec"]["ephemeralContainers"] = [container("ephemeral")]
    cluster.kubernetes.kubectl("replace", "--raw", f"{path}/ephemeralcontainers", "-f", "-",
                               input=json.dumps(with_ephemeral))
    assert sweeping.sweep_until(lambda: images["unneeded"].id not in cluster.containerd.ids()), sweeping.text()
    decisions = {image["id"]: image for image in sweeping.json("images")["images"]}
    kept = {name: decisions.get(image.id, {}).get("code") for name, image in images.items() if name != "unneeded"}
    assert kept == dict.fromkeys(kept, "InUse")
