"""The public names: written in three places that must agree, and loaded when they are used."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

import volr

TREE = ast.parse(Path(volr.__file__).read_text(encoding="utf-8"))


def assigned(name: str) -> object:
    (node,) = (
        each
        for each in TREE.body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == name
    )
    return ast.literal_eval(node.value)


def typed() -> dict[str, tuple[str, str]]:
    """What the type checker sees: public name to module and name there."""
    (block,) = (each for each in TREE.body if isinstance(each, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    imports = [each for each in block.body if isinstance(each, ast.ImportFrom)]
    assert len(imports) == len(block.body)
    return {
        alias.asname or alias.name: (str(each.module), alias.name)
        for each in imports
        for alias in each.names
    }


def test_the_three_lists_agree() -> None:
    names = assigned("__all__")
    assert isinstance(names, list)
    assert names == sorted(set(names))
    homes = assigned("_HOMES")
    assert isinstance(homes, dict)
    found = {name: (module, name) for module, held in homes.items() for name in held.split()}
    assert found == typed()
    assert {*typed(), "__version__"} == set(names)
    assert dir(volr) == names


@pytest.mark.parametrize("name", sorted(typed()))
def test_every_name_is_what_its_home_has(name: str) -> None:
    module, attribute = typed()[name]
    assert getattr(volr, name) is getattr(importlib.import_module(module), attribute)


def test_no_name_is_that_of_a_part_of_the_package() -> None:
    """`volr.network` would be the subpackage as soon as somebody imports it."""
    parts = {path.stem for path in Path(volr.__file__).parent.iterdir()}
    assert not parts & set(volr.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'volr' has no attribute 'densse'"):
        _ = volr.densse
    assert not hasattr(volr, "np")


def test_importing_it_loads_nothing_but_itself() -> None:
    program = "import json, sys; before = {*sys.modules}; import volr; "
    program += "print(json.dumps([*{*sys.modules} - before]))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(ran.stdout)}
    assert {name for name in loaded if name not in sys.stdlib_module_names} == {"volr"}


def returned(annotation: object) -> set[str]:
    """The names in an annotation; a union that has a name is what it is of."""
    aliases = {"Model": {"ArtificialModel", "SpikingModel"}}
    aliases["Backend"] = {"ArtificialBackend", "SpikingBackend"}
    tree = ast.parse(str(annotation), mode="eval")
    names = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    return {part for name in names for part in aliases.get(name, {name})}


def test_what_a_public_function_returns_is_public() -> None:
    functions = [getattr(volr, name) for name in sorted(typed())]
    functions = [each for each in functions if inspect.isfunction(each)]
    assert len(functions) > 15
    known = {*volr.__all__, "None", "AbstractContextManager"}
    for function in functions:
        found = returned(inspect.signature(function).return_annotation)
        assert found <= known, f"{function.__name__}: {found - known}"
        assert inspect.getdoc(function)


def test_what_public_results_hold_is_public() -> None:
    """The parts of a result are made by Volr, so that a reader has to look up what they are."""
    results = ["Verification", "Explanation", "Training", "Transfer", "Evaluation", "ImportedModel"]
    classes: list[Any] = [getattr(volr, name) for name in results]
    classes += [volr.Network, volr.Diagnostic]
    found: dict[str, Any] = {}
    for kind in classes:  # it grows
        home = vars(importlib.import_module(kind.__module__))
        for each in fields(kind):
            for name in returned(each.type):
                part = found[name] = getattr(volr, name, home.get(name))
                if is_dataclass(part) and part not in classes:
                    classes.append(part)
    ours = {name for name, part in found.items() if inspect.isclass(part)}
    ours = {name for name in ours if found[name].__module__.startswith("volr")}
    assert {"CauseCost", "Behaviour", "Tally", "Span", "PopulationReport"} <= ours
    assert ours <= {*volr.__all__}
