"""URLs: which ones augcli takes, and what of one may be shown and recorded."""

from __future__ import annotations

import os
import re
from pathlib import Path

SCHEMES = ("s3", "gs", "az", "memory", "https")
"""An allow-list: other schemes run commands, unpack archives or read any file of the machine."""
BUCKETS = ("s3", "gs", "az", "memory")
"""Those whose objects can be listed and written."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://", re.ASCII)
_BEGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://", re.ASCII)
"""How a URL begins, or several in a chain; one letter would be a drive of Windows."""
CHAIN = "::"
_SECRETS = re.compile(r"(?<=://)[^/?#]*@|[?#].*", re.DOTALL)


def is_url(place: str | os.PathLike[str]) -> bool:
    """Return whether a place is named by a URL, and not by a path.

    Example:
        >>> is_url("s3://photos/cats"), is_url("photos/cats"), is_url("train.tar::more.tar")
        (True, False, False)
    """
    text = place if isinstance(place, str) else os.fspath(place)
    return "://" in text and _BEGIN.match(text) is not None


def shown(place: str | os.PathLike[str]) -> str:
    """Return a place as messages and records may have it: without user, password and query.

    Example:
        >>> shown("https://me:secret@example.org/cats.parquet?token=abc")
        'https://example.org/cats.parquet'
        >>> shown("what?.jpg")
        'what?.jpg'
    """
    text = os.fspath(place)
    return _SECRETS.sub("", text) if is_url(text) else text


class Url(os.PathLike[str]):
    """A URL in the place of a path.

    ``str`` gives what may be shown, and ``os.fspath`` the whole, which opens it.

    Args:
        text: The URL.

    Raises:
        ValueError: augcli does not take it; the message is a clause whose subject is the URL.

    Example:
        >>> url = Url("https://example.org/cats.parquet?token=abc")
        >>> str(url), os.fspath(url)
        ('https://example.org/cats.parquet', 'https://example.org/cats.parquet?token=abc')
        >>> Url("zip://a.jpg::s3://photos/cats.zip")
        Traceback (most recent call last):
            ...
        ValueError: has '::', but URLs can't be chained; give one URL
    """

    __slots__ = ("_whole",)

    def __init__(self, text: str) -> None:
        self._whole = _checked(text)

    def __fspath__(self) -> str:
        return self._whole

    def __str__(self) -> str:
        return shown(self._whole)

    def __repr__(self) -> str:
        return f"Url({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Url) and self._whole == other._whole

    def __hash__(self) -> int:
        return hash(self._whole)

    def __truediv__(self, name: str) -> Url:
        return Url(f"{self}/{name}")

    def __reduce__(self) -> tuple[type[Url], tuple[str]]:
        """Pickle by the whole URL: a worker opens it too."""
        return type(self), (self._whole,)

    def is_absolute(self) -> bool:
        """Return True, as every URL is."""
        return True


Place = Path | Url
"""Where something lies: on this machine, or somewhere else."""


def place_of(text: str | os.PathLike[str]) -> Place:
    """Return the path or the URL that a text is.

    Raises:
        ValueError: It is a URL that augcli does not take; the message is a clause.

    Example:
        >>> place_of("s3://photos/cats"), place_of("photos").name
        (Url('s3://photos/cats'), 'photos')
    """
    if isinstance(text, Path | Url):
        return text
    whole = os.fspath(text)
    return Url(whole) if is_url(whole) else Path(whole)


def is_bucket(place: str) -> bool:
    """Return whether a URL names objects that can be listed and written.

    Example:
        >>> is_bucket("s3://photos/cats"), is_bucket("https://example.org/cats.tar")
        (True, False)
    """
    return place.partition("://")[0] in BUCKETS


def _checked(text: str) -> str:
    """Return a URL in one form: a scheme in small letters, and no ``/`` at the end.

    Raises:
        ValueError: augcli does not take it.
    """
    if CHAIN in text:
        raise ValueError(f"has {CHAIN!r}, but URLs can't be chained; give one URL")
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    known = ", ".join(f"{name}://" for name in SCHEMES)
    if not found or scheme not in SCHEMES:
        raise ValueError(f"is no URL that augcli takes; it takes {known}")
    rest = text[found.end() :]
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in rest):
        raise ValueError("holds a control character, which no URL can")
    plain = shown(f"{scheme}://{rest}").partition("://")[2]
    host, _, path = plain.partition("/")
    path = path.rstrip("/")
    if not host:
        raise ValueError(f"names no bucket or server; write {scheme}://NAME/FOLDER")
    if not {"", ".", ".."}.isdisjoint(path.split("/")) and path:
        raise ValueError("has '//', '/./' or '/../' in it; write the plain name of the folder")
    if scheme == "https":
        return f"{scheme}://{rest.rstrip('/')}"
    if plain != rest:
        raise ValueError(
            "has a user, a query or a fragment, but credentials are read from the environment; "
            f"write {scheme}://NAME/FOLDER"
        )
    return f"{scheme}://{host}/{path}".rstrip("/")
