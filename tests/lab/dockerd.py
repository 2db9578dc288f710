"""A private dockerd with its own data, sockets, containerd, and configuration, in a cell of its own.

20.10 is Debian's package, which is unpacked into the cache (gobuild.py) and not installed, with its own image store. 29
is built from its Go module and keeps images in containerd. All requests go over the Docker Engine API.
"""
import dataclasses
import http.client
import io
import json
import pathlib
import signal
import socket
import subprocess
import tarfile
import urllib.parse

from lab import gobuild
from lab.cell import ALL_OF_VAR, PRIVATE, Cell, wait_until
from lab.containerd import on_overlay

DEBIAN, LATEST = "20.10", "29"  # the versions the tests run against
NAMESPACE = "moby"  # of its containers in containerd, and of 29's images
CREATED, RUNNING, EXITED = "created", "running", "exited"

# The kernel of a machine in a container may refuse these settings, and runc 1.1 does not know the time namespace.
RUNC = r"""#!/usr/bin/python3 -SE
import json, os, sys
if "--bundle" in sys.argv:
    path = os.path.join(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    with open(path) as file:
        config = json.load(file)
    config.get("process", {}).pop("oomScoreAdj", None)
    linux = config.get("linux", {})
    linux.get("resources", {}).pop("hugepageLimits", None)
    linux["namespaces"] = [one for one in linux.get("namespaces", []) if one["type"] != "time"]
    with open(path, "w") as file:
        json.dump(config, file)
os.execvp("runc", ["runc", *sys.argv[1:]])
"""


def debian_package():
    """The directory of the programs `dockerd` and `docker` of the Debian package."""
    def unpack(directory):
        subprocess.run(["apt-get", "-qq", "download", f"docker.io={DEBIAN}*"], cwd=directory, check=True,
                       stderr=subprocess.PIPE)
        package = next(directory.glob("*.deb"))
        subprocess.run(["dpkg", "-x", package, directory / "unpacked"], check=True)
        for program in ("sbin/dockerd", "bin/docker"):
            (directory / "unpacked/usr" / program).rename(directory / pathlib.Path(program).name)
        subprocess.run(["rm", "-r", package, directory / "unpacked"], check=True)
    return gobuild.kept("docker.io", DEBIAN, unpack)


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def lines(self):
        """The messages of a progress stream."""
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


