"""What an editor asks for, over the protocol."""

from __future__ import annotations

import base64
import itertools
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.lsp.client import Client, Refused, mistakes, position, range_of

from volr.language import check, format_source
from volr.language.grammar import comments, tables

HERE = Path(__file__).resolve().parents[1]
# The editor, and not the server, reads the bytes of a file.
REJECTED = sorted(each for each in (HERE / "rejected").glob("*.volr") if each.stem != "not-utf8")
PROGRAMS = sorted((HERE / "programs").glob("*.volr"))
NUMBERS = itertools.count()
# A tail of characters outside the first plane, which UTF-16 counts as two.
PROGRAM = """\
let n = 4 in
let block s k = dense s k ⦶ dense _ n in
let last = dense 4 n in
/* 🧠🐈 */ conv [1 8 8] 8 3 pad:1 ⦶ avgpool _ 2 ⦶ dense _ 4 ⦶ block _ 5 ⦶ last // 🧠
"""


class Document:
    """A document in the editor."""

    def __init__(self, client: Client, text: str) -> None:
        self.client, self.text = client, text
        self.uri = f"file:///programs/{next(NUMBERS)}.volr"
        client.open(text, self.uri)

    def diagnostics(self) -> list[dict[str, Any]]:
        return self.client.diagnostics(self.uri)

    def replace(self, old: str, new: str) -> None:
        """Change a part of the text, which occurs in it once."""
        assert self.text.count(old) == 1
        start = self.text.index(old)
        change = {"range": range_of(self.text, start, start + len(old)), "text": new}
        self.client.change(change, uri=self.uri)
        self.text = self.text.replace(old, new)

    def at(self, method: str, word: str, add: int = 0, **more: object) -> Any:
        """Ask something of the place of a word, which occurs in the text once."""
        assert self.text.count(word) == 1
        place = position(self.text, self.text.index(word) + add)
        return self.client.at(method, place["line"], place["character"], self.uri, **more)

    def of(self, method: str, **more: object) -> Any:
        return self.client.of(method, self.uri, **more)

    def applied(self, edits: list[dict[str, Any]]) -> str:
        """The text with edits, which are in ranges of UTF-16."""
        text = self.text
        for edit in sorted(edits, key=lambda each: self.offset(each["range"]["start"]))[::-1]:
            start, end = (self.offset(edit["range"][each]) for each in ("start", "end"))
            text = text[:start] + edit["newText"] + text[end:]
        return text

    def offset(self, place: dict[str, int]) -> int:
        """By trying all places."""
        found = (n for n in range(len(self.text) + 1) if position(self.text, n) == place)
        return max(found)

    def shown(self, place: dict[str, Any]) -> str:
        return self.text[self.offset(place["start"]) : self.offset(place["end"])]


@pytest.fixture
def document(server: Client) -> Document:
    made = Document(server, PROGRAM)
    assert made.diagnostics() == []
    return made


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_mistakes_are_those_of_check(server: Client, path: Path) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    document = Document(server, text)
    found, expected = document.diagnostics(), mistakes(text)
    assert expected
    assert len(found) == min(len(expected), 200)
    for shown, told in zip(found, expected, strict=False):
        assert shown["range"] == range_of(text, told.span.start, told.span.end)
        assert shown["severity"] == 1
        assert shown["message"].startswith(told.message)
        assert (told.help or "") in shown["message"]
        related = [
            (each["message"], each["location"]["range"])
            for each in shown.get("relatedInformation", [])
        ]
        assert related == [
            (each.text, range_of(text, each.span.start, each.span.end)) for each in told.others
        ]


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_quick_fixes_are_the_edits_of_check(server: Client, path: Path) -> None:
    text = path.read_bytes().decode("utf-8-sig")
    if len(text) > 2_000:
        pytest.skip("the places of a long text are found too slowly here")
    document = Document(server, text)
    document.diagnostics()
    whole = range_of(text, 0, len(text))
    actions = document.of("codeAction", range=whole, context={"diagnostics": []})
    one_by_one = [each for each in actions if each.get("isPreferred")]
    fixable = [each for each in mistakes(text)[:200] if each.edits]
    assert len(one_by_one) == len(fixable)
    for action, told in zip(one_by_one, fixable, strict=True):
        edits = action["edit"]["changes"][document.uri]
        assert action["kind"] == "quickfix"
        assert action["title"].casefold() == (told.help or "").casefold()
        expected = text
        for edit in sorted(told.edits, key=lambda each: each.span.start, reverse=True):
            expected = expected[: edit.span.start] + edit.text + expected[edit.span.end :]
        assert document.applied(edits) == expected


