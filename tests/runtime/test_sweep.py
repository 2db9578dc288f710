"""The images that `imagesweep sweep` removes from a real containerd or CRI-O, and the images that stay."""
import pytest

from lab import cri
from lab.agent import outcomes
from lab.containerd import LAST_1, LATEST
from lab.crio import CRIO
from runtime.test_cookbook import workload
from runtime.test_origin import Ways

pytestmark = [pytest.mark.crio, pytest.mark.every_containerd]


# D02, on a small scale
def test_keeps_what_any_container_uses_and_removes_the_rest(node):
    running, exited, created = (node.load(f"registry.example/shop/{name}:v1") for name in ("run", "exit", "create"))
    unneeded = [node.load(f"registry.example/shop/old:v{number}") for number in range(3)]
    node.start_pod("run", running)
    node.start_pod("exit", exited, state=cri.EXITED)
    node.start_pod("create", created, state=cri.CREATED)
    node.age()
    report = node.sweep()
    assert outcomes(report) == {image.id: "Removed" for image in unneeded}
    assert node.containerd.ids() == {image.id for image in (running, exited, created, node.pause, node.system)}
    assert report["verification"]["missing"] == []
    assert (report["before"]["images"], report["after"]["images"]) == (8, 5)


def test_says_who_uses_a_kept_image(node):
    used = node.load("registry.example/shop/api:v1")
    node.start_pod("api-0", used)
    kept = next(image for image in node.json("images")["images"] if image["id"] == used.id)
    assert (kept["verdict"], kept["code"]) == ("Keep", "InUse")
    assert {(user["namespace"], user["name"]) for user in kept["usedBy"]} == {("default", "api-0")}
    assert "api-0" in node.run("explain", "registry.example/shop/api:v1").stdout


# KEP-4639: no list of containers shows it. The pod does not either, so only the runtime knows it.
@pytest.mark.containerd(LATEST)  # since 2.1
def test_keeps_an_image_that_is_only_mounted_as_a_volume(node):
    app, unneeded = node.load("registry.example/shop/app:v1"), node.load("registry.example/shop/old:v1")
    states, pods, mounted = {"run": cri.RUNNING, "exit": cri.EXITED, "create": cri.CREATED}, {}, {}
    for name, state in states.items():
        mounted[name] = node.load(f"registry.example/shop/files-{name}:v1")
        pods[name] = node.containerd.cri.start_pod(name, {"c": app.id}, state=state,
                                                   volumes={"/files": mounted[name].id})
        node.put_pod(pods[name], {"c": app})
    node.age()
    images = {image["id"]: image for image in node.json("plan")["images"]}
    for name, image in mounted.items():
        kept = images[image.id]
        assert (kept["verdict"], kept["code"]) == ("Keep", "InUse")
        users = [(user["kind"], user["namespace"], user["name"], user["container"]) for user in kept["usedBy"]]
        # containerd 2 and CRI-O mount it without a container.
        assert [user for user in users if user[0] != "Mount"] == [("ImageVolume", "default", name, "/files")]
    assert outcomes(node.sweep()) == {unneeded.id: "Removed"}
    assert {app.id, *(image.id for image in mounted.values())} <= node.containerd.ids()
    node.remove_pod(pods["run"])
    if node.containerd.version == CRIO:  # 1.34 does not unmount it
        assert node.verdicts()[mounted["run"].id] == ("Keep", "InUse")
        node.containerd.run("podman", "image", "unmount", mounted["run"].names[0])
    node.age()
    assert outcomes(node.sweep()) == {mounted["run"].id: "Removed"}


def test_keeps_the_image_of_a_pod_before_its_container_exists(node):
    wanted = node.load("registry.example/shop/next:v1")
    pod = node.containerd.cri.start_pod("next-0", {})
    node.put_pod(pod, {"c": wanted})
    node.age()
    assert outcomes(node.sweep()) == {}
    assert wanted.id in node.containerd.ids()


def test_a_dry_run_is_the_default_and_removes_nothing(node):
    unneeded = node.load("registry.example/shop/old:v1")
    node.age()
    report = node.json("sweep")
    assert outcomes(report) == {unneeded.id: "WouldRemove"} and report["dryRun"]
    assert unneeded.id in node.containerd.ids()
    assert outcomes(node.json("prune")) == {unneeded.id: "WouldRemove"}
    assert unneeded.id in node.containerd.ids()


def test_the_sandbox_image_stays_though_no_container_shows_it(node):
    node.age()
    assert node.verdicts()[node.pause.id][0] == "Keep"
    assert outcomes(node.sweep()) == {}
    node.start_pod("after", node.load("registry.example/shop/api:v1"))


