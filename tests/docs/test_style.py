"""The documentation and the texts and comments of the program do not use the words that docs/style.md excludes."""
import pathlib
import re

import pytest

from lab.pages import PAGES, Page

EXCLUDED = re.compile(r"\b(anew|whatever|in place of|by now|nobody|so many)\b", re.IGNORECASE)
# One page quotes them. The others are generated from texts in the sources.
LEFT_OUT = ("docs/style.md", "docs/reference/")
ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = [path for folder in ("agent", "bench", "proto") for path in sorted((ROOT / folder).rglob("*"))
           if path.suffix in (".h", ".cpp", ".proto", ".txt", ".in")]
PROSE = [page for page in map(Page, PAGES) if not page.name.startswith(LEFT_OUT)]


def excluded(page):
    """The excluded words in its prose. Code, quoted output, and links are left out."""
    prose = re.sub(r"`[^`]*`|\]\([^)]*\)|^(?: {4}|>).*$", "", page.prose, flags=re.MULTILINE)
    return [match[0] for match in EXCLUDED.finditer(prose)]


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.name)
def test_a_page_has_no_word_that_the_style_excludes(page):
    assert excluded(page) == []


def test_a_word_that_is_excluded_is_found():
    page = Page(PAGES[0])
    page.prose = "Whatever comes, `in place of` it.\nLists anew."
    assert excluded(page) == ["Whatever", "anew"]


def test_the_sources_have_no_word_that_the_style_excludes():
    assert len(SOURCES) > 300
    found = [f"{path.relative_to(ROOT)}:{number}: {match[0]}" for path in SOURCES
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
             for match in EXCLUDED.finditer(line)]
    assert not found, "\n".join(found)
