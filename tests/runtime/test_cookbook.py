"""Every recipe of the cookbook, unchanged, on a node whose disk is 90 % full: it keeps the images that it promises to
keep.

The images are ten days old and idle, except for those that something needs. Unwatched time without a use counts,
because the recipes are about the observations of an agent.
"""
import contextlib
import datetime
import os
import pathlib
import re
import sqlite3
import zoneinfo

import pytest

from lab import cri
from lab.cell import wait_until
from lab.containerd import LATEST
from runtime.conftest import node_on_a_disk

MIB = 1 << 20
ROOT = pathlib.Path(__file__).resolve().parents[2]
DAY = 24 * 3600 * 10**9
SHOP, BUILT = "registry.example.com/shop", "registry.example.com/built"

NEEDED = {"in use", "exited container", "pending pod", "scaled to zero", "CronJob"}
PULLED = {  # not needed, and a registry has it
    "api v4": f"{SHOP}/api:v4", "api v3": f"{SHOP}/api:v3", "api v2": f"{SHOP}/api:v2", "api v1": f"{SHOP}/api:v1",
    "idle v2": "quay.io/team/idle:v2", "idle v1": "quay.io/team/idle:v1", "idle v0": "quay.io/team/idle:v0",
    "golang": "docker.io/library/golang:1.22", "CI base": "registry.example.com/ci/base/go:1",
    "k8s": "registry.k8s.io/etcd:3.5", "latest": "quay.io/team/tool:latest", "stable": "quay.io/team/other:stable-1"}
LOCAL = {"localhost": "localhost/tool:v1", "built": f"{BUILT}/one:v1", "built v2": f"{BUILT}/two:v2",
         "built v1": f"{BUILT}/two:v1"}
YOUNG = {"young": "quay.io/team/young:v1"}
API = {"api v4", "api v3", "api v2", "api v1"}
ALL = {*PULLED, *LOCAL, *YOUNG}

# (heading, number of the block below it) -> images that it keeps besides the needed ones, and images to remove
RECIPES = {
    ("Keep the last N of each repository", 0): ({"api v4", "api v3", *LOCAL, "young"}, {"api v2", "api v1"}),
    ("Keep the last N of each repository", 1): ({"api v4", "idle v2", "idle v1", "golang", *LOCAL, "young"},
                                                {"api v3", "api v2", "idle v0"}),
    ("CI nodes", 0): ({"golang", "CI base", "built", "built v2", "young"}, {"idle v1", "k8s", "built v1"}),
    ("A Docker or CI host without Kubernetes", 0): ({"CI base", "latest", "localhost", "built", "built v2", "young"},
                                                    {"built v1", "idle v0", "k8s"}),
    ("Air-gapped, or images loaded by hand", 0): (ALL, set()),  # registry.example.com confirms nothing
    ("Minikube, kind: everything is built locally", 0): ({"built", "built v2", "localhost", "young"}, {"built v1"}),
    ("By disk pressure only", 0): ({*LOCAL, "young"}, {"idle v0"}),
    ("Different nodes, different policies", 0): (ALL, set()),
    ("Images that grew too large", 0): (ALL, set()),
    ("Two phases: marked first, removed later", 0): ({*LOCAL, "young"}, {"idle v0"}),
    ("Like crictl rmi --prune, but safe", 0): ({*LOCAL, "young"}, set(PULLED)),
    ("Registries never to touch", 0): ({*API, "k8s", "CI base", "latest", "stable", *LOCAL, "young"}, {"idle v0"}),
    ("Keep what a rollback, scale-up or CronJob will need", 0): ({*LOCAL, "young"}, {"idle v0"}),
    ("Remove what no registry has, and keep an archive of it", 0): ({"young"}, {"built", "localhost"}),
    ("Emergency stop", 0): (ALL, set()),
}
WINDOWS = ("Maintenance windows", 0)


def recipes():
    """(heading, number) -> text, for every block of the page that is a policy."""
    found = {}
    for part in (ROOT / "docs/policy-cookbook.md").read_text().split("\n## ")[1:]:
        heading = part.partition("\n")[0].replace("`", "")
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", part, re.S)):
            found[heading, number] = text
    return found


def test_every_recipe_is_tried():
    assert set(recipes()) == {*RECIPES, WINDOWS}


def workload(kind, name, spec):
    group = "batch/v1" if kind == "CronJob" else "apps/v1"
    return {"apiVersion": group, "kind": kind, "metadata": {"namespace": "shop", "name": name, "uid": f"uid-{name}"},
            "spec": spec}


def template(image):
    return {"spec": {"containers": [{"name": "c", "image": image.names[0]}]}}


