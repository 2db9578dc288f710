"""A Debian host with a systemd of its own. Its root directory is an overlay of this machine's: a package that a test
installs there changes nothing on the machine, and finds the libraries of the machine as its dependencies.

systemd starts without any unit but the usual targets. All processes and mounts of the host end with it.
"""
import pathlib
import subprocess
import tempfile

from lab.cell import wait_until
from lab.workdir import CGROUPS

TARGETS = ("sysinit", "basic", "network", "multi-user", "shutdown")

# Runs in the namespaces of the host. The new layer is in memory, because an overlay cannot be the upper layer of another.
BOOT = r"""
set -eu
directory=$1 root=$1/root; shift
mount --make-rprivate /
mount -t tmpfs tmpfs "$directory"
mkdir "$directory/upper" "$directory/work" "$root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$directory/upper,workdir=$directory/work" "$root"
mount -t proc proc "$root/proc"
mount -o bind,ro "$root/proc/sys" "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for name in run tmp dev; do mount -t tmpfs tmpfs "$root/$name"; done
for name in null zero full random urandom tty; do
  touch "$root/dev/$name"
  mount --bind "/dev/$name" "$root/dev/$name"
done
ln -s pts/ptmx "$root/dev/ptmx"  # PrivateDevices= needs it
while [ $# -gt 0 ]; do
  if [ -d "$2" ]; then mkdir -p "$root$1"; else mkdir -p "$(dirname "$root$1")"; [ -e "$root$1" ] || touch "$root$1"; fi
  mount --bind "$2" "$root$1"
  shift 2
done
ip link set lo up
rm -rf "$root/lib/systemd/system" "$root/lib/systemd/system-generators" "$root/etc/systemd/system"
rm -f "$root/usr/sbin/policy-rc.d"  # a container image has it, so that packages start no service
rm -f "$root/var/lib/man-db/auto-update"  # an index of manual pages takes longer than the rest of an installation
mkdir -p "$root/lib/systemd/system" "$root/etc/systemd/system/service.d"
for name in TARGETS; do
  printf '[Unit]\nDescription=%s\nDefaultDependencies=no\n' "$name" > "$root/lib/systemd/system/$name.target"
done
printf '[Service]\nStandardOutput=append:LOG\nStandardError=append:LOG\n' > "$root/etc/systemd/system/service.d/log.conf"
exec env -i container=lab "PATH=$PATH" chroot "$root" /lib/systemd/systemd --system --log-target=console \
  --unit=multi-user.target
"""
LOG = "/run/services.log"  # on the host


class DebianHost:
    """BINDS are paths of this machine by their path on the host."""

    def __init__(self, workdir, binds):
        directory = pathlib.Path(tempfile.mkdtemp(prefix="host-", dir=workdir.path))
        self._root, self._upper, self._log = directory / "root", directory / "upper", directory.with_suffix(".log")
        groups = [top / workdir.cgroup.lstrip("/") / directory.name for top in _hierarchies()]
        for group in groups:
            group.mkdir(parents=True, exist_ok=True)
        boot = BOOT.replace("TARGETS", " ".join(TARGETS)).replace("LOG", LOG)
        arguments = [str(part) for pair in binds.items() for part in pair]
        enter = 'for group in $0; do echo $$ > "$group/cgroup.procs"; done; exec "$@"'
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "sh", "-c", enter, " ".join(map(str, groups)),
                 "unshare", "--mount", "--pid", "--fork", "--kill-child", "--cgroup", "--uts", "--ipc", "--net",
                 "sh", "-c", boot, "boot", str(directory), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        if not wait_until(lambda: self._process.poll() is not None or self._is_running(), 20) \
                or self._process.poll() is not None:
            self.close()
            raise RuntimeError(f"systemd did not start:\n{self._log.read_text(errors='replace')}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def enter(self, *argv):
        """The command line that runs ARGV on the host."""
        namespaces = f"/proc/{self._process.pid}/ns"
        return ["nsenter", f"--mount={namespaces}/mnt", f"--net={namespaces}/net", f"--pid={namespaces}/pid_for_children",
                "--", "chroot", str(self._root), *map(str, argv)]

    def run(self, *argv, check=True):
        """Returns the completed process. Its output is one text, as on a terminal."""
        result = subprocess.run(self.enter(*argv), text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=300,
                                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"})
        assert not check or result.returncode == 0, f"{argv} ended with {result.returncode}:\n{result.stdout}"
        return result

    def exists(self, path):
        return self.run("test", "-e", path, check=False).returncode == 0

    def written(self):
        """The path of every file and directory that is not as on this machine. A deleted one is not among them."""
        enter = ["nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt", "--"]
        found = subprocess.run([*enter, "find", self._upper, "-mindepth", "1", "!", "-type", "c", "-printf", "/%P\\n"],
                               check=True, text=True, stdout=subprocess.PIPE).stdout
        return set(found.splitlines())

    def log(self):
        """What systemd and its services printed."""
        return self._log.read_text(errors="replace") + self.run("cat", LOG, check=False).stdout

    def close(self):
        self._process.kill()
        self._process.wait()

    def _is_running(self):
        return self.run("systemctl", "is-system-running", check=False).stdout.strip() == "running"


def _hierarchies():
    """The trees of control groups: one in version 2, several in version 1. cpuset accepts no process before it is
    configured."""
    if (CGROUPS / "cgroup.procs").exists():
        return [CGROUPS]
    return [path.parent for path in CGROUPS.glob("*/cgroup.procs") if path.parent.name != "cpuset"]
