"""The tier runner counts passed tests, treats everything else as a failure, gives the reason if a tier could not run,
and runs its lanes in parallel."""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from lab import gobuild
from lab.cell import wait_until

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
    assert runner.run("tier", runner.Programs())[:2] == (passed, failed)


RUNTIMES = """import pytest
from lab import runtimes

class Fake:
    version = "v1.2.3"

def broken():
    raise RuntimeError("did not start")

@pytest.fixture
def fake():
    return runtimes.start("fake", Fake, lambda fake: fake.version)

def test_on_one(fake): pass
def test_on_one_again(fake): pass
def test_fails(fake): assert 0
def test_on_two(fake): runtimes.note("other 4.5")
def test_does_not_start(): runtimes.start("fake", broken, None)
def test_on_none(): pass
"""


@pytest.mark.parametrize("parallel", [[], ["-n", "2"]], ids=["one", "two"])
def test_a_row_has_the_tests_of_a_runtime_in_the_version_that_it_reports(tmp_path, monkeypatch, parallel):
    (tmp_path / "conftest.py").write_text((ROOT / "tests/conftest.py").read_text().replace(
        "pathlib.Path(__file__).parent", f"pathlib.Path({str(ROOT / 'tests')!r})"))
    (tmp_path / "test_it.py").write_text(RUNTIMES)
    runner = load()
    command = [*runner.PYTEST[:-2], "--rootdir", str(tmp_path), *runner.PYTEST[-2:], *parallel, str(tmp_path)]
    monkeypatch.setitem(runner.TIERS, "tier", (False, [], command))
    monkeypatch.setattr(runner, "BY_RUNTIME", ("tier",))
    outcome = runner.run("tier", runner.Programs())
    here = {"files": ["test_it.py"]}
    assert outcome == (4, 2, "", {"fake (not started)": {"passed": 0, "failed": 1, **here},
                                  "fake 1.2.3": {"passed": 3, "failed": 1, **here},
                                  "other 4.5": {"passed": 1, "failed": 0, **here},
                                  "no runtime": {"passed": 1, "failed": 0, **here}})
    assert list(outcome.rows)[-1] == "no runtime"


def test_rows_are_printed_below_their_tier_and_kept_until_it_cannot_run(tmp_path, monkeypatch, capsys):
    runner = load()
    monkeypatch.setattr(runner, "LOGS", tmp_path)
    row = {"passed": 2, "failed": 1, "files": ["test_it.py"]}
    outcome = runner.Outcome(2, 1, "", {"fake 1.2.3": row})
    runner.Results().end("runtime", 1, outcome)
    assert capsys.readouterr().out.splitlines()[1].split() == ["fake", "1.2.3", "2", "passed", "1", "failed"]
    runner.keep_rows("runtime", outcome)
    assert json.loads((tmp_path / "runtime-results.json").read_text()) == {"fake 1.2.3": row}
    runner.keep_rows("runtime", runner.Outcome(0, 1, "needs root"))
    assert list(tmp_path.iterdir()) == []


def test_every_tier_is_in_one_lane_and_the_image_is_built_before_it_is_started():
    runner = load()
    assert sorted(tier for lane in runner.LANES for tier in lane) == sorted(runner.TIERS)
    (lane,) = [lane for lane in runner.LANES if "cluster" in lane]
    assert lane.index("image") < lane.index("cluster")


def start(directory, lanes, *arguments):
    """The runner as a process, with tiers of one shell command each. Lanes are [{tier: command}, …]."""
    tiers = {tier: (False, [], ["sh", "-c", command]) for lane in lanes for tier, command in lane.items()}
    program = directory / "run.py"
    program.write_text(f"""import importlib.machinery, pathlib, sys
sys.dont_write_bytecode = True
runner = importlib.machinery.SourceFileLoader("tier_runner", {str(ROOT / "scripts/test")!r}).load_module()
runner.TIERS, runner.LANES = {tiers!r}, {[list(lane) for lane in lanes]!r}
runner.ROOT = runner.LOGS = pathlib.Path({str(directory)!r})
runner.main()
""")
    return subprocess.Popen([sys.executable, program, *arguments], cwd=directory, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT)


def outputs(text):
    """tier -> the lines between its head and the line with its duration."""
    found, tier = {}, None
    for line in text.split("=== summary")[0].splitlines():
        if line.startswith("=== ") and " begins" not in line:
            tier = line.removeprefix("=== ")
        elif tier and line.startswith(f"{tier} "):
            tier = None
        elif tier:
            found.setdefault(tier, []).append(line)
    return found