def test_one_quick_fix_for_all(server: Client) -> None:
    document = Document(server, "let a = dens 2 4 in dense 2 4 ⦶ dense 3 1")
    assert len(document.diagnostics()) == 2
    whole = range_of(document.text, 0, len(document.text))
    *_, last = document.of("codeAction", range=whole, context={"diagnostics": []})
    assert "2 mistakes" in last["title"]
    assert document.applied(last["edit"]["changes"][document.uri]) == (
        "let a = dense 2 4 in dense 2 4 ⦶ dense 4 1"
    )


def test_mistakes_come_and_go_with_changes(document: Document) -> None:
    document.replace("avgpool", "avgpol")
    (found,) = document.diagnostics()
    assert document.shown(found["range"]) == "avgpol"
    document.replace("avgpol ", "avgpool ")
    assert document.diagnostics() == []


def test_closing_takes_the_mistakes_away(server: Client) -> None:
    document = Document(server, "dense 2")
    assert document.diagnostics()
    server.notify("textDocument/didClose", {"textDocument": {"uri": document.uri}})
    assert server.at("hover", 0, 0, document.uri) is None
    last = [each["params"] for each in server.notices if "params" in each][-1]
    assert last["uri"] == document.uri
    assert last["diagnostics"] == []


def test_a_client_that_can_do_little() -> None:
    """It gets related places in the message, no pictures, and no snippets."""
    with Client() as client:
        client.initialize({})
        client.open("dense 2 4 ⦶\ndense 3 1")
        (found,) = client.diagnostics()
        assert "relatedInformation" not in found
        assert "gives 4: line 1" in found["message"]
        client.open("dense 2 4 ⦶ dense 4 2", "file:///other.volr")
        client.diagnostics("file:///other.volr")
        assert picture(client.at("hover", 0, 10, "file:///other.volr")) is None
        items = client.at("completion", 0, 0, "file:///other.volr")["items"]
        assert {each.get("insertText", each["label"]) for each in items} == {*FIXED, "let"}


HOVERS = [
    ("n = 4", 0, "let n : int = 4", "n"),
    ("block s k", 0, "let block s k = … : net 4 4", "block"),
    ("s k =", 0, "s : shape = 4", "s"),
    ("k =", 0, "k : int = 5", "k"),
    ("last = ", 0, "let last : net 4 4", "last"),
    ("last //", 0, "let last : net 4 4", "last"),
    (
        "conv",
        1,
        "conv inputs channels window stride:… pad:… groups:… : net [1 8 8] [8 8 8]",
        "conv",
    ),
    ("avgpool", 0, "avgpool inputs window stride:… : net [8 8 8] [8 4 4]", "avgpool"),
    ("_ 2", 0, "_ = [8 8 8]", "_"),
    ("_ 4 ⦶", 0, "_ = [8 4 4]", "_"),
    ("[1 8", 0, "shape = [1 8 8]", "[1 8 8]"),
    ("⦶ avgpool", 0, "net [1 8 8] [8 4 4]", "conv [1 8 8] 8 3 pad:1 ⦶ avgpool _ 2"),
    ("⦶ last", 0, "net [1 8 8] 4", PROGRAM.splitlines()[3][9:-5]),
]


@pytest.mark.parametrize(("word", "add", "told", "part"), HOVERS, ids=[each[0] for each in HOVERS])
def test_hover(document: Document, word: str, add: int, told: str, part: str) -> None:
    found = document.at("hover", word, add)
    code = re.match(r"```volr\n(.*)\n```", found["contents"]["value"])
    assert code is not None
    assert code[1] == told
    assert document.shown(found["range"]) == part


def test_hover_on_nothing(server: Client) -> None:
    document = Document(server, "dense 2 4 // dense\n\n")
    document.diagnostics()
    assert document.at("hover", "// dense", 4) is None
    assert server.at("hover", 99, 99, document.uri) is None


