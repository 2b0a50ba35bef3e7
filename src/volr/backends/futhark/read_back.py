"""The network that a Futhark program of Volr's computes, parsed from its text.

    input       ::=  let POPULATION = x[FIRST:LAST] :> [SIZE]f32
                  |  let POPULATION = map FUNCTION x[FIRST:LAST] :> [SIZE]f32
    layer       ::=  let POPULATION = weighted … |> add … |> add p.BIAS |> map ACTIVATION
                  |  let POPULATION = convolved … |> add_maps … |> add_channels p.BIAS |> map_maps …
                  |  let POPULATION = largest … |> larger …
    activation  ::=  let POPULATION = map ACTIVATION SUM        of an output that has projections
    read        ::=  let NAME = means … | unflatten_3d … | flatten_3d …
    outputs     ::=  in POPULATION :> [output_size]f32
                  |  in replicate output_size 0 with [FIRST:LAST] = POPULATION …
    cut         ::=  PARAMETER = v[FIRST:LAST] :> [SIZE]f32     in ``unpack``

Names come from the table at the head, everything else from the code.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from volr.backends.futhark.evaluation import Evaluation, Sum
from volr.backends.futhark.expressions import NotOursError, parsed
from volr.backends.futhark.functions import meaning
from volr.backends.readback import ArtificialReadback, Asked, all_asked, precision_of
from volr.backends.terms import added_up
from volr.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from volr.backends.futhark.expressions import Node
    from volr.backends.readback import Answer

_NAME = re.compile(r"--   (\w+) +\d+  (\S+)")
_CUT = re.compile(
    r"  [{,] (\w+) = (?:unflatten(?:_[34]d)? \()?v\[(\d+):(\d+)\] :> \[(\d+(?: \* \d+)*)\]f32\)?"
)
_INPUT = re.compile(r"let (\w+) = (?:map (\w+) )?x(?:\[(\d+):\d+\])? :> \[(\d+)\]f32")
_STATEMENT = re.compile(r"let (\w+) = (.*)")
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

    ``inputs`` has where each begins in a stimulus, and its size; ``statements`` the expression of
    every other name; ``outputs`` where each begins among the logits. ``names`` are those of
    populations in Volr, ``functions`` what each function means, ``taken`` the functions of inputs.
    """

    names: Mapping[str, str]
    cuts: Mapping[str, Cut]
    functions: Mapping[str, str]
    inputs: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    statements: dict[str, Node] = field(default_factory=dict[str, "Node"])
    outputs: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    taken: dict[str, str] = field(default_factory=dict[str, str])


def parse(text: str) -> Written:
    """The network of a program; ``BackendError`` where Volr did not write it."""
    lines = text.splitlines()
    names = (m for m in map(_NAME.fullmatch, lines) if m)
    cuts = (m for m in map(_CUT.fullmatch, lines) if m)
    written = Written(
        names={m[1]: m[2] for m in names},
        cuts={m[1]: _cut(m) for m in cuts},
        functions={line.split()[1]: meaning(line) for line in lines if line[:4] == "def "},
    )
    for statement in _statements(lines):
        if m := _INPUT.fullmatch(statement):
            written.inputs[m[1]] = int(m[3] or 0), int(m[4])
            if m[2] is not None:
                written.taken[m[1]] = m[2]
        elif m := _OUTPUT.fullmatch(statement):
            written.outputs.append((0, m[1]))
        elif m := _OUTPUTS.fullmatch(statement):
            written.outputs.extend((int(m[1]), m[2]) for m in _PLACE.finditer(m[1]))
        elif m := _STATEMENT.fullmatch(statement):
            try:
                written.statements[m[1]] = parsed(m[2])
            except NotOursError as error:
                raise _not_ours(f"`{statement}`") from error
        else:
            raise _not_ours(f"`{statement}`")
    return written


def readback(written: Written, value: Callable[[str], NDArray[np.floating]]) -> ArtificialReadback:
    """The network with the ``value`` of each parameter, by its name in the program.

    Raises ``BackendError`` where the program speaks of what it does not have.
    """
    kept: list[NDArray[np.floating]] = []

    def parameter(name: str) -> NDArray[np.floating]:
        kept.append(value(name))
        return kept[-1]

    try:
        found = Evaluation(parameter)
        for name, (_, size) in written.inputs.items():
            found.populations[name] = (size,)
        for name, tree in written.statements.items():
            found.bind(name, tree)
        return _answers(written, found, precision_of(each.dtype for each in kept))
    except NotOursError as error:
        raise _not_ours(f"it computes `{error}`") from error
    except KeyError as error:
        raise _not_ours(f"it has nothing called {error}") from error


def _answers(written: Written, found: Evaluation, precision: Answer[float]) -> ArtificialReadback:
    ours = written.names
    inputs = sorted(written.inputs, key=lambda name: written.inputs[name][0])
    sums = {
        name: each
        for name, each in found.values.items()
        if isinstance(each, Sum) and name in found.populations
    }
    sizes = {ours[name]: written.inputs[name][1] for name in inputs}
    sizes |= {ours[name]: math.prod(each.shape) for name, each in sums.items()}
    outputs = [found.row(name) for _, name in sorted(written.outputs)]
    sends = {term.read.source for each in sums.values() for term in each.terms}
    functions = {name: "identity" for name in sends & sums.keys() if sums[name].passes}
    functions |= {name: written.functions[each] for name, each in written.taken.items()}
    functions |= {
        name: written.functions[each.function]
        for name, each in sums.items()
        if each.function is not None
    }
    # A sum that is activated under another name is that population's.
    activated = {id(each.terms): name for name, each in sums.items()}
    population = {
        name: activated[id(bare.terms)]
        for name, bare in found.values.items()
        if isinstance(bare, Sum) and name not in found.populations
    }

    def name_of(shown: str) -> str:
        name = ours[population.get(shown, shown)]
        is_sum = shown not in sums or sums[shown].function is None
        return name if is_sum else f"the activation of {name}"

    return ArtificialReadback(
        populations=all_asked(sizes),
        inputs=Asked(tuple(ours[name] for name in inputs)),
        outputs=Asked(tuple(map(name_of, outputs))),
        weights=all_asked(
            added_up(
                ((ours[term.read.source], ours[name]), term.block())
                for name, each in sums.items()
                for term in each.terms
            )
        ),
        biases=all_asked(
            {
                ours[name]: np.zeros(math.prod(each.shape)) if each.bias is None else each.bias
                for name, each in sums.items()
            }
        ),
        activations=all_asked({ours[name]: function for name, function in functions.items()}),
        merges=all_asked({ours[name]: e.merge for name, e in sums.items() if e.merge != "sum"}),
        precision=precision,
    )


def _cut(found: re.Match[str]) -> Cut:
    shape = tuple(map(int, found[4].split(" * ")))
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