@pytest.mark.containerd(LAST_1, LATEST)  # 1.6 has no pins
@pytest.mark.crio(False)  # its configuration names them: test_crio.py
def test_a_pinned_image_stays(node):
    pinned = node.load("registry.example/shop/pinned:v1")
    for name in (*pinned.names, *pinned.digest_references):
        node.containerd.ctr("images", "label", name, "io.cri-containerd.pinned=pinned")
    node.age()
    assert node.verdicts()[pinned.id] == ("Keep", "Pinned")
    assert outcomes(node.sweep()) == {}
    assert pinned.id in node.containerd.ids()


# C13
def test_an_imported_image_stays_unless_the_policy_gives_it_up(node):
    imported = node.load("docker.io/library/side-loaded:v1", local=True)
    node.age()
    assert node.verdicts()[imported.id] == ("Keep", "LocalOnly")
    assert outcomes(node.sweep()) == {}
    node.write_policy(keep={"localOnly": "Never"})
    assert outcomes(node.sweep()) == {imported.id: "Removed"}
    assert imported.id not in node.containerd.ids()


# D01
def test_an_image_with_names_in_two_registries_goes_with_all_its_names(node):
    image = node.load("one.example/app:v1", "one.example/app:latest", "two.example/mirror/app:v1", size=4 << 20)
    node.age()
    report = node.sweep()
    assert outcomes(report) == {image.id: "Removed"}
    assert set(report["outcomes"][0]["names"]) == set(image.names)
    assert not [name for name in node.containerd.records() if "app" in name or image.id in name]
    assert report["measuredFreedBytes"] is not None


def test_one_needed_name_keeps_the_image_and_all_its_other_names(node):
    image = node.load("registry.example/shop/api:v3", "registry.example/shop/api:latest", "two.example/api:v3")
    pod = node.containerd.cri.start_pod("api-0", {})
    node.put_pod(pod, {"c": image})
    node.age()
    assert outcomes(node.sweep()) == {}
    assert set(image.names) <= node.containerd.names()


# R03
# It was never seen with its tag, so it may have been pulled by digest, and its age decides.
def test_an_image_without_a_tag_stays_while_its_container_runs_and_then_goes_by_id(node):
    old = node.load("registry.example/shop/api:v1")
    pod = node.start_pod("api-0", old)
    new = node.load("registry.example/shop/api:v1")
    node.start_pod("api-1", new)
    node.write_policy(maximumAge="0s")
    node.age()
    assert node.verdicts()[old.id] == ("Keep", "InUse")
    assert outcomes(node.sweep()) == {}
    node.remove_pod(pod)
    node.age()
    assert outcomes(node.sweep()) == {}
    node.write_policy(maximumAge="1s")
    node.age()
    report = node.sweep()
    assert outcomes(report) == {old.id: "Removed"} and report["outcomes"][0]["code"] == "Age"
    assert old.id not in node.containerd.ids() and new.id in node.containerd.ids()
    assert set(new.names) <= node.containerd.names()


@pytest.mark.crio(False)  # there it keeps a repo digest
def test_a_rebuilt_local_image_leaves_one_without_any_name_which_goes(node):
    old = node.load("docker.io/library/dev:latest", local=True)
    node.age()  # imagesweep sees its tag
    new = node.load("docker.io/library/dev:latest", local=True)
    node.write_policy(maximumAge="0s", keep={"localOnly": "Never"})
    node.age()
    assert outcomes(node.sweep()) == {old.id: "Removed"}
    assert new.id in node.containerd.ids()


@pytest.mark.parametrize("keep", [{"images": ["registry.example/shop/*"]}, {"tags": ["stable"]}])
def test_keep_rules_win(node, keep):
    kept = node.load("registry.example/shop/tool:stable")
    other = node.load("registry.example/other/tool:v1")
    node.write_policy(keep=keep)
    node.age()
    assert outcomes(node.sweep()) == {other.id: "Removed"}
    assert kept.id in node.containerd.ids()


def test_an_image_seen_for_the_first_time_is_too_young(node):
    image = node.load("registry.example/shop/fresh:v1")
    node.write_policy(minimumAge="1h", maximumAge="2h")
    assert node.verdicts()[image.id] == ("Keep", "TooYoung")
    assert outcomes(node.sweep()) == {}


def test_the_ledger_is_shared_by_runs_and_kept_apart_by_state_directories(node):
    image = node.load("registry.example/shop/old:v1")
    node.age()
    fresh = node.verdicts(state_dir=node.workdir.path / "other-state")
    assert node.verdicts()[image.id] == ("Remove", "Age")
    assert fresh[image.id][0] == "Keep"


