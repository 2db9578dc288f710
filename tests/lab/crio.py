"""A private CRI-O with its own storage, state, socket, and configuration, in a separate cell."""
import dataclasses
import json
import pathlib
import shutil
import signal
import socket

import grpc

from lab import gobuild, images, pull_records
from lab.cell import Cell, wait_until
from lab.containerd import PAUSE, on_overlay
from lab.cri import Cri

CRIO = "cri-o"  # as its CRI calls itself; the tests are parametrised with it

# A container cannot lower oom_score_adj, and the hugetlb controller may be absent. runc has no option for
# either, so a wrapper edits the specification of each container.
RUNC = r"""#!/usr/bin/python3 -SE
import json, os, sys
if "create" in sys.argv and "--bundle" in sys.argv:
    path = os.path.join(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    with open(path) as file:
        spec = json.load(file)
    spec.get("process", {}).pop("oomScoreAdj", None)
    spec.get("linux", {}).get("resources", {}).pop("hugepageLimits", None)
    with open(path, "w") as file:
        json.dump(spec, file)
os.execv("RUNC", ["runc", *sys.argv[1:]])
"""


class Crio:
    """In a cell of its own its files are in a directory of its own. In CELL, which is a whole node, they are where each
    node has them: /run/crio, /run/containers/storage and /var/lib/containers/storage. `root` and `socket` are their paths outside of it.
    SETTINGS are lines for the table [crio.image]. INSECURE are registries to access without TLS. ALIASES are short
    names with their repositories."""

    version = CRIO

    def __init__(self, workdir, cell=None, cni=None, settings="", insecure=("127.0.0.1:5000",),
                 aliases=None):
        self._programs = gobuild.crio()
        self.directory = pathlib.Path(workdir.path) / "crio"
        self.directory.mkdir()
        self.kubelet_directory = self.directory / "kubelet"
        self._own_cell = cell is None
        self.cell = cell or Cell(self.directory)
        root, run = self.directory / "root", self.directory / "run"
        if not self._own_cell:
            root, run = pathlib.Path("/var/lib/containers/storage"), pathlib.Path("/run")
        state, self._storage = run / "crio", (root, run / "containers/storage")
        address = state / "crio.sock"
        self.root, self.socket = self.cell.outside(root), self.cell.outside(address)
        self.driver = "vfs" if on_overlay(self.directory) else "overlay"
        self._write_configuration(state, address, cni, settings, insecure, aliases or {})
        self._cgroup, self.cri = workdir.cgroup, None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def _write_configuration(self, state, address, cni, settings, insecure, aliases):
        directory, (root, run) = self.directory, self._storage
        runc = directory / "runc"
        runc.write_text(RUNC.replace('"RUNC"', json.dumps(shutil.which("runc"))))
        runc.chmod(0o755)
        (directory / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}\n')
        (directory / "storage.conf").write_text(f'[storage]\ndriver = "{self.driver}"\ngraphroot = "{root}"\n'
                                                f'runroot = "{run}"\n')
        registries = "".join(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n' for host in insecure)
        short_names = "".join(f'"{name}" = "{repository}"\n' for name, repository in aliases.items())
        (directory / "registries.conf").write_text(f"{registries}[aliases]\n{short_names}")
        (directory / "no-configs").mkdir()  # instead of the directories below /etc, which the machine's packages fill
        (directory / "crio.conf").write_text(f'''[crio]
root = "{root}"
runroot = "{run}"
storage_driver = "{self.driver}"
log_dir = "{state}/pods"
version_file = "{state}/version"
clean_shutdown_file = "{root}/clean.shutdown"
[crio.api]
listen = "{address}"
[crio.runtime]
default_runtime = "runc"
cgroup_manager = "cgroupfs"
apparmor_profile = "unconfined"
pinns_path = "{self._programs}/pinns"
namespaces_dir = "{state}/ns"
container_exits_dir = "{state}/exits"
container_attach_socket_dir = "{state}/attach"
hooks_dir = []
cdi_spec_dirs = []
[crio.runtime.runtimes.runc]
runtime_path = "{runc}"
runtime_root = "{state}/runc"
monitor_path = "{shutil.which("conmon")}"
monitor_cgroup = "pod"
[crio.image]
pause_image = "{PAUSE}"
signature_policy = "{directory}/policy.json"
signature_policy_dir = "{directory}/no-configs"
{settings}
[crio.network]
network_dir = "{cni or directory / 'no-configs'}"
plugin_dirs = ["/usr/lib/cni"]
[crio.nri]
enable_nri = false
''')
        self._environment = {"CONTAINERS_STORAGE_CONF": directory / "storage.conf",
                             "CONTAINERS_REGISTRIES_CONF": directory / "registries.conf"}
        self._argv = ["env", *(f"{name}={value}" for name, value in self._environment.items()),
                      self._programs / "crio", "--config", directory / "crio.conf",
                      *(["--registries-conf", directory / "registries.conf"] if aliases else []),
                      "--config-dir", directory / "no-configs"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def endpoint(self):
        return f"unix://{self.socket}"

    def start(self):
        self.cell.start("crio", self._argv)
        if not wait_until(self._answers, 30):
            raise RuntimeError(f"CRI-O did not start:\n{self.cell.tail('crio')}")
        self.cri = Cri(self.socket, self.directory, self._cgroup, names_images=True)
        if not wait_until(self._serves_cri, 30):
            raise RuntimeError(f"CRI-O does not serve CRI:\n{self.cell.tail('crio')}")

    def stop(self, number=signal.SIGTERM):
        self.cri.close()
        self.cell.stop("crio", number)

    def close(self):
        if self.cri:
            self.cri.close()
        if self._own_cell:
            self.cell.close()

    def run(self, *argv):
        """Runs a program that uses the same storage: skopeo, buildah, podman."""
        environment = [f"{name}={value}" for name, value in self._environment.items()]
        return self.cell.run("env", *environment, *argv, mounts=True, processes=True).stdout

    def load(self, archive, pulled=(), local=()):
        """Copies the images into the storage, under all their names. CRI-O itself keeps no trace of a pull: PULLED ones
        get the kubelet's record of it."""
        layout = archive.layout(self.directory / "import")
        root, run = self._storage
        for image in (*pulled, *local):
            for name in image.names:
                self.run("skopeo", "--insecure-policy", "copy", "--quiet", f"oci:{layout}:{image.digest[7:]}",
                         f"containers-storage:[{self.driver}@{root}+{run}]{name}")
        shutil.rmtree(layout)
        for image in pulled:
            for name in image.names:
                self.record_pull(name, self.as_listed(image).id)

    def load_file(self, path, name):
        """Copies the only image of the OCI archive PATH into the storage as NAME."""
        root, run = self._storage
        self.run("skopeo", "--insecure-policy", "copy", "--quiet", f"oci-archive:{path}",
                 f"containers-storage:[{self.driver}@{root}+{run}]{name}")

    def record_pull(self, name, reference):
        """Leaves the kubelet's record of a pull of NAME, to which CRI-O answered with REFERENCE."""
        pull_records.write(self.kubelet_directory, name, reference)

    def as_listed(self, image):
        """IMAGE with its ID as in this CRI: without the algorithm."""
        return dataclasses.replace(image, id=image.id.removeprefix("sha256:"))

    def load_pause(self):
        """Loads the sandbox image, without which no pod starts. Returns it."""
        archive = images.Archive()
        pause = archive.add(PAUSE, [images.pause_layer(self.directory)])
        self.load(archive, pulled=[pause])
        return self.as_listed(pause)

    def names(self):
        return {name for image in self.cri.images() for name in (*image.repo_tags, *image.repo_digests)}

    def records(self):
        """All names that it stores, without the repo digests that it makes from them."""
        stored = json.loads((self.root / f"{self.driver}-images" / "images.json").read_text())
        return {name for image in stored for name in image.get("names", ())}

    def ids(self):
        return {image.id for image in self.cri.images()}

    def _answers(self):
        # Not by gRPC, whose channel waits a second or more after a refused connection.
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def _serves_cri(self):
        try:
            return self.cri.version()
        except grpc.RpcError:
            return False
