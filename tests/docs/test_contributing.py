"""The commands of CONTRIBUTING.md run the tests that they are said to run."""
import re

import pytest

from lab.pages import ROOT, Page

CONTRIBUTING = Page(ROOT / "CONTRIBUTING.md")
TEXT = CONTRIBUTING.path.read_text()


def pytest_commands():
    """(folder, word) of each command in CONTRIBUTING.md that runs one test with pytest."""
    return re.findall(r"pytest -c tests/pytest.ini (tests/\w+) -k (\w+)", TEXT)


@pytest.mark.parametrize("folder, word", sorted(set(pytest_commands())))
def test_a_command_that_runs_one_test_finds_a_test(folder, word):
    files = [path for path in (ROOT / folder).glob("test_*.py")]
    assert any(word in path.stem or re.search(rf"def test_\w*{word}", path.read_text()) for path in files)


def test_each_tier_can_be_run_alone():
    """Each tier of scripts/test has a row in the table of CONTRIBUTING.md, and each folder of pytest has a command."""
    runner = (ROOT / "scripts/test").read_text()
    tiers = set(re.findall(r'^    "(\w+)": \((?:True|False),', runner, re.MULTILINE))
    (table,) = [table for table in CONTRIBUTING.tables() if "What it tests" in table[0]]
    assert tiers and {row["Tier"] for row in table} == tiers
    assert set(re.findall(r'"(tests/\w+)"\]', runner)) == {folder for folder, _ in pytest_commands()}


@pytest.mark.parametrize("program", sorted(set(re.findall(r"build/\w+/(tests/\S+_test)\b", TEXT))))
def test_a_test_program_is_built_where_contributing_has_it(program):
    folder, _, name = program.rpartition("/")
    assert f"imagesweep_test({name.removesuffix('_test')}\n" in (ROOT / folder / "CMakeLists.txt").read_text()


def test_the_program_is_built_where_contributing_has_it():
    assert set(re.findall(r"build/\w+/(?:agent/)?imagesweep\b", TEXT)) \
        <= {"build/dev/imagesweep", "build/release/imagesweep"}
    assert "RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}" in (ROOT / "agent/CMakeLists.txt").read_text()
