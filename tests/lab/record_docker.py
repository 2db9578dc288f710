"""Records what a real dockerd answers, for tests of the client of the Docker Engine API.

    python3 -m lab.record_docker [20.10 | 29]…      writes tests/support/docker/docker-VERSION.json

Run it in tests/. Each answer has the key of what it shows. README.md beside the recordings says what is cut.
"""
import json
import pathlib
import re
import sys
import time

from lab import images
from lab.dockerd import CREATED, DEBIAN, EXITED, LATEST, RUNNING, Dockerd
from lab.registry import Registry
from lab.workdir import Workdir

OUTPUT = pathlib.Path(__file__).resolve().parent.parent / "support/docker"
FORWARDED = ("Api-Version", "Content-Type", "Server")
# Of the long answers, only these fields. The rest describes the machine or the settings of a process.
INFO = ("ID", "Name", "ServerVersion", "OperatingSystem", "OSType", "Architecture", "Driver", "DriverStatus",
        "DockerRootDir", "Containers", "ContainersRunning", "ContainersPaused", "ContainersStopped", "Images", "Labels",
        "DefaultRuntime", "Containerd", "Warnings")
CONTAINER = ("Id", "Created", "State", "Image", "ImageManifestDescriptor", "Name", "Driver", "Platform", "Storage",
             "RestartCount")
CONFIG = ("Image", "Labels", "Entrypoint", "Cmd")


class Recorder:
    """Keeps answers in `answers`. `api` is the beginning of the paths of the daemon's newest API version."""

    def __init__(self, dockerd):
        self._dockerd, self.answers = dockerd, {}
        self.api = "/v" + dockerd.request("GET", "/_ping").headers["Api-Version"]

    def record(self, key, method, path, cut=None, versioned=True, **query):
        """Sends a request and keeps the answer under KEY. CUT reduces a JSON body to what matters."""
        target = self.api + path if versioned else path
        answer = self._dockerd.request(method, target, check=False, **query)
        shown = "&".join(f"{name}={value}" for name, value in query.items() if name not in ("body", "content_type"))
        return self.keep(key, f"{method} {target}" + (f"?{shown}" if shown else ""), answer, cut)

    def keep(self, key, request, answer, cut=None):
        entry = {"request": request, "status": answer.status,
                 "headers": {name: answer.headers[name] for name in FORWARDED if name in answer.headers}}
        try:
            entry["body"] = cut(answer.json) if cut and answer.status == 200 else answer.json
        except ValueError:
            try:
                entry["stream"] = _without_progress(answer.lines)  # one JSON object after the other
            except ValueError:
                entry["text"] = answer.body.decode()
        assert key not in self.answers, key
        self.answers[key] = entry
        return answer

    def delete(self, key, name):
        return self.record(key, "DELETE", f"/images/{name}", force="false", noprune="0")


def _without_progress(lines):
    """Of the messages of one layer with the same status, only the first."""
    seen, kept = set(), []
    for line in lines:
        key = (line.get("id"), line.get("status"))
        if "progressDetail" not in line or key not in seen:
            kept.append(line)
        seen.add(key)
    return kept


def chosen(*fields):
    return lambda body: {name: body[name] for name in fields if name in body}


def inspected(body):
    """Of GET /images/{name}/json, without what only the builder needs."""
    return {**{name: value for name, value in body.items() if name not in ("Container", "ContainerConfig")},
            "Config": chosen(*CONFIG)(body["Config"])}


def container(body):
    return {**chosen(*CONTAINER)(body), "Config": chosen(*CONFIG)(body["Config"])}


def listed(body):
    """Of GET /containers/json, without the networks."""
    return [{name: value for name, value in one.items() if name != "NetworkSettings"} for one in body]


def usage(body):
    """Of GET /system/df?verbose=1, only the first two images."""
    return {"ImageUsage": {**body["ImageUsage"], "Items": body["ImageUsage"]["Items"][:2]}}


