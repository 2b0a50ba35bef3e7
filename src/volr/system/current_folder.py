"""The current folder, which must not decide what code runs.

Some libraries look there for settings when they are imported: Numba for ``.numba_config.yaml``,
Matplotlib for ``matplotlibrc``, Brian2 for ``brian_preferences``; NEURON even loads a library. A
user who runs Volr beside somebody else's files has not asked for any of that.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

NEUTRAL = os.sep
"""A folder in which only the system's administrator can put files."""

# The current folder is that of all threads: the second one to leave must not return to `NEUTRAL`.
_one_at_a_time = threading.RLock()


@contextmanager
def elsewhere() -> Generator[None]:
    """Have ``NEUTRAL`` as the current folder within: for the import of libraries that look around.

    The current folder belongs to the whole process, so nothing else should happen in here.
    """
    with _one_at_a_time:
        # A descriptor finds the way back even where the folder has been moved, or cannot be read.
        here = os.open(os.curdir, getattr(os, "O_PATH", os.O_RDONLY))
        try:
            os.chdir(NEUTRAL)
            yield
        finally:
            os.fchdir(here)
            os.close(here)


def keep_absolute_paths() -> None:
    """Leave the current folder out of ``PATH``, for programs that libraries start by themselves.

    Matplotlib looks for ``fc-list``, and Python's ``platform`` for ``uname``.
    """
    configured = os.environ.get("PATH")
    if configured is not None:
        left = os.pathsep.join(filter(os.path.isabs, configured.split(os.pathsep)))
        # An empty one would be the current folder again.
        os.environ["PATH"] = left or os.defpath


def absolute_path_list(variable: str, environment: Mapping[str, str] = os.environ) -> list[str]:
    """The folders of a variable such as ``PYTHONPATH``, as absolute paths.

    An empty entry stands for the current folder, as it does for Python and for a shell.
    """
    configured = environment.get(variable, "")
    return [os.path.abspath(each) for each in configured.split(os.pathsep)] if configured else []  # noqa: PTH100 (an empty one is the current folder)