def put_workloads(node, images):
    node.api.put(workload("Deployment", "idle", {"replicas": 0, "template": template(images["scaled to zero"])}))
    node.api.put(workload("CronJob", "nightly", {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {
        "template": template(images["CronJob"])}}}))
    node.api.put({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "pending", "uid": "uid-p"},
                  "spec": {"nodeName": "node1",
                           "containers": [{"name": "c", "image": images["pending pod"].names[0]}]},
                  "status": {"phase": "Pending"}})


def grow_old(node):
    """Makes all observations ten days older."""
    with contextlib.closing(sqlite3.connect(node.state / "ledger.db")) as ledger, ledger:
        ledger.execute("UPDATE image SET first_seen_ns = first_seen_ns - ?", (10 * DAY,))
        ledger.execute("UPDATE image SET last_used_ns = last_used_ns - ? WHERE last_used_ns IS NOT NULL", (10 * DAY,))
        ledger.execute("UPDATE look SET observed_ns = observed_ns + ?", (10 * DAY,))


def fill(node, percent):
    """Writes a file beside containerd until this share of the disk is used, as df counts it."""
    seen = os.statvfs(node.containerd.root)
    used = (seen.f_blocks - seen.f_bfree) * seen.f_frsize
    usable = used + seen.f_bavail * seen.f_frsize
    with open(node.containerd.root.parent / "filler", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, int(usable * percent / 100) - used + MIB)


@pytest.fixture
def crowded(containerd_version):
    """(node, name -> image): all but the young ones are old."""
    with node_on_a_disk(containerd_version, 512 * MIB) as node:
        images = {"in use": node.load(f"{SHOP}/api:v5", size=MIB)}
        node.start_pod("api-0", images["in use"])
        for need in sorted(NEEDED - {"in use"}):
            images[need] = node.load(f"quay.io/needed/{need.replace(' ', '-').lower()}:v1", size=MIB)
        node.start_pod("done-0", images["exited container"], state=cri.EXITED)
        put_workloads(node, images)
        for name, reference in PULLED.items():
            images[name] = node.load(reference, size=MIB)
        for name, reference in LOCAL.items():
            images[name] = node.load(reference, size=MIB, local=True)
        node.json("images")
        grow_old(node)
        images["young"] = node.load(YOUNG["young"], size=MIB)
        node.json("images")
        fill(node, 90)
        yield node, images


def swept(node, images, text, *arguments, expected=()):
    """The names of the remaining images after the runs that remove EXPECTED, at most three."""
    node.policy_file.write_text(text.replace("/state/archive", str(node.workdir.path / "archive")))
    seen = os.statvfs(node.containerd.root)
    assert 100 * (1 - seen.f_bavail / (seen.f_blocks - seen.f_bfree + seen.f_bavail)) >= 89

    def left():
        ids = node.containerd.ids()
        return {name for name, image in images.items() if image.id in ids}
    for _ in range(3):
        result = node.run("sweep", *arguments, "-o", "json", code=None)
        assert result.returncode in (0, 3), result.stdout + result.stderr
        if not set(expected) & left():
            break
    return left(), result


@pytest.mark.containerd(LATEST)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe[0]} {recipe[1]}")
def test_a_recipe_keeps_what_it_says(crowded, recipe):
    node, images = crowded
    kept, gone = RECIPES[recipe]
    # If nothing is to be removed, the policy itself must ensure that, and not the command.
    real = ["--dry-run=false"] if gone or recipe[0].startswith("Air-gapped") else []
    left, result = swept(node, images, recipes()[recipe], *real, expected=gone)
    assert NEEDED | kept <= left, (sorted((NEEDED | kept) - left), result.stdout)
    assert not gone & left, (sorted(gone & left), result.stdout)
    assert {node.pause.id, node.system.id} <= node.containerd.ids()


@pytest.mark.containerd(LATEST)
def test_outside_its_windows_a_policy_keeps_everything(crowded):
    node, images = crowded
    now = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Berlin"))
    tomorrow = (now + datetime.timedelta(days=2)).strftime("%a")
    text = re.sub(r"days: \[[^]]*\]", f"days: [{tomorrow}]", recipes()[WINDOWS])
    left, result = swept(node, images, text, "--dry-run=false")
    assert left == set(images), result.stdout


@pytest.mark.containerd(LATEST)
def test_restores_images_that_the_archive_recipe_removed(crowded):
    node, images = crowded
    recipe = "Remove what no registry has, and keep an archive of it", 0
    swept(node, images, recipes()[recipe], "--dry-run=false", expected={"built"})
    (node.containerd.root.parent / "filler").unlink()  # restore leaves the space of the kubelet free
    node.run("restore", "--image", LOCAL["built"], "--dry-run=false")
    assert wait_until(lambda: images["built"].id in node.containerd.ids(), 10)
