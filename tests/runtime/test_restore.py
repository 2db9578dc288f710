"""`imagesweep restore` brings back the images that runs removed, from real registries."""
import base64
import json
import signal
import subprocess

import pytest

from lab import agent, images
from lab.agent import outcomes
from lab.cell import wait_until
from lab.containerd import LATEST
from lab.registry import Registry

pytestmark = pytest.mark.crio


class Shop:
    """Images that NODE pulled from a registry."""

    def __init__(self, node, registry, user=None):
        self.node, self.registry, self._user = node, registry, user
        self._base, self._number = images.pause_layer(node.workdir.path), 0

    def pull(self, *paths, size=0):
        """An image with a name for each of PATHS ("shop/api:v1")."""
        self._number += 1
        archive = images.Archive()
        layers = [self._base, images.layer({"number": str(self._number).encode()}, (paths, self._number), size)]
        image = archive.add([self.registry.name(path) for path in paths], layers)
        self.registry.push(archive, image)
        for name in image.names:
            self.node.pull(name, self._user)
        return self.node.containerd.as_listed(image)


@pytest.fixture
def shop(node):
    return Shop(node, Registry(node.containerd))


def listed(node):
    """id -> all names, as in CRI."""
    return {image.id: {*image.repo_tags, *image.repo_digests} for image in node.containerd.cri.images()}


def sweep(node, *gone):
    node.age()
    assert {image for image, outcome in outcomes(node.sweep()).items() if outcome == "Removed"} == \
        {image.id for image in gone}
    assert wait_until(lambda: not node.containerd.ids() & {image.id for image in gone}, 10)


# The arguments of a user: neither Kubernetes nor a policy.
ALONE = {"kubeconfig": None, "policy_file": None, "node_name": None}


def restore(node, *arguments, code=0):
    """Runs the restore for real, unless ARGUMENTS contain `--dry-run`."""
    if "--dry-run" not in arguments:
        arguments = (*arguments, "--dry-run=false")
    report = node.json("restore", *arguments, code=code, **ALONE)
    assert (report["apiVersion"], report["kind"]) == ("imagesweep/v1alpha1", "RestoreReport")
    return report


def test_all_that_the_last_run_removed_comes_back_with_all_its_names(node, shop):
    gone = [shop.pull("shop/api:v1", "shop/api:latest", "mirror/api:v1"), shop.pull("shop/web:v7"),
            shop.pull("shop/job:v2")]
    before = listed(node)
    sweep(node, *gone)
    assert restore(node, "--last", "--dry-run") == node.json("restore", "--last", **ALONE), "it is dry unless told"
    assert "To restore images, add --dry-run=false." in node.run("restore", "--last", **ALONE).stdout
    shown = restore(node, "--last", "--dry-run")
    assert outcomes_of(shown) == {image.id: "WouldRestore" for image in gone} and shown["dryRun"]
    assert not node.containerd.ids() & {image.id for image in gone}
    report = restore(node, "--last")
    assert outcomes_of(report) == {image.id: "Restored" for image in gone}
    assert listed(node) == before
    assert all(not image["notes"] for image in report["images"]), report
    node.start_pod("api", gone[0])
    assert outcomes_of(restore(node, "--last")) == {image.id: "AlreadyHere" for image in gone}
    text = node.run("restore", "--last", **ALONE).stdout
    assert "3 already present." in text


def outcomes_of(report):
    return {image["id"]: image["outcome"] for image in report["images"]}


def test_restarts_the_age_of_a_restored_image(node, shop):
    image = shop.pull("shop/api:v1")
    sweep(node, image)  # and no command reads the node without the flag
    restore(node, "--last")
    node.write_policy(minimumAge="1s")
    assert node.verdicts()[image.id] == ("Keep", "TooYoung")


