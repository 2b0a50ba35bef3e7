"""A network as a Futhark program: what it computes, its loss, its gradient, and how it learns.

    head        in words: the populations, and how the file is run
    sizes       how many inputs, outputs and parameters there are
    activation  what a hidden neuron does
    parameters  the record of all weights and biases, and where each lies in the one vector of them
    network     from stimuli to logits, population by population
    learning    loss, accuracy, gradient, and three ways to descend it
    cuts        one entry point a parameter, which cuts it out of the vector

Every entry point gives one array or one number: how several are handed out is not the same in all
versions of the compiler. ``volr.backends.futhark.read_back`` parses what is written here, so a
change to the form of a line is one there too.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from volr.backends.futhark.functions import INPUT, definition, input_definition
from volr.backends.futhark.program_body import FORWARD, LOSSES, descent
from volr.backends.futhark.program_layers import Layers, Names, is_dense, other_names
from volr.backends.futhark.program_maps import NAMES, PARTS, definitions
from volr.backends.identifiers import comment, identifiers
from volr.models.activations import Activation, ReLU, Staircase
from volr.models.parameters import bias_name, fixed_weights, parameter_shapes, weight_name

if TYPE_CHECKING:
    from volr.backends.futhark.program_body import Loss
    from volr.network import Network, Projection

_KEYWORDS = (
    "and assert case def do else entry false for if import in include let local loop match module "
    "open or then true type val while with"
)
_TYPES = "bool f16 f32 f64 i8 i16 i32 i64 u8 u16 u32 u64 unit"
_LIBRARY = "copy drop id length map map2 map3 replicate take unflatten vjp2"
_OURS = (
    "input_size output_size parameter_count momentum_size adam_size relu sigmoid tanh identity "
    "parameters unpack weighted add logits sample_loss mean_loss loss_and_gradient argmax descend "
    "forward loss accuracy gradient train train_momentum train_adam p x v"
)
RESERVED = frozenset(f"{_KEYWORDS} {_TYPES} {_LIBRARY} {_OURS}".split())
"""What no population and no parameter is called."""


def program(
    network: Network, activation: Activation = ReLU(), loss: Loss | None = "cross_entropy"
) -> str:
    """The program of ``network``, whose hidden populations have ``activation``.

    ``loss`` is what its entry points for learning make small. With None it has none of them, and is
    compiled in a fraction of the time, since it is differentiation that takes long. A staircase has
    the slope 0, so a program with one has none of them either.
    """
    names = _names(network, activation)
    if isinstance(activation, Staircase):
        loss = None
    sections = (
        _head(network, names, activation),
        _sizes(network),
        *_functions(activation),
        _parameters(network, names),
        _network(network, activation, names),
        FORWARD,
        *(() if loss is None else (LOSSES[loss], descent(_fixed(network)))),
        _cuts(network, names),
    )
    return "\n".join(sections)


def _functions(activation: Activation) -> list[str]:
    lines = [f"{definition(activation)}\n"]
    if isinstance(activation, Staircase):
        said = "-- | What an input sends of its stimulus: a whole number."
        lines.insert(0, f"{said}\n{input_definition(activation)}\n")
    return lines


def _names(network: Network, activation: Activation) -> Names:
    reserved = RESERVED if is_dense(network) else RESERVED | NAMES
    if isinstance(activation, Staircase):
        reserved |= {activation.name, INPUT, *PARTS}
    own = identifiers((p.name for p in network.populations), reserved=reserved)
    # An identifier has no space in it, so what is wanted here is wanted once.
    sums = {p.name: f"{own[p.name]} sum" for p in network.layers}
    parameters = {
        weight_name(p): f"{own[p.source]} {own[p.target]} {_numbered(p)}weight"
        for p in network.projections
    } | {bias_name(p): f"{own[p.name]} bias" for p in network.layers if network.biases(p)}
    others = other_names(network)
    wanted = [*parameters.values(), *sums.values(), *others]
    found = identifiers(wanted, reserved={*reserved, *own.values()})
    return Names(
        population=own,
        sum={name: found[key] for name, key in sums.items()},
        parameter={name: found[key] for name, key in parameters.items()},
        other={key: found[key] for key in others},
    )


def _numbered(projection: Projection) -> str:
    """A number for each but the first of several projections between two populations."""
    return "" if projection.number == 1 else f"{projection.number} "


def _head(network: Network, names: Names, activation: Activation) -> str:
    subject = "A neural network: what it computes, and how it learns."
    if isinstance(activation, Staircase):
        subject = "A neural network that computes with whole numbers."
    rows = [("here", "size", "name")]
    rows += [(names.population[p.name], str(p.size), comment(p.name)) for p in network.populations]
    wide, narrow = (max(len(row[column]) for row in rows) for column in (0, 1))
    table = "\n".join(f"--   {a:{wide}}  {b:>{narrow}}  {c}" for a, b, c in rows)
    return f"""\
