"""Separate file systems of a limited size."""
import contextlib
import ctypes
import subprocess

from lab.workdir import Workdir

CLONE_NEWNS = 0x00020000  # linux/sched.h


@contextlib.contextmanager
def workdir_on_a_disk(size, *mkfs, kind="ext4"):
    """A Workdir whose `path` is the root of a separate file system. Only this process and its children see the mount,
    so it always ends with them."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with Workdir() as workdir:
        disk, mounted = workdir.path / "disk", workdir.path / "node"
        mounted.mkdir()
        with open(disk, "wb") as file:
            file.truncate(size)
        subprocess.run([f"mkfs.{kind}", "-q", *mkfs, disk], check=True)
        subprocess.run(["mount", "-o", "loop", disk, mounted], check=True)
        try:
            workdir.path, whole = mounted, workdir.path
            yield workdir
        finally:
            workdir.path = whole
            subprocess.run(["umount", mounted], check=True)
