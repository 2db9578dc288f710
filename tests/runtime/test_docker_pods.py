"""On a real Docker, of both versions, that runs the pods of a node: the API server of the cluster counts, too."""
import pytest

from lab.dockerd import EXITED, DockerError
from lab.standin_api import StandInApi
from runtime.conftest import NODE
from runtime.docker_host import NEVER, removed


@pytest.fixture
def cluster(docker):
    """The API server of a node whose pods Docker runs, as cri-dockerd lets it."""
    with StandInApi(docker.workdir.path / "objects") as api:
        api.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE, "uid": "6d1f0a52"}})
        docker.kubernetes = {"without_kubernetes": None, "kubeconfig": api.kubeconfig, "node_name": NODE}
        yield api


def start_pod(docker, api, image, name="api-0", image_id=None):
    uid = f"uid-{name}"
    labels = {"io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.name": name, "io.kubernetes.pod.uid": uid}
    pause = docker.load("registry.example/pause:3.9")
    docker.dockerd.run(pause.names[0], f"k8s_POD_{name}", Labels={**labels, "io.kubernetes.docker.type": "podsandbox"})
    docker.dockerd.run(image.id, f"k8s_api_{name}", EXITED, Labels={
        **labels, "io.kubernetes.docker.type": "container", "io.kubernetes.container.name": "api"})
    api.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": name, "uid": uid},
             "spec": {"nodeName": NODE, "containers": [{"name": "api", "image": image.names[0]}]},
             "status": {"phase": "Running", "containerStatuses": [
                 {"name": "api", "image": image.names[0], "imageID": image_id or f"docker://{image.id}"}]}})
    return pause


def test_keeps_the_images_of_pods_when_docker_runs_them(docker, cluster):
    used, next_, unneeded = (docker.load(f"registry.example/shop/{name}:v1") for name in ("api", "next", "old"))
    pause = start_pod(docker, cluster, used)
    cluster.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "next", "uid": "n"},
                 "spec": {"nodeName": NODE, "containers": [{"name": "c", "image": next_.names[0]}]},
                 "status": {"phase": "Pending"}})
    docker.write_policy(keep=NEVER)
    docker.age(**docker.kubernetes)
    assert docker.json("images", **docker.kubernetes)["evidence"]["pods"]["count"] == 2
    assert removed(docker.sweep(**docker.kubernetes)) == {unneeded.id}
    assert {used.id, next_.id, pause.id} <= docker.dockerd.ids()


def test_removes_nothing_without_kubernetes_when_docker_runs_pods(docker, cluster):
    used, unneeded = docker.load("registry.example/shop/api:v1"), docker.load("registry.example/shop/old:v1")
    start_pod(docker, cluster, used)
    docker.write_policy(keep=NEVER)
    docker.age()
    report = docker.sweep(code=1)
    assert report["refused"]["source"] == "pods" and "shop/api-0" in report["refused"]["error"]
    assert unneeded.id in docker.dockerd.ids()
    with pytest.raises(DockerError):
        docker.dockerd.remove_image(used.names[0])
