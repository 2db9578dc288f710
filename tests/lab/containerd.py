"""A private containerd with its own root, state, socket, and configuration, in a separate cell."""
import dataclasses
import pathlib
import signal
import socket
import subprocess

import grpc

from lab import gobuild, images
from lab.cell import ALL_OF_VAR, PRIVATE, Cell, wait_until
from lab.cri import Cri

PAUSE = "registry.k8s.io/pause:3.6"
# The versions that the tests run against: of the Debian package, the last of version 1, and the newest.
DEBIAN, LAST_1, LATEST = "1.6", "1.7", "2.4"
NAMESPACE = "k8s.io"  # the one CRI uses


@dataclasses.dataclass(frozen=True)
class Paths:
    """Where a containerd has its files, as its own processes see them."""
    root: str
    state: str
    socket: str


DEFAULT = Paths("/var/lib/containerd", "/run/containerd", "/run/containerd/containerd.sock")


def programs(version):
    """The directory of containerd's programs, or None for those of the Debian package."""
    return None if version == DEBIAN else gobuild.containerd(version)


def configuration(version, root, state, address, snapshotter, cni=None, discard=False, metrics=None,
                  debug=False, mirrors=None):
    """containerd's configuration file. runc may not lower oom_score_adj in every container, hence the restriction.
    With DISCARD, a pull keeps no compressed layers. METRICS is the address of containerd's metrics in the cell. DEBUG
    enables the debug log. MIRRORS is the directory with the hosts.toml of each registry."""
    discard = "\n    discard_unpacked_layers = true" if discard else ""
    metrics = f'[metrics]\n  address = "{metrics}"\n' if metrics else ""
    metrics += '[debug]\n  level = "debug"\n' if debug else ""
    mirrors = f'''
  [plugins."io.containerd.{'grpc.v1.cri' if version == DEBIAN else 'cri.v1.images'}".registry]
    config_path = "{mirrors}"''' if mirrors else ""
    pause_and_cni = f'''
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true'''
    if version != LATEST:
        return f'''version = 2
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
                    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{address}"
{metrics}[plugins."io.containerd.internal.v1.opt"]
  path = "{root}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"{pause_and_cni}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"{discard}{mirrors}
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{cni or root / 'no-cni'}"
'''
    return f'''version = 3
root = "{root}"
state = "{state}"
disabled_plugins = ["io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.btrfs",
                    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.erofs",
                    "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{address}"
{metrics}[plugins."io.containerd.internal.v1.opt"]
  path = "{root}/opt"
[plugins."io.containerd.nri.v1.nri"]
  disable = true
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "{snapshotter}"{discard}
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{PAUSE}"{mirrors}
[plugins."io.containerd.cri.v1.runtime"]{pause_and_cni}
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "{cni or root / 'no-cni'}"
'''


