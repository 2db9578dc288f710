"""A host with Docker and without Kubernetes: a private dockerd, a registry in its cell, and the program under test."""
import contextlib
import dataclasses
import functools
import os
import pathlib
import socket
import tempfile
import threading

import pytest

from lab import agent, gobuild, images, runtimes
from lab.dockerd import DEBIAN, LATEST, Dockerd
from lab.registry import Registry
from lab.workdir import Workdir
from runtime.commands import Commands

VERSIONS = (DEBIAN, LATEST)
MIB = 1 << 20
ATTEMPTS, LATE = 8, "left for the next run"
NEVER = {"localOnly": "Never"}  # the `keep` with which local images may go
DOCKERFILE = 'FROM scratch\nCOPY pause /\nCOPY content /content\nENTRYPOINT ["/pause"]\n'


class DockerHost(Commands):
    def __init__(self, workdir, dockerd):
        self.workdir, self.dockerd = workdir, dockerd
        self._pause, self._made = images.pause_layer(workdir.path), 0
        self.write_policy()

    @functools.cached_property
    def registry(self):
        return Registry(self.dockerd)

    def flags(self):
        return {"runtime-endpoint": self.dockerd.endpoint, "without-kubernetes": True,
                "policy-file": self.policy_file, "state-dir": self.state}

    def make(self, *names, size=0):
        """An image that is only in the archive. Returns both."""
        self._made += 1
        archive = images.Archive()
        layers = [self._pause, images.layer({"number": str(self._made).encode()}, (names, self._made), size)]
        return archive, archive.add(names, layers)

    def as_stored(self, image):
        """29 uses the digest of the manifest as the ID."""
        return dataclasses.replace(image, id=image.digest) if self.dockerd.version == LATEST else image

    def load(self, *names, size=0):
        archive, image = self.make(*names, size=size)
        self.dockerd.load(archive)
        return self.as_stored(image)

    def push(self, *paths, size=0):
        """An image that only the registry has. Another image with one of the names loses it."""
        archive, image = self.make(*(self.registry.name(path) for path in paths), size=size)
        self.registry.push(archive, image)
        return self.as_stored(image)

    def pull(self, *paths, by_digest=False, size=0):
        image = self.push(*paths, size=size)
        for name in image.digest_references if by_digest else image.names:
            self.dockerd.pull(name)
        return image

    def build(self, name, size=0):
        self._made += 1
        content = str(self._made).encode() + bytes(size)
        files = {"pause!": (self.workdir.path / "pause").read_bytes(), "content": content}
        return images.Image((name,), self.dockerd.build(name, files, DOCKERFILE), None)

    def docker_build(self, name, dockerfile, files, mtime=0):
        """Builds FILES and `pause` as `docker build` does by default: 20.10 has the classic builder, 29 BuildKit. MTIME
        is the time of the files."""
        files = {"pause!": (self.workdir.path / "pause").read_bytes(), **files}
        if self.dockerd.version != LATEST:
            return images.Image((name,), self.dockerd.build(name, files, dockerfile, mtime), None)
        with tempfile.TemporaryDirectory(dir=self.workdir.path) as directory:
            for path, content in {**files, "Dockerfile": dockerfile.encode()}.items():
                file = pathlib.Path(directory) / path.rstrip("!")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
                file.chmod(0o755 if path.endswith("!") else 0o644)
                os.utime(file, (mtime, mtime))
            return images.Image((name,), self.dockerd.build_by_buildkit(name, directory), None)

    def sweep_away(self, *gone):
        """Removes exactly GONE. An image with several names may take several runs: a busy Docker 29 answers too late
        for the removal of a name."""
        left = {image.id for image in gone}
        for _ in range(ATTEMPTS):
            report = self.sweep()
            assert removed(report) <= left, report["outcomes"]
            assert all(LATE in why for why in reasons(report).values()), report["outcomes"]
            left -= removed(report)
            if not left:
                break
        assert not left and not self.dockerd.ids() & {image.id for image in gone}, report["outcomes"]

    def names(self, image):
        """All names of IMAGE, as Docker prints them."""
        return {name for one in self.dockerd.images() if one["Id"] == image.id
                for name in (*(one["RepoTags"] or ()), *(one["RepoDigests"] or ())) if "<none>" not in name}

    def described(self, image):
        return next(one for one in self.json("images")["images"] if one["id"] == image.id)

    def agent(self, *arguments, **replaced):
        return agent.Agent(*arguments, *self.sources(**replaced))


@contextlib.contextmanager
def host_with(version, **options):
    with Workdir() as workdir, started(workdir, version, **options) as dockerd:
        yield DockerHost(workdir, dockerd)


def started(workdir, version, **options):
    try:
        return runtimes.start("Docker", lambda: Dockerd(workdir, version, **options),
                              lambda dockerd: dockerd.get("/version")["Version"])
    except gobuild.MissingGo as missing:
        pytest.fail(str(missing), pytrace=False)


def outcomes_with(report, outcome):
    return {one["id"] for one in report["outcomes"] if one["outcome"] == outcome}


def removed(report):
    return outcomes_with(report, "Removed")


def reasons(report):
    """id -> why an image was not removed."""
    return {one["id"]: one["error"] for one in report["outcomes"] if one["outcome"] != "Removed"}


@contextlib.contextmanager
def relay(dockerd, holds=None, on_request=None):
    """The endpoint of a socket that passes connections on to DOCKERD. It never answers a request that has the text
    HOLDS, and calls ON_REQUEST with each request first."""
    target, path = dockerd.socket, dockerd.socket.with_name("relay.sock")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen(64)
    ended, held = threading.Event(), []

    def copy(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve(client):
        request = client.recv(65536)
        if holds and holds in request:
            return held.append(client)
        if on_request:
            on_request(request)
        with client, socket.socket(socket.AF_UNIX) as upstream:
            upstream.connect(str(target))
            upstream.sendall(request)
            back = threading.Thread(target=copy, args=(upstream, client))
            back.start()
            copy(client, upstream)
            back.join()

    def accept():
        while not ended.is_set():
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield f"unix://{path}"
    finally:
        ended.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()
        for client in held:
            client.close()
        os.unlink(path)
