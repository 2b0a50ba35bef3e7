"""A compiled program in this process: entry points as functions of NumPy arrays."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, TypeAlias

import cffi
import futhark_ffi
import numpy as np
from futhark_ffi.build import strip_includes

from volr.backends.futhark.compiler import (
    compiled,
    header_file,
    library_file,
    source_file,
)
from volr.errors import SimulatorError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from volr.backends.futhark.compiler import Target

_KINDS = {np.dtype(np.float32): "f32", np.dtype(np.int64): "i64"}


@dataclass(frozen=True, slots=True)
class Held:
    """An array that a library holds; it is freed when nobody has it any more."""

    data: Any


Argument: TypeAlias = "Held | NDArray[Any] | float"


class Library:
    """A program, loaded. ``text`` is the one that was compiled.

    It stays loaded until the process ends. Entry points take numbers, arrays, and what ``hold`` and
    ``call`` gave, in the types of the program; ``SimulatorError`` where the program fails.
    """

    def __init__(self, folder: Path) -> None:
        self.text = source_file(folder).read_text(encoding="utf-8")
        ffi = cffi.FFI()
        ffi.cdef(strip_includes(header_file(folder).read_text(encoding="utf-8")))
        ffi.cdef("void free(void *ptr);")
        try:
            library = ffi.dlopen(str(library_file(folder)))
        except OSError as error:
            raise SimulatorError(f"the compiled program cannot be loaded: {error}") from error
        self._futhark = futhark_ffi.Futhark(SimpleNamespace(ffi=ffi, lib=library))
        # When Python ends it frees things in any order, and an array after its context is a crash.
        ffi.gc(self._futhark.ctx, None)

    def hold(self, array: NDArray[Any]) -> Held:
        """A copy of the array in the library's own memory: float32 vector or matrix, or int64."""
        kind = self._futhark.ffi.typeof(f"struct futhark_{_KINDS[array.dtype]}_{array.ndim}d *")
        return Held(self._futhark.to_futhark(self._futhark.types[kind], array))

    def array(self, held: Held) -> NDArray[Any]:
        """A copy of what the library holds."""
        return self._futhark.from_futhark(held.data)

    def call(self, entry: str, *arguments: Argument) -> Held:
        """The array that an entry point gives."""
        return Held(self._run(entry, arguments))

    def number(self, entry: str, *arguments: Argument) -> float:
        """The number that an entry point gives."""
        return float(self._run(entry, arguments))

    def _run(self, entry: str, arguments: tuple[Argument, ...]) -> Any:
        given = [self.hold(each) if isinstance(each, np.ndarray) else each for each in arguments]
        plain = [each.data if isinstance(each, Held) else each for each in given]
        try:
            return getattr(self._futhark, entry)(*plain)
        except ValueError as error:
            raise SimulatorError(f"the Futhark program failed in {entry}: {error}") from error

    def tidy(self) -> None:
        """Give back the memory that it keeps for later calls."""
        self._futhark.lib.futhark_context_clear_caches(self._futhark.ctx)


_loaded: dict[tuple[str, Target], Library] = {}
_loading = threading.Lock()


def load(text: str, target: Target) -> Library:
    """The program's library, compiled and loaded where it is not yet. Raises as ``compiled``."""
    with _loading:
        found = _loaded.get((text, target))
        if found is None:
            found = _loaded[text, target] = Library(compiled(text, target))
        return found
