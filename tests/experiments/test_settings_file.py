"""Settings files: what they say, what has the say beside them, and files that are none."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from volr.errors import DataError, ModelError
from volr.experiments.settings import Settings
from volr.experiments.settings_file import SettingsFile, read_settings, settings_with

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_of_settings(tmp_path: Path) -> None:
    path = tmp_path / "best.json"
    content = {
        "task": "xor",
        "program": "dense 2 2",
        "settings": {"dt": 1, "neuron": "if_cond_exp"},
    }
    path.write_text(json.dumps(content))
    file = read_settings(path)
    assert settings_with(file) == Settings(dt=1.0, neuron="if_cond_exp")
    assert settings_with(file, {"dt": 2.0, "epochs": None}, {"dt": None}).dt == 2.0
    assert file.settings.keys() == {"dt", "neuron"}
    assert file.program_for("xor") == "dense 2 2"
    assert file.program_for("nand") is None


def test_neuron_parameters_are_told_one_by_one() -> None:
    file = SettingsFile(settings={"neuron_parameters": {"tau_syn_E": 2.0, "tau_m": 15.0}})
    settings = settings_with(
        file, {"neuron_parameters": {"tau_m": 10.0}}, {"neuron_parameters": None}
    )
    assert settings.neuron_parameters == {"tau_syn_E": 2.0, "tau_m": 10.0}
    assert settings_with(file).neuron_parameters == file.settings["neuron_parameters"]
    assert file.settings["neuron_parameters"]["tau_m"] == 15.0


def test_parameters_that_another_neuron_does_not_have_are_refused() -> None:
    file = SettingsFile(settings={"neuron_parameters": {"tau_syn_E": 2.0, "tau_m": 15.0}})
    settings = settings_with(file, {"neuron": "if_cond_exp", "neuron_parameters": {"e_rev_E": 1.0}})
    assert settings.neuron_parameters == {"tau_syn_E": 2.0, "tau_m": 15.0, "e_rev_E": 1.0}
    with pytest.raises(ModelError) as caught:
        settings_with(file, {"neuron": "if_curr_delta", "neuron_parameters": {"cm": 2.0}})
    assert caught.value.message == (
        "if_curr_delta has no parameter 'tau_syn_E', which the settings file gives"
    )
    assert str(caught.value.help).endswith("or keep the file's neuron, if_curr_exp")
    # What the file does not give is the neuron's matter.
    with pytest.raises(ModelError, match=r"^if_curr_exp has no parameter 'tau'\n"):
        settings_with(file, {"neuron_parameters": {"tau": 2.0}})


def test_no_file_says_nothing() -> None:
    file = read_settings(None)
    assert settings_with(file) == Settings()
    assert file.program_for("xor") is None


def test_a_file_that_can_be_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = b'{"settings": {"dt": 0.5}, "task": "xor", "program": "dense 2 2"}'
    with ThreadPoolExecutor() as writer:
        written = writer.submit(pipe.write_bytes, content)
        file = read_settings(pipe)
    assert written.result() == len(content)
    assert file == SettingsFile(settings={"dt": 0.5}, task="xor", program="dense 2 2")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "has no settings"),
        (b"{}", "has no settings"),
        (b'{"settings": [1]}', "has no settings"),
        (b'{"settings": {"dt": "1"}}', "best.json: the setting 'dt' cannot be '1'"),
        (b'{"settings": {}, "dt": 3}', """best.json: 'dt' is a setting, and stands outside"""),
        (b'{"settings": {}, "dt": 3}', 'help: move it into them: {"settings": {"dt": …}}'),
        (b'{"settings": {}, "programm": "dense 2 2"}', "did you mean 'program'?"),
        (b'{"settings": {}, "task": "xor", "program": 17}', "best.json: the program is 17, not a"),
        (b'{"settings": {}, "task": ["xor"]}', "best.json: the task is ['xor'], not a text"),
        (b'{"settings": {}, "program": "dense 2 2"}', "does not say for which task"),
    ],
)
def test_files_that_are_none(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "best.json"
    path.write_bytes(body)
    with pytest.raises(DataError) as caught:
        read_settings(path)
    assert said in str(caught.value)
    with pytest.raises(DataError, match=r"cannot read .*nowhere"):
        read_settings(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot read"):
        read_settings(tmp_path)


@pytest.mark.parametrize(
    ("value", "help"),
    [
        ('{"dt": "0,5"}', "write 0.5, without quotes"),
        ('{"epochs": "12"}', "write 12, without quotes"),
        ('{"epochs": "1,5"}', None),
        ('{"dt": "half"}', None),
    ],
)
def test_a_number_in_quotes_is_told_how_to_write_it(
    tmp_path: Path, value: str, help: str | None
) -> None:
    path = tmp_path / "best.json"
    path.write_text(f'{{"settings": {value}}}', encoding="utf-8")
    with pytest.raises(DataError, match="cannot be") as caught:
        read_settings(path)
    assert caught.value.help == help
