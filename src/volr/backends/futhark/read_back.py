"""The network that a Futhark program of Volr's computes, parsed from its text.

    input       ::=  let POPULATION = x[FIRST:LAST] :> [SIZE]f32
    layer       ::=  let POPULATION = weighted … |> add … |> add p.BIAS |> map ACTIVATION
    activation  ::=  let POPULATION = map ACTIVATION SUM        of an output that has projections
    outputs     ::=  in POPULATION :> [output_size]f32
                  |  in replicate output_size 0 with [FIRST:LAST] = POPULATION …
    cut         ::=  PARAMETER = v[FIRST:LAST] :> [SIZE]f32     in ``unpack``

Names come from the table at the head, everything else from the code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.futhark.program import definition
from volr.backends.readback import ArtificialReadback, Asked, all_asked, precision_of
from volr.errors import BackendError
from volr.models.activations import ACTIVATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

_NAME = re.compile(r"--   (\w+) +\d+  (\S+)")
_CUT = re.compile(
    r"  [{,] (\w+) = (?:unflatten \()?v\[(\d+):(\d+)\] :> \[(\d+)(?: \* (\d+))?\]f32\)?"
)
_WEIGHTED = re.compile(r"weighted p\.(\w+) (\w+)")
_INPUT = re.compile(r"let (\w+) = x(?:\[(\d+):\d+\])? :> \[(\d+)\]f32")
_LAYER = re.compile(
    r"let (\w+) = weighted p\.\w+ \w+(?: \|> add \(weighted p\.\w+ \w+\))* \|> add p\.(\w+)"
    r"(?: \|> map (\w+))?"
)
_ACTIVATION = re.compile(r"let (\w+) = map (\w+) (\w+)")
_OUTPUT = re.compile(r"in (\w+) :> \[output_size\]f32")
_OUTPUTS = re.compile(r"in replicate output_size 0((?: with \[\d+:\d+\] = \w+)+)")
_PLACE = re.compile(r"\[(\d+):\d+\] = (\w+)")


@dataclass(frozen=True)
class Cut:
    """Where a parameter lies in the vector."""

    first: int
    last: int
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Written:
    """A program's network, by the program's own names.

    ``inputs`` has where each begins in a stimulus, and its size; ``layers`` the bias of each
    weighted sum and its terms, a weight and a source; ``activations`` what is applied, and to which
    sum; ``outputs`` where each begins among the logits. ``names`` are those of populations in Volr,
    ``functions`` those of activations.
    """

    names: Mapping[str, str]
    cuts: Mapping[str, Cut]
    functions: Mapping[str, str]
    inputs: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    layers: dict[str, tuple[str, list[tuple[str, str]]]] = field(
        default_factory=dict[str, tuple[str, list[tuple[str, str]]]]
    )
    activations: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    outputs: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])


def parse(text: str) -> Written:
    """The network of a program; ``BackendError`` where Volr did not write it."""
    lines = text.splitlines()
    ours = {definition(each): each.name for each in ACTIVATIONS}
    names = (m for m in map(_NAME.fullmatch, lines) if m)
    cuts = (m for m in map(_CUT.fullmatch, lines) if m)
    written = Written(
        names={m[1]: m[2] for m in names},
        cuts={m[1]: _cut(m) for m in cuts},
        # Another definition under a name of ours is none of ours: it stands for itself.
        functions={line.split()[1]: ours.get(line, line) for line in lines if line[:4] == "def "},
    )
    for statement in _statements(lines):
        if m := _INPUT.fullmatch(statement):
            written.inputs[m[1]] = int(m[2] or 0), int(m[3])
        elif m := _LAYER.fullmatch(statement):
            written.layers[m[1]] = m[2], _WEIGHTED.findall(statement)
            if m[3]:
                written.activations[m[1]] = m[3], m[1]
        elif m := _ACTIVATION.fullmatch(statement):
            written.activations[m[1]] = m[2], m[3]
        elif m := _OUTPUT.fullmatch(statement):
            written.outputs.append((0, m[1]))
        elif m := _OUTPUTS.fullmatch(statement):
            written.outputs.extend((int(m[1]), m[2]) for m in _PLACE.finditer(m[1]))
        else:
            raise _not_ours(f"`{statement}`")
    return written


def readback(written: Written, value: Callable[[str], NDArray[np.floating]]) -> ArtificialReadback:
    """The network with the ``value`` of each parameter, by its name in the program.

    Raises ``BackendError`` where the program speaks of what it does not have.
    """
    # A sum that is activated under another name is that population's.
    population = {sum_: name for name, (_, sum_) in written.activations.items()}

    def ours(name: str) -> str:
        return written.names[population.get(name, name)]

    try:
        inputs = sorted(written.inputs, key=lambda name: written.inputs[name][0])
        sizes = {ours(name): written.inputs[name][1] for name in inputs}
        sizes |= {ours(n): written.cuts[bias].shape[0] for n, (bias, _) in written.layers.items()}
        weights = {
            (ours(source), ours(name)): value(weight)
            for name, (_, terms) in written.layers.items()
            for weight, source in terms
        }
        biases = {ours(name): value(bias) for name, (bias, _) in written.layers.items()}
        return ArtificialReadback(
            populations=all_asked(sizes),
            inputs=Asked(tuple(map(ours, inputs))),
            outputs=Asked(tuple(ours(name) for _, name in sorted(written.outputs))),
            weights=all_asked({ends: each.astype(np.float64) for ends, each in weights.items()}),
            biases=all_asked({name: each.astype(np.float64) for name, each in biases.items()}),
            activations=all_asked(
                {
                    ours(name): written.functions[function]
                    for name, (function, _) in written.activations.items()
                }
            ),
            precision=precision_of(each.dtype for each in (*weights.values(), *biases.values())),
        )
    except KeyError as error:
        raise _not_ours(f"it has nothing called {error}") from error


def _cut(found: re.Match[str]) -> Cut:
    shape = tuple(int(size) for size in found.groups()[3:] if size)
    return Cut(int(found[2]), int(found[3]), shape)


def _statements(lines: list[str]) -> Iterator[str]:
    """The statements of ``logits``, each on one line."""
    statement = ""
    inside = False
    for line in lines:
        if not inside:
            inside = line.startswith("def logits ")
        elif line.startswith(("  let ", "  in ")) or not line:
            if statement:
                yield statement
            if not line:
                return
            statement = line.strip()
        else:
            statement += f" {line.strip()}"
    raise _not_ours("it has no complete `logits`")


def _not_ours(what: str) -> BackendError:
    return BackendError(f"this is not a Futhark program of Volr's: {what}")
