"""What docs/architecture.md names is there, and what it lists is complete."""
import re

import pytest

from lab.pages import ROOT, Page

PAGE = Page(ROOT / "docs/architecture.md")
PICTURE = (ROOT / "docs/architecture.dot").read_text()
SOURCES = {path: path.read_text() for folder in ("agent", "tests") for path in sorted((ROOT / folder).rglob("*"))
           if path.suffix in (".cpp", ".h", ".py")}
WORDS = set(re.findall(r"\w+", "".join(SOURCES.values())))
SPANS = set(PAGE.spans)


def source(name):
    """The text of the source file below agent/ with this name."""
    (text,) = [text for path, text in SOURCES.items() if path.name == name and path.is_relative_to(ROOT / "agent")]
    return text


@pytest.mark.parametrize("path", sorted({span for span in SPANS if "/" in span}
                                        | set(re.findall(r"\bagent/[\w/.]+\w", PICTURE))))
def test_a_path_that_the_architecture_names_exists(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", sorted({span for span in SPANS if re.fullmatch(r"\w+(::\w+)*", span)}
                                        | set(re.findall(r"\b\w+(?:::\w+)*(?=: agent/)", PICTURE))))
def test_a_name_of_the_code_that_the_architecture_has_is_in_the_code(name):
    if name.startswith("test_"):
        assert any(f"def {name}(" in text for text in SOURCES.values())
    else:
        assert set(name.split("::")) <= WORDS


@pytest.mark.parametrize("test", sorted(span for span in SPANS if re.fullmatch(r"[A-Z]\w+\.[A-Z]\w+", span)
                                        and not span.startswith(("Images.", "Leases."))))  # calls of containerd
def test_a_test_that_the_architecture_names_exists(test):
    subject, _, name = test.partition(".")
    assert any(re.search(rf"TEST(_F|_P)?\({subject},\s*{name}\)", text) for text in SOURCES.values())


def test_the_table_of_folders_has_each_folder():
    (table,) = [table for table in PAGE.tables() if "Folder" in table[0]]
    folders = {f"agent/{path.name}" for path in (ROOT / "agent").iterdir() if path.is_dir()}
    assert folders == {row["Folder"].strip("`") for row in table}


def test_each_file_that_starts_threads_is_in_the_section_of_threads():
    named = {path.rpartition(".")[0] for path in re.findall(r"`(agent/[\w/.]+)`", PAGE.section("Threads of the agent"))}
    start = {str(path.relative_to(ROOT).with_suffix("")) for path, text in SOURCES.items()
             if path.is_relative_to(ROOT / "agent") and re.search(r"\bstd::j?thread\b", text)}
    assert start and start <= named, start - named


def test_each_place_that_deletes_is_in_its_section():
    named = set(re.findall(r"`(agent/[\w/.]+)`", PAGE.section("Places that delete")))
    places = {str(path.relative_to(ROOT)) for path in (ROOT / "agent").rglob("delete.cpp")}
    assert len(places) > 1 and places <= named


def test_the_glossary_has_every_verdict_code():
    codes = set(re.findall(r"\bk([A-Z]\w+)", re.search(r"enum class Code \{(.*?)\};", source("plan.h"), re.DOTALL)[1]))
    (table,) = [table for table in Page(ROOT / "docs/glossary.md").tables() if "Code" in table[0]]
    assert len(codes) > 15 and {row["Code"].strip("`") for row in table} == codes


def test_the_help_of_each_command_has_examples_and_exit_codes():
    commands = set(re.findall(r'add_subcommand\(\s*"([a-z-]+)"',
                              source("command_flags.cpp") + source("completion_command.cpp")))
    footers = dict(re.findall(r'\{"([a-z -]+)",\s*R"\((.*?)\)"\}', source("help_footers.h"), re.DOTALL))
    assert len(commands) > 15 and {words.split()[-1] for words in footers} == commands
    for words, footer in footers.items():
        assert "Exit codes:\n" in footer and ("Examples:\n" in footer or words == "policy"), words
