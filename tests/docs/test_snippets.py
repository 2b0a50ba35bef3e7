"""Every command and every line of Python on the pages runs, and prints what they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docs.snippets import File, Python, Shell, Snippet, compare, run, snippets
from tests.needs import missing_programs, needs_nest, needs_numba, skip_without

if TYPE_CHECKING:
    from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RUNNING = {
    str(page.relative_to(ROOT)): found
    for page in PAGES
    if (found := snippets(page.read_text(encoding="utf-8")))
}
# Those that are left out need what no machine of ours has, or minutes, or install something.
MOST_LEFT_OUT = 10

EVERYTHING = """
```volr title="a.volr"
dense 2 3
```
<!-- not run: no such machine -->
```sh
sbatch job
```

<!-- in the tests: train --epochs 2 --candidates 1; verify --on nest -->
```sh
# a comment
volr train a.volr \\
  --task xor
```
```text
wrote …
```

<!-- needs: futhark, cc -->
```python
print(1)
```
```text
1
```
"""


def needed_by(snippet: Snippet) -> tuple[str, ...]:
    """The programs without which it cannot run."""
    return () if isinstance(snippet, File) else snippet.needs


@needs_nest
@needs_numba
# PyTorch's exporter of ONNX files uses what PyTorch is to lose.
@pytest.mark.filterwarnings("ignore:.*LeafSpec.*is deprecated:FutureWarning")
@pytest.mark.parametrize("page", RUNNING)
def test_a_page_runs_from_top_to_bottom(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("brian2", "futhark_ffi", "h5py", "neo", "pandas", "pyNN", "sklearn", "torch"):
        pytest.importorskip(package)
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "__page__"}
    needed = {each: None for snippet in RUNNING[page] for each in needed_by(snippet)}
    missing = missing_programs(needed)
    for snippet in RUNNING[page]:
        if not set(missing).isdisjoint(needed_by(snippet)):
            continue
        try:
            run(snippet, names)
        except AssertionError as error:
            pytest.fail(f"{page}:{snippet.line}: {error}")
    # The rest of the page has run; what is missing is told at the end.
    skip_without(*missing)


def test_the_pages_that_teach_have_snippets_and_few_are_left_out() -> None:
    teaching = [each for each in PAGES if each.parent.name == "how-to" or each.stem == "tutorial"]
    assert teaching
    for page in teaching:
        assert str(page.relative_to(ROOT)) in RUNNING
    every = [each for found in RUNNING.values() for each in found if not isinstance(each, File)]
    left_out = [each for each in every if each.skipped is not None]
    assert len(left_out) <= MOST_LEFT_OUT < len(every) / 5


def test_what_is_found_on_a_page() -> None:
    options = {"train": ("--epochs", "2", "--candidates", "1"), "verify": ("--on", "nest")}
    assert snippets(EVERYTHING) == [
        File(2, "a.volr", "dense 2 3\n"),
        Shell(6, ("sbatch job",), {}, skipped="no such machine"),
        Shell(11, ("volr train a.volr    --task xor",), options, "wrote …\n"),
        Python(21, "print(1)\n", "1\n", needs=("futhark", "cc")),
    ]


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("```sh\nvolr check", "never ends"),
        ("- item\n  ```sh\n  volr check\n  ```", "line 2: not a fence"),
        ("```sh {.wide}\n```", "line 1: not a fence"),
        ("```text\n1\n```", "line 1: no snippet prints this"),
        ("```python\n```\n```text\n1\n```\n```text\n2\n```", "line 6: no snippet prints this"),
        ('```sh title="a"\n```\n```text\n1\n```', "line 3: no snippet prints this"),
        ("<!-- not run: why -->\n", "nothing is left out"),
        ("<!-- needs: cc -->\n", "nothing is below"),
    ],
)
def test_a_page_that_is_misunderstood_is_refused(page: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        snippets(page)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a\nb\n", "a\nb\n"),
        ("a  \nb", "a\nb\n"),
        ("in 1.5 s\n", "in … s\n"),
        ("a\nb\nc\nd\n", "a\n…\nd\n"),
        ("a\nd\n", "a\n…\nd\n"),
        ("a (b)*\n", "a (b)*\n"),
        ("anything", None),
    ],
)
def test_what_is_printed_is_what_is_shown(printed: str, shown: str | None) -> None:
    compare(printed, shown)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("a\nc\n", "a\nb\n"),
        ("a\nb\nc\n", "a\nb\n"),
        ("a\n", "a\nb\n"),
        ("in 1.5\ns\n", "in … s\n"),
        ("b\nd\n", "a\n…\nd\n"),
        ("", "a\n"),
        ("axb", "a.b"),
    ],
)
def test_another_print_is_noticed(printed: str, shown: str) -> None:
    with pytest.raises(AssertionError, match="the page shows"):
        compare(printed, shown)


@pytest.mark.parametrize(
    ("snippet", "said"),
    [
        (Shell(1, ("rm -r x",), {}), "no such command: rm -r x"),
        (Shell(1, ("volr check nowhere.volr",), {}), "exit code 1, expected 0"),
        (Shell(1, ("echo 'dense 2 2' > a.volr", "volr check a.volr # exit code 1"), {}), "code 0"),
        (Shell(1, ("echo 1 > a", "cat a"), {}, "2\n"), "the page shows"),
        (Python(1, "print(1)", "2\n"), "the page shows"),
        (Python(1, "assert not names, names"), "planted"),
    ],
)
def test_what_goes_wrong_is_noticed(
    snippet: Shell | Python, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssertionError, match=said):
        run(snippet, {"names": ["planted"]})
