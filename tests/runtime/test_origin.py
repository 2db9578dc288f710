"""The origin of an image for every way to bring one in: the traces that it leaves in containerd, and the resulting
verdict."""
import pytest

from lab import images
from lab.cell import wait_until
from lab.registry import Registry

pytestmark = pytest.mark.every_containerd


class Ways:
    """Ways to bring images into NODE. Some use a registry in its cell."""

    def __init__(self, node):
        self.node, self.containerd, self.registry = node, node.containerd, Registry(node.containerd)
        self._base, self._number = images.pause_layer(node.workdir.path), 0

    def make(self, *names):
        self._number += 1
        archive = images.Archive()
        return archive, archive.add(names, [self._base, images.layer({"number": str(self._number).encode()},
                                                                    (names, self._number))])

    def push(self, path):
        """An image that only the registry has."""
        archive, image = self.make(self.registry.name(path))
        self.registry.push(archive, image)
        return image

    def pull(self, path, by_digest=False):
        image = self.push(path)
        self.containerd.cri.pull(image.digest_references[0] if by_digest else image.names[0])
        return self.listed(image)

    def load(self, name, *flags):
        """As `ctr images import` with FLAGS, with which kind and scripts load images."""
        archive, image = self.make(name)
        path = archive.write(self.node.workdir.path / "import.tar")
        self.containerd.ctr("images", "import", *flags, *self.containerd.import_flags, str(path))
        return self.listed(image)

    def tag(self, image, name):
        self.containerd.ctr("images", "tag", image.names[0], name)
        assert wait_until(lambda: name in self.origin(image)["all"], 10)

    def listed(self, image):
        assert wait_until(lambda: image.id in self.containerd.ids(), 10)
        return image

    def origin(self, image):
        listed = next(one for one in self.node.json("images")["images"] if one["id"] == image.id)
        return {**listed["origin"], "all": listed["names"] + listed["digests"], "code": listed["code"]}

    def kind(self, image):
        return self.origin(image)["kind"]


@pytest.fixture
def ways(node):
    return Ways(node)


def removed(report):
    return {outcome["id"] for outcome in report["outcomes"] if outcome["outcome"] == "Removed"}


def test_pulls_prove_an_origin_and_imports_do_not(ways):
    by_tag, by_digest = ways.pull("shop/tagged:v1"), ways.pull("shop/pinned:v1", by_digest=True)
    plain = ways.load("registry.example/team/airgap:v1")
    with_digests = ways.load("docker.io/library/mybuild:dev", "--digests")
    with_base = ways.load("registry.example/team/based:v1", "--digests", "--base-name", "registry.example/team/based")
    pulled_by_ctr = ways.push("shop/ctr:v1")
    ways.containerd.cell.run(*ways.containerd.ctr_command("images", "pull", "--plain-http", *ways.containerd.import_flags,
                                                          pulled_by_ctr.names[0]))
    ways.listed(pulled_by_ctr)
    kinds = {image.names[0]: ways.kind(image) for image in (by_tag, by_digest, plain, with_digests, with_base, pulled_by_ctr)}
    assert kinds == {by_tag.names[0]: "Pulled", by_digest.names[0]: "Pulled", plain.names[0]: "Local",
                     with_digests.names[0]: "Unknown", with_base.names[0]: "Unknown", pulled_by_ctr.names[0]: "Local"}
    assert "127.0.0.1/shop/tagged" in ways.origin(by_tag)["evidence"]
    text = ways.node.run("explain", by_tag.names[0]).stdout
    assert "origin   Pulled: containerd pulled it from 127.0.0.1/shop/tagged" in text
    assert "ORIGIN" in ways.node.run("images", "-o", "wide").stdout
    ways.node.age()
    assert removed(ways.node.sweep()) == {by_tag.id, by_digest.id}


@pytest.mark.parametrize("record", ["overlayfs", "stargz", "moby-dangling", "import-2026-11-20"])
def test_records_of_snapshotters_and_builders_prove_nothing(ways, record):
    image = ways.load("docker.io/team/airgap:2.7.1")
    ways.containerd.ctr("images", "tag", image.names[0], f"{record}@{image.digest}")
    assert wait_until(lambda: len(ways.origin(image)["all"]) == 2, 10)
    assert ways.kind(image) == "Unknown" and ways.origin(image)["code"] == "LocalOnly"
    ways.node.age()
    assert removed(ways.node.sweep()) == set()


def test_a_name_that_only_the_node_has_keeps_a_pulled_image(ways):
    image = ways.pull("shop/app:v1")
    ways.tag(image, ways.registry.name("shop/app:stable"))
    assert ways.kind(image) == "Pulled", "another tag of the same repository"
    ways.tag(image, "registry.example/golden/app:v1")
    assert ways.kind(image) == "Unknown"
    assert "registry.example/golden/app:v1" in ways.origin(image)["evidence"]
    ways.node.age()
    assert removed(ways.node.sweep()) == set()


def test_a_push_leaves_no_evidence(ways):
    image = ways.load(ways.registry.name("shop/built:v1"))
    ways.containerd.cell.run(*ways.containerd.ctr_command("images", "push", "--plain-http", image.names[0]))
    assert ways.kind(image) == "Local"


def test_labels_that_were_lost_leave_it_unknown_until_the_next_pull(ways):
    image = ways.pull("shop/app:v1")
    ways.containerd.ctr("content", "label", image.digest, "containerd.io/distribution.source.127.0.0.1=")
    assert ways.kind(image) == "Unknown"
    ways.containerd.cri.pull(image.names[0])
    assert ways.kind(image) == "Pulled"


def test_pruned_references_of_content_do_not_make_an_image_that_was_imported_pullable(ways):
    pulled, loaded = ways.pull("shop/app:v1"), ways.load("docker.io/library/mybuild:dev", "--digests")
    ways.containerd.ctr("content", "prune", "references")
    assert (ways.kind(pulled), ways.kind(loaded)) == ("Pulled", "Unknown")


def test_has_no_evidence_after_an_export_and_import(ways):
    image = ways.pull("shop/app:v1", by_digest=True)
    reference, archive = image.digest_references[0], ways.node.workdir.path / "export.tar"
    ways.containerd.ctr("images", "export", str(archive), reference)
    for record in (reference, image.id):
        ways.containerd.ctr("images", "rm", "--sync", record)
    assert wait_until(lambda: image.id not in ways.containerd.ids(), 10)
    ways.containerd.ctr("images", "import", *ways.containerd.import_flags, str(archive))
    ways.listed(image)
    assert ways.origin(image)["all"] == [reference] and ways.kind(image) == "Unknown"


# If a removal is killed between two records, some of them remain.
@pytest.mark.parametrize("left", ["tag", "digest", "id"])
def test_judges_leftovers_of_a_killed_removal_by_their_evidence(ways, left):
    image = ways.pull("shop/app:v1")
    records = {"tag": image.names[0], "digest": image.digest_references[0], "id": image.id}
    for name, record in records.items():
        if name != left:
            ways.containerd.ctr("images", "rm", record)
    names = {"tag": {records["tag"]}, "digest": {records["digest"]}, "id": set()}[left]
    assert wait_until(lambda: set(ways.origin(image)["all"]) == names, 10), ways.origin(image)
    # The journal restores the digest after a removal by imagesweep. Otherwise a pull does.
    assert ways.kind(image) == ("Pulled" if left == "digest" else "Local")
    ways.containerd.cri.pull(image.digest_references[0])
    assert wait_until(lambda: ways.kind(image) == "Pulled", 10)
    ways.node.age()
    assert removed(ways.node.sweep()) == {image.id}
