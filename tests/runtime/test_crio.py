"""What is different on a real CRI-O: its repo digests prove nothing, it refuses to remove what a container outside the
CRI uses, it cuts names at the port of the registry, and its configuration pins images. The suites with the mark `crio`
cover what it shares with containerd."""
import json
import os

import pytest

from lab import agent, cri, images
from lab.agent import outcomes
from lab.crio import CRIO
from lab.registry import Registry
from runtime.conftest import node_with
from runtime.test_cookbook import workload

pytestmark = [pytest.mark.containerd(), pytest.mark.crio]

MIB = 1 << 20
# The program runs in the cell to reach its registry, and from there it cannot reach the stand-in API server.
ALONE = {"kubeconfig": None, "node_name": None, "without_kubernetes": True}


class Shop:
    """Images in a registry of NODE, for pulls of which no kubelet has a record."""

    def __init__(self, node):
        self.node, self.registry = node, Registry(node.containerd)
        self._base, self._number = images.pause_layer(node.workdir.path), 0

    def push(self, path):
        """An image that only the registry has. Another image with that name loses it."""
        self._number += 1
        archive = images.Archive()
        layers = [self._base, images.layer({"number": str(self._number).encode()}, (path, self._number))]
        image = archive.add(self.registry.name(path), layers)
        self.registry.push(archive, image)
        return self.node.containerd.as_listed(image)

    def pull(self, path, by_digest=False):
        image = self.push(path)
        self.node.containerd.cri.pull(image.digest_references[0] if by_digest else image.names[0])
        return image

    def sweep(self, code=0):
        """A real run that can ask the registry."""
        return json.loads(agent.run("sweep", "--dry-run=false", "-o", "json", *self.node.sources(**ALONE), code=code,
                                    enter=self.node.containerd.cell.enter()).stdout)


@pytest.fixture
def shop(node):
    return Shop(node)


@pytest.fixture
def alone(shop):
    """Without any pod of a kubelet: there the program may do without Kubernetes."""
    shop.node.remove_pod(shop.node.system_pod)
    return shop


def listed(node, image):
    """All names of IMAGE, as in CRI."""
    return {name for one in node.containerd.cri.images() if one.id == image.id
            for name in (*one.repo_tags, *one.repo_digests)}


def described(node, image):
    return next(one for one in node.json("images")["images"] if one["id"] == image.id)


def removed(report):
    return {image for image, outcome in outcomes(report).items() if outcome == "Removed"}


def errors(report):
    return {outcome["id"]: outcome["error"] for outcome in report["outcomes"]}


def test_a_repo_digest_does_not_tell_a_pulled_image_from_a_built_one(node, shop):
    pulled, by_digest = shop.pull("shop/pulled:v1"), shop.pull("shop/pinned:v1", by_digest=True)
    built = node.load("registry.example/dev/built:v1", local=True)
    for image in (pulled, by_digest, built):
        assert set(image.digest_references) <= listed(node, image)
        origin = described(node, image)["origin"]
        assert origin["kind"] == "Unknown"
        assert "CRI-O also gives repo digests to images that no registry has" in origin["evidence"]
    node.age()
    verdicts = node.verdicts()
    assert {verdicts[image.id] for image in (pulled, by_digest, built)} == {("Keep", "LocalOnly")}
    assert removed(node.sweep()) == set()
    assert {pulled.id, by_digest.id, built.id} <= node.containerd.ids()


def test_a_policy_can_give_up_images_of_unknown_origin_and_those_in_use_stay(node, shop):
    pulled, built, used = shop.pull("shop/pulled:v1"), node.load("registry.example/dev/built:v1", local=True), \
        shop.pull("shop/used:v1")
    node.start_pod("used-0", used)
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    assert outcomes(node.sweep()) == {pulled.id: "Removed", built.id: "Removed"}
    assert node.containerd.ids() == {used.id, node.system.id, node.pause.id}


def test_the_kubelets_record_of_a_pull_proves_the_origin(node, shop):
    recorded, unrecorded = shop.push("shop/recorded:v1"), shop.pull("shop/unrecorded:v1")
    node.pull(recorded.names[0])
    assert described(node, recorded)["origin"]["kind"] == "Pulled"
    assert "kubelet's record" in described(node, recorded)["origin"]["evidence"]
    node.age()
    assert removed(node.sweep()) == {recorded.id}
    assert unrecorded.id in node.containerd.ids()


def test_only_what_the_kubelet_recorded_and_the_registry_confirms_goes(alone):
    node, shop = alone.node, alone
    both, gone, unrecorded = shop.push("shop/both:v1"), shop.push("shop/gone:v1"), shop.pull("shop/unrecorded:v1")
    never_pushed = node.load(shop.registry.name("shop/built:v1"), local=True)
    for image in (both, gone):
        node.pull(image.names[0])
    shop.registry.delete(gone)
    node.write_policy(keep={"localOnly": "Never", "verifyRegistry": "BeforeRemoval", "images": node.system.names})
    node.age(**ALONE)
    report = shop.sweep()
    assert outcomes(report) == {both.id: "Removed", gone.id: "Skipped", unrecorded.id: "Skipped",
                                never_pushed.id: "Skipped"}
    for image in (gone, unrecorded, never_pushed):
        assert "the registry did not confirm the image: " in errors(report)[image.id]
        assert set(image.names) <= listed(node, image)
    assert both.id not in node.containerd.ids()


