"""NIR as one importer reads it: files from which norse, snnTorch, SpikingJelly and sinabs get the
engine's spike trains.

A NIR file holds the graph, not its meaning: each importer has its own discretisation, units and
reset. A dialect is a file for one importer alone, and other importers read it as another network.
It holds the network as a ring (``ring``): frame k of its input holds the spikes of all inputs in
step k, side by side, and frame k of its output those of the outputs, with no delay between the two
except the network's own. All that Volr knows of an importer is one file of this folder, which
defines a ``Dialect``, and its name in ``DIALECTS``.

The importers compute in single precision and the engine in double. A membrane within some
millionths of its threshold, about one in 100,000, may spike in only one of the two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from volr.backends.base import Document
from volr.backends.nir.dialects.norse import NORSE
from volr.backends.nir.dialects.sinabs import SINABS
from volr.backends.nir.dialects.snntorch import SNNTORCH
from volr.backends.nir.dialects.spikingjelly import SPIKINGJELLY
from volr.backends.refusals import check_supported
from volr.models.coding import RATE_CODINGS
from volr.models.first_spike import FirstSpike
from volr.models.model import SpikingModel
from volr.network import Connector
from volr.neurons import IFCurrDelta, IFCurrExp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from volr.backends.base import Files
    from volr.backends.nir.dialects.dialect import Dialect
    from volr.backends.readback import SpikingReadback
    from volr.models.model import Model

DIALECTS: Mapping[str, Dialect] = {
    each.name: each for each in (NORSE, SNNTORCH, SPIKINGJELLY, SINABS)
}
"""The importers that are known, by name."""

PRECISION = 1e-5
"""The relative error of what is read back: some of it is a difference of numbers in float32."""


def document_for(dialect: Dialect) -> Document:
    """The format of the files for one importer."""

    def write(model: Model) -> Files:
        from volr.backends.nir.dialects.writing import write_for

        if isinstance(model, SpikingModel) and (
            isinstance(model.coding, FirstSpike) or model.delays
        ):
            check_supported(found, model)
        return write_for(model, dialect)

    def read_back(files: Files) -> SpikingReadback:
        from volr.backends.nir.dialects.writing import read_back

        return read_back(files, dialect)

    def how_to(file: str) -> tuple[str, ...]:
        return (
            f"# {dialect.name} {dialect.version}: pip install {dialect.install}",
            "import nir",
            f"graph = nir.read({file!r})",
            *dialect.call,
            "state, spikes = None, []",
            "for frame in frames:  # the inputs' spikes, one step after another, [batch, unit]",
            "    out, state = net(frame, state)",
            "    spikes.append(out)",
        )

    found = Document(
        name=f"nir.{dialect.name}",
        summary=f"NIR from which {dialect.name} gets the same spikes",
        suffix=".nir",
        requires=("h5py",),
        extra="nir",
        neurons=(IFCurrDelta.name, IFCurrExp.name),
        resets=dialect.resets,
        codings=tuple(each.name for each in RATE_CODINGS),
        readouts=("count",),
        connectors=(Connector,),
        several=True,
        why={
            FirstSpike.name: f"{dialect.name} has no refractory period, and does not read NIR's "
            "delays"
        },
        write=write,
        read_back=read_back,
        precision=PRECISION,
        how_to=how_to,
    )
    return found


DOCUMENTS: tuple[Document, ...] = tuple(map(document_for, DIALECTS.values()))
"""``nir.norse`` and so on."""