def record(dockerd, workdir):
    recorder, registry = Recorder(dockerd), Registry(dockerd)
    base = images.pause_layer(workdir.path)

    def archive(*names):
        made = images.Archive()
        archive.number += 1
        layers = [base, images.layer({"number": str(archive.number).encode()}, archive.number, 4096)]
        return made, made.add(names, layers)
    archive.number = 0

    def pushed(path):
        made, image = archive(registry.name(path))
        registry.push(made, image)
        return image

    negotiation(recorder)

    # Ways in.
    made, _ = archive("docker.io/library/loaded:v1")
    recorder.keep("load", f"POST {recorder.api}/images/load", dockerd.load(made))
    made, _ = archive("docker.io/library/two-names:v1", "docker.io/library/two-names:v2")
    recorder.keep("load-two-names", f"POST {recorder.api}/images/load", dockerd.load(made))
    recorder.record("load-garbage", "POST", "/images/load", body=b"this is no archive", content_type="application/x-tar")
    pulled, by_digest = pushed("team/app:v1"), pushed("team/by-digest:v1")
    recorder.record("pull", "POST", "/images/create", fromImage=registry.name("team/app"), tag="v1")
    recorder.record("pull-again", "POST", "/images/create", fromImage=registry.name("team/app"), tag="v1")
    recorder.record("pull-by-digest", "POST", "/images/create", fromImage=registry.name("team/by-digest"),
                    tag=by_digest.digest)
    recorder.record("pull-unknown-tag", "POST", "/images/create", fromImage=registry.name("team/app"), tag="none")
    recorder.record("pull-unknown-digest", "POST", "/images/create", fromImage=registry.name("team/app"),
                    tag="sha256:" + "0" * 64)
    recorder.record("pull-no-registry", "POST", "/images/create", fromImage="127.0.0.1:9/team/app", tag="v1")
    recorder.record("pull-bad-name", "POST", "/images/create", fromImage="Upper/Case", tag="v1")
    files = {"pause!": (workdir.path / "pause").read_bytes(), "text": b"1"}
    scratch = 'FROM scratch\nCOPY pause text /\nENTRYPOINT ["/pause"]\nLABEL team=a\n'
    built = dockerd.build("built:v1", files, scratch)
    unnamed = dockerd.build(None, {**files, "text": b"unnamed"}, scratch)
    child = dockerd.build("child:v1", {"own": b"1"}, "FROM loaded:v1\nCOPY own /own\n")
    context = workdir.path / "context"
    context.mkdir()
    for name, content in {**files, "text": b"buildkit", "Dockerfile": scratch.encode()}.items():
        (context / name.rstrip("!")).write_bytes(content)
        (context / name.rstrip("!")).chmod(0o755)
    dockerd.build_by_buildkit("by-buildkit:v1", context)
    dockerd.tag("built:v1", "also-built:v2")
    dockerd.tag(registry.name("team/app:v1"), "mirror.example/app:v1")  # never pulled by this name
    dockerd.tag("loaded:v1", "registry.example/loaded:v1")

    # Tags that moved: from an image that was built, and from one that was pulled.
    moved = dockerd.build("moved:v1", {**files, "text": b"before"}, scratch)
    dockerd.run("moved:v1", "by-moved-tag")
    dockerd.build("moved:v1", {**files, "text": b"after"}, scratch)
    moving = pushed("team/moving:v1")
    dockerd.pull(moving.names[0])
    moving_id = dockerd.get(f"/images/{moving.names[0]}/json")["Id"]
    pushed("team/moving:v1")
    dockerd.pull(moving.names[0])

    # An index of several platforms, as most public images are.
    made, one = archive(registry.name("team/index:v1-here"))
    registry.push(made, one)
    index = made.index(registry.name("team/index:v1"), one)
    registry.push_index(made, index)
    recorder.record("pull-index", "POST", "/images/create", fromImage=registry.name("team/index"), tag="v1")

    # Images that left and came back.
    dockerd.build(registry.name("team/pushed:v1"), {**files, "text": b"pushed"}, scratch)
    recorder.keep("push", f"POST {recorder.api}/images/{registry.name('team/pushed')}/push?tag=v1",
                  dockerd.push(registry.name("team/pushed:v1")))
    saved = pushed("team/saved:v1")
    dockerd.pull(saved.names[0])
    content = dockerd.save(saved.names[0])
    dockerd.remove_image(saved.names[0])
    dockerd.load(content)

    # Containers.
    dockerd.run("loaded:v1", "running")
    dockerd.run(index.names[0], "by-index", CREATED)
    dockerd.run("loaded:v1", "created", CREATED)
    dockerd.run("built:v1", "exited", EXITED)
    dockerd.run(unnamed, "by-id")
    dockerd.run(built.removeprefix("sha256:")[:12], "by-short-id", CREATED)
    dockerd.run(by_digest.digest_references[0], "by-digest")
    dockerd.run(registry.name("team/app:v1"), "by-pulled-tag", CREATED,
                Labels={"com.docker.compose.project": "shop", "com.docker.compose.service": "web"})
    missing = dockerd.request("POST", f"{recorder.api}/containers/create", check=False, body={"Image": "none:v1"},
                              name="never")
    recorder.keep("create-without-image", f"POST {recorder.api}/containers/create?name=never", missing)

    names = {"built": "built:v1", "built-by-buildkit": "by-buildkit:v1", "built-on-another": child, "unnamed": unnamed,
             "loaded": "loaded:v1", "pulled": pulled.names[0], "pulled-by-digest": by_digest.digest_references[0],
             "pulled-index": index.names[0], "retagged-built": "also-built:v2",
             "retagged-pulled": "mirror.example/app:v1", "retagged-loaded": "registry.example/loaded:v1",
             "built-and-pushed": registry.name("team/pushed:v1"), "pulled-saved-and-loaded": saved.names[0],
             "dangling-built": moved, "dangling-pulled": moving_id}
    questions(recorder, dockerd, archive, names)
    deletions(recorder, dockerd, registry, archive, scratch, files)
    events(recorder, dockerd, pushed("team/events:v1"), archive, files, scratch)
    registry.limit()
    recorder.record("pull-rate-limit", "POST", "/images/create", fromImage=registry.name("team/app"), tag="v2")
    kept_events(recorder, dockerd)
    return recorder


