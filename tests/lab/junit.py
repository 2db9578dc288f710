"""Reads the reports that pytest and ctest write."""
import dataclasses
import pathlib
import xml.etree.ElementTree

NO_RUNTIME = "no runtime"


@dataclasses.dataclass(frozen=True)
class Case:
    """One test. `runtimes` are the notes of lab/runtimes.py, and `file` is the name of its file, of pytest only."""

    file: str
    passed: bool
    runtimes: tuple


def cases(report):
    """The tests of a report. It has none if pytest could not write it."""
    try:
        elements = list(xml.etree.ElementTree.parse(report).iter("testcase"))
    except (FileNotFoundError, xml.etree.ElementTree.ParseError):
        return []
    return [_case(element) for element in elements]


def _case(element):
    passed = element.get("status", "run") == "run" \
        and not any(element.find(bad) is not None for bad in ("failure", "error", "skipped"))
    runtimes = tuple(one.get("value") for one in element.iterfind("properties/property") if one.get("name") == "runtime")
    return Case(pathlib.Path(element.get("file", "")).name, passed, runtimes)


def by_runtime(tests):
    """runtime -> {"passed", "failed", "files"}. A test counts for each runtime that it used, or for NO_RUNTIME."""
    rows = {}
    for test in tests:
        for runtime in test.runtimes or (NO_RUNTIME,):
            row = rows.setdefault(runtime, {"passed": 0, "failed": 0, "files": set()})
            row["passed" if test.passed else "failed"] += 1
            row["files"].update([test.file] if test.file else [])  # pytest names none if it was interrupted
    return {runtime: {**rows[runtime], "files": sorted(rows[runtime]["files"])}
            for runtime in sorted(rows, key=lambda name: (name == NO_RUNTIME, name.lower()))}