def wait_for(path):
    return f"for i in $(seq 500); do [ -e {path} ] && break; sleep 0.02; done; [ -e {path} ]"


def test_lanes_run_side_by_side_and_each_output_comes_whole(tmp_path):
    lanes = [{"a": f"echo a1; touch a; {wait_for('b')}; echo a2", "c": "echo c1; [ -e a ]"},
             {"b": f"echo b1; touch b; {wait_for('a')}; echo b2 >&2"}]
    process = start(tmp_path, lanes)
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 0, text
    assert outputs(text) == {"a": ["a1", "a2"], "b": ["b1", "b2"], "c": ["c1"]}
    assert text.index("=== c begins") > text.index("a2"), "a lane's tiers wait for each other"
    assert (tmp_path / "test-b.log").read_text() == "b1\nb2\n"
    summary = text.split("=== summary")[1].splitlines()
    assert [line.split()[:3] for line in summary[1:4]] == [[tier, "1", "passed"] for tier in "acb"]
    assert summary[5] == "3 passed, 0 failed"


@pytest.mark.parametrize("bad", ["a", "b", "c"])
def test_a_failure_in_any_lane_is_one_of_the_whole_and_ends_no_other(tmp_path, bad):
    lanes = [{"a": "exit 0", "c": "exit 0"}, {"b": "exit 0"}]
    for lane in lanes:
        lane.update({tier: "echo went wrong; exit 3" for tier in lane if tier == bad})
    process = start(tmp_path, lanes)
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 1 and "2 passed, 1 failed" in text
    assert outputs(text)[bad] == ["went wrong"]
    assert any(line.startswith(bad) and line.endswith("ended with 3") for line in text.splitlines())


def test_tiers_of_one_lane_print_at_once(tmp_path):
    process = start(tmp_path, [{"a": f"echo a1; {wait_for('seen')}", "c": "exit 0"}, {"b": "exit 1"}], "a", "c")
    for line in process.stdout:
        if line == "a1\n":
            (tmp_path / "seen").touch()
            break
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "2 passed, 0 failed" in text


def test_what_cannot_start_is_a_failure_that_is_named(tmp_path, monkeypatch):
    runner = load()
    monkeypatch.setitem(runner.TIERS, "tier", (False, [], [str(tmp_path / "none")]))
    outcome = runner.run_safely("tier", runner.Programs(), None)
    assert outcome[:2] == (0, 1) and str(tmp_path / "none") in outcome.why


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_all_lanes_once_they_have_cleared_up(tmp_path, number):
    tier = "trap 'echo cleared >> cleared; exit 1' INT; touch {}; for i in $(seq 1000); do sleep 0.05; done"
    process = start(tmp_path, [{"a": tier.format("a"), "c": "touch c"}, {"b": tier.format("b")}])
    assert wait_until(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists(), 30)
    process.send_signal(number)
    text = process.communicate(timeout=60)[0]
    assert process.returncode == 1, text
    assert (tmp_path / "cleared").read_text() == "cleared\n" * 2
    assert not (tmp_path / "c").exists() and "not started" in text and "0 passed, 3 failed" in text


@pytest.mark.parametrize("go, says", [(None, "no `go` on PATH"), ("go1.19.8", "`go` is go1.19.8")])
def test_without_go_one_line_says_what_is_missing(tmp_path, go, says):
    if go:
        (tmp_path / "go").write_text(f"#!/bin/sh\necho {go}\n")
        (tmp_path / "go").chmod(0o755)
    result = subprocess.run([sys.executable, "-m", "lab.gobuild", "containerd"], cwd=ROOT / "tests", text=True,
                            capture_output=True, env={**os.environ, "PATH": str(tmp_path)})
    assert result.returncode == 1 and len(result.stderr.splitlines()) == 1
    assert "Go >= 1.21 is needed" in result.stderr and says in result.stderr


@pytest.mark.parametrize("directory, module, versions", [
    ("cluster/kubernetes", "k8s.io/kubernetes", gobuild.KUBERNETES),
    ("runtime/containerd", "github.com/containerd/containerd(?:/v2)?", gobuild.CONTAINERD),
    ("chart/helm", r"helm.sh/helm/v\d", gobuild.HELM),
])
def test_each_go_module_requires_the_version_of_its_table(directory, module, versions):
    found = {path.parent.name: re.search(rf"^(?:require)?\s*{module} (v\S+)", path.read_text(), re.MULTILINE)[1]
             for path in (ROOT / "tests" / directory).glob("*/go.mod")}
    assert found == versions


def test_a_finished_build_is_used_without_a_compiler_run(tmp_path):
    """Two simultaneous runs find the same directory, which appears only when it is complete."""
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
