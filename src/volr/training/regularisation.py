"""What training does to a network beside lowering its loss, and to which populations.

normalise   each hidden population that a trained projection leads to
dropout     the same populations
shift       the inputs, all by the same offsets
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from volr.errors import TrainingError

if TYPE_CHECKING:
    from volr.network import Network, Population
    from volr.training.settings import Normalise, TrainingSettings

TRANSFER_INSTEAD = (
    "train an artificial network with it, and transfer that one; the spiking model can be trained "
    "further"
)
"""The help for whoever wants one of these settings for a spiking network."""


@dataclass(frozen=True)
class Regularisation:
    """The three settings of ``TrainingSettings``."""

    normalise: Normalise | None = None
    dropout: float = 0.0
    shift: int = 0

    @staticmethod
    def of(settings: TrainingSettings) -> Regularisation:
        """Those of all settings."""
        return Regularisation(settings.normalise, settings.dropout, settings.shift)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return self != Regularisation()


def trained_hidden(network: Network) -> tuple[Population, ...]:
    """The populations that are normalised or dropped: what arrives there is sent on, and depends on
    weights. So those that only pool are left out, and so are outputs that nothing follows.
    """
    sources = {projection.source for projection in network.projections}
    return tuple(
        each
        for each in network.layers
        if each.name in sources
        and each.merge == "sum"
        and any(p.connector.trained for p in network.incoming[each.name])
    )


def groups_of(network: Network, population: Population) -> int:
    """How many groups of neurons have a mean and a variance of their own.

    Each neuron has, but where a kernel leads to the population: its weights can be scaled only by
    channel. Then each channel has.
    """
    return min(
        projection.connector.weight_shape(*network.ends(projection))[0]
        for projection in network.incoming[population.name]
        if projection.connector.trained
    )


def check_images(network: Network, shift: int) -> None:
    """Raise ``TrainingError`` where inputs are no images that can be shifted by so much."""
    for name in network.inputs if shift else ():
        shape = network[name].shape
        if len(shape) != 3:
            raise TrainingError(
                f"shift is {shift}, and the shape of {name} is {shape_text(shape)}, which "
                "is not that of an image",
                help="begin the program with the shape of an image, such as `dense [1 28 28] …`",
            )
        if shift >= min(shape[1:]):
            raise TrainingError(
                f"shift is {shift}, and an image of {shape[1]} × {shape[2]} pixels is then empty",
                help=f"choose at most {min(shape[1:]) - 1}",
            )


def check_plain(settings: TrainingSettings, what: str, help: str) -> None:
    """Raise ``TrainingError`` where ``what``, which knows none of these settings, is given one."""
    plain = Regularisation()
    given = [
        name
        for name, value in vars(Regularisation.of(settings)).items()
        if value != getattr(plain, name)
    ] + ["levels"] * (settings.levels is not None)
    if given:
        raise TrainingError(f"{what} takes no {' and no '.join(given)}", help=help)


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as a program writes it."""
    return f"[{' '.join(map(str, shape))}]"
