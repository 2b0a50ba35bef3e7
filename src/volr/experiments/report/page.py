"""The page as HTML: one file that needs no other and loads nothing.

The templates escape all text that comes from a file; the figures are our own markup. The content
security policy allows only the page's own script, by its hash, and no loading. The font of the
operators is part of the page.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from volr.experiments.report.font import font
from volr.experiments.report.parts import Figures, Table, Words
from volr.experiments.report.style import light_and_dark

if TYPE_CHECKING:
    from volr.experiments.report.parts import Page, Part


def html(page: Page) -> str:
    """The whole page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("volr.experiments.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script = environment.get_template("page.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html").render(
        page=page,
        kind=_kind,
        markup=Markup,
        font=base64.b64encode(font()).decode(),
        colors=Markup(light_and_dark(":root")),  # noqa: S704  # our own
        script=Markup(script),  # noqa: S704  # our own
        digest=digest,
    )


def _kind(part: Part) -> str:
    match part:
        case Words(code=True):
            return "code"
        case Words():
            return "words"
        case Table():
            return "table"
        case Figures():
            return "figures"
