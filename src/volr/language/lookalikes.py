"""Characters that look like those of the language, and their likely meaning.

The groups are Unicode's confusables (UTS #39) without those that compatibility forms (full-width,
mathematical and other letters) cover, and signs that look like `⦶` and `⊖`.
"""

from __future__ import annotations

import functools
import unicodedata

_ALIKE = {
    "⊖": "⊝⊟⊜⦵⊘ΘθϴƟɵѲѳӨөⴱꝊØ🜔⏣⌽⦸⨂⊙⊗⛔∥‖ǁ",
    "⊕": "⨁🜨ⴲꚛ",
    "↺": "⟲⥀🔄↻⟳⭯⮌",
    "⦶": "⦷⏀⦹ΦφϕФфⵀⵁɸⲪⲫⱷ⍉⎉⟢⧀⧁→⟶⇒⟹➔➜➝➞➙⮕↦⟼≫»⟫⪢⋙⫸☞⊳▷▶►",
    "|": "∣⏽￨│┃❘❙❚ǀ⎸⎹¦⼁〡",
    "=": "᐀⹀゠꓿≔≕≈≡≐≗═⩵",
    "(": "{❨❲〔﴾⟨〈❬⦅⟮⌈⌊【「",
    ")": "}❩❳〕﴿⟩〉❭⦆⟯⌉⌋】」",
    "[": "⟦⁅〚",
    "]": "⟧⁆〛",
    ",": "‚¸ꓹ、،﹐",
    "-": "‐‑‒–—―﹘⁃˗−➖Ⲻ",
    "/": "᜵⁁∕⁄╱⟋⧸㇓〳Ⳇノ丿⼃",
    "'": "՝‘’‛′‵՚´΄᾽᾿῾ʹˈˊˋ˴ʻʽʼʾꞌ",
    "d": "ԁᏧᑯꓒ",
    "e": "℮ꬲеҽεɛ",
    "n": "ոռη",
    "s": "ꜱƽѕꮪ",
    "l": "ӏⅼ׀ו۱ןا١ⵏᛁꓲ",
    "t": "тτ",
    "i": "ıɪɩιіꙇꭵᎥ",
    "x": "хχ×⤫⤬⨯ᕁᕽ᙮",
    "a": "аɑα⍺",
    "c": "сϲⅽ",
    "o": "оοօ",
    "p": "рρ",
    "y": "уγү",
    "u": "υսʋ",
    "v": "νѵ",
    "w": "ѡԝա",
    "h": "һհ",
    "k": "кκ",
    "m": "м",
    "r": "гᴦ",
    "b": "Ьƅ",
    "j": "јϳ",
    "g": "ɡց",
}
_MEANT = {each: meant for meant, alike in _ALIKE.items() for each in alike}


def plain(text: str) -> str:
    """The text with look-alike characters replaced and invisible ones removed.

    Full-width forms and letters of other alphabets become ASCII, and all spaces plain ones.
    """
    return "".join(map(_plain, text))


def called(character: str) -> str:
    """A character by its code and its name: ``U+00A0 (NO-BREAK SPACE)``."""
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X}" + (f" ({name})" if name else "")


def impostors(text: str) -> list[str]:
    """The characters that look like others, each once."""
    return [each for each in dict.fromkeys(text) if not each.isascii() and _plain(each) != each]


def explained(text: str, meant: str) -> str:
    """An addition to the advice to write ``meant`` for ``text``, if the two look the same."""
    found = impostors(text)
    if not found or plain(text) != plain(meant):
        return ""
    named = ", ".join(called(each) for each in found[:3])
    return f" in plain characters: this one has {named}"


@functools.lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    if character in _MEANT:
        return _MEANT[character]
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category == "Cf" or character in "\u115f\u1160\u3164\uffa0\u034f":
        return ""
    folded = unicodedata.normalize("NFKC", character)
    if folded != character and folded.isascii():
        return folded
    if category == "Nd":
        return str(unicodedata.digit(character))
    return character
