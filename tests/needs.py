"""Marks for tests that need what may be missing; in CI nothing is (see conftest)."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

# Not importorskip: NEST belongs into processes of its own.
needs_nest = pytest.mark.skipif(find_spec("nest") is None, reason="needs nest-simulator")
needs_numba = pytest.mark.skipif(find_spec("numba") is None, reason="needs numba")