def test_hover_beside_a_mistake(server: Client) -> None:
    document = Document(server, "conv [1 8 8] 8 3 ⦶ avgpol _ 2 ⦶ dense 3 4 ⦶ dense _ 1")
    assert document.diagnostics()
    assert "net [1 8 8] [8 6 6]" in document.at("hover", "conv")["contents"]["value"]
    assert "_ = 4" in document.at("hover", "_ 1")["contents"]["value"]


def picture(found: Any) -> str | None:
    data = re.search(r"\(data:image/svg\+xml;base64,([^)]*)\)", found["contents"]["value"])
    return None if data is None else base64.b64decode(data[1]).decode()


def test_hover_draws_the_network(document: Document) -> None:
    svg = picture(document.at("hover", "⦶ last"))
    assert svg is not None
    boxes = ET.fromstring(svg).iterfind(".//{*}rect")
    # The input, the kernels, four dense layers; the pool has no neurons.
    assert sum(1 for _ in boxes) == 6
    text = document.at("hover", "⦶ last")["contents"]["value"]
    assert "6 populations, 5 projections" in text
    assert len(text) < 100_000


def test_large_networks_are_not_drawn(server: Client) -> None:
    document = Document(server, "repeat 1000 (dense 3 3)")
    document.diagnostics()
    found = document.at("hover", "repeat", 1)
    assert "1,001 populations" in found["contents"]["value"]
    assert picture(found) is None


def test_hints(document: Document) -> None:
    whole = range_of(document.text, 0, len(document.text))
    found = document.of("inlayHint", range=whole)
    shown = [(document.offset(each["position"]), each["label"]) for each in found]
    before = [(document.text[:at].rsplit(None, 1)[-1], label) for at, label in shown]
    assert before == [
        ("n", ": int = 4"),
        ("_", "5"),
        ("last", ": net 4 4"),
        ("_", "[8 8 8]"),
        ("_", "[8 4 4]"),
        ("_", "4"),
    ]
    edits = [edit for each in found for edit in each.get("textEdits", [])]
    assert document.applied(edits) == document.text.replace("dense _ n", "dense 5 n").replace(
        "avgpool _", "avgpool [8 8 8]"
    ).replace("dense _ 4", "dense [8 4 4] 4").replace("block _", "block 4")
    line = range_of(document.text, 0, 8)
    assert [each["label"] for each in document.of("inlayHint", range=line)] == [": int = 4"]


def test_a_blank_of_several_shapes(server: Client) -> None:
    document = Document(server, "let f n = dense _ n in dense 1 2 ⦶ f 3 ⦶ f 4")
    document.diagnostics()
    whole = range_of(document.text, 0, len(document.text))
    (hint,) = document.of("inlayHint", range=whole)
    assert hint["label"] == "2 or 3"
    assert "textEdits" not in hint


def test_definition_and_references(document: Document) -> None:
    for word, add, bound, uses in [
        ("dense _ n", 8, "n = 4", 3),
        ("⦶ block", 2, "block s k", 2),
        ("dense s k", 6, "s k =", 2),
        ("last //", 4, "last = ", 2),
    ]:
        place = document.at("definition", word, add)
        assert document.offset(place["range"]["start"]) == document.text.index(bound)
        found = document.at("references", word, add, context={"includeDeclaration": True})
        assert len(found) == uses
        assert {document.shown(each["range"]) for each in found} == {bound.split()[0]}
        assert len(document.at("documentHighlight", word, add)) == uses
        less = document.at("references", word, add, context={"includeDeclaration": False})
        assert len(less) == uses - 1
    assert document.at("definition", "avgpool") is None


def test_names_hide_each_other(server: Client) -> None:
    document = Document(server, "let a = 2 in let b a = dense a a in let a = b a in a")
    document.diagnostics()
    found = document.at("references", "a = 2", context={"includeDeclaration": True})
    assert [document.offset(each["range"]["start"]) for each in found] == [4, 46]


def test_rename(document: Document) -> None:
    assert document.shown(document.at("prepareRename", "dense _ n", 8)) == "n"
    found = document.at("rename", "dense _ n", 8, newName="ἄλφα'")
    renamed = document.applied(found["changes"][document.uri])
    assert renamed == document.text.replace("let n", "let ἄλφα'").replace("_ n", "_ ἄλφα'").replace(
        "4 n", "4 ἄλφα'"
    )
    assert check(renamed).type == check(document.text).type
    for name in ("dense", "let", "2x", "", "a b", "s", "_", "²"):
        with pytest.raises(Refused):
            document.at("rename", "dense _ n", 8, newName=name)
    assert document.at("prepareRename", "avgpool") is None