def test_limits_hold_in_one_run(node):
    old = [node.load(f"registry.example/shop/old:v{number}") for number in range(4)]
    node.write_policy(limits={"maxImages": 3})
    node.age()
    assert list(outcomes(node.sweep()).values()).count("Removed") == 3
    assert len(node.containerd.ids() & {image.id for image in old}) == 1
    assert list(outcomes(node.sweep()).values()).count("Removed") == 1


@pytest.mark.crio(False)  # it gives every pod the labels of the kubelet
def test_without_kubernetes_the_runtime_alone_decides(node):
    node.remove_pod(node.system_pod)  # a host without a cluster has no thresholds of a kubelet
    used, unneeded = node.load("registry.example/shop/api:v1"), node.load("registry.example/shop/old:v1")
    node.start_pod("api-0", used, in_api=False, by_kubelet=False)
    node.api.stop()
    alone = {"kubeconfig": None, "node_name": None, "without_kubernetes": True}
    node.age(**alone)
    report = node.sweep(**alone)
    assert outcomes(report)[unneeded.id] == "Removed"
    assert used.id in node.containerd.ids()


def test_without_kubernetes_nothing_is_removed_where_a_kubelet_runs_pods(node):
    unneeded = node.load("registry.example/shop/old:v1")
    alone = {"kubeconfig": None, "node_name": None, "without_kubernetes": True}
    node.age(**alone)
    report = node.sweep(code=1, **alone)
    assert report["refused"]["source"] == "pods" and "found pods managed by a kubelet" in report["refused"]["error"]
    assert unneeded.id in node.containerd.ids()


def pods_with(text):
    return {"spec": {"containers": [{"name": "c", "image": text}]}}


def put_workloads(node, repository):
    """A Deployment at revision 3, the ReplicaSets of its revisions v1 to v3, and a CronJob with the tag `nightly`."""
    deployment = workload("Deployment", "api", {"replicas": 1, "template": pods_with(f"{repository}:v3")})
    deployment["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "3"}
    node.api.put(deployment)
    for number in (1, 2, 3):
        revision = workload("ReplicaSet", f"api-{number}", {"replicas": int(number == 3),
                                                            "template": pods_with(f"{repository}:v{number}")})
        revision["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": str(number)}
        revision["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "api",
                                                    "uid": "uid-api", "controller": True}]
        node.api.put(revision)
    node.api.put(workload("CronJob", "report", {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {
        "template": pods_with(f"{repository}:nightly")}}}))


# As Kyverno, Harbor and k8s-image-swapper do. Only the pods have the new names.
@pytest.mark.parametrize("mirrored", ["mirror.example/docker.io/shop/api", "mirror.example:8443/shop/api"])
def test_keeps_rollback_and_cron_job_images_whose_registry_a_webhook_replaced(node, mirrored):
    *old, running, nightly = (node.load(f"{mirrored}:{tag}") for tag in ("v1", "v2", "v3", "nightly"))
    unneeded = node.load(f"{mirrored}:v4")
    node.start_pod("api-0", running)
    put_workloads(node, "docker.io/shop/api")
    node.write_policy(keep={"workloads": {"enabled": True}})
    node.age()
    assert outcomes(node.sweep()) == {unneeded.id: "Removed"}
    assert {node.verdicts()[image.id] for image in (*old, nightly)} == {("Keep", "Workload")}
    assert "named by CronJob shop/report as docker.io/shop/api:nightly, which admission may change to this name" \
        in node.run("explain", f"{mirrored}:nightly").stdout


# As Kyverno and the policy controller of Sigstore do. containerd drops the tag of NAME:TAG@DIGEST.
@pytest.mark.crio(False)
def test_keeps_rollback_and_cron_job_images_that_a_webhook_pinned_by_digest(node):
    ways = Ways(node)
    pinned = [ways.push(f"shop/api:{tag}") for tag in ("v1", "v2", "nightly")]
    for image in pinned:
        node.containerd.cri.pull(f"{image.names[0]}@{image.digest}")
        assert ways.origin(image)["all"] == list(image.digest_references)
    moved, unneeded = ways.pull("shop/api:v4"), ways.pull("shop/other:v1", by_digest=True)
    put_workloads(node, ways.registry.name("shop/api"))
    node.write_policy(keep={"workloads": {"enabled": True}})
    node.age()
    current = ways.pull("shop/api:v4")
    node.start_pod("api-0", current)
    node.age()
    assert outcomes(node.sweep()) == {unneeded.id: "Removed"}
    # It lost v4, but a webhook may have pinned a tag of the workloads to it.
    assert {node.verdicts()[image.id] for image in (*pinned, moved)} == {("Keep", "Workload")}
