"""The report in Chromium: on a desk and on a phone, in light and in dark, sorted and printed."""

from __future__ import annotations

import base64
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.experiments.report.test_style import contrast
from tests.needs import skip_without

pytest.importorskip("selenium")
pytest.importorskip("jinja2")

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from volr.experiments.report.page import html

if TYPE_CHECKING:
    from collections.abc import Generator

    from volr.experiments.report.parts import Page

DESK, PHONE = 1280, 375
PUBLISHED = sorted((Path(__file__).parents[3] / "docs" / "report").glob("*.html"))
"""The reports of full runs, which have more of everything than one that is made up."""


@pytest.fixture(scope="module")
def browser() -> Generator[webdriver.Chrome]:
    skip_without("chromium", "chromedriver")
    options = Options()
    options.binary_location = shutil.which("chromium") or ""
    # Containers have neither user namespaces nor much shared memory.
    for each in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"):
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield started
    finally:
        started.quit()


@pytest.fixture(scope="module")
def address(page: Page, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html(page), encoding="utf-8")
    return path.as_uri()


@contextmanager
def opened(
    browser: webdriver.Chrome, address: str, width: int = DESK, scheme: str = "light"
) -> Generator[webdriver.Chrome]:
    """The page in a window of that width; afterwards, nothing has been complained of."""
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(address)
    # On a machine that is busy the driver comes back before all of a large page is there.
    WebDriverWait(browser, 20).until(
        lambda shown: shown.execute_script("return document.readyState") == "complete"
    )
    yield browser
    assert browser.get_log("browser") == []


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_every_figure_is_seen_and_nothing_is_wider_than_the_window(
    browser: webdriver.Chrome, address: str, page: Page, width: int
) -> None:
    with opened(browser, address, width):
        check_figures(browser, len(page.drawings), width)


@pytest.mark.parametrize("width", [DESK, PHONE])
@pytest.mark.parametrize("path", PUBLISHED, ids=[each.stem for each in PUBLISHED])
def test_what_is_published_is_seen_and_can_be_sorted(
    browser: webdriver.Chrome, path: Path, width: int
) -> None:
    count = path.read_text(encoding="utf-8").count("<figure")
    assert count > 20
    with opened(browser, path.as_uri(), width):
        # They were made when three figures stood side by side.
        check_figures(browser, count, width, letters=6.5)
        check_tables(browser, width)