def test_outline(document: Document) -> None:
    found = document.of("documentSymbol")
    assert [(each["name"], each["detail"]) for each in found] == [
        ("n", "int = 4"),
        ("block", "s k"),
        ("last", "net 4 4"),
    ]
    assert [document.shown(each["selectionRange"]) for each in found] == ["n", "block", "last"]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_formatting(server: Client, path: Path, ends: str) -> None:
    text = path.read_text(encoding="utf-8-sig")
    document = Document(server, text.replace(" ", "  ").replace("\n", ends))
    edits = document.of("formatting", options={"tabSize": 4, "insertSpaces": True})
    expected = format_source(document.text.replace("\r\n", "\n"))
    assert document.applied(edits) == expected.replace("\n", ends)
    laid_out = Document(server, expected)
    assert laid_out.of("formatting", options={"tabSize": 4, "insertSpaces": True}) == []


def test_formatting_edits_only_what_changes(server: Client) -> None:
    layers = "".join(f"⦶ dense _ {n} // a layer\n" for n in range(1, 20))
    text = format_source(f"dense 1 2\n{layers}")
    document = Document(server, text.replace("_ 9 ", "_  9 "))
    (edit,) = document.of("formatting", options={"tabSize": 4, "insertSpaces": True})
    assert document.shown(edit["range"]) == "⦶ dense _  9 // a layer\n"


@pytest.mark.parametrize("text", ["dense  2 (", "", "dense 2 4 /* no end", "let x = in  x"])
def test_formatting_leaves_mistakes_of_syntax(server: Client, text: str) -> None:
    document = Document(server, text)
    assert document.of("formatting", options={"tabSize": 4, "insertSpaces": True}) is None


def test_formatting_takes_mistakes_of_types(server: Client) -> None:
    document = Document(server, "dense 2  3 ⦶ dense 4 1\n")
    (edit,) = document.of("formatting", options={"tabSize": 4, "insertSpaces": True})
    assert document.applied([edit]) == "dense 2 3 ⦶ dense 4 1\n"


def labels(found: Any) -> list[str]:
    return [each["label"] for each in sorted(found["items"], key=lambda each: each["sortText"])]


FIXED = ["avgpool", "conv", "dense", "id", "maxpool", "repeat"]


def test_completion_of_names(document: Document) -> None:
    found = document.at("completion", "conv [")
    assert labels(found) == ["block", "last", "n", *FIXED, "_", "in", "let"]
    by_label = {each["label"]: each for each in found["items"]}
    assert by_label["block"]["detail"] == "block s k"
    assert by_label["last"]["detail"] == "net 4 4"
    assert by_label["conv"]["detail"].startswith("conv inputs channels window")
    assert by_label["conv"]["insertText"] == "conv ${1:inputs} ${2:channels} ${3:window}"
    assert "kernel" in by_label["conv"]["documentation"]["value"]
    # Within a function, its parameters; and not the names that come later.
    assert labels(document.at("completion", "s k ⦶"))[:3] == ["k", "n", "s"]


def test_completion_in_a_text_that_is_being_written(document: Document) -> None:
    document.replace("⦶ last ", "⦶ la ")
    assert "last" in labels(document.at("completion", "⦶ la ", 4))
    document.diagnostics()
    assert "last" in labels(document.at("completion", "⦶ la ", 4))


def test_completion_of_labels(document: Document) -> None:
    assert labels(document.at("completion", " ⦶ avgpool", 1))[:2] == ["groups:", "stride:"]
    document.replace("pad:1 ⦶", "pad:1 gr ⦶")
    found = document.at("completion", "pad:1 gr", 8)
    assert labels(found)[:2] == ["groups:", "stride:"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("let n = 4 in ", "n"),
        ("let n = 4 in (", "n"),
        ("let f k = ", "k"),
        ("(let n = 4 in dense n n ⦶ ) ⦶ id 4", "n"),
        ("let a = 1 in let b = a in dense a b ⦶ ", "b"),
    ],
)
def test_completion_at_the_end_of_what_is_written(server: Client, text: str, name: str) -> None:
    document = Document(server, text)
    document.diagnostics()
    place = position(text, text.index(")") if ")" in text else len(text))
    assert name in labels(server.at("completion", place["line"], place["character"], document.uri))


