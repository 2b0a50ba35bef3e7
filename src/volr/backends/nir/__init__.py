"""NIR, the neuromorphic intermediate representation: models as ``.nir`` files, and back.

    graph, primitives          a graph as plain data; the node types that Volr reads, a row for each
    hdf5_read, hdf5_write      from the bytes of a file to a graph, trusting nothing, and back
    read                       from a graph to a model: the network (``import_graph``), what leads
                               to its populations (``linear_nodes``, and the package ``affine``),
                               and its neurons (``import_spiking``, ``spiking_nodes``,
                               ``time_unit``)
    to_graph, metadata         from a model to a graph, and what NIR has no words for: projections
                               (``projections``, ``connector_words``), maps and rows (``axes``)
    losses                     what other programs miss of a file
    read_back                  what a file of ours holds, for ``volr verify``
    lint                       what importers make of a file
    dialects                   files for one importer alone; a module for each importer

This file and that of ``dialects`` can be imported without h5py.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from volr.backends.base import Document
from volr.backends.refusals import check_supported, require
from volr.models.coding import RATE_CODINGS
from volr.models.first_spike import FirstSpike
from volr.network.connectors import AllToAll, Convolution, OneToOne, Pooled, Windows
from volr.neurons import RESETS

if TYPE_CHECKING:
    from volr.backends.base import Files
    from volr.backends.readback import Readback
    from volr.models.model import Model

SUFFIX = ".nir"


def _write(model: Model) -> Files:
    """The file of a model. What it does not tell other programs is logged as a warning.

    Raises ``UnsupportedError`` for what NIR cannot say, ``MissingError`` without h5py.
    """
    check_supported(NIR, model)
    require(NIR)
    from volr.backends.nir.hdf5_write import write_graph
    from volr.backends.nir.losses import losses
    from volr.backends.nir.to_graph import canonical

    body = write_graph(canonical(model))
    for each in losses(model):
        logging.getLogger("volr").warning("%s", each)
    return {SUFFIX: body}


def _read_back(files: Files) -> Readback:
    """What the file of a model says. Raises ``ModelFileError`` for any other file."""
    require(NIR)
    from volr.backends.nir.hdf5_read import read_graph
    from volr.backends.nir.read_back import back

    return back(read_graph(files.get(SUFFIX, b"")))


NIR = Document(
    name="nir",
    summary="the neuromorphic intermediate representation, an HDF5 file that many tools read",
    suffix=SUFFIX,
    requires=("h5py",),
    extra="nir",
    activations=("relu", "identity"),
    neurons=("if_curr_delta", "if_curr_exp"),
    resets=RESETS,
    codings=tuple(each.name for each in RATE_CODINGS),
    readouts=("count", "membrane"),
    connectors=(AllToAll, Convolution, Pooled, OneToOne, Windows),
    several=True,
    delays=True,
    by_unit=True,
    why={
        FirstSpike.name: "NIR has no refractory period, so nothing keeps a neuron from a second "
        "spike"
    },
    write=_write,
    read_back=_read_back,
)
