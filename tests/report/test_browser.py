"""The page in a real browser: make test-browser. It needs Chromium and playwright."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.report.conftest import Made

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is missing")

every_set = pytest.mark.parametrize("which", ["mixed", "dropped", "hostile", "compared"])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


class Opened:
    """A page that is open, with what it said and asked for."""

    def __init__(self, browser: Any, made: Made, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(made.path.as_uri())

    def shown(self) -> int:
        return int(self.page.locator(".entry:visible").count())


@pytest.fixture
def made(which: str, request: pytest.FixtureRequest) -> Made:
    found: Made = request.getfixturevalue(which)
    return found


@every_set
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_an_error_and_asks_for_nothing(
    browser: Any, made: Made, width: int, scheme: str
) -> None:
    opened = Opened(browser, made, viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    opened.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    opened.page.wait_for_function(
        "[...document.images].every((one) => one.loading === 'lazy' || one.complete)"
    )
    assert opened.said == []
    outside = [url for url in opened.asked if not url.startswith("data:")]
    assert outside == [made.path.as_uri()]
    assert opened.page.title().endswith("out: augcli report")
    assert opened.page.evaluate("document.documentElement.scrollWidth") == width
    opened.context.close()


@every_set
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(browser: Any, made: Made, width: int, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    opened = Opened(browser, made, viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.page.evaluate(
        "document.querySelectorAll('details').forEach((one, at) => one.open = at % 40 === 0)"
    )
    found = axe.Axe().run(opened.page).response["violations"]
    serious = [
        (one["id"], one["help"], [node["html"][:200] for node in one["nodes"][:3]])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []
    opened.context.close()


def tab_to(opened: Opened, name: str) -> None:
    """Press the tabulator until a field of the form has the focus."""
    for _ in range(60):
        if opened.page.evaluate("document.activeElement.name || ''") == name:
            return
        opened.page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by the keyboard")


def test_the_gallery_is_filtered_and_a_picture_opened_by_the_keyboard(
    browser: Any, mixed: Made
) -> None:
    opened = Opened(browser, mixed)
    everything = opened.shown()
    tab_to(opened, "class")
    opened.page.keyboard.press("d")  # dog
    some = opened.shown()
    assert 0 < some < everything
    assert opened.page.locator("#count").inner_text() == f"{some} of {everything} shown"
    chosen = opened.page.locator("[name=class]").input_value()
    for entry in opened.page.locator(".entry:visible").all():
        assert chosen in entry.get_attribute("data-classes").split()
    tab_to(opened, "from")
    opened.page.keyboard.type("20")
    few = opened.shown()
    assert 0 < few < some
    for entry in opened.page.locator(".entry:visible").all():
        assert float(entry.get_attribute("data-weight")) >= 0.2
    tab_to(opened, "order")
    opened.page.keyboard.press("m")  # most mixed first
    weights = [
        abs(float(entry.get_attribute("data-weight")) - 0.5)
        for entry in opened.page.locator(".entry:visible").all()
    ]
    assert weights == sorted(weights)
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")  # show all
    opened.page.wait_for_function("document.querySelectorAll('.entry[hidden]').length === 0")
    assert opened.shown() == everything
    opened.page.keyboard.press("Tab")
    opened.page.keyboard.press("Enter")
    assert opened.page.locator(".entry details[open] .about").first.is_visible()
    opened.context.close()


def test_without_javascript_everything_is_shown_and_opens(browser: Any, mixed: Made) -> None:
    opened = Opened(browser, mixed, java_script_enabled=False)
    assert opened.shown() == len(mixed.page.entries)
    assert not opened.page.locator("#filters").is_visible()
    opened.page.locator(".entry summary").first.click()
    assert opened.page.locator(".entry .about").first.is_visible()
    opened.context.close()


def test_nothing_moves_while_it_loads(browser: Any, mixed: Made) -> None:
    opened = Opened(browser, mixed)
    shift = opened.page.evaluate(
        """() => new Promise((resolve) => {
          let total = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) total += entry.value;
          }).observe({ type: "layout-shift", buffered: true });
          setTimeout(() => resolve(total), 300);
        })"""
    )
    assert shift < 0.01
    opened.context.close()


def test_it_prints_in_black_on_white_without_its_form(browser: Any, mixed: Made) -> None:
    opened = Opened(browser, mixed, color_scheme="dark")
    opened.page.emulate_media(media="print", color_scheme="light")
    assert not opened.page.locator("#filters").is_visible()
    colour = opened.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert colour == "rgb(255, 255, 255)"
    assert len(opened.page.pdf()) > 10_000
    opened.context.close()
