"""What tests need that a machine may lack: they are skipped without it, and it is said at the end.

The reason of such a skip is ``needs A, B`` or pytest's own ``could not import 'A'``. `Lacks`
collects the reasons, and its lines are the last that pytest prints. In CI nothing may be missing
(see conftest).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

_BROWSER = "apt install chromium chromium-driver"
PROGRAMS = {
    "apt-get": "on Debian and Ubuntu alone",
    "c++": "apt install g++",
    "cc": "apt install gcc libc6-dev",
    "chromedriver": _BROWSER,
    "chromium": _BROWSER,
    "dpkg-deb": "on Debian and Ubuntu alone",
    "futhark": "make futhark, and .futhark/bin on the path, as make test has it",
    "gpg": "apt install gpg gpg-agent",
    "make": "apt install make",
}
"""Programs that tests need, and how to get each."""

ELSE = {
    ".venv-peers": "make test",
    "MNIST": "its four files in ../shared/data/mnist or in the folder VOLR_DATA",
    "Fashion-MNIST": "its four files in ../shared/data/fashion-mnist or in the folder "
    "fashion-mnist of VOLR_DATA",
    "triton": "pip install the version that .ci/run names",
}
"""What else they need, Python packages aside, which are all in the lock file."""
PACKAGES = "make clean test, which installs all of requirements.lock"

_REASON = re.compile(r"(?:Skipped: )?(?:needs ([^:]+)|could not import '(\w+))")
_KEY = "lacks"


def needs(*names: str) -> pytest.MarkDecorator:
    """What a test, or one of its cases, needs: programs of `PROGRAMS`, and modules."""
    missing = [each for each in names if (which if each in PROGRAMS else find_spec)(each) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


# Not importorskip: NEST belongs into processes of its own.
needs_nest = needs("nest")
needs_numba = needs("numba")


def missing_programs(names: Iterable[str] = PROGRAMS) -> list[str]:
    return [each for each in names if which(each) is None]


def skip_without(*programs: str) -> None:
    """Skip this test or this module unless all of the programs are on the path."""
    if missing := missing_programs(programs):
        pytest.skip(f"needs {', '.join(missing)}", allow_module_level=True)


class Lacks:
    """A plugin: what was skipped for lack of what, and what to install, after all else is printed.

    With xdist each worker collects for itself, since a module that is skipped as a whole is known
    to the workers alone.
    """

    def __init__(self) -> None:
        self.found: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def _note(self, report: pytest.CollectReport | pytest.TestReport) -> None:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        if report.skipped and (found := _REASON.match(reason)):
            self.found[found[1] or found[2]].add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        for lack, tests in getattr(node, "workeroutput", {}).get(_KEY, {}).items():
            self.found[lack].update(tests)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_KEY] = {lack: sorted(tests) for lack, tests in self.found.items()}
            yield
            return
        yield
        writer = session.config.get_terminal_writer()
        for line in told(self.found):
            writer.line(line)


def told(lacks: Mapping[str, Iterable[str]]) -> list[str]:
    """The lines about what was lacking, by the ids of the tests that were skipped."""
    lines: list[str] = []
    for lack, tests in sorted(lacks.items()):
        ways = dict.fromkeys((PROGRAMS | ELSE).get(each, PACKAGES) for each in lack.split(", "))
        lines += [f"Skipped for lack of {lack} ({'; '.join(ways)}):"]
        files = Counter(each.partition("::")[0] for each in sorted(tests))
        lines += [f"    {file}{f', {count} tests' * (count > 1)}" for file, count in files.items()]
    return lines
