"""The tables of docs/compatibility.md about what the tests ran on have the form that the tool writes, and name software
that the tests use, in its version, and files that exist."""
import importlib.machinery
import importlib.util
import json
import re
import subprocess

import pytest

from lab import dockerd, junit
from lab.pages import ROOT, Page

PAGE = Page(ROOT / "docs/compatibility.md")
LOADER = importlib.machinery.SourceFileLoader("compatibility", str(ROOT / "tools/compatibility"))
TOOL = importlib.util.module_from_spec(importlib.util.spec_from_loader(LOADER.name, LOADER))
LOADER.exec_module(TOOL)
TIERS = TOOL.tiers(PAGE.path.read_text())
# Software -> its Go module.
MODULES = {"containerd": "github.com/containerd/containerd", "CRI-O": "github.com/cri-o/cri-o",
           "Kubernetes": "k8s.io/kubernetes", "Helm": "helm.sh/helm"}
MOBY = "github.com/moby/moby"


def built(module):
    """The versions of a Go module that the tests build: those in a go.mod that has its programs, or that requires it
    directly."""
    for path in (ROOT / "tests").rglob("go.mod"):
        text = path.read_text()
        line = re.search(rf"^(?:require)?\s+{re.escape(module)}(?:/v\d+)? v(\S+)( // indirect)?$", text, re.MULTILINE)
        if line and (not line[2] or re.search(rf"^(?:tool)?\s+{re.escape(module)}(?:/v\d+)?/cmd/", text, re.MULTILINE)):
            yield line[1]


def in_use():
    """Patterns of all rows that the tests can bring about."""
    for name, module in MODULES.items():
        for version in built(module):
            yield re.escape(f"{name} {version}")
    debian = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "containerd"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout
    version, _, suffix = debian.rpartition("-")[0].partition("~")
    yield re.escape(f"containerd {version}") + f"(~{re.escape(suffix)})?"  # a kubelet leaves out the suffix
    yield rf"Docker {re.escape(dockerd.DEBIAN)}\.\S+"
    for version in built(MOBY):
        yield rf"Docker {dockerd.LATEST}\.\S*{re.escape(version)}"
    for recording in (ROOT / "tests/support/cri-dockerd").glob("*.json"):
        version = json.loads(recording.read_text())["Version"]["runtime_version"]
        yield re.escape(f"cri-dockerd (recorded) on {version}")
    yield "CRI server of the tests"
    yield re.escape(junit.NO_RUNTIME)


def complaints(tier, table):
    """What is wrong with a table as TOOL.table() makes it."""
    known = re.compile("|".join(in_use()))
    rows = table.splitlines()
    head, rows = rows[:2], rows[2:]
    if not rows or head != TOOL.table(tier, {}).splitlines():
        return ["no table"]
    found, seen = [], set()
    for row in rows:
        match = re.fullmatch(r"\| ([^|]+) \| ([1-9]\d*) \| ((?:`\w+\.py`(?:, )?)+) \|", row)
        if not match:
            found.append(f"no row: {row}")
            continue
        found += [f"not in use: {part}" for part in match[1].split(" with ") if not known.fullmatch(part)]
        found += [f"no file: {name}" for name in re.findall(r"`(\S+)`", match[3])
                  if not (ROOT / "tests" / tier / name).is_file()]
        found += [f"twice: {match[1]}"] if match[1] in seen else []
        seen.add(match[1])
    return found


def table_of(tier):
    begin, end = (mark.format(tier=tier) for mark in (TOOL.BEGIN, TOOL.END))
    return PAGE.path.read_text().partition(begin)[2].partition(end)[0].strip()


def test_the_page_has_the_tables_of_the_tiers_with_runtimes():
    assert set(TIERS) == {"runtime", "cluster"}


@pytest.mark.parametrize("tier", TIERS)
def test_a_table_is_one_of_the_tool_and_names_what_exists(tier):
    text = table_of(tier)
    assert text == TOOL.nothing(tier) or complaints(tier, text) == []


def good_rows():
    """(tier, runtime, file)"""
    for tier, file in (("runtime", "test_sweep.py"), ("cluster", "test_cluster.py")):
        for name, module in MODULES.items():
            yield from ((tier, f"{name} {version}", file) for version in built(module))
    yield "runtime", f"Docker {dockerd.DEBIAN}.24+dfsg1", "test_docker.py"
    yield "runtime", "no runtime", "test_man_pages.py"
    both = (f"{name} {next(built(MODULES[name]))}" for name in ("Kubernetes", "containerd"))
    yield "cluster", " with ".join(both), "test_cluster.py"


@pytest.mark.parametrize("tier, runtime, file", good_rows())
def test_a_good_row_is_accepted(tier, runtime, file):
    assert complaints(tier, TOOL.table(tier, {runtime: {"passed": 7, "files": [file]}})) == []


@pytest.mark.parametrize("runtime, files, says", [
    ("CRI-O 0.0.1", ["test_crio.py"], "not in use: CRI-O 0.0.1"),
    ("containerd 2.99.0", ["test_sweep.py"], "not in use: containerd 2.99.0"),
    ("no runtime", ["test_that_is_gone.py"], "no file: test_that_is_gone.py"),
    ("no runtime", [], "no row: | no runtime | 1 |  |"),
    ("CRI-O (not started)", ["test_crio.py"], "not in use: CRI-O (not started)"),
])
def test_a_wrong_row_is_found(runtime, files, says):
    assert complaints("runtime", TOOL.table("runtime", {runtime: {"passed": 1, "files": files}})) == [says]


def test_every_software_that_the_tests_build_is_known():
    for module in (*MODULES.values(), MOBY):
        assert list(built(module)), module


def written(tmp_path, monkeypatch, rows, *named):
    """What the tool makes of a page when the runtime tier left ROWS (None: nothing)."""
    page = tmp_path / "page.md"
    page.write_text("Before.\n\n<!-- runtime: written by tools/compatibility -->\nold\n<!-- end of runtime -->\n\nAfter.\n")
    if rows is not None:
        (tmp_path / "build").mkdir()
        (tmp_path / "build/runtime-results.json").write_text(json.dumps(rows))
    monkeypatch.setattr(TOOL, "ROOT", tmp_path)
    monkeypatch.setattr(TOOL, "PAGE", page)
    monkeypatch.setattr("sys.argv", ["compatibility", *named])
    before = page.read_text()
    try:
        TOOL.main()
    except SystemExit as error:
        assert page.read_text() == before
        return str(error)
    return page.read_text()


def test_the_tool_replaces_the_table_and_nothing_else(tmp_path, monkeypatch):
    rows = {"CRI-O 1.34.0": {"passed": 3, "failed": 0, "files": ["test_crio.py", "test_sweep.py"]}}
    assert written(tmp_path, monkeypatch, rows) == """Before.

<!-- runtime: written by tools/compatibility -->

| `tests/runtime` on | Tests passed | Files |
| --- | --- | --- |
| CRI-O 1.34.0 | 3 | `test_crio.py`, `test_sweep.py` |

<!-- end of runtime -->

After.
"""


@pytest.mark.parametrize("rows, named, says", [
    ({"CRI-O 1.34.0": {"passed": 3, "failed": 1, "files": ["test_crio.py"]}}, [], "failed on CRI-O 1.34.0"),
    (None, [], "run scripts/test runtime"),
    (None, ["cluster"], "run scripts/test cluster"),
])
def test_the_tool_keeps_the_page_without_the_results_of_a_good_run(tmp_path, monkeypatch, rows, named, says):
    assert says in written(tmp_path, monkeypatch, rows, *named)
