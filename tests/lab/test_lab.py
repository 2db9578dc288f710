"""The lab leaves nothing behind, however it ends."""
import pathlib
import signal
import subprocess
import sys

from lab import workdir
from lab.cell import wait_until
from lab.workdir import Workdir

CHILD = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv[1])
from lab import images
from lab.containerd import Containerd
from lab.workdir import Workdir
with Workdir() as directory, Containerd(directory, "1.6") as containerd:
    pause = containerd.load_pause()
    containerd.cri.start_pod("pod", {"c": pause.id})
    print(directory.path, flush=True)
    time.sleep(600)
"""


def _processes_of(path):
    """Processes that name PATH, or whose root file system is mounted from below it (containers)."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            root = next((line for line in (process / "mountinfo").read_text().splitlines()
                         if line.split()[4] == "/"), "")
            if str(path) in root or str(path) in (process / "cmdline").read_text():
                found.append(process.name)
        except (FileNotFoundError, ProcessLookupError, OSError):
            continue  # it ended during the search
    return found


def _start():
    child = subprocess.Popen([sys.executable, "-c", CHILD, pathlib.Path(__file__).parents[1]], text=True,
                             stdout=subprocess.PIPE)
    path = pathlib.Path(child.stdout.readline().strip())
    assert _processes_of(path)
    return child, path


def _cgroups(path):
    return list(workdir.CGROUPS.glob(f"**/imagesweep-lab-{path.name}"))


def test_a_killed_run_leaves_no_process_and_the_next_clears_its_files():
    child, path = _start()
    assert len(_processes_of(path)) > 3 and _cgroups(path)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert wait_until(lambda: not _processes_of(path), 10)
    assert path.exists()
    with Workdir() as other:
        assert not path.exists() and not _cgroups(path)
        assert other.path.exists()


def test_an_interrupted_run_clears_up_itself():
    child, path = _start()
    child.send_signal(signal.SIGINT)
    child.wait(timeout=20)
    assert wait_until(lambda: not _processes_of(path), 10)
    assert not path.exists() and not _cgroups(path)


def test_a_living_run_is_left_alone():
    with Workdir() as first:
        with Workdir():
            assert first.path.exists()
        (first.path / "file").write_text("x")
    assert not first.path.exists()