def test_one_image_by_any_name_and_one_run_by_the_beginning_of_its_id(node, shop):
    first = shop.pull("shop/api:v1")
    sweep(node, first)
    second, third = shop.pull("shop/api:v2"), shop.pull("shop/web:v1")
    sweep(node, second, third)
    runs = node.json("history", policy_file=None, kubeconfig=None, node_name=None)["runs"]
    complaint = node.run("explain", second.names[0], code=1).stderr
    assert f"run {runs[0]['run']} removed it at" in complaint and "`imagesweep restore --image" in complaint
    assert outcomes_of(restore(node, "--image", second.names[0])) == {second.id: "Restored"}
    assert outcomes_of(restore(node, "--image", first.id[:19])) == {first.id: "Restored"}
    assert outcomes_of(restore(node, "--run", runs[0]["run"])) == {second.id: "AlreadyHere", third.id: "Restored"}
    complaint = node.run("restore", "--image", "shop/none:v1", code=1, **ALONE).stderr
    assert 'no removal of "shop/none:v1" is recorded' in complaint
    complaint = node.run("restore", "--run", "nope", code=1, **ALONE).stderr
    assert 'no removal by run "nope" is recorded' in complaint


def test_comes_back_by_digest_and_leaves_a_tag_that_moved_on_alone(node, shop):
    old = shop.pull("shop/api:v1")
    sweep(node, old)
    new = shop.pull("shop/api:v1")  # the tag now refers to this one, in the registry and on the node
    report = restore(node, "--last")
    assert outcomes_of(report) == {old.id: "Restored"}
    assert any("another image" in note for note in report["images"][0]["notes"])
    names = listed(node)
    assert names[old.id] == set(old.digest_references)
    assert new.names[0] in names[new.id]


def test_can_be_repeated_after_a_kill(node, shop):
    gone = [shop.pull(f"shop/big{number}:v1", size=12 << 20) for number in range(6)]
    before = listed(node)
    sweep(node, *gone)
    command = [str(agent.program()), "restore", "--last", "--dry-run=false", "--parallel=1", *node.sources(**ALONE)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                               env=agent.environment())
    assert process.stderr.readline().startswith("Restored ")
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    back = node.containerd.ids() & {image.id for image in gone}
    assert 1 <= len(back) < len(gone)
    report = restore(node, "--last")
    assert set(outcomes_of(report).values()) == {"Restored", "AlreadyHere"}
    assert listed(node) == before


# A kill between the pull and the names: the image exists, with its digest only.
def test_names_that_are_missing_are_added_to_what_is_here(node, shop):
    image = shop.pull("shop/api:v1", "shop/api:latest")
    before = listed(node)
    sweep(node, image)
    node.containerd.cri.pull(image.digest_references[0])
    assert outcomes_of(restore(node, "--last")) == {image.id: "Restored"}
    assert listed(node) == before


def test_each_registry_that_fails_is_explained_and_the_others_images_come_back(node, shop):
    closed, limited = Registry(node.containerd, 5001), Registry(node.containerd, 5002)
    good, lost = shop.pull("shop/good:v1"), shop.pull("shop/lost:v1")
    away, often = Shop(node, closed).pull("shop/away:v1"), Shop(node, limited).pull("shop/often:v1")
    sweep(node, good, lost, away, often)
    shop.registry.delete(lost)
    closed.stop()
    limited.limit()
    report = restore(node, "--last", code=1)
    assert outcomes_of(report) == {good.id: "Restored", lost.id: "Failed", away.id: "Failed", often.id: "Failed"}
    errors = {image["id"]: image["error"] for image in report["images"]}
    assert errors[lost.id].startswith("127.0.0.1:5000 no longer has the image (")
    assert errors[away.id].startswith("127.0.0.1:5001 cannot be reached from this node (")
    assert errors[often.id].startswith("127.0.0.1:5002 limits the rate of pulls; try again later")
    assert good.id in node.containerd.ids()
    closed.start()
    assert outcomes_of(restore(node, "--image", away.names[0])) == {away.id: "Restored"}