class Containerd:
    """One containerd. Without CELL, it runs in a cell of its own, and its files are in a directory of its own. CELL is a
    whole node. There, the files are where every node has them (DEFAULT). With PATHS, its own cell is like a node that
    has the files there. `root` and `socket` are the paths outside of the cell. OPTIONS are of configuration()."""

    def __init__(self, workdir, version, cell=None, cni=None, paths=None, **options):
        self.version, self._programs = version, programs(version)
        self.directory = pathlib.Path(workdir.path) / "containerd"
        self.directory.mkdir()
        self._own_cell = cell is None
        self.cell = cell or Cell(self.directory, ALL_OF_VAR if paths else PRIVATE)
        alone = Paths(self.directory / "root", self.directory / "state", self.directory / "containerd.sock")
        paths = paths or (alone if self._own_cell else DEFAULT)
        root, state, address = (pathlib.Path(path) for path in dataclasses.astuple(paths))
        self.root, self.socket = self.cell.outside(root), self.cell.outside(address)
        # The kernel refuses overlayfs on top of an overlay.
        self._snapshotter = "native" if on_overlay(self.directory) else "overlayfs"
        config = self.directory / "config.toml"
        config.write_text(configuration(version, root, state, address, self._snapshotter, cni, **options))
        self._argv = [self._programs / "containerd" if self._programs else "containerd", "-c", config]
        self._cgroup, self.cri = workdir.cgroup, None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def endpoint(self):
        return f"unix://{self.socket}"

    def start(self):
        self.cell.start("containerd", self._argv, path_first=self._programs)
        if not wait_until(self._answers, 30):
            raise RuntimeError(f"containerd {self.version} did not start:\n{self.cell.tail('containerd')}")
        self.cri = Cri(self.socket, self.directory, self._cgroup)
        if not wait_until(self._serves_cri, 30):
            raise RuntimeError(f"containerd {self.version} does not serve CRI:\n{self.cell.tail('containerd')}")

    def stop(self, number=signal.SIGTERM):
        self.cri.close()
        self.cell.stop("containerd", number)

    def close(self):
        if self.cri:
            self.cri.close()
        if self._own_cell:
            self.cell.close()

    def ctr_command(self, *arguments, namespace=NAMESPACE):
        return [self._programs / "ctr" if self._programs else "ctr", "-a", self.socket, "-n", namespace, *arguments]

    def ctr(self, *arguments, namespace=NAMESPACE):
        return subprocess.run(self.ctr_command(*arguments, namespace=namespace), check=True, text=True,
                              capture_output=True).stdout

    @property
    def import_flags(self):
        direct = ["--local"] if self.version == LATEST else []  # unpacks with the snapshotter named here
        return [*direct, "--snapshotter", self._snapshotter]

    def load(self, archive, pulled=(), local=()):
        """Imports ARCHIVE, and returns when CRI shows all PULLED and LOCAL images. PULLED images also get the traces of a
        pull: the name repository@digest, which is the repo digest in CRI, and the label of the source. LOCAL images stay as
        an import leaves them, but one that is named by digest gets the label."""
        path = archive.write(self.directory / "import.tar")
        self.ctr("images", "import", *self.import_flags, str(path))
        path.unlink()
        for image in pulled:
            for reference in image.digest_references:
                self.ctr("images", "tag", "--force", image.names[0], reference)
            self.label_as_pulled(image)
        for image in local:
            if any("@" in name for name in image.names):
                self.label_as_pulled(image)
        self.await_listed({image.id: {*image.names, *(image.digest_references if image in pulled else ())}
                           for image in (*pulled, *local)})

    def load_file(self, path, name):
        """Imports the OCI archive PATH, and returns when CRI shows NAME."""
        self.ctr("images", "import", *self.import_flags, str(path))
        if not wait_until(lambda: name in self.names(), 15):
            raise RuntimeError(f"CRI does not list {name}\n{self.cell.tail('containerd')}")

    def label_as_pulled(self, image):
        """Writes the label that a pull from each of IMAGE's repositories leaves on its manifest. It does not contain
        the port of the registry (containerd, core/remotes/docker/handler.go)."""
        sources = {}
        for reference in image.digest_references:
            host, _, path = reference.partition("@")[0].partition("/")
            sources.setdefault(host.rpartition(":")[0] or host, set()).add(path)
        self.ctr("content", "label", image.digest, *(f"containerd.io/distribution.source.{host}={','.join(sorted(paths))}"
                                                     for host, paths in sources.items()))

    def as_listed(self, image):
        """IMAGE with its ID as in this CRI."""
        return image

    def load_pause(self):
        """Loads the sandbox image, without which no pod starts. Returns it."""
        archive = images.Archive()
        pause = archive.add(PAUSE, [images.pause_layer(self.directory)])
        self.load(archive, pulled=[pause])
        return pause

    def names(self):
        return {name for image in self.cri.images() for name in (*image.repo_tags, *image.repo_digests)}

    def records(self):
        """All names that it stores, also those that the CRI does not show."""
        return set(self.ctr("images", "ls", "-q").split())

    def ids(self):
        return {image.id for image in self.cri.images()}

    def await_listed(self, expected):
        """Waits until CRI knows images that were imported without it. It learns of them from containerd's events, a
        moment later."""
        def missing():
            listed = {image.id: {*image.repo_tags, *image.repo_digests} for image in self.cri.images()}
            return {image: names - listed.get(image, set()) for image, names in expected.items()
                    if not names <= listed.get(image, set())}
        if not wait_until(lambda: not missing(), 15):
            raise RuntimeError(f"CRI does not list {missing()}\n{self.cell.tail('containerd')}")

    def _answers(self):
        # Not by gRPC, whose channel waits a second or more after a refused connection.
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def _serves_cri(self):
        try:
            return self.cri.version()
        except grpc.RpcError:
            return False


def on_overlay(directory):
    kind = subprocess.run(["stat", "-f", "-c", "%T", directory], check=True, text=True, capture_output=True).stdout
    return kind.strip() == "overlayfs"
