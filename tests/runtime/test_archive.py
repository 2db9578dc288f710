"""Images that cannot be pulled again are archived before their removal, and `restore` brings them back."""
import io
import json
import os
import tarfile

import pytest

from lab import images
from lab.agent import outcomes
from lab.cell import wait_until

ALONE = {"kubeconfig": None, "policy_file": None, "node_name": None}


@pytest.fixture
def archives(node):
    """The directory of archives in the state directory, where restore looks by default."""
    directory = node.state / "archive"
    write_policy(node, directory)
    return directory


def write_policy(node, directory, size="1Gi"):
    node.write_policy(keep={"localOnly": "Never", "archive": {"path": str(directory), "maxSize": size}})


def path_of(directory, image):
    return directory / f"{image.id.replace(':', '-')}.tar"


def sweep(node, *gone, code=0):
    node.age()
    report = node.sweep(code=code)
    assert {image for image, outcome in outcomes(report).items() if outcome == "Removed"} == \
        {image.id for image in gone}
    assert wait_until(lambda: not node.containerd.ids() & {image.id for image in gone}, 10)
    return report


def restore(node, *arguments, code=0):
    if "--dry-run" not in arguments:
        arguments = (*arguments, "--dry-run=false")
    report = node.json("restore", *arguments, code=code, **ALONE)
    return {image["id"]: image["outcome"] for image in report["images"]}, \
        {image["id"]: image["error"] for image in report["images"]}


def names(node, image):
    return {name for listed in node.containerd.cri.images() if listed.id == image.id for name in listed.repo_tags}


def records(node):
    """The names of containerd's records, and the digests of its blobs."""
    return set(node.containerd.ctr("images", "ls", "-q").split()), \
        set(node.containerd.ctr("content", "ls", "-q").split())


def leases(node):
    return set(node.containerd.ctr("leases", "ls", "-q").split())


def test_goes_into_an_archive_and_comes_back_with_all_its_names_and_runs(node, archives):
    image = node.load("registry.example/built:v1", "registry.example/built:latest", local=True, size=5 << 20)
    before, labels = records(node), content_labels(node, image)
    parts = {image.digest, *labels.values()}
    assert image.id in parts and len(parts) == 4  # manifest, configuration and two layers
    sweep(node, image)
    assert {name for name in os.listdir(archives)} == {path_of(archives, image).name}
    assert path_of(archives, image).stat().st_mode & 0o777 == 0o600
    assert restore(node, "--last", "--dry-run") == ({image.id: "WouldRestore"}, {image.id: ""})
    assert restore(node, "--last") == ({image.id: "Restored"}, {image.id: ""})
    assert names(node, image) == set(image.names)
    assert wait_until(lambda: records(node)[0] == before[0], 10), records(node)[0] ^ before[0]
    assert records(node)[1] >= parts and content_labels(node, image) == labels
    # The garbage collector leaves it alone, and a container starts from it.
    other = node.load("registry.example/other:v1", local=True)
    node.containerd.cri.remove_image(other.id)
    assert records(node)[1] >= parts
    node.start_pod("built", image)
    assert restore(node, "--last") == ({image.id: "AlreadyHere"}, {image.id: ""})


def test_an_archive_is_an_image_layout_that_others_read(node, archives):
    image = node.load("registry.example/built:v1", "two.example/built:v2", local=True)
    sweep(node, image)
    with tarfile.open(path_of(archives, image)) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive.getmembers()}
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    entries = json.loads(files["index.json"])["manifests"]
    assert {entry["annotations"]["io.containerd.image.name"] for entry in entries} == set(image.names)
    assert {entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries} == {"v1", "v2"}
    assert {entry["digest"] for entry in entries} == {image.digest}
    assert f"blobs/{image.id.replace(':', '/')}" in files
    node.containerd.ctr("images", "import", *node.containerd.import_flags, str(path_of(archives, image)))
    assert wait_until(lambda: names(node, image) == set(image.names), 10)