-- {subject} Written by Volr.
--
-- Its populations:
--
{table}
--
-- All weights and biases are one vector, in the order of `parameters`; of a weight matrix, a row
-- has what leads to one neuron. A stimulus is the input populations side by side, and the
-- logits are those of the output populations. Labels count from 0.
--
-- To try it, with the vector and some stimuli as Futhark's binary data:
--
--   futhark c network.fut
--   cat network.data stimuli.data | ./network --entry-point=forward
"""


def _sizes(network: Network) -> str:
    return f"""\
def input_size : i64 = {network.input_size}
def output_size : i64 = {network.output_size}
def parameter_count : i64 = {network.parameter_count}
"""


def _fixed(network: Network) -> list[tuple[int, int]]:
    """Where the weights that training leaves alone lie in the vector."""
    places: list[tuple[int, int]] = []
    first, fixed = 0, fixed_weights(network)
    for name, shape in parameter_shapes(network).items():
        last = first + math.prod(shape)
        if name in fixed:
            places.append((first, last))
        first = last
    return places


def _type(shape: tuple[int, ...]) -> str:
    return "".join(f"[{size}]" for size in shape) + "f32"


def _parameters(network: Network, names: Names) -> str:
    fields: list[str] = []
    parts: list[str] = []
    first = 0
    for name, shape in parameter_shapes(network).items():
        last = first + math.prod(shape)
        product = " * ".join(map(str, shape))
        cut = f"v[{first}:{last}] :> [{product}]f32"
        field = names.parameter[name]
        fields.append(f"{field}: {_type(shape)}")
        unflatten = {1: "", 2: "unflatten", 3: "unflatten_3d", 4: "unflatten_4d"}[len(shape)]
        parts.append(f"{field} = " + (f"{unflatten} ({cut})" if unflatten else cut))
        first = last
    record, cuts = "\n  , ".join(fields), "\n  , ".join(parts)
    if not fields:  # an input that is read as it is
        return "type parameters = {}\n\ndef unpack (_: [parameter_count]f32) : parameters = {}\n"
    return f"""\
-- | All weights and biases.
type parameters =
  {{ {record}
  }}

-- | Where they lie in the vector.
def unpack (v: [parameter_count]f32) : parameters =
  {{ {cuts}
  }}
"""


def _network(network: Network, activation: Activation, names: Names) -> str:
    layers = Layers(network, activation, names)
    sends = f"map {INPUT} " if isinstance(activation, Staircase) else ""
    first = 0
    for name in network.inputs:
        size = network[name].size
        part = "" if len(network.inputs) == 1 else f"[{first}:{first + size}]"
        layers.lines.append(f"let {names.population[name]} = {sends}x{part} :> [{size}]f32")
        first += size
    sources = {projection.source for projection in network.projections}
    for population in network.layers:
        layers.add(
            population,
            sends=population.name in sources,
            is_read=population.name in network.outputs,
        )
    read = [layers.row(network[name]) for name in network.outputs]
    body = layers.lines
    # Each at its place in the logits: several `++` are more than the compiler can differentiate.
    if len(read) == 1:
        body.append(f"in {read[0]} :> [output_size]f32")
    else:
        body.append("in replicate output_size 0")
        last = 0
        for name, result in zip(network.outputs, read, strict=True):
            first, last = last, last + network[name].size
            body.append(f"   with [{first}:{last}] = {result}")
    steps = "\n  ".join(body)
    maps = "".join(f"\n{each}" for each in definitions(layers.needed))
    return f"""\
-- | The weighted sums of one projection.
def weighted [m] [n] (w: [m][n]f32) (x: [n]f32) : [m]f32 =
  map (\\row -> f32.sum (map2 (*) row x)) w

def add [m] (xs: [m]f32) (ys: [m]f32) : [m]f32 = map2 (+) ys xs
{maps}
-- | The network: a stimulus to its logits.
def logits (p: parameters) (x: [input_size]f32) : [output_size]f32 =
  {steps}
"""


def _cuts(network: Network, names: Names) -> str:
    cuts = (
        f"entry {field} (parameters: [parameter_count]f32) : {_type(shape)} =\n"
        f"  (unpack parameters).{field}\n"
        for name, shape in parameter_shapes(network).items()
        for field in (names.parameter[name],)
    )
    return "-- Each parameter alone, cut out of the vector.\n\n" + "\n".join(cuts)