def negotiation(recorder):
    recorder.record("ping", "GET", "/_ping", versioned=False)
    recorder.record("version", "GET", "/version", versioned=False)
    for name in ("1.11", "1.20", "1.39", "1.99"):
        recorder.record(f"version-v{name}", "GET", f"/v{name}/version", versioned=False)
    recorder.record("no-such-path", "GET", "/no-such-path")


def questions(recorder, dockerd, archive, names):
    """Asks about the images NAMES (what it shows -> its name), and about all images and containers."""
    recorder.record("info", "GET", "/info", cut=chosen(*INFO))
    recorder.record("images", "GET", "/images/json", all="0", digests="1")
    recorder.record("images-all", "GET", "/images/json", all="1", digests="1")
    shared = {"all": "0", "digests": "1", "shared-size": "1"}
    recorder.record("images-shared-size", "GET", "/images/json", **shared)
    recorder.record("images-dangling", "GET", "/images/json", filters='{"dangling":["true"]}')
    if dockerd.version == LATEST:
        made, mounted = archive("docker.io/library/mounted:v1")
        dockerd.load(made)
        dockerd.run("loaded:v1", "mounts-an-image", EXITED, HostConfig={
            "NetworkMode": "none", "Mounts": [{"Type": "image", "Source": "mounted:v1", "Target": "/mounted"}]})
        recorder.record("container-mounts-an-image", "GET", "/containers/mounts-an-image/json",
                        cut=chosen("Id", "Image", "Mounts"))
        recorder.delete("delete-mounted-in-stopped-container", "mounted:v1")
        recorder.record("images-manifests-identity", "GET", "/images/json", **shared, manifests="1", identity="1")
        recorder.record("images-v1.41", "GET", "/v1.41/images/json", versioned=False, **shared)
        recorder.record("image-pulled-v1.41", "GET", f"/v1.41/images/{names['pulled']}/json", cut=inspected,
                        versioned=False)
    for kind, name in {**names, "unknown": "none:v1"}.items():
        recorder.record(f"image-{kind}", "GET", f"/images/{name}/json", cut=inspected)
    for kind in ("built", "loaded", "pulled", "built-on-another"):
        recorder.record(f"history-{kind}", "GET", f"/images/{names[kind]}/history")
    recorder.record("containers", "GET", "/containers/json", cut=listed, all="1", size="0")
    for name in ("running", "created", "exited", "by-moved-tag", "by-id", "by-digest", "by-index"):
        recorder.record(f"container-{name}", "GET", f"/containers/{name}/json", cut=container)
    recorder.record("container-unknown", "GET", "/containers/none/json")
    recorder.record("system-df", "GET", "/system/df", cut=chosen("LayersSize", "Images", "ImageUsage"), type="image")
    if dockerd.version == LATEST:
        recorder.record("system-df-verbose", "GET", "/system/df", cut=usage, type="image", verbose="1")
        for what in ("images", "containers", "leases"):
            recorder.answers[f"containerd-{what}"] = {"request": f"ctr -n moby {what} ls",
                                                      "text": re.sub("  +", "  ", dockerd.ctr(what, "ls"))}
        labelled = [line for line in dockerd.ctr("content", "ls").splitlines()
                    if re.search(r"distribution\.source|moby/build\.ref", line)]
        recorder.answers["containerd-content"] = {"request": "ctr -n moby content ls, the lines that tell an origin",
                                                  "text": "\n".join(labelled)}
    recorder.answers["files"] = files_of(dockerd)


