"""The directory of a lab, and the cleanup of directories whose owner is dead.

Each directory has a lock file that its owner keeps locked. The kernel releases the lock when the owner dies in any way.
Processes and mounts need no cleanup: they end with their namespaces (cell.py). A killed run can leave files and empty
control groups, and the next run removes those.
"""
import fcntl
import os
import pathlib
import shutil
import tempfile
import time

BASE = pathlib.Path(tempfile.gettempdir()) / f"imagesweep-lab-{os.getuid()}"
CGROUPS = pathlib.Path("/sys/fs/cgroup")


class Workdir:
    """Use as a context manager. `path` is the directory, and `cgroup` is the parent control group of all pods of the
    lab."""

    def __init__(self):
        BASE.mkdir(mode=0o700, exist_ok=True)
        with _locked(BASE / "lock"):
            remove_leftovers()
            self.path = pathlib.Path(tempfile.mkdtemp(dir=BASE))
            self._lock = open(self.path / "lock", "w")
            fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.cgroup = _cgroup(self.path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        if not self._lock.closed:
            _remove(self.path)
            self._lock.close()


def remove_leftovers():
    """Removes the directories whose lock no process holds."""
    for path in BASE.iterdir():
        if not path.is_dir():
            continue
        try:
            with open(path / "lock", "a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
        except (BlockingIOError, FileNotFoundError):
            continue  # its owner is alive, or has just removed it


def _cgroup(path):
    return f"/imagesweep-lab-{path.name}"


def _locked(path):
    lock = open(path, "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _remove(path):
    # Control groups version 1 have one tree for each controller, and version 2 has a single tree.
    name = _cgroup(path).lstrip("/")
    for top in [CGROUPS / name, *CGROUPS.glob(f"*/{name}")]:
        groups = [pathlib.Path(group) for group, _, _ in os.walk(top, topdown=False)]
        for group in groups:
            _retry(group.rmdir)
    _retry(lambda: shutil.rmtree(path))


def _retry(remove, seconds=10):
    """A control group is busy until its last process has been reaped."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return remove()
        except FileNotFoundError:
            return None
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