def check_figures(
    browser: webdriver.Chrome, count: int, width: int, *, letters: float = 8.5
) -> None:
    """There are so many, all of them seen and with letters that can be read."""
    unfold(browser)
    boxes: list[dict[str, float]] = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map(each => {"
        " const b = each.getBoundingClientRect();"
        " return {left: b.left, right: b.right, width: b.width, height: b.height} })"
    )
    assert len(boxes) == count
    for box in boxes:
        assert box["width"] > 200
        assert box["height"] > 80
        assert box["left"] >= 0
        assert box["right"] <= width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    smallest = browser.execute_script(
        "return Math.min(...[...document.querySelectorAll('svg text')].map(each => {"
        " const m = each.getScreenCTM();"  # some are turned by a right angle
        " return parseFloat(getComputedStyle(each).fontSize) * Math.hypot(m.a, m.b) }))"
    )
    # Pixels: on a phone letters are no smaller than on paper.
    assert smallest >= (6.5 if width == PHONE else letters)


def unfold(browser: webdriver.Chrome) -> None:
    """Open everything that is folded away."""
    browser.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(browser: webdriver.Chrome, address: str, scheme: str) -> None:
    with opened(browser, address, scheme=scheme):
        ground, *texts = browser.execute_script(
            "const html = getComputedStyle(document.documentElement);"
            "const seen = [...document.querySelectorAll("
            "  'h1, h2, p, a, th, td, caption, figcaption, summary, code, svg text')];"
            "return [html.backgroundColor, ...new Set(seen.map(each => {"
            "  const s = getComputedStyle(each);"
            "  return each.namespaceURI.endsWith('svg') ? s.fill : s.color }))]"
        )
        assert len(texts) >= 3
        assert (sum(rgb(ground)) > 2.5) == (scheme == "light")
        for each in texts:
            assert contrast(rgb(each), rgb(ground)) >= 4.5


def rgb(css: str) -> tuple[float, ...]:
    """``rgb(1, 2, 3)`` as parts of 1."""
    return tuple(int(each) / 255 for each in css[css.index("(") + 1 : -1].split(","))


def column(browser: webdriver.Chrome, index: int) -> list[str]:
    script = (
        "return [...document.querySelector('table').tBodies[0].rows]"
        ".map(row => row.cells[arguments[0]].textContent)"
    )
    return browser.execute_script(script, index)


def test_tables_are_sorted_by_mouse_and_by_keyboard(
    browser: webdriver.Chrome, address: str
) -> None:
    with opened(browser, address):
        table = browser.find_element(By.TAG_NAME, "table")
        headers = table.find_elements(By.TAG_NAME, "th")
        titles = [each.text.strip() for each in headers]
        assert {each.get_attribute("aria-sort") for each in headers} == {"none"}
        mean = titles.index("mean")
        before = column(browser, mean)
        assert before == ["0.9950", "0.9600", "0.9700"]
        headers[mean].find_element(By.TAG_NAME, "button").click()
        assert column(browser, mean) == sorted(before, key=float)
        assert headers[mean].get_attribute("aria-sort") == "ascending"
        # A number that is missing comes last either way: mnist has one run and no deviation.
        deviation = titles.index("deviation")
        button = headers[deviation].find_element(By.TAG_NAME, "button")
        for order in ("ascending", "descending"):
            button.send_keys(Keys.ENTER)
            assert headers[deviation].get_attribute("aria-sort") == order
            assert headers[mean].get_attribute("aria-sort") == "none"
            assert column(browser, deviation)[-1] == "–"
        condition = titles.index("condition")
        headers[condition].find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
        assert column(browser, condition) == ["ann", "ann", "snn-transferred"]


def test_every_table_can_be_sorted(browser: webdriver.Chrome, address: str) -> None:
    with opened(browser, address, PHONE):
        check_tables(browser, PHONE)


def check_tables(browser: webdriver.Chrome, width: int) -> None:
    """All of them have a button over every column, and room, also those that are folded."""
    unfold(browser)
    counts: list[list[int]] = browser.execute_script(
        "return [...document.querySelectorAll('table')].map(table => ["
        " table.querySelectorAll('th').length, table.querySelectorAll('th > button').length])"
    )
    assert len(counts) >= 4
    assert all(columns == buttons > 1 for columns, buttons in counts)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


def test_the_operators_are_drawn_with_the_font_that_the_page_brings(
    browser: webdriver.Chrome, address: str
) -> None:
    with opened(browser, address):
        status = "return [...document.fonts].map(each => `${each.family} ${each.status}`)"
        # A font is loaded once one of its letters is drawn.
        WebDriverWait(browser, 20).until(
            lambda shown: shown.execute_script(status) in (["Volr loaded"], ['"Volr" loaded'])
        )


def test_a_name_for_every_figure(browser: webdriver.Chrome, address: str, page: Page) -> None:
    titles = {each.title for each in page.drawings}
    with opened(browser, address):
        unfold(browser)
        # On a machine that is busy the tree is there before all of it is.
        WebDriverWait(browser, 20).until(lambda shown: titles <= names_of_images(shown))


def names_of_images(browser: webdriver.Chrome) -> set[str]:
    """What a screen reader says for each image."""
    tree = browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})
    nodes: list[dict[str, Any]] = tree["nodes"]
    images = [each for each in nodes if each["role"]["value"] in {"image", "img"}]
    return {each["name"]["value"] for each in images}


def test_print_is_light_even_where_the_screen_is_dark(
    browser: webdriver.Chrome, address: str
) -> None:
    with opened(browser, address, scheme="dark"):
        media = {
            "media": "print",
            "features": [{"name": "prefers-color-scheme", "value": "dark"}],
        }
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        ground = browser.execute_script(
            "return getComputedStyle(document.documentElement).backgroundColor"
        )
        assert sum(rgb(ground)) > 2.5
        printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})
        assert base64.b64decode(printed["data"]).startswith(b"%PDF")
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_paper_has_what_is_folded_away_on_the_screen(
    browser: webdriver.Chrome, address: str
) -> None:
    with opened(browser, address):
        folded = "return document.querySelectorAll('details:not([open])').length"
        before = browser.execute_script(folded)
        assert before > 0
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert browser.execute_script(folded) == 0
        browser.execute_script("dispatchEvent(new Event('afterprint'))")
        assert browser.execute_script(folded) == before
