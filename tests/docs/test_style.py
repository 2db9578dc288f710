"""The documentation does not use the words that docs/style.md excludes."""
import re

import pytest

from lab.pages import PAGES, Page

EXCLUDED = re.compile(r"\b(anew|whatever|in place of|by now|nobody|so many)\b", re.IGNORECASE)
# One page quotes them. The others are generated from texts in the sources.
LEFT_OUT = ("docs/style.md", "docs/reference/")
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
