"""The site: built strictly, complete, and asking nothing of the network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fontTools.ttLib import TTFont
from typer.main import get_command

import volr
from volr.cli.app import app
from volr.system.current_folder import absolute_path_list

if TYPE_CHECKING:
    from typer.core import TyperCommand

pytest.importorskip("mkdocs")

ROOT = Path(__file__).resolve().parents[2]
# What a browser fetches by itself; a link is followed by whoever clicks on it.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Page(HTMLParser):
    """What a page fetches, which anchors it has, and its text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.words: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.anchors.add(given["id"] or "")
        # A canonical address, say, is named and not fetched.
        if (source := given.get(FETCHED.get(tag, ""))) and given.get("rel") != "canonical":
            self.fetched.append(source)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every warning is an error: dead links and anchors, pages outside the navigation."""
    folder = tmp_path_factory.mktemp("site")
    # The lexer by its entry point in pyproject.toml, even if an older Volr is installed here.
    lexers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entry = tmp_path_factory.mktemp("installed") / "volr_lexer-0.dist-info"
    entry.mkdir()
    (entry / "METADATA").write_text("Metadata-Version: 2.1\nName: volr-lexer\nVersion: 0\n")
    (entry / "entry_points.txt").write_text(
        "[pygments.lexers]\n"
        + "".join(f"{a} = {b}\n" for a, b in lexers["entry-points"]["pygments.lexers"].items())
    )
    paths = os.pathsep.join([str(entry.parent), *absolute_path_list("PYTHONPATH")])
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    built = subprocess.run(
        [*command, "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_nothing_comes_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 20
    sources = {(page.name, each) for page in pages for each in Page(page).fetched}
    assert sources
    assert not [each for each in sources if re.match(r"(https?:)?//", each[1])]
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import\s+)[\"']?(https?:)?//", style.read_text())


def test_every_public_name_has_its_place(site: Path) -> None:
    anchors = Page(site / "reference" / "api.html").anchors
    missing = {f"volr.{name}" for name in volr.__all__ if name != "__version__"} - anchors
    assert not missing, "list them in docs/reference/api.md"


def test_every_command_and_option_has_its_place(site: Path) -> None:
    text = Page(site / "reference" / "commands.html").text
    commands: dict[str, TyperCommand] = vars(get_command(app))["commands"]
    assert commands
    for name, command in commands.items():
        assert f"Usage: volr {name}" not in text
        assert f"volr {name} " in text
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert option in text


def test_programs_are_coloured_and_have_no_errors(site: Path) -> None:
    coloured = 0
    for page in site.rglob("*.html"):
        for block in re.findall(
            r'<div class="language-volr highlight">(.*?)</pre>', page.read_text("utf-8"), re.DOTALL
        ):
            coloured += '<span class="nb">dense</span>' in block
            assert 'class="err"' not in block, (page, block)
    assert coloured > 5


def test_the_pages_beside_the_documentation_are_in_it(site: Path) -> None:
    assert "takes a neural network from PyTorch to NEST" in Page(site / "index.html").text
    assert "House rules" in Page(site / "contributing.html").text
    assert "Unreleased" in Page(site / "changelog.html").text
    assert not list(site.rglob("*.py"))


def test_the_operators_have_glyphs(site: Path) -> None:
    with TTFont(site / "assets" / "volr.ttf") as font:
        glyphs = font["glyf"]
        drawn = {chr(code): glyphs[name] for code, name in font.getBestCmap().items()}
    assert set(drawn) == {"⦶", "⊖"}
    # The ring reaches as far as it is said to, and the bars are across each other.
    assert {(each.xMin, each.xMax, each.yMin, each.yMax) for each in drawn.values()} == {
        (16, 586, -40, 740)
    }
    assert drawn["⦶"].coordinates != drawn["⊖"].coordinates


def test_notes_for_the_tests_are_not_shown(site: Path) -> None:
    sources = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    assert any("<!-- not run: " in each.read_text(encoding="utf-8") for each in sources)
    for page in site.rglob("*.html"):
        written = page.read_text(encoding="utf-8")
        assert "<!-- not run" not in written, page
        assert "<!-- needs" not in written, page
        assert "<!-- in the tests" not in written, page


def test_aligned_fields_are_lists(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text(encoding="utf-8")
    assert re.search(r"<li>\s*(<p>)?<code>batch_size</code>: samples in one update", page)


def test_links_of_the_readme_lead_somewhere() -> None:
    found = re.findall(r"\]\(([^):#]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(found) > 10
    assert not [each for each in found if not (ROOT / each).exists()]
