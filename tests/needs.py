"""Marks for tests that need what may be missing; in CI nothing is (see conftest)."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs(*modules: str) -> pytest.MarkDecorator:
    """What a test, or one of its cases, needs."""
    missing = [each for each in modules if find_spec(each) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


# Not importorskip: NEST belongs into processes of its own.
needs_nest = needs("nest")
needs_numba = needs("numba")
