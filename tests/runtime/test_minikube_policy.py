"""The policy of manifests/kustomize/overlays/minikube on a real Docker, of both versions: of the images that cannot be
pulled again, it removes only those that a comparable newer version replaces."""
import pytest
import yaml

from lab import chart, images
from lab.standin_api import StandInApi
from runtime.conftest import NODE
from runtime.docker_host import ATTEMPTS, removed
from runtime.test_cookbook import grow_old
from runtime.test_docker_pods import start_pod

TEAM = "registry.example/team"
# Not pulled: name -> tags, oldest first.
STAY = {
    "alone": ["v1"],
    "moving": ["latest", "dev"],
    "branches": ["feature-a", "feature-b"],
    "commits": ["1a2b3c4", "5d6e7f8"],
    "mixed": ["v1", "latest"],  # a version and a word cannot be compared
    "schemes": ["v2", "2024.1"],
    "equal": ["v1.2.0"],
}
SUPERSEDED = {"numbers": ["v1", "v2"], "semantic": ["1.9.0", "1.10.0"], "builds": ["build-7", "build-12"]}


@pytest.fixture
def cluster(docker):
    with StandInApi(docker.workdir.path / "objects") as api:
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "uid": "6d1f0a52"}})
        docker.kubernetes = {"without_kubernetes": None, "kubeconfig": api.kubeconfig, "node_name": NODE,
                             "workloads": "direct"}
        yield api


def policy():
    configmap = chart.policy_configmap(chart.kustomize("overlays/minikube"))
    return configmap["data"]["policy.yaml"]


def load_all(docker, repositories):
    """(name, tag) -> image. One archive, because each load takes a while."""
    archive, loaded = images.Archive(), {}
    for name, tags in repositories.items():
        for tag in tags:
            layers = [images.pause_layer(docker.workdir.path), images.layer({"name": f"{name}:{tag}".encode()})]
            loaded[name, tag] = docker.as_stored(archive.add(f"{TEAM}/{name}:{tag}", layers))
    docker.dockerd.load(archive)
    return loaded


def test_the_overlay_removes_local_images_only_for_a_newer_version(docker, cluster):
    used = docker.load(f"{TEAM}/used:v1")
    start_pod(docker, cluster, used)
    newer_of_used = docker.load(f"{TEAM}/used:v2")
    local = load_all(docker, {**STAY, **SUPERSEDED})
    built = {tag: docker.build(f"{TEAM}/built:{tag}") for tag in ("v1", "v2")}
    retagged = docker.pull("shop/retagged:v1")
    docker.dockerd.tag(retagged.names[0], f"{TEAM}/golden:v1")
    localhost = docker.load("localhost/tool:v1"), docker.load("localhost/tool:v2")
    pulled = docker.pull("shop/pulled:v1")

    text = policy()
    assert yaml.safe_load(text)["dryRun"]
    docker.policy_file.write_text(text)
    docker.json("images", **docker.kubernetes)
    grow_old(docker)
    young = docker.load(f"{TEAM}/young:v1"), docker.load(f"{TEAM}/young:v2")

    gone = {pulled.id, built["v1"].id, *(local[name, tags[0]].id for name, tags in SUPERSEDED.items())}
    before = docker.dockerd.ids()
    verdicts = docker.verdicts(**docker.kubernetes)
    assert {image for image, (verdict, _) in verdicts.items() if verdict == "Remove"} == gone, verdicts
    left = set(gone)
    for _ in range(ATTEMPTS):  # a busy Docker answers too late for a removal, which waits for the next run
        if left:
            left -= removed(docker.sweep(**docker.kubernetes))
    assert not left
    assert before - docker.dockerd.ids() == gone
    stay = {image.id for image in (used, newer_of_used, retagged, *localhost, *young, built["v2"], *local.values())}
    assert stay - gone <= docker.dockerd.ids()
