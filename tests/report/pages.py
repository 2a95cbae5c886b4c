"""A page as a test reads it: its tables, its gallery, and whatever could load or run something."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "img", "input", "br", "link", "hr", "rect", "path"}


@dataclass
class Element:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, with single blanks."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> list[str]:
        found: list[str] = []
        for child in self.children:
            found += [child] if isinstance(child, str) else child._texts()
        return found

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Return the elements in it of a tag, with these attributes."""
        found = []
        for child in self.children:
            if isinstance(child, str):
                continue
            if tag in ("", child.tag) and attributes.items() <= child.attributes.items():
                found.append(child)
            found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> Element:
        """Return the only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def of_class(self, name: str) -> list[Element]:
        """Return the elements of a class."""
        return [one for one in self.all() if name in one.attributes.get("class", "").split()]


class Page(HTMLParser):
    """Reads a page strictly: every element that is opened must be closed."""

    def __init__(self, data: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._at = self.root
        self.feed(data.decode("utf-8"))
        self.close()
        assert self._at is self.root, f"{self._at.tag} is not closed"

    @classmethod
    def read(cls, path: Path) -> Page:
        return cls(path.read_bytes())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs}, self._at)
        self._at.children.append(element)
        if tag not in VOID:
            self._at = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._at)
        self._at.children.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._at.tag == tag, f"</{tag}> closes <{self._at.tag}>"
        assert self._at.parent
        self._at = self._at.parent

    def handle_data(self, data: str) -> None:
        self._at.children.append(data)

    def table(self, name: str) -> list[list[str]]:
        """Return the rows of the table with an id or a caption."""
        (found,) = [
            table
            for table in self.root.all("table")
            if name in (table.attributes.get("id"), *(one.text for one in table.all("caption")))
        ]
        return [
            [cell.text for cell in row.children if isinstance(cell, Element)]
            for row in found.all("tr")
        ]

    def section(self, name: str) -> Element:
        return self.root.one("section", id=name)

    @property
    def entries(self) -> list[Element]:
        """The pictures of the gallery."""
        return self.root.of_class("entry")


def number(text: str) -> float:
    """Return the number that a cell shows."""
    return float(text.replace(",", "").removesuffix("%").strip())
