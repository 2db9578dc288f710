"""A lab's directory, and the clearing of directories whose owner is dead.

Each directory holds a lock file that its owner keeps locked; the kernel drops the lock when the owner dies, however it
dies. Processes and mounts need no clearing: they end with their namespaces (cell.py). What a killed run can leave is
files and empty control groups, and the next run removes those.
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
    """Use as a context manager; `path` is the directory, `cgroup` the control group all of the lab's pods go below."""

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
    """Removes the directories that nobody holds a lock on."""
    for path in BASE.iterdir():
        if not path.is_dir():
            continue
        try:
            with open(path / "lock", "a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(path)
        except (BlockingIOError, FileNotFoundError):
            continue  # its owner lives, or has just removed it


def _cgroup(path):
    return f"/imagesweep-lab-{path.name}"


def _locked(path):
    lock = open(path, "w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def _remove(path):
    # Control groups of version 1 have one tree for each controller, of version 2 a single one.
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
