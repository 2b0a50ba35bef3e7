"""What `--over` may say, and what becomes of settings and program."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from volr.errors import DataError, VolrError
from volr.experiments.conditions import CONDITIONS, condition
from volr.experiments.search.space import Choice, Range, parameter_text, parameters
from volr.experiments.search.variation import varied, with_width
from volr.experiments.settings import Settings
from volr.language import to_network

PROGRAM = "dense 5 12 ⦶ dense 12 3"
PARALLEL = "dense 7 20 ⦶ (dense 20 10 ⊖ dense 20 5) ⦶ dense 15 4"
TRANSFERRED = condition("snn-transferred")


def one(text: str, label: str = "snn-transferred") -> Choice | Range:
    (found,) = parameters([text], condition(label), Settings(), PROGRAM)
    return found


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("dt=0.1,0.2,0.5", "snn-transferred", Choice("dt", (0.1, 0.2, 0.5))),
        (" rate_max = 200..1000 ", "snn-surrogate", Range("rate_max", 200.0, 1000.0)),
        ("learning_rate=1e-4..1e-2:log", "ann", Range("learning_rate", 1e-4, 1e-2, log=True)),
        ("epochs=2..30", "ann", Range("epochs", 2.0, 30.0, whole=True)),
        ("batch_size=32,64", "ann", Choice("batch_size", (32, 64))),
        ("width=5..50:log", "ann", Range("width", 5.0, 50.0, log=True, whole=True)),
        ("reset=hard,subtract", "snn-random", Choice("reset", ("hard", "subtract"))),
        (
            "neuron_parameters.v_reset=-70..-60",
            "snn-finetuned",
            Range("neuron_parameters.v_reset", -70.0, -60.0),
        ),
    ],
)
def test_what_is_said_is_what_is_varied(text: str, label: str, expected: Choice | Range) -> None:
    found = one(text, label)
    assert found == expected
    # Numbers and whole numbers stay apart: JSON and the journal tell 2 from 2.0.
    if isinstance(found, Choice) and isinstance(expected, Choice):
        assert [*map(type, found.values)] == [*map(type, expected.values)]
    assert one(parameter_text(found), label) == found


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.booleans())
def test_a_range_is_read_as_it_is_written(a: float, b: float, log: bool) -> None:
    low, high = min(a, b), max(a, b)
    if low == high:
        return
    wanted = Range("learning_rate", low, high, log=log)
    assert one(parameter_text(wanted), "ann") == wanted


@pytest.mark.parametrize("each", CONDITIONS, ids=lambda each: each.label)
def test_every_condition_has_a_space_of_its_own(each: object) -> None:
    assert each in CONDITIONS
    found = parameters([], next(c for c in CONDITIONS if c is each), Settings(), PROGRAM)
    assert len(found) >= 3


@pytest.mark.parametrize(
    ("text", "label", "said"),
    [
        ("learning_rte=1e-4..1e-2", "ann", "did you mean 'learning_rate'?"),
        ("neuron_parameters.tau=5..40", "snn-random", "did you mean 'neuron_parameters.tau_m'?"),
        ("neuron_parameters.tau_m=5..40", "ann", "there is no setting"),
        ("neuron_parameters.tau_m=5..40", "snn-exact", "there is no setting"),
        ("levels=1..9", "snn-exact", "levels cannot be 1"),
        ("dt=0.1,0.2", "snn-exact", "snn-exact does not depend on dt"),
        ("neuron_parameters.e_rev_E=-10..10", "snn-random", "has no parameter 'e_rev_E'"),
        ("neuron_parameters=1,2", "snn-random", "there is no setting"),
        ("surrogate_epochs=1..4", "snn-transferred", "does not depend on surrogate_epochs"),
        ("dt=0.1,0.2", "ann", "ann does not depend on dt"),
        ("train_samples=100..1000", "ann", "how many samples there are is not to be searched"),
        ("percentile=99..101", "snn-transferred", "percentile cannot be 101.0"),
        ("dt=0..1", "snn-transferred", "dt cannot be 0.0"),
        ("dt=0.1,-0.1", "snn-transferred", "dt cannot be -0.1"),
        ("rate_max=200..3000", "snn-transferred", "rate_max cannot be 3000.0"),
        ("width=0..4", "ann", "width is 0, below 1"),
        ("epochs=0..4", "ann", "epochs cannot be 0"),
        ("epochs=1.5..4", "ann", "'1.5' is not a whole number"),
        ("epochs=1..99999999999999999999", "ann", "not a whole number up to 1,000,000,000"),
        ("dt=1..0.1", "snn-transferred", "the range 1..0.1 is empty"),
        ("dt=1..1", "snn-transferred", "the range 1..1 is empty"),
        ("dt=0.1..nan", "snn-transferred", "'nan' is not a number"),
        ("dt=0.1..inf", "snn-transferred", "'inf' is not a number"),
        ("dt=0.1..", "snn-transferred", "'' is not a number"),
        ("dt=0.1..0.2..0.3", "snn-transferred", "is not a number"),
        ("dt=0.1,,0.2", "snn-transferred", "'' is not a number"),
        ("dt=0.1,0.10", "snn-transferred", "a value stands there twice"),
        ("dt=0.1..1:cubic", "snn-transferred", "there is no scale 'cubic'"),
        ("learning_rate=0..1:log", "ann", "begins above 0"),
        ("reset=hard..subtract", "snn-random", "reset cannot be hard..subtract"),
        ("neuron=if_curr_xep,if_curr_exp", "snn-random", "did you mean 'if_curr_exp'?"),
        ("dt", "snn-transferred", "'dt' does not say what to vary"),
        ("=1,2", "snn-transferred", "there is no setting ''"),
        ("dt=", "snn-transferred", "does not say what to vary"),
        ("__class__=1,2", "snn-transferred", "there is no setting '__class__'"),
    ],
)
def test_what_cannot_be_varied_is_refused(text: str, label: str, said: str) -> None:
    with pytest.raises(DataError) as caught:
        one(text, label)
    assert said in str(caught.value)


def test_nothing_is_varied_twice() -> None:
    with pytest.raises(DataError, match="dt is to be varied in two ways"):
        parameters(["dt=0.1,0.2", "dt=0.1..1"], TRANSFERRED, Settings(), PROGRAM)


def test_values_go_where_they_belong_and_the_rest_stays() -> None:
    base = Settings(neuron_parameters={"cm": 0.5, "tau_m": 10.0}, epochs=3)
    values = {"neuron_parameters.tau_m": 15, "rate_max": 400.0, "width": 6}
    settings, program = varied(values, base, PROGRAM)
    assert settings.neuron_parameters == {"cm": 0.5, "tau_m": 15.0}
    assert (settings.rate_max, settings.epochs, settings.dt) == (400.0, 3, base.dt)
    assert program == "dense 5 6 ⦶ dense 6 3"
    assert varied({}, base, PROGRAM) == (base, PROGRAM)


@given(st.floats(0.05, 5.0), st.floats(5.0, 80.0), st.none() | st.floats(0.05, 4.0))
def test_duration_and_delay_are_whole_numbers_of_steps(
    dt: float, duration: float, delay: float | None
) -> None:
    values = {"dt": dt, "duration": duration} | ({} if delay is None else {"delay": delay})
    settings, _ = varied(values, Settings(rate_max=100.0), PROGRAM)
    assert settings.dt == dt
    assert abs(settings.duration - duration) <= dt / 2 + 1e-6
    assert math.isclose(settings.duration / dt, round(settings.duration / dt), abs_tol=1e-6)
    assert (settings.delay is None) == (delay is None)


def test_width_is_that_of_the_widest_hidden_layer() -> None:
    assert with_width("dense 5 12 ⦶ dense 12 6 ⦶ dense 6 3", 20) == (
        "dense 5 20 ⦶ dense 20 10 ⦶ dense 10 3"
    )
    wider = "dense 7 8 ⦶ (dense 8 4 ⊖ dense 8 2) ⦶ dense 6 4"
    assert with_width(PARALLEL, 8) == wider
    lenet = (
        "conv [1 28 28] 6 5 ⦶ avgpool _ 2 ⦶ conv _ 16 5 ⦶ avgpool _ 2 ⦶ dense _ 120 ⦶ dense _ 10"
    )
    assert to_network(with_width(lenet, 60)) == to_network(
        lenet.replace("6 5", "3 5", 1).replace("16 5", "8 5").replace("120", "60")
    )
    block = "conv [2 7] 6 3 ⦶ (conv _ 6 3 pad:1 groups:2 ⊕ id _) ⦶ maxpool _ 2 ⦶ dense _ 3"
    assert to_network(with_width(block, 9)) == to_network(block.replace(" 6 3", " 8 3"))
    tied = "(conv [2 7] 2 3 pad:1 ⊕ id [2 7]) ⦶ conv _ 6 3 ⦶ dense _ 3"
    assert to_network(with_width(tied, 3)) == to_network(tied.replace("6 3", "3 3"))
    # Nothing gets lost: no layer is without a neuron, whatever the proportion.
    assert with_width(PARALLEL, 1) == "dense 7 1 ⦶ (dense 1 1 ⊖ dense 1 1) ⦶ dense 2 4"
    with pytest.raises(VolrError, match="no hidden layer"):
        with_width("dense 5 3", 10)