def test_does_not_archive_images_that_can_be_pulled(node, archives):
    image = node.load("registry.example/pulled:v1")
    sweep(node, image)
    assert not archives.exists() or not os.listdir(archives)


def skipped_of(report):
    """id -> reason, from a SweepReport."""
    return {outcome["id"]: outcome["error"] for outcome in report["outcomes"] if outcome["outcome"] == "Skipped"}


def test_keeps_all_archives_of_one_run(node, archives):
    built = [node.load(f"registry.example/built{number}:v1", local=True, size=2 << 20) for number in range(3)]
    write_policy(node, archives, size="5Mi")
    node.age()
    report = node.sweep()
    skipped = skipped_of(report)
    (stays,) = [image for image in built if image.id in skipped]
    assert "keep.archive.maxSize (5.0MiB) is used up by this run" in skipped[stays.id]
    gone = [image for image in built if image != stays]
    assert {image for image, outcome in outcomes(report).items() if outcome == "Removed"} == {image.id for image in gone}
    assert stays.id in node.containerd.ids()
    assert set(os.listdir(archives)) == {path_of(archives, image).name for image in gone}


def test_an_image_that_cannot_be_archived_stays(node, archives):
    image, small = (node.load(f"registry.example/{name}:v1", local=True, size=size)
                    for name, size in (("large", 6 << 20), ("small", 0)))
    write_policy(node, archives, size="4Mi")
    skipped = skipped_of(sweep(node, small))
    assert set(skipped) == {image.id}
    assert "more than keep.archive.maxSize allows (4.0MiB)" in skipped[image.id]
    assert image.id in node.containerd.ids()
    assert os.listdir(archives) == [path_of(archives, small).name]


def test_an_image_whose_layers_containerd_has_dropped_stays(node, archives):
    image = node.load("registry.example/built:v1", local=True)
    layer = content_labels(node, image)["containerd.io/gc.ref.content.l.1"]
    node.containerd.ctr("content", "rm", layer)
    skipped = skipped_of(sweep(node))
    assert f"containerd no longer has blob {layer};" in skipped[image.id]
    assert image.id in node.containerd.ids()
    assert os.listdir(archives) == []


def content_labels(node, image):
    """The content labels of the image's manifest: the blobs that it refers to."""
    line = next(line for line in node.containerd.ctr("content", "ls").splitlines() if line.startswith(image.digest))
    labels = dict(label.split("=", 1) for label in line.split()[-1].split(","))
    return {key: value for key, value in labels.items() if key.startswith("containerd.io/gc.ref.content.")}


def test_deletes_the_oldest_archives_to_free_space(node, archives):
    built = [node.load(f"registry.example/built{number}:v1", local=True, size=2 << 20) for number in range(3)]
    for image in built:
        node.write_policy(keep={"localOnly": "Never", "archive": {"path": str(archives), "maxSize": "5Mi"},
                                "images": [other.names[0].rpartition(":")[0] for other in built if other != image]})
        sweep(node, image)
    assert set(os.listdir(archives)) == {path_of(archives, image).name for image in built[1:]}
    outcome, error = restore(node, "--image", built[0].names[0], code=1)
    assert outcome == {built[0].id: "CannotComeBack"} and "has no archive of it" in error[built[0].id]
    assert restore(node, "--image", built[2].names[0])[0] == {built[2].id: "Restored"}


