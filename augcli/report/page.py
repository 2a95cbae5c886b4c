"""Pages: figures and pictures become one HTML file that needs nothing else.

Every text passes Jinja's autoescape; there is no link to anything outside. A policy in the page
allows its own style and script by their hashes and pictures as ``data:`` URIs, and nothing else, so
that a name that somehow came through could still not be run or fetch anything.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from augcli.errors import UsageError, with_flags
from augcli.files import read_file
from augcli.report.words import class_name, percent, shown
from augcli.run.showing.lines import counted
from augcli.version import VERSION

if TYPE_CHECKING:
    import jinja2

LIMIT: Final = 5_000_000
"""Bytes of the largest page: browsers fail on pages of some tens of megabytes."""
MARK: Final = b"<!doctype html>\n<!-- augcli report -->\n"
"""How each page begins; only files that begin so are replaced."""


def check_installed() -> None:
    """Check that the package is there that pages need.

    Raises:
        UsageError: It is not.
    """
    if importlib.util.find_spec("jinja2") is None:
        raise UsageError("a report needs the package jinja2: pip install 'augcli[report]'")


def rendered(template: str, **content: Any) -> bytes:
    """Return a page.

    Args:
        template: Name of a file in ``templates/``.
        content: What the template shows.
    """
    style, script = _text("style.css"), _text("page.js")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; "
        f"script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(template)
    text = page.render(style=style, script=script, policy=policy, version=VERSION, **content)
    # Half of a character, as a name that is no UTF-8 has it, was escaped before.
    return MARK + text.encode("utf-8", "backslashreplace")


def _environment() -> jinja2.Environment:
    import jinja2  # noqa: PLC0415 - an extra

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "counted": counted,
        "flags": with_flags,
        "shown": shown,
        "class_name": class_name,
        "percent": percent,
        "number": lambda value: f"{value:,}",
        "weight": lambda value: f"{value:,.1f}",
    }
    return environment


def _text(name: str) -> str:
    """Return a file of ``templates/``."""
    return read_file(Path(__file__).with_name("templates") / name).data.decode("utf-8")


def _hash(text: str) -> str:
    """Return what a policy calls a text that it allows."""
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"
