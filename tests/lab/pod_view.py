"""A node as the agent of the chart sees it: with the mounts, the environment, and the capabilities of the rendered
container, and with nothing else of the node."""
import pathlib

from lab.agent import program
from lab.chart import one, render

# Mounts each SOURCE on ROOT/TARGET as a runtime does: with the mounts below it, and read-only at the top.
MOUNT = r"""
set -eu
root=$1; shift
mount -t tmpfs pod "$root"
while [ "$1" != -- ]; do
  source=$1 target=$root$2 mode=$3; shift 3
  if [ -d "$source" ]; then mkdir -p "$target"; else mkdir -p "${target%/*}"; : > "$target"; fi
  mount --rbind "$source" "$target"
  mount -o "remount,bind,$mode" "$target"
done
shift
for name in bin lib lib64; do ln -s "usr/$name" "$root/$name"; done
mount -o remount,ro "$root"
exec chroot "$root" "$@"
"""


class PodView:
    """The chart with VALUES, on NODE in CELL. OWN is the pod of the agent (name, namespace, uid). KUBECONFIG replaces
    its service account. The network is that of this process, or of the cell."""

    def __init__(self, cell, directory, values, node, own, kubeconfig):
        self._cell, self._root = cell, pathlib.Path(directory) / "pod"
        self._root.mkdir(exist_ok=True)
        pod = one(render(values), "DaemonSet")["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        self._fields = {"spec.nodeName": node, "metadata.name": own.name, "metadata.namespace": own.namespace,
                        "metadata.uid": own.uid}
        self._environment = [f"{variable['name']}={self._value(variable)}" for variable in container["env"]]
        dropped = container["securityContext"]["capabilities"]["drop"]
        self._capabilities = ",".join(f"-{name.lower()}" for name in dropped)
        volumes = {volume["name"]: volume["hostPath"] for volume in pod["volumes"]}
        self._mounts = [(self._source(volumes[mount["name"]]), mount["mountPath"],
                         "ro" if mount.get("readOnly") else "rw") for mount in container["volumeMounts"]]
        self._mounts += [("/proc", "/proc", "rw"), ("/usr", "/usr", "ro"), (program(), program(), "ro"),
                         (kubeconfig, kubeconfig, "ro")]

    def enter(self, network=False):
        """The command line that runs the program, by its path outside, in the container."""
        mounts = [part for mount in self._mounts for part in mount]
        container = ["setpriv", f"--bounding-set={self._capabilities}", f"--inh-caps={self._capabilities}", "--",
                     "env", "-i", *self._environment]
        return self._cell.enter("unshare", "--mount", "--propagation=slave", "sh", "-c", MOUNT, "pod", self._root,
                                *mounts, "--", *container, network=network, mounts=True, processes=True)

    def _value(self, variable):
        return variable["value"] if "value" in variable else \
            self._fields[variable["valueFrom"]["fieldRef"]["fieldPath"]]

    def _source(self, volume):
        """The path of a hostPath volume, which the kubelet checks or makes first."""
        outside = self._cell.outside(volume["path"])
        if volume["type"] == "DirectoryOrCreate":
            outside.mkdir(parents=True, exist_ok=True)
        assert outside.is_dir(), f"hostPath type check failed: {volume['path']} is not a directory"
        return volume["path"]