def deletions(recorder, dockerd, registry, archive, scratch, files):
    def built(name, text):
        return dockerd.build(name, {**files, "text": text.encode()}, scratch)

    delete = recorder.delete
    delete("delete-unknown", "none:v1")
    delete("delete-unknown-id", "sha256:" + "0" * 64)
    delete("delete-bad-name", "Upper:Case")
    # By tag.
    built("two:v1", "two")
    dockerd.tag("two:v1", "two:v2")
    delete("delete-tag-another-left", "two:v2")
    delete("delete-last-tag", "two:v1")
    delete("delete-pulled-tag-another-left", registry.name("team/moving:v1"))  # the dangling one keeps its digest
    delete("delete-tag-of-parent", "two-names:v1")
    # With containers.
    for state in (RUNNING, EXITED, CREATED):
        built(f"used-{state}:v1", state)
        dockerd.run(f"used-{state}:v1", f"uses-{state}", state)
        dockerd.tag(f"used-{state}:v1", f"used-{state}:other")
        delete(f"delete-tag-another-left-{state}-container", f"used-{state}:v1")
        recorder.record(f"containers-after-untag-{state}", "GET", "/containers/json", cut=listed, all="1",
                        filters=json.dumps({"name": [f"uses-{state}"]}, separators=(",", ":")))
        delete(f"delete-last-tag-{state}-container", f"used-{state}:other")
        recorder.record(f"image-after-last-tag-{state}-container", "GET", f"/containers/uses-{state}/json",
                        cut=chosen("Id", "Image", "ImageManifestDescriptor"))
        image = dockerd.get(f"/containers/uses-{state}/json")["Image"]
        recorder.record(f"image-left-by-{state}-container", "GET", f"/images/{image}/json",
                        cut=chosen("Id", "RepoTags", "RepoDigests"))
        delete(f"delete-id-{state}-container", image)
        recorder.record(f"image-left-by-id-{state}-container", "GET", f"/images/{image}/json",
                        cut=chosen("Id", "RepoTags", "RepoDigests"))
    # A container of the image only by its ID, when the image has one tag that the container does not hold.
    image = built("named-later:v1", "named later")
    dockerd.run(image, "uses-id", EXITED)
    delete("delete-last-tag-container-by-id", "named-later:v1")
    recorder.record("image-left-container-by-id", "GET", f"/images/{image}/json",
                    cut=chosen("Id", "RepoTags", "RepoDigests"))
    # The container that holds a tag which has moved: the tag's new image has no container.
    built("moved-again:v1", "held")
    dockerd.run("moved-again:v1", "holds-old", RUNNING)
    built("moved-again:v1", "free")
    delete("delete-moved-tag-container-of-old-image", "moved-again:v1")
    # By ID.
    image = built("by-id:v1", "by id")
    delete("delete-id-one-tag", image)
    image = built("by-id-two:v1", "by id two")
    dockerd.tag("by-id-two:v1", "by-id-two:v2")
    delete("delete-id-two-tags-of-a-repository", image)
    image = built("by-id-three:v1", "by id three")
    dockerd.tag("by-id-three:v1", "by-id-other:v1")
    delete("delete-id-two-repositories", image)
    image = dockerd.build(None, {**files, "text": b"no name"}, scratch)
    delete("delete-id-dangling", image)
    # By digest.
    made, two = archive(registry.name("team/two:v1"))
    registry.push(made, two)
    dockerd.pull(two.names[0])
    delete("delete-digest-tag-left", f"{registry.name('team/two')}@{two.digest}")
    recorder.record("image-after-delete-digest", "GET", f"/images/{two.names[0]}/json",
                    cut=chosen("Id", "RepoTags", "RepoDigests", "Identity"))
    delete("delete-pulled-last-tag", two.names[0])
    dockerd.pull(two.names[0])
    dockerd.tag(two.names[0], "mirror.example/two:v1")
    delete("delete-pulled-tag-mirror-left", two.names[0])
    recorder.record("image-after-delete-pulled-tag-mirror-left", "GET", "/images/mirror.example/two:v1/json",
                    cut=chosen("Id", "RepoTags", "RepoDigests", "Identity"))
    made, three = archive(registry.name("team/three:v1"))
    registry.push(made, three)
    dockerd.pull(three.digest_references[0])
    delete("delete-digest-only", three.digest_references[0])
    dockerd.pull(three.digest_references[0])
    delete("delete-id-of-digest-only", dockerd.get(f"/images/{three.digest_references[0]}/json")["Id"])
    made, four = archive(registry.name("team/four:v1"))
    registry.push(made, four)
    dockerd.pull(four.names[0])
    image = dockerd.get(f"/images/{four.names[0]}/json")["Id"]
    built(four.names[0], "takes the tag")
    delete("delete-id-of-dangling-pulled", image)
    # An image with children.
    made, _ = archive("docker.io/library/parent:v1")
    dockerd.load(made)
    parent = dockerd.get("/images/parent:v1/json")["Id"]
    dockerd.build("parents-child:v1", {"own": b"2"}, "FROM parent:v1\nCOPY own /own\n")
    delete("delete-last-tag-of-parent", "parent:v1")
    recorder.record("image-after-delete-last-tag-of-parent", "GET", f"/images/{parent}/json",
                    cut=chosen("Id", "RepoTags", "RepoDigests", "Parent"))
    delete("delete-id-of-parent", parent)
    recorder.record("image-child-of-deleted-parent", "GET", "/images/parents-child:v1/json",
                    cut=chosen("Id", "RepoTags", "RepoDigests", "Parent", "RootFS"))
    dockerd.run("parents-child:v1", "child-of-deleted-parent")
    # A short name that is also the beginning of an ID.
    victim = built("victim:v1", "victim")
    prefix = victim.removeprefix("sha256:")[:6]
    recorder.answers["prefix"] = {"request": "the names of the next answers",
                                  "text": f"{prefix} is a prefix of {victim}"}
    recorder.record("image-prefix-name-without-tag", "GET", f"/images/{prefix}/json", cut=chosen("Id", "RepoTags"))
    recorder.record("image-prefix-name-with-tag", "GET", f"/images/{prefix}:latest/json", cut=chosen("Id", "RepoTags"))
    delete("delete-prefix-latest-without-such-tag", f"{prefix}:latest")
    delete("delete-prefix-full-name-without-such-tag", f"docker.io/library/{prefix}:latest")
    built(f"{prefix}:latest", "named like an ID")
    recorder.record("image-prefix-both", "GET", f"/images/{prefix}/json", cut=chosen("Id", "RepoTags"))
    delete("delete-prefix-both", prefix)
    delete("delete-prefix-again", prefix)
    recorder.record("image-victim-after", "GET", f"/images/{victim}/json", cut=chosen("Id", "RepoTags"))
    victim = built("victim2:v1", "victim 2")
    prefix = victim.removeprefix("sha256:")[:6]
    built(f"{prefix}:v1", "named like an ID, with a tag")
    delete("delete-prefix-both-tag", f"{prefix}:v1")
    dockerd.tag("victim2:v1", "victim2:v2")
    dockerd.tag("victim2:v1", "victim2b:v2")
    delete("delete-prefix-two-repositories", prefix)