def spoil(content):
    """Changes one byte of the largest blob."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        at = max(archive.getmembers(), key=lambda member: member.size).offset_data
    return content[:at + 100] + bytes([content[at + 100] ^ 1]) + content[at + 101:]


@pytest.mark.parametrize("damage, says", [
    (lambda content: content[:len(content) // 2], "the file is truncated"),
    (lambda content: spoil(content), "is damaged: the digest of blobs/sha256/"),
    (lambda content: b"", "the file is truncated"),
    (lambda content: b"no tar file" * 100, "not a tar file, or damaged"),
])
def test_a_damaged_archive_is_refused_and_leaves_nothing(node, archives, damage, says):
    image = node.load("registry.example/built:v1", local=True)
    sweep(node, image)
    path, before = path_of(archives, image), (records(node), leases(node))
    path.write_bytes(damage(path.read_bytes()))
    outcome, error = restore(node, "--last", code=1)
    assert outcome == {image.id: "Failed"} and says in error[image.id] and str(path) in error[image.id]
    assert (records(node), leases(node)) == before


def test_an_archive_of_another_image_is_refused(node, archives):
    one, two = (node.load(f"registry.example/{name}:v1", local=True) for name in ("one", "two"))
    sweep(node, one, two)
    path_of(archives, one).write_bytes(path_of(archives, two).read_bytes())
    outcome, error = restore(node, "--last", code=1)
    assert outcome == {one.id: "Failed", two.id: "Restored"}
    assert f'the archive names "{two.names[0]}", which the journal does not list for this image' in error[one.id]


def with_manifest(content, name, image_content=None):
    """The archive CONTENT with one more entry in its index: NAME for its own image, or for the image of IMAGE_CONTENT.
    """
    def files(text):
        with tarfile.open(fileobj=io.BytesIO(text)) as archive:
            return {member.name: archive.extractfile(member).read() for member in archive.getmembers()}
    mine, other = files(content), files(image_content or content)
    index = json.loads(mine["index.json"])
    entry = json.loads(other["index.json"])["manifests"][0]
    index["manifests"].append({**entry, "annotations": {"io.containerd.image.name": name}})
    mine = {**other, **mine, "index.json": json.dumps(index).encode()}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, text in mine.items():
            member = tarfile.TarInfo(path)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return out.getvalue()


def test_an_archive_with_a_name_that_the_journal_lacks_is_refused_whole(node, archives):
    image, other = (node.load(f"registry.example/{name}:v1", local=True) for name in ("built", "evil"))
    sweep(node, image, other)
    path, before = path_of(archives, image), records(node)
    whole, evil = path.read_bytes(), path_of(archives, other).read_bytes()
    path.write_bytes(with_manifest(whole, "registry.k8s.io/kube-proxy:v1.34.0"))
    outcome, error = restore(node, "--image", image.id, code=1)
    assert outcome == {image.id: "Failed"} and records(node) == before
    assert 'the archive names "registry.k8s.io/kube-proxy:v1.34.0"' in error[image.id]
    path.write_bytes(with_manifest(whole, "registry.example/built:v1", evil))  # its own name, for another image
    outcome, error = restore(node, "--image", image.id, code=1)
    assert outcome == {image.id: "Failed"} and records(node) == before
    assert "the archive contains another image than" in error[image.id]


@pytest.mark.parametrize("make, says", [
    (lambda path: os.mkfifo(path), "not a regular file"),
    (lambda path: os.symlink("/etc/hostname", path), "Too many levels of symbolic links"),
    (lambda path: os.mkdir(path), "not a regular file"),
])
def test_reads_only_regular_files(node, archives, make, says):
    image = node.load("registry.example/built:v1", local=True)
    sweep(node, image)
    path_of(archives, image).unlink()
    make(path_of(archives, image))
    outcome, error = restore(node, "--last", code=1)
    assert outcome == {image.id: "Failed"} and says in error[image.id]


def test_finds_archives_by_flag_and_by_policy(node, tmp_path):
    image = node.load("registry.example/built:v1", local=True)
    write_policy(node, tmp_path / "elsewhere")
    sweep(node, image)
    assert restore(node, "--last", "--dry-run", code=1)[0] == {image.id: "CannotComeBack"}
    assert restore(node, "--last", "--dry-run", f"--policy-file={node.policy_file}")[0] == {image.id: "WouldRestore"}
    assert restore(node, "--last", f"--archive-dir={tmp_path / 'elsewhere'}")[0] == {image.id: "Restored"}
