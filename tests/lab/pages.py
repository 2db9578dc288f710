"""Reads the Markdown of the project: code, tables, links, headings, and the commands and messages in it."""
import functools
import pathlib
import re
import shlex

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = sorted([*(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "helm/imagesweep/README.md",
                                           "packaging/README.md")),
                *(ROOT / "docs").rglob("*.md")])
PROGRAMS = ("helm", "imagesweep", "kubectl", "make")


class Page:
    def __init__(self, path):
        self.path, self.name = path, str(path.relative_to(ROOT))
        self.blocks, prose, lines = [], [], path.read_text().splitlines()  # blocks: (language or "", text)
        at = 0
        while at < len(lines):
            if fence := re.match(r"\s*```(\w*)\s*$", lines[at]):
                end = next(i for i in range(at + 1, len(lines)) if lines[i].strip() == "```")
                self.blocks.append((fence[1], "\n".join(lines[at + 1:end]) + "\n"))
                at = end + 1
            elif lines[at].startswith("    ") and (at == 0 or not lines[at - 1].strip()):
                end = next((i for i in range(at, len(lines)) if not lines[i].startswith("    ")), len(lines))
                self.blocks.append(("", "\n".join(line[4:] for line in lines[at:end]) + "\n"))
                at = end
            else:
                prose.append(lines[at])
                at += 1
        self.prose = "\n".join(prose)
        self.spans = [" ".join(span.split()) for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", self.prose)]
        self.headings = [line.lstrip("#").strip() for line in prose if re.match(r"#+ ", line)]
        self.links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", self.prose))

    @property
    def anchors(self):
        """The anchors that GitHub makes of headings."""
        found = []
        for heading in self.headings:
            anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
        return found

    def tables(self):
        """Each as a list of rows, which are {title of the column: text}."""
        for table in re.findall(r"(?:^\|.*\|\n?)+", self.prose, re.MULTILINE):
            titles, _, *rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
                                for line in table.splitlines()]
            yield [dict(zip(titles, row)) for row in rows]

    def section(self, heading):
        """The prose below a heading, up to the next one."""
        return re.search(rf"^#+ {re.escape(heading)}$(.*?)(?=^#|\Z)", self.prose, re.MULTILINE | re.DOTALL)[1]

    def commands(self):
        """The words of every command of PROGRAMS, in code and in text. The words after a pipe are another command."""
        lines = [line.removeprefix("$ ") for language, text in self.blocks if language in ("", "sh")
                 for line in text.splitlines()]
        for text in [*lines, *self.spans]:
            if text.split(" ")[0] in PROGRAMS and " " in text:
                words = shlex.split(text, comments=True)
                yield words[:words.index("|")] if "|" in words else words


@functools.lru_cache(maxsize=None)
def literals():
    """Every string of the C++ sources. Adjacent ones are joined, as the compiler does."""
    token = re.compile(r"""//[^\n]*|'(?:[^'\\]|\\.)'|"((?:[^"\\]|\\.)*)"|\s+|.""", re.DOTALL)
    found = []
    for path in sorted((ROOT / "agent").rglob("*.cpp")) + sorted((ROOT / "agent").rglob("*.h")):
        joining = False
        for match in token.finditer(path.read_text()):
            if match[1] is None:
                joining = joining and (match[0].isspace() or match[0].startswith("//"))
                continue
            text = re.sub(r"\\(.)", lambda escaped: {"n": "\n"}.get(escaped[1], escaped[1]), match[1])
            if joining:
                found[-1] += text
            else:
                found.append(text)
            joining = True
    return found


def is_printed(message):
    """Whether each part of MESSAGE, which has … for the variable parts, is in a string of the sources."""
    parts = [part.strip() for part in message.split("…") if part.strip(" .:,;()")]
    return bool(parts) and max(map(len, parts)) > 5 and all(any(part in text for text in literals()) for part in parts)