@pytest.mark.parametrize("sign", [(">>", "⦶"), ("|", "⊖"), ("+", "⊕"), ("<<", "↺")])
def test_completion_of_signs(server: Client, sign: tuple[str, str]) -> None:
    written, proper = sign
    document = Document(server, f"dense 2 2 {written} dense 2 2")
    document.diagnostics()
    (item,) = document.at("completion", f"{written} ", len(written))["items"]
    assert document.applied([item["textEdit"]]) == f"dense 2 2 {proper} dense 2 2"


def test_nothing_is_completed_in_comments_and_numbers(server: Client) -> None:
    document = Document(server, "dense 2 44 // de\n/* de */")
    assert document.at("completion", "// de", 5)["items"] == []
    assert document.at("completion", "/* de", 5)["items"] == []
    assert document.at("completion", "44", 2)["items"] == []


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        ("conv ", "conv inputs channels window stride:… pad:… groups:…", 0),
        ("conv [1 8", "conv inputs channels window stride:… pad:… groups:…", 0),
        ("conv [1 8 8] ", "conv inputs channels window stride:… pad:… groups:…", 1),
        ("conv _ 3 3 pad:", "conv inputs channels window stride:… pad:… groups:…", 4),
        ("dense 1 2 ⦶ (dense (1 + 1) ", "dense inputs outputs", 1),
        ("repeat 3 ", "repeat count network", 1),
        ("let f a b = dense a b in f 1 ", "f a b", 1),
    ],
)
def test_signature(server: Client, text: str, label: str, active: int) -> None:
    document = Document(server, text)
    document.diagnostics()
    place = position(text, len(text))
    found = server.at("signatureHelp", place["line"], place["character"], document.uri)
    assert found["signatures"][0]["label"] == label
    assert found["activeParameter"] == active
    names = [each["label"] for each in found["signatures"][0]["parameters"]]
    assert all(each in label for each in names)


def test_no_signature_outside_of_calls(server: Client) -> None:
    document = Document(server, "dense 1 2 ⦶ ")
    assert server.at("signatureHelp", 0, 12, document.uri) is None


def test_colours(document: Document) -> None:
    found = document.of("semanticTokens/full")["data"]
    legend = document.client.capabilities["semanticTokensProvider"]["legend"]["tokenTypes"]
    line = column = 0
    shown: list[tuple[int, str, str]] = []
    for index in range(0, len(found), 5):
        down, right, length, kind, _ = found[index : index + 5]
        line, column = line + down, right + (0 if down else column)
        ends = {"line": line, "character": column + length}
        start = document.offset({"line": line, "character": column})
        shown.append((start, document.text[start : document.offset(ends)], legend[kind]))
    expected = [
        (each.start, each.text)
        for each in [*tables().tokens(document.text), *comments(document.text)]
        if each.kind not in ("EQUAL", "COLON", "OPEN", "CLOSE", "OPEN_SHAPE", "CLOSE_SHAPE")
    ]
    assert [each[:2] for each in shown] == sorted(expected)
    kinds = {text: kind for _, text, kind in shown}
    assert kinds["let"] == kinds["_"] == "keyword"
    assert kinds["conv"] == "function"
    assert kinds["pad"] == "property"
    assert kinds["⦶"] == "operator"
    assert kinds["/* 🧠🐈 */"] == "comment"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-32"])
def test_the_units_that_the_client_wants(encoding: str) -> None:
    with Client() as client:
        client.initialize({"general": {"positionEncodings": [encoding]}})
        assert client.capabilities["positionEncoding"] == encoding
        line = "/* é⦶🧠 */ dense 2 3 ⦶ dens 3 1"
        client.open(line)
        (found,) = client.diagnostics()
        units = {"utf-8": 1, "utf-32": 4}[encoding]
        coded = line[: line.index("dens 3")].encode(f"{encoding}-le".replace("8-le", "8"))
        start = len(coded) // units
        assert found["range"]["start"] == {"line": 0, "character": start}
        assert found["range"]["end"] == {"line": 0, "character": start + 4}