def test_a_registry_that_is_away_confirms_nothing(alone):
    node, shop = alone.node, alone
    image = shop.push("shop/api:v1")
    node.pull(image.names[0])
    node.write_policy(keep={"verifyRegistry": "BeforeRemoval", "images": node.system.names})
    node.age(**ALONE)
    shop.registry.stop()
    assert outcomes(shop.sweep()) == {image.id: "Skipped"}
    assert image.id in node.containerd.ids()


def external_container(node, image, name):
    """Makes a container in the storage of CRI-O that no list of the CRI shows."""
    node.containerd.run("buildah", "from", "--pull-never", "--name", name, image.names[0])
    assert image.id not in {container.image_ref for container in node.containerd.cri.containers()}


def test_keeps_images_that_containers_outside_the_cri_use(node):
    """CRI-O's store lists them, and CRI-O would refuse the removal too."""
    used = [node.load(f"registry.example/ci/base:v{number}") for number in range(3)]
    for number, image in enumerate(used):
        external_container(node, image, f"build-{number}")
    unneeded = [node.load(f"registry.example/shop/old:v{number}") for number in range(3)]
    node.write_policy(limits={"maxFailures": 1})
    node.age()
    verdicts = node.verdicts()
    assert {verdicts[image.id] for image in used} == {("Keep", "InUse")}
    report = node.sweep()
    assert outcomes(report) == {image.id: "Removed" for image in unneeded}
    for image in used:
        assert set(image.names) | set(image.digest_references) == listed(node, image)
    assert not report["stoppedEarly"]
    # An image without its container may go again.
    node.containerd.run("buildah", "rm", "build-0")
    node.age()
    report = node.sweep()
    assert outcomes(report) == {used[0].id: "Removed"}
    assert {image.id for image in used[1:]} <= node.containerd.ids()


def test_keeps_an_image_that_is_mounted_without_a_container(node):
    """As a build with RUN --mount=from= does, and `podman image mount`. CRI-O would not refuse the removal."""
    mounted, unneeded = node.load("registry.example/ci/tools:v1"), node.load("registry.example/shop/old:v1")
    node.containerd.run("podman", "image", "mount", mounted.names[0])
    node.age()
    assert node.verdicts()[mounted.id] == ("Keep", "InUse")
    assert outcomes(node.sweep()) == {unneeded.id: "Removed"}
    node.containerd.run("podman", "image", "unmount", mounted.names[0])
    node.age()
    assert outcomes(node.sweep()) == {mounted.id: "Removed"}


def test_ensure_space_takes_nothing_that_a_container_outside_the_cri_uses(node):
    used, unneeded = node.load("registry.example/ci/base:v1"), node.load("registry.example/shop/old:v1")
    external_container(node, used, "build")
    node.age()
    free = os.statvfs(node.containerd.root)
    wanted = free.f_bavail * free.f_frsize // MIB + 1024
    report = node.json("ensure-space", f"{wanted}MiB", "--dry-run=false", code=1)
    assert outcomes(report) == {unneeded.id: "Removed"}
    assert used.id in node.containerd.ids()


@pytest.mark.parametrize("state", [cri.RUNNING, cri.CREATED, cri.EXITED], ids=["running", "created", "exited"])
def test_a_container_keeps_the_image_that_its_tag_named_before(node, shop, state):
    old = shop.pull("web/front:latest")
    pod = node.start_pod("front-0", old, state=state)
    new = shop.pull("web/front:latest")
    assert listed(node, old) == {f"127.0.0.1@{old.digest}"}, "CRI-O cuts the name at the port"
    node.write_policy(maximumAge="0s", removeSuperseded=True, keep={"localOnly": "Never"})
    node.age()
    assert node.verdicts()[old.id] == ("Keep", "InUse")
    assert removed(node.sweep()) == set()
    assert {old.id, new.id} <= node.containerd.ids()
    node.remove_pod(pod)
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    assert removed(node.sweep()) == {old.id, new.id}


@pytest.mark.parametrize("recorded", [False, True])
def test_an_image_that_lost_its_tag_is_of_unknown_origin(node, shop, recorded):
    old = shop.push("web/front:latest")
    (node.pull if recorded else node.containerd.cri.pull)(old.names[0])
    new = shop.push("web/front:latest")
    node.pull(new.names[0])
    assert listed(node, old) == {f"127.0.0.1@{old.digest}"}
    origin = described(node, old)["origin"]
    assert origin["kind"] == "Unknown" and "docker.io" not in json.dumps(origin)
    node.age()
    assert node.verdicts()[old.id] == ("Keep", "LocalOnly")
    assert removed(node.sweep()) == {new.id}
    assert old.id in node.containerd.ids()