class DockerError(Exception):
    """An answer other than 2xx, or a progress stream that ends with an error."""

    def __init__(self, request, answer):
        super().__init__(f"{request}: {answer.status} {answer.body.decode(errors='replace')}")
        self.answer = answer


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, seconds):
        super().__init__("localhost", timeout=seconds)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Of the Docker Engine API on a unix socket."""

    def __init__(self, socket):
        self.socket = socket

    def request(self, method, path, body=None, content_type=None, headers=None, check=True, seconds=120, **query):
        """PATH begins with / and may name an API version. A value of QUERY that is no string is sent as JSON."""
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        if body is not None and not isinstance(body, bytes):
            body, content_type = json.dumps(body).encode(), "application/json"
        connection = _Connection(self.socket, seconds)
        try:
            content_type = {"Content-Type": content_type} if content_type else {}
            connection.request(method, target, body, {**content_type, **(headers or {})})
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()
        if check and not 200 <= answer.status < 300:
            raise DockerError(f"{method} {target}", answer)
        return answer

    def get(self, path, **query):
        return self.request("GET", path, **query).json


class Dockerd(Client):
    """`root` is the data root, and `containerd_socket` is the socket of the containerd that dockerd starts. Both paths,
    and `socket`, are those outside of the cell."""

    def __init__(self, workdir, version, default_paths=False, **options):
        """With DEFAULT_PATHS, the cell is like a host that has the files where Docker has them by default. OPTIONS are
        added to the configuration file."""
        self.version = version
        self._programs = gobuild.dockerd() if version == LATEST else debian_package()
        self._path = gobuild.containerd() if version == LATEST else None  # 20.10 uses the Debian package
        self.directory = pathlib.Path(workdir.path) / "dockerd"
        self.directory.mkdir()
        self.cell = Cell(self.directory, ALL_OF_VAR if default_paths else PRIVATE)
        root, state, address = self.directory / "root", self.directory / "state", self.directory / "docker.sock"
        if default_paths:
            root, state, address = map(pathlib.Path, ("/var/lib/docker", "/run/docker", "/run/docker.sock"))
        super().__init__(self.cell.outside(address))
        self.root = self.cell.outside(root)
        self.containerd_socket = self.cell.outside(state / "containerd/containerd.sock")
        runc, self._config = self.directory / "runc", self.directory / "daemon.json"
        runc.write_text(RUNC)
        runc.chmod(0o755)
        self._config.write_text(json.dumps({
            "data-root": str(root), "exec-root": str(state), "pidfile": str(self.directory / "pid"),
            "hosts": [f"unix://{address}"], "bridge": "none", "iptables": False, "ip6tables": False,
            "userland-proxy": False, "cgroup-parent": workdir.cgroup,
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "runtimes": {"lab": {"path": str(runc)}}, "default-runtime": "lab", **self._store(), **options}))
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _store(self):
        kind = "native" if on_overlay(self.directory) else "overlayfs"
        if self.version == LATEST:
            return {"features": {"containerd-snapshotter": True}, "storage-driver": kind}
        return {"storage-driver": "overlay2" if kind == "overlayfs" else "vfs"}

    @property
    def endpoint(self):
        return f"unix://{self.socket}"

    def start(self):
        self.cell.start("dockerd", [self._programs / "dockerd", "--config-file", self._config], path_first=self._path)
        if not wait_until(self._answers, 30):
            raise RuntimeError(f"dockerd {self.version} did not start:\n{self.cell.tail('dockerd')}")

    def stop(self, number=signal.SIGTERM):
        """It stops its containers and its containerd first, unless it is killed."""
        self.cell.stop("dockerd", number, seconds=30)

    def close(self):
        self.cell.close()

    def load(self, archive):
        """Loads ARCHIVE: an images.Archive, or the bytes that save() returned."""
        content = archive
        if not isinstance(archive, bytes):
            path = archive.write(self.directory / "load.tar", docker=True)
            content = path.read_bytes()
            path.unlink()
        return self._progress("/images/load", body=content, content_type="application/x-tar")

    def build(self, name, files, dockerfile, mtime=0, **query):
        """Builds an image NAME, or one without a name if it is None, by the classic builder. Returns its ID. MTIME is the
        time of the files."""
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for path, content in {**files, "Dockerfile!": dockerfile.encode()}.items():
                info = tarfile.TarInfo(path.rstrip("!"))
                info.size, info.mode = len(content), 0o755 if path.endswith("!") else 0o644
                info.mtime = mtime
                archive.addfile(info, io.BytesIO(content))
        lines = self._progress("/build", body=context.getvalue(), content_type="application/x-tar", rm="1",
                               **({"t": name} if name else {}), **query).lines
        return next(line["aux"]["ID"] for line in lines if "ID" in line.get("aux", {}))

    def build_by_buildkit(self, name, directory):
        """Builds DIRECTORY as people do, by BuildKit. The client is the Debian package's."""
        command = [debian_package() / "docker", "-H", self.endpoint, "build", "-q", *(["-t", name] if name else []),
                   str(directory)]
        return self.cell.run("env", "DOCKER_BUILDKIT=1", f"HOME={self.directory}", *command).stdout.strip()

    def pull(self, name):
        """Pulls NAME, which has a tag or a digest."""
        repository, separator, digest = name.partition("@")
        if not separator:
            repository, _, digest = name.rpartition(":")
        return self._progress("/images/create", fromImage=repository, tag=digest)

    def push(self, name):
        """Pushes NAME, which has a tag, without credentials."""
        repository, _, tag = name.rpartition(":")
        return self._progress(f"/images/{repository}/push", tag=tag, headers={"X-Registry-Auth": "e30="})  # {}

    def save(self, *names):
        return self.request("GET", "/images/get?" + urllib.parse.urlencode([("names", name) for name in names])).body

    def tag(self, image, name):
        repository, _, tag = name.rpartition(":")
        self.request("POST", f"/images/{image}/tag", repo=repository, tag=tag)

    def remove_image(self, name, check=True):
        """By name or by ID, never by force."""
        return self.request("DELETE", f"/images/{name}", check=check, force="false", noprune="0")

    def images(self, **query):
        return self.get("/images/json", **query)

    def ids(self):
        return {image["Id"] for image in self.images()}

    def names(self):
        return {name for image in self.images() for name in (image["RepoTags"] or []) + (image["RepoDigests"] or [])}

    def create(self, image, name, **config):
        """A container without a network. Returns its ID."""
        body = {"Image": image, "HostConfig": {"NetworkMode": "none"}, **config}
        return self.request("POST", "/containers/create", body=body, name=name).json["Id"]

    def run(self, image, name, state=RUNNING, **config):
        container = self.create(image, name, **config)
        if state != CREATED:
            self.request("POST", f"/containers/{container}/start")
        if state == EXITED:
            self.request("POST", f"/containers/{container}/stop", t="1")
        return container

    def remove_container(self, name):
        """Stops it first if it runs."""
        self.request("DELETE", f"/containers/{name}", force="1")

    def events(self, since, until):
        """The events between two moments in seconds since 1970, as Docker prints them."""
        return self.request("GET", "/events", since=f"{since:.9f}", until=f"{until:.9f}").lines

    def ctr(self, *arguments, namespace=NAMESPACE):
        program = self._path / "ctr" if self._path else "ctr"
        return subprocess.run([program, "-a", self.containerd_socket, "-n", namespace, *arguments], check=True,
                              text=True, capture_output=True).stdout

    def _progress(self, path, **options):
        answer = self.request("POST", path, **options)
        if any("error" in line for line in answer.lines):
            raise DockerError(f"POST {path}", answer)
        return answer

    def _answers(self):
        try:
            return self.request("GET", "/_ping", seconds=5).status == 200
        except (OSError, DockerError):
            return False
