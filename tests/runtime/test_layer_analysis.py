"""`imagesweep analyze --layers` on services that all copy one context and install the same libraries, before and after
they share a base, and `analyze --compare` of the two documents."""
import json
import random
import types

import pytest

from lab import agent, images

MIB = 1 << 20
SERVICES = 22
CONTEXT = "COPY . /app # buildkit"
INSTALL = "RUN /bin/sh -c pip install torch==2.1.0 # buildkit"


def noise(seed, size):
    return random.Random(seed).randbytes(size)


class Project:
    """Images of one project: a copied context, a large library, and a small layer of each service."""

    def __init__(self, node):
        self.node, self.pause = node, images.pause_layer(node.workdir.path)
        self.context, self.library = noise("context", 2 * MIB), noise("torch", MIB + MIB // 2)

    def build(self, name, *steps):
        """One image of (instruction, layer) pairs on the pause layer."""
        archive = images.Archive()
        layers, history = [self.pause, *(tar for _, tar in steps)], ["COPY /pause /pause", *(text for text, _ in steps)]
        image = archive.add(f"registry.example/shop/{name}:v1", layers, history=history)
        self.node.containerd.load(archive, pulled=[image])
        return image

    def copied(self, mtime):
        """The context as a build copies it: the same files with another time."""
        return touched({"app/backend.bin": self.context}, mtime)

    def installed(self, mtime):
        return touched({"usr/lib/python3/site-packages/torch/libtorch.so": self.library}, mtime)

    def own(self, name):
        return images.layer({f"etc/{name}.conf": name.encode() * 20})

    def bloated(self):
        return [self.build(f"service-{number:02}", (INSTALL, self.installed(number)), (CONTEXT, self.copied(number)),
                           ("COPY service.conf /etc/", self.own(f"service-{number:02}"))) for number in range(SERVICES)]

    def repaired(self):
        installed, copied = self.installed(0), self.copied(0)
        return [self.build(f"service-{number:02}", (INSTALL, installed), (CONTEXT, copied),
                           ("COPY service.conf /etc/", self.own(f"repaired-{number:02}"))) for number in range(SERVICES)]


def touched(files, mtime):
    """A layer with the same files, written at another time: the same size, but another digest."""
    before, images.MTIME = images.MTIME, images.MTIME + 60 * mtime
    try:
        return images.layer(files)
    finally:
        images.MTIME = before


@pytest.fixture
def project(node):
    return Project(node)


def analyze(node, *arguments, output="json"):
    out = agent.run("analyze", "--layers", f"--runtime-endpoint={node.containerd.endpoint}", "--node-name=node1", "-o",
                    output, *arguments).stdout
    return json.loads(out) if output == "json" else out


def saved(document, path):
    path.write_text(json.dumps(document))
    return path


def compare(before, after, output="json", code=0):
    return agent.run("analyze", "--compare", before, after, "-o", output, code=code)


def measures(comparison):
    return {one["name"]: types.SimpleNamespace(**one) for one in comparison["measures"]}


# S4
def test_services_that_copy_one_context_and_the_same_with_a_shared_base(node, project, tmp_path):
    bloated = project.bloated()
    before = analyze(node, "--limit=100")
    assert (before["kind"], before["node"], before["unread"]) == ("LayerAnalysis", "node1", [])
    assert before["totals"]["imagesWithoutHistory"] == 0

    # The context is named, with all services and the savings of one copy.
    context, library = before["lookAlikes"][:2]
    assert context["instruction"] == "COPY . /app" and not context["identical"] and context["sameInstruction"]
    assert context["layers"] == len(context["repositories"]) == SERVICES
    assert context["bytes"] * (SERVICES - 1) == context["savedBytes"] >= 2 * MIB * (SERVICES - 1)
    # The library too.
    assert library["instruction"] == "RUN /bin/sh -c pip install torch==2.1.0"
    assert library["layers"] == SERVICES and library["savedBytes"] == library["bytes"] * (SERVICES - 1)
    heaviest = before["heaviestLayers"][:2 * SERVICES]
    assert [layer["instruction"] for layer in heaviest] == \
        ["COPY . /app"] * SERVICES + ["RUN /bin/sh -c pip install torch==2.1.0"] * SERVICES
    assert all(len(layer["images"]) == 1 for layer in heaviest)
    by_line = before["heaviestInstructions"][:2]
    assert [(line["layers"], len(line["images"])) for line in by_line] == [(SERVICES, SERVICES)] * 2
    advice = before["advice"][0]
    assert advice["kind"] == "share-layer" and advice["bytes"] == context["savedBytes"]
    assert f"{SERVICES} images have separate layers from \"COPY . /app\"" in advice["text"]

    table = analyze(node, "--limit=3", output="table")
    print(table)
    for expected in ("Reuse ratio", "COPY . /app", "pip install torch==2.1.0", "more; --limit shows them"):
        assert expected in table
    assert "| Saves | Layers |" in analyze(node, output="markdown")

    # The same services again, from one base.
    for image in bloated:
        node.containerd.cri.remove_image(image.id)
    project.repaired()
    after = analyze(node, "--limit=100")
    assert after["lookAlikes"] == [] and after["totals"]["savableBytes"] == 0
    shared = next(layer for layer in after["heaviestLayers"] if layer["instruction"] == "COPY . /app")
    assert len(shared["images"]) == SERVICES
    assert not [one for one in after["advice"] if one["kind"] == "share-layer"]

    files = saved(before, tmp_path / "before.json"), saved(after, tmp_path / "after.json")
    change = measures(json.loads(compare(*files).stdout))
    ratio, reuse, disk = (change[name] for name in ("Reuse ratio", "Layer reuse", "On disk, each layer once"))
    print(compare(*files, output="table").stdout)
    assert ratio.before < 1.5 and ratio.after > 8
    assert reuse.before < 30 and 80 < reuse.after < 100, "what the repair promises: 80 to 90 percent and more"
    assert disk.changePercent < -80
    # The change saved as much as the first document said for one base, and also the compressed layers.
    assert -disk.change >= change["Look-alike layers would save"].before
    assert change["Images"].change == 0


# S4
def test_images_equal_but_for_a_tag_or_the_configuration_and_bases_of_two_patch_versions(node, project):
    def build(names, python, main=None, **extra):
        archive = images.Archive()
        layers = [project.pause, images.layer({}, seed=f"python-{python}", size=2 * MIB)]
        history = ["COPY /pause /pause", "RUN make install"]
        if main:
            layers.append(images.layer({}, seed=main, size=MIB))
            history.append(f"COPY {main} /")
        image = archive.add(names, layers, history=history, **extra)
        node.containerd.load(archive, pulled=[image])

    for python in ("3.11.4", "3.11.9"):
        build(f"registry.example/python:{python}", python)
    build(["registry.example/shop/api:v1", "registry.example/shop/api:stable"], "3.11.4", "api.py")
    build("registry.example/shop/again:v1", "3.11.4", "api.py", labels={"built": "later"})
    build("registry.example/shop/web:v1", "3.11.9", "web.py")
    document = analyze(node)
    assert [one["what"] for one in document["manyTags"]] == ["registry.example/shop/api: stable, v1"]
    twins = document["sameLayers"][0]["images"]
    assert len(twins) == 2 and twins[0] == "registry.example/shop/again:v1"
    versions = next(one for one in document["patchVersions"] if one["what"].startswith("registry.example/python"))
    assert versions["what"] == "registry.example/python 3.11: 3.11.4, 3.11.9"
    assert versions["savedBytes"] >= 2 * MIB, "one of the two bases"
    told = {one["kind"]: one["text"] for one in document["advice"]}
    assert "Extra tags take no space" in told["many-tags"] and "Build one image" in told["same-layers"]
    assert "3.11.4, 3.11.9. Move them to one version" in told["patch-versions"]


def test_figures_of_df_and_of_reports_are_compared_too(node, project, tmp_path):
    """Documents as the other commands write them."""
    image = project.build("idle", (CONTEXT, project.copied(0)))

    def df(name):
        out = agent.run("df", "-o", "json", f"--runtime-endpoint={node.containerd.endpoint}").stdout
        return saved(json.loads(out), tmp_path / name)

    before = df("df-1.json")
    reports = [saved(node.json("sweep"), tmp_path / "dry.json")]
    node.containerd.cri.remove_image(image.id)
    after = df("df-2.json")
    reports.append(saved(node.json("sweep"), tmp_path / "dry-2.json"))
    idle = measures(json.loads(compare(before, after).stdout))["idle"]
    assert idle.change <= -4 * MIB, "unpacked, and as it came"
    sweeps = measures(json.loads(compare(*reports).stdout))
    assert sweeps["Images after the run"].change == -1

    wrong = compare(before, reports[0], code=2)
    assert "of kind DiskUse" in wrong.stderr and "of kind SweepReport" in wrong.stderr


def test_names_a_file_that_is_no_document(tmp_path):
    text, listing = tmp_path / "text.json", tmp_path / "list.json"
    text.write_text("Layers of node1\n")
    saved({"apiVersion": "imagesweep/v1alpha1", "kind": "ImageList"}, listing)
    for file, code, complaint in ((tmp_path / "none.json", 1, "none.json: No such file"),
                                  (tmp_path, 1, ": Is a directory"),
                                  (text, 2, "text.json: is not JSON"),
                                  (listing, 2, "list.json: is of kind ImageList, which cannot be compared")):
        result = compare(file, file, code=code)
        assert complaint in result.stderr and result.stdout == ""


def test_flags_that_do_not_go_together():
    for flags, complaint in ((("--limit=3",), "--limit requires --layers"),
                             (("--layers", "--limit=0"), "--limit"),
                             (("--layers", "--compare", "a", "b"), "excludes"),
                             (("--compare", "a"), "--compare"),
                             (("--compare", "a", "b", "--kubeconfig=c"), "--kubeconfig is not supported"),
                             (("--layers", "-o", "name"), "-o name is not supported by analyze --layers")):
        assert complaint in agent.run("analyze", *flags, code=2).stderr