def events(recorder, dockerd, image, archive, files, scratch):
    begin, name = time.time(), image.names[0]
    dockerd.pull(name)
    dockerd.tag(name, "mirror.example/events:v1")
    dockerd.load(archive("docker.io/library/events-loaded:v1")[0])
    dockerd.build("events-built:v1", files, scratch + "LABEL events=1\n")
    dockerd.run(name, "events")
    dockerd.remove_image("mirror.example/events:v1")
    recorder.delete("delete-in-events-409", name)
    dockerd.request("POST", "/containers/events/stop", t="1")
    dockerd.remove_container("events")
    dockerd.remove_image(name)
    dockerd.remove_image("events-built:v1")
    until = time.time()
    span = {"since": f"{begin:.9f}", "until": f"{until:.9f}"}
    recorder.record("events", "GET", "/events", **span)
    recorder.record("events-filtered", "GET", "/events", **span,
                    filters='{"type":["image","container"],"event":["pull","delete","start","die"]}')


def kept_events(recorder, dockerd):
    """How many events of the past a daemon knows: it keeps them in memory."""
    def known():
        return len([event for event in dockerd.events(begin, time.time()) if event["Action"] == "tag"])
    begin = time.time()
    for number in range(300):
        dockerd.tag("built:v1", f"many:{number}")
    after_300 = known()
    dockerd.stop()
    dockerd.start()
    recorder.answers["events-kept"] = {"request": "GET /events after 300 tags, before and after a restart of the daemon",
                                       "counts": [after_300, known()]}