def test_no_registry_is_asked_for_an_image_whose_registry_is_not_known(alone):
    node, shop = alone.node, alone
    old, new = shop.pull("web/front:latest"), shop.push("web/front:latest")
    node.pull(new.names[0])
    keep = {"localOnly": "Never", "images": node.system.names}
    node.write_policy(keep={**keep, "verifyRegistry": "BeforeRemoval"})
    node.age(**ALONE)
    report = shop.sweep()
    assert outcomes(report) == {old.id: "Skipped", new.id: "Removed"}
    assert "no evidence that a registry has it" in errors(report)[old.id] and old.id in node.containerd.ids()
    other = shop.pull("web/other:v1")
    node.write_policy(keep=keep)
    node.age(**ALONE)
    assert removed(shop.sweep()) == {old.id, other.id}
    report = restore(node, "--image", old.id, code=1)
    assert outcomes_of(report) == {old.id: "CannotComeBack"}
    assert "no record proves that it was pulled from a registry" in report["images"][0]["error"]


def test_an_image_that_lost_its_tag_also_goes_where_nothing_else_does(node, shop):
    """ImageStatus does not show the repo digest that the list shows for it."""
    old = shop.pull("web/front:latest")
    new = shop.pull("web/front:latest")
    node.start_pod("front-0", new)
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    assert outcomes(node.sweep()) == {old.id: "Removed"}
    assert node.containerd.ids() == {new.id, node.system.id, node.pause.id}


def test_every_pod_has_the_labels_of_a_kubelet_so_that_none_goes_without_kubernetes(node):
    node.remove_pod(node.system_pod)
    unneeded = node.load("registry.example/shop/old:v1")
    pod = node.start_pod("by-hand", node.load("registry.example/shop/api:v1"), in_api=False, by_kubelet=False)
    node.age(**ALONE)
    report = node.sweep(code=1, **ALONE)
    assert "found pods managed by a kubelet" in report["refused"]["error"]
    assert unneeded.id in node.containerd.ids()
    node.containerd.cri.remove_pod(pod)
    assert unneeded.id in removed(node.sweep(**ALONE))


def test_the_pause_image_and_the_images_of_the_configuration_are_pinned():
    with node_with(CRIO, settings='pinned_images = ["registry.example/infra/*", "registry.example/one:v1"]') as node:
        infra, one = node.load("registry.example/infra/agent:v1"), node.load("registry.example/one:v1")
        unneeded = node.load("registry.example/one:v2")
        node.write_policy(keep={"localOnly": "Never"})
        node.age()
        verdicts = node.verdicts()
        assert {verdicts[image.id] for image in (node.pause, infra, one)} == {("Keep", "Pinned")}
        assert outcomes(node.sweep()) == {unneeded.id: "Removed"}
        assert {node.pause.id, infra.id, one.id} <= node.containerd.ids()
        node.start_pod("after", infra)


def restore(node, *arguments, code=0):
    return node.json("restore", *arguments, "--dry-run=false", code=code, kubeconfig=None, policy_file=None,
                     node_name=None)


def outcomes_of(report):
    return {image["id"]: image["outcome"] for image in report["images"]}


def test_a_pulled_image_comes_back_with_its_names_though_nothing_proves_the_pull_and_a_built_one_does_not(node, shop):
    pulled, built = shop.pull("shop/api:v1"), node.load(shop.registry.name("shop/built:v1"), local=True)
    before = listed(node, pulled)
    node.write_policy(keep={"localOnly": "Never"})
    node.age()
    assert removed(node.sweep()) == {pulled.id, built.id}
    report = restore(node, "--last", code=1)
    assert outcomes_of(report) == {pulled.id: "Restored", built.id: "Failed"}
    for image in report["images"]:
        assert any("no record proves that" in note for note in image["notes"])
    assert listed(node, pulled) == before
    node.start_pod("api-0", pulled)


# The kubelet asks for backup:v1, and CRI-O lists the image as the repository of the alias alone.
def test_keeps_the_image_of_a_cron_job_behind_a_short_name_alias(containerd_version):
    with node_with(containerd_version, aliases={"backup": "127.0.0.1:5000/team/nightly"}) as node:
        shop = Shop(node)
        aliased, unneeded = shop.push("team/nightly:v1"), node.load("registry.example/shop/old:v2")
        node.pull("backup:v1")
        assert set(aliased.names) <= listed(node, aliased) and "backup:v1" not in listed(node, aliased)
        node.api.put(workload("CronJob", "nightly", {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": {
            "spec": {"containers": [{"name": "c", "image": "backup:v1"}]}}}}}))
        node.write_policy(keep={"localOnly": "Never", "workloads": {"enabled": True}})
        node.age()
        assert outcomes(node.sweep()) == {unneeded.id: "Removed"}
        assert "as backup:v1, which admission or a short-name alias may change" in described(node, aliased)["reason"]
