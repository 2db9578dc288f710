"""The manual pages are valid and say what the help says; none of it needs a node."""
import re
import subprocess

import pytest

from lab import agent


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    directory = tmp_path_factory.mktemp("man") / "man1"
    agent.run("man", directory)
    return {path.stem: path for path in directory.glob("*.1")}


def shown(page):
    """The page as `man` shows it, without line breaks and styles; a warning fails."""
    result = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-P-c", "-rHY=0", page], text=True, capture_output=True,
                            check=True)
    assert result.stderr == ""
    return " ".join(re.sub(r".\x08", "", result.stdout).split())


def test_each_command_has_a_page_and_the_hidden_one_has_none(pages):
    assert {"imagesweep", "imagesweep-plan", "imagesweep-status", "imagesweep-policy-validate"} <= set(pages)
    assert "imagesweep-man" not in pages and "  man" not in agent.run("--help").stdout
    listed = set(re.findall(r"\b(imagesweep-[\w-]+)\(1\)", shown(pages["imagesweep"])))
    assert listed == {name for name in pages if name.count("-") == 1 or name == "imagesweep-ensure-space"} - {
        name for name in pages if name.startswith("imagesweep-policy-")}


def test_every_page_is_valid_and_has_its_parts(pages):
    for name, page in pages.items():
        text = shown(page)
        assert all(part in text for part in ("NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO")), name
        if name not in ("imagesweep", "imagesweep-policy"):
            assert "EXAMPLES " in text and "EXIT CODES 0" in text, name


def test_a_page_has_the_texts_of_the_help(pages):
    text = shown(pages["imagesweep-restore"])
    for flag in re.findall(r"^  (?:-\w,)?(--[a-z-]+)", agent.run("restore", "--help").stdout, re.MULTILINE):
        assert flag in text, flag
    assert "Maximum number of concurrent pulls" in text and "Environment variable: IMAGESWEEP_PULL_SECRET." in text
    assert "imagesweep ensure-space [FLAGS] SIZE" in shown(pages["imagesweep-ensure-space"])


def test_a_directory_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot create the directory" in agent.run("man", tmp_path / "file/man1", code=1).stderr
