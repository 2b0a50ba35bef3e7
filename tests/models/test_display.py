"""What a notebook shows of models."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
from tests.cli.running import made
from tests.oracles import random_parameters

from volr.language import to_network
from volr.models.activations import Tanh
from volr.models.coding import Poisson
from volr.models.model import ArtificialModel
from volr.neurons import IFCondExp, IFCurrDelta, IFCurrExp, by_unit

if TYPE_CHECKING:
    from volr.display.displayed import Displayed


def tables(shown: Displayed) -> list[list[list[str]]]:
    """The cells of each table, row by row, as an XML parser reads them."""
    found = ET.fromstring(shown._repr_html_())
    return [
        [[cell.text or "" for cell in row] for row in table.iter("tr")]
        for table in found.iter("table")
    ]


def texts(shown: Displayed) -> str:
    return " ".join(each.text or "" for each in ET.fromstring(shown._repr_html_()).iter("p"))


def test_an_artificial_model_has_its_populations_and_parameters() -> None:
    network = to_network("conv [1 4 4] 2 3 ⦶ maxpool _ 2 ⦶ dense _ 3 // <b>")
    values = random_parameters(network, np.random.default_rng(0), weight=1.0, bias=1.0)
    model = ArtificialModel(network, values, Tanh())
    (rows,) = tables(model)
    head, *_ = rows
    assert head == ["population", "shape", "neurons", "weights", "biases", "activation"]
    # Counted from the arrays: the kernels, and the rows of the dense layer.
    sizes = [each.size for each in values.values()]
    assert sum(int(row[3].replace(",", "")) + int(row[4]) for row in rows[1:]) == sum(sizes)
    assert rows[1] == ["input", "1 × 4 × 4", "16", "0", "0", ""]
    assert rows[2] == ["conv_1", "2 × 2 × 2", "8", "18", "2", "tanh"]
    assert [row[5] for row in rows[3:]] == ["the largest", "logits"]
    assert f"an ANN with the activation tanh, {sum(sizes)} parameters" in texts(model)
    html = model._repr_html_()
    assert "// &lt;b&gt;" in html
    assert html.count("<svg") == 1


def test_a_spiking_model_has_the_numbers_of_its_neurons() -> None:
    model = made("dense 2 3 ⦶ dense 3 2", neuron=IFCurrExp(tau_m=12.5, reset="subtract"))
    populations, neurons = tables(model)
    assert [row[5] for row in populations] == ["neurons are", *["if_curr_exp"] * 3]
    assert neurons[0] == ["if_curr_exp of", "reset", *model.neuron.numbers]
    assert neurons[1] == [
        *("all", "subtract"),
        *(f"{value:g}" for value in model.neuron.numbers.values()),
    ]
    assert "100 steps of 0.5 ms" in texts(model)
    assert re.search(r"inputs: current, rate_max 500; outputs: count; delay 0\.5 ms", texts(model))


def test_populations_with_neurons_of_their_own_are_named() -> None:
    own = {"dense_1": IFCurrExp(tau_m=5.0), "dense_2": IFCondExp()}
    model = replace(made("dense 2 3 ⦶ dense 3 2"), neurons=own)
    populations, current, conductance = tables(model)
    assert [row[5] for row in populations[1:]] == ["if_curr_exp", "if_curr_exp", "if_cond_exp"]
    assert [row[0] for row in current] == ["if_curr_exp of", "input", "dense_1"]
    at = current[0].index("tau_m")
    assert [row[at] for row in current[1:]] == ["20", "5"]
    assert [row[0] for row in conductance] == ["if_cond_exp of", "dense_2"]
    assert "e_rev_E" in conductance[0]


def test_only_neurons_that_there_are_are_named() -> None:
    own = {"dense_1": IFCurrExp(tau_m=5.0), "dense_2": IFCondExp()}
    model = replace(
        made("dense 2 3 ⦶ dense 3 2", neuron=IFCurrDelta()), neurons=own, coding=Poisson(100.0)
    )
    populations, current, conductance = tables(model)
    assert [row[5] for row in populations[1:]] == [
        *("none, its spikes are given", "if_curr_exp", "if_cond_exp")
    ]
    assert [row[0] for row in current] == ["if_curr_exp of", "dense_1"]
    assert [row[0] for row in conductance] == ["if_cond_exp of", "dense_2"]
    assert "an SNN of if_curr_exp and if_cond_exp neurons, " in texts(model)


def test_numbers_that_differ_by_unit_are_a_range() -> None:
    own = by_unit(IFCurrExp(), tau_m=[12.0, 30.0, 9.5])
    model = replace(made("dense 2 3 ⦶ dense 3 2"), neurons={"dense_1": own})
    _, neurons = tables(model)
    column = neurons[0].index("tau_m")
    assert [row[column] for row in neurons] == ["tau_m", "20", "9.5 to 30"]
