"""The tier runner counts what passed, calls everything else a failure, and says why a tier could not run."""
import importlib.machinery
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load():
    loader = importlib.machinery.SourceFileLoader("tier_runner", str(ROOT / "scripts/test"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tier_runner", loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("body, passed, failed", [
    ("def test_a(): pass\ndef test_b(): pass\n", 2, 0),
    ("def test_a(): pass\ndef test_b(): assert 0\n", 1, 1),
    ("import pytest\ndef test_a(): pytest.skip('not here')\n", 0, 1),
    ("def test_a(no_such_fixture): pass\n", 0, 1),
    ("this is no Python\n", 0, 1),
    ("", 0, 1),
])
def test_counts(tmp_path, monkeypatch, body, passed, failed):
    (tmp_path / "test_it.py").write_text(body)
    runner = load()
    command = [*runner.PYTEST[:-2], "--rootdir", str(tmp_path), *runner.PYTEST[-2:], str(tmp_path)]
    monkeypatch.setitem(runner.TIERS, "tier", (False, [], command))
    assert runner.run("tier")[:2] == (passed, failed)


@pytest.mark.parametrize("go, says", [(None, "no `go` on PATH"), ("go1.19.8", "`go` is go1.19.8")])
def test_without_go_one_line_says_what_is_missing(tmp_path, go, says):
    if go:
        (tmp_path / "go").write_text(f"#!/bin/sh\necho {go}\n")
        (tmp_path / "go").chmod(0o755)
    result = subprocess.run([sys.executable, "-m", "lab.gobuild", "containerd"], cwd=ROOT / "tests", text=True,
                            capture_output=True, env={**os.environ, "PATH": str(tmp_path)})
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1
    assert "Go >= 1.21 is needed" in result.stderr and says in result.stderr


def test_a_finished_build_is_used_without_a_compiler_run(tmp_path):
    """Two runs at once find the same directory, which appears only when it is complete."""
    fake = tmp_path / "bin/go"
    fake.parent.mkdir()
    fake.write_text(f"""#!/bin/sh
case "$1" in
env) echo go1.26.0 ;;
build) echo build >> {tmp_path}/calls; while [ "$1" != -o ]; do shift; done; sleep 0.2; echo program > "$2" ;;
esac
""")
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{fake.parent}:/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    runs = [subprocess.Popen([sys.executable, "-m", "lab.gobuild", "containerd"], cwd=ROOT / "tests", text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment) for _ in range(3)]
    results = {run.communicate()[0].strip() for run in runs}
    assert len(results) == 1
    built = pathlib.Path(results.pop())
    assert sorted(path.name for path in built.iterdir()) == ["containerd", "containerd-shim-runc-v2", "ctr"]
    assert len((tmp_path / "calls").read_text().splitlines()) == 3  # one for each program, not for each run
    assert not list((tmp_path / "cache/imagesweep").glob("*.tmp"))