def files_of(dockerd):
    """Which files the store has, for one layer of each kind."""
    found = {}
    for path in sorted(dockerd.root.rglob("*")):
        name = str(path.relative_to(dockerd.root))
        if re.match(r"(image|containerd|buildkit)", name) and (path.is_file() or path.is_symlink()) \
                and "/fs/" not in name and "/diff/" not in name:
            kind = re.sub(r"[0-9a-f]{64}|(?<=/)\d+(?=/|$)", "*", name)
            found[kind] = found.get(kind, 0) + 1
    layers = {}
    for path in sorted(dockerd.root.glob("image/overlay2/layerdb/sha256/*"))[:4]:
        layers[path.name] = {file.name: file.read_text() for file in sorted(path.iterdir())
                             if file.name != "tar-split.json.gz"}
    sockets = sorted(str(path.relative_to(dockerd.directory)) for path in dockerd.directory.rglob("*.sock*"))
    return {"request": "files below the data root, how many of each kind, with the content of four layers",
            "files": found, "layers": layers, "sockets": sockets}


def main():
    for version in sys.argv[1:] or (DEBIAN, LATEST):
        with Workdir() as workdir, Dockerd(workdir, version) as dockerd:
            try:
                recorder = record(dockerd, workdir)
            except BaseException:
                print(dockerd.cell.tail("dockerd"), file=sys.stderr)
                raise
            lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(answer)}" for key, answer in recorder.answers.items())
            text = "{\n" + lines.replace(str(dockerd.directory), "/lab") + "\n}"  # the directory is of one run
            OUTPUT.mkdir(exist_ok=True)
            (OUTPUT / f"docker-{version}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
