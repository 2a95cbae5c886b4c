"""The help of a command: what it says, and how it is written as text, Markdown or a man page.

Plain text in 80 columns: options in groups, no line that breaks inside a word, examples. Typer's
own help breaks words at hyphens, and with rich it takes 50 ms longer.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from augcli.version import VERSION

MARGIN = "  "
WIDEST = 29
"""Columns for an option and its value; what is longer has a line of its own."""
FORMATS = ("markdown", "man")
"""What ``--help --format`` gives."""


@dataclass(frozen=True)
class HelpPage:
    """What the help of a command or of a group of commands says.

    Attributes:
        path: The words of the command, with the program's name.
        words: Its arguments, such as ``INPUT``.
        paragraphs: What it does; the first one in a sentence.
        sections: Names and meanings of arguments, of options by group, and of commands, by title.
        end: The lines at the end, the first of them the word ``Examples:``.
    """

    path: str
    words: tuple[str, ...]
    paragraphs: tuple[str, ...]
    sections: dict[str, list[tuple[str, str]]]
    end: tuple[str, ...]

    def to_text(self, width: int) -> str:
        """Return the page in lines of a terminal.

        Args:
            width: Columns of a line.
        """
        lines = [" ".join(["Usage:", self.path, *self.words]), ""]
        for paragraph in self.paragraphs:
            lines += [*_wrapped(paragraph, width, MARGIN, MARGIN), ""]
        for title, rows in self.sections.items():
            lines += [f"{title.capitalize()}:", *_table(rows, width), ""]
        return "\n".join([*lines, *self.end]) + "\n"

    def to_markdown(self) -> str:
        """Return the page in Markdown."""
        lines = [f"# {self.path}", "", f"`{' '.join([self.path, *self.words])}`", ""]
        for paragraph in self.paragraphs:
            lines += [" ".join(paragraph.split()), ""]
        for title, rows in self.sections.items():
            cells = [["name", "what it is"], ["---", "---"]]
            cells += [[f"`{name}`", " ".join(text.split())] for name, text in rows]
            table = [
                "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |" for row in cells
            ]
            lines += [f"## {title.capitalize()}", "", *table, ""]
        return "\n".join([*lines, "```text", *self.end, "```"]) + "\n"

    def to_man(self) -> str:
        """Return the page in the format of man, see man(7)."""
        name = self.path.replace(" ", "-")
        first = self.paragraphs[0]
        lines = [
            f'.TH {_roff(name.upper())} 1 "" "augcli {VERSION}" "augcli manual"',
            ".SH NAME",
            f"{_roff(name)} \\- {_roff(first.rstrip('.'))}",
            ".SH SYNOPSIS",
            f".B {_roff(self.path)}",
            _roff(" ".join(self.words)),
            ".SH DESCRIPTION",
        ]
        for paragraph in self.paragraphs:
            lines += [".PP", _roff(" ".join(paragraph.split()))]
        for title, rows in self.sections.items():
            lines.append(f".SH {title.upper()}")
            for written, text in rows:
                lines += [".TP", f".B {_roff(written)}", _roff(" ".join(text.split()))]
        lines += [".SH EXAMPLES", ".nf", *(_roff(line) for line in self.end[1:]), ".fi"]
        return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    r"""Return a line as man takes it: nothing of it is a command.

    Example:
        >>> print(_roff(".a -b \\c"))
        \&.a \-b \ec
    """
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def _table(rows: list[tuple[str, str]], width: int) -> list[str]:
    """Return rows of two columns; what is too wide for the first has a line of its own."""
    column = 2 + max(len(name) for name, _ in rows if len(name) <= WIDEST)
    lines = []
    for name, text in rows:
        head = f"{MARGIN}{name:{column}}"
        rest = " " * (len(MARGIN) + column)
        if len(name) > WIDEST:
            lines.append(head)
            head = rest
        lines += _wrapped(text, width, head, rest) or [head.rstrip()]
    return lines


def _wrapped(text: str, width: int, first: str, rest: str) -> list[str]:
    """Return text in lines that break between words only.

    A remark in brackets, such as ``[default: same]``, is not broken either where it fits.
    """

    def glued(match: re.Match[str]) -> str:
        fits = len(match[0]) <= width - len(rest)
        return match[0].replace(" ", "\N{NO-BREAK SPACE}") if fits else match[0]

    lines = textwrap.wrap(
        re.sub(r"\[[^]]+\]", glued, text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]
