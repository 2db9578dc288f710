"""A memory cgroup for a process under test: the limit of a container, and the peak that the kernel counts for it."""
import contextlib
import pathlib
import uuid

V1, V2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")


class MemoryCgroup:
    def __init__(self, path, limit_file, peak_file):
        self._path, self._peak_file = path, peak_file
        path.mkdir()
        self._limit_file = limit_file

    def limit(self, size):
        (self._path / self._limit_file).write_text(str(size))

    def enter(self):
        """The beginning of a command line that runs in this cgroup."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._path / "cgroup.procs")]

    def peak(self):
        """Bytes, including the page cache of the process's files."""
        return int((self._path / self._peak_file).read_text())

    def close(self):
        self._path.rmdir()


@contextlib.contextmanager
def memory_cgroup(limit):
    """A cgroup with LIMIT bytes, on a host with either version of cgroups. It ends after the processes in it."""
    name = f"imagesweep-test-{uuid.uuid4()}"
    if V1.is_dir():
        cgroup = MemoryCgroup(V1 / name, "memory.limit_in_bytes", "memory.max_usage_in_bytes")
    else:
        (V2 / "cgroup.subtree_control").write_text("+memory")
        cgroup = MemoryCgroup(V2 / name, "memory.max", "memory.peak")
    try:
        cgroup.limit(limit)
        yield cgroup
    finally:
        cgroup.close()