def test_private_images_come_back_with_a_pull_secret_and_not_without(node, tmp_path):
    user = ("reader", "se:cret")
    private = Shop(node, Registry(node.containerd, user=user), user)
    image = private.pull("team/api:v1")
    sweep(node, image)
    report = restore(node, "--last", code=1)
    assert report["images"][0]["error"].startswith("127.0.0.1:5000 denied access; pass credentials with --pull-secret (")
    secret = tmp_path / "config.json"
    secret.write_text(docker_config("127.0.0.1:5000/other", "reader", "wrong"))
    assert outcomes_of(restore(node, "--last", "--pull-secret", secret, code=1)) == {image.id: "Failed"}
    secret.write_text(docker_config("127.0.0.1:5000", "reader", "wrong"))
    result = node.run("restore", "--last", "--dry-run=false", "--pull-secret", secret, "-o", "json", code=1, **ALONE)
    assert json.loads(result.stdout)["images"][0]["outcome"] == "Failed"
    assert "wrong" not in result.stdout + result.stderr
    secret.write_text(docker_config("127.0.0.1:5000/team", *user))
    assert outcomes_of(restore(node, "--last", "--pull-secret", secret)) == {image.id: "Restored"}


def docker_config(registry, name, password):
    return json.dumps({"auths": {registry: {"auth": base64.b64encode(f"{name}:{password}".encode()).decode()}}})


@pytest.mark.crio(False)  # every image has a repo digest to try: test_crio.py
def test_names_images_that_cannot_be_restored_before_pulling(node, shop):
    pulled, built = shop.pull("shop/api:v1"), node.load("registry.example/built:v1", local=True)
    node.write_policy(keep={"localOnly": "Never"})
    sweep(node, pulled, built)
    assert outcomes_of(restore(node, "--last", "--dry-run", code=1)) == \
        {pulled.id: "WouldRestore", built.id: "CannotComeBack"}
    result = node.run("restore", "--last", "--dry-run=false", code=1, **ALONE)
    lines = result.stderr.splitlines()
    assert lines[0] == "1 image cannot be restored:"
    assert lines[1].startswith("  registry.example/built:v1: no record proves that it was pulled from a registry")
    assert lines[2] == f"Restored {pulled.names[0]}"
    assert "1 restored, 1 cannot be restored." in result.stdout


@pytest.mark.containerd(LATEST)
def test_a_runtime_that_is_away_is_an_error_and_nothing_is_forgotten(node, shop):
    image = shop.pull("shop/api:v1")
    sweep(node, image)
    node.containerd.stop()
    assert node.run("restore", "--last", code=1, **ALONE).stdout == ""
    node.containerd.start()
    assert outcomes_of(restore(node, "--last")) == {image.id: "Restored"}


@pytest.mark.parametrize("words, says", [
    (["restore"], "--last"),
    (["restore", "--last", "--run", "x"], "--last"),
    (["restore", "--last", "--parallel", "0"], "--parallel"),
])
def test_requires_one_of_last_run_and_image(words, says):
    assert says in agent.run(*words, code=2).stderr


def test_reports_an_empty_history_without_creating_files(tmp_path):
    result = agent.run("restore", "--last", f"--state-dir={tmp_path}", code=1)
    assert "no removal is recorded in" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.crio(False)  # no runtime matters
@pytest.mark.parametrize("text, says", [
    (None, "missing.json"),
    ("{", "not a JSON object"),
    ("{}", '"auths" is missing'),
    ('{"auths": {"r.example": {"auth": "czNjcmV0"}}}', 'the entry for "r.example": auth is not the base64'),
])
def test_names_an_invalid_pull_secret_without_its_content(node, shop, tmp_path, text, says):
    image = shop.pull("shop/api:v1")
    sweep(node, image)
    path = tmp_path / ("secret.json" if text is not None else "missing.json")
    if text is not None:
        path.write_text(text)
    result = node.run("restore", "--last", "--pull-secret", path, code=1 if text is None else 2, **ALONE)
    assert says in result.stderr and "s3cret" not in result.stderr and "czNjcmV0" not in result.stderr
    assert image.id not in node.containerd.ids()
