"""The demo shows its steps, and leaves nothing behind if it is interrupted."""
import os
import pathlib
import signal
import subprocess

import pytest

from lab import agent, runtimes, workdir

DEMO = pathlib.Path(__file__).resolve().parents[2] / "scripts/demo"


@pytest.fixture
def labs():
    """A separate place for the lab of the demo. The next run clears it if this one is killed."""
    with workdir.Workdir() as directory:
        yield directory.path


def start(labs):
    """The demo runs the containerd of the Debian package."""
    answer = subprocess.run(["containerd", "--version"], check=True, text=True, stdout=subprocess.PIPE).stdout
    runtimes.note(f"containerd {answer.split()[2]}")
    environment = {**agent.environment(), "IMAGESWEEP": str(agent.program()), "TMPDIR": str(labs)}
    return subprocess.Popen([DEMO], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                            start_new_session=True)


def names(labs):
    return [path.name for path in labs.glob("imagesweep-lab-*/*/")]


def test_it_removes_the_old_versions_and_keeps_the_rest(labs):
    demo = start(labs)
    text, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, text
    for line in ("Keep (InUse)", "Remove (Superseded): replaced by shop.example/backend-api:v5",
                 "Dry run: would remove 4 images", "Removed 4 images",
                 "Verified: all 2 referenced images are present", "backend-api: running", "frontend: running"):
        assert line in text
    afterwards, report = text[text.rindex("=== Afterwards"):].split("=== The report of that run")
    assert "backend-api:v5" in afterwards and "backend-api:v4" in afterwards  # in use, and kept for rollback
    assert "backend-api:v3" not in afterwards
    assert "| shop.example/backend-api | v1 | 12.3MiB | Replaced by v5 |" in report
    assert "(duplicate tag)" in report and "Pods ready before: 2 of 2, after: 2." in report
    assert names(labs) == []


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("moment", ["Filling it", "What runs", "=== The plan"])
def test_it_clears_up_when_interrupted(labs, moment, number, code):
    demo = start(labs)
    seen = ""
    for line in demo.stdout:
        seen += line
        if moment in line:
            break
    lab, = names(labs)
    os.killpg(demo.pid, number)
    rest, _ = demo.communicate(timeout=30)
    assert demo.returncode == code, seen + rest
    assert "removed its files" in rest
    assert names(labs) == []
    assert not list(workdir.CGROUPS.glob(f"**/imagesweep-lab-{lab}"))
