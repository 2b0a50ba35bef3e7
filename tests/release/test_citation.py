"""The version is said in one place, and CITATION.cff and the changelog agree with it.

The keys are those of the schema of the Citation File Format 1.2.0 (doi:10.5281/zenodo.5171937).
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import volr

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = {"cff-version", "message", "title", "authors"}
ALLOWED = REQUIRED | {
    *("abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords"),
    *("license", "license-url", "preferred-citation", "references", "repository"),
    *("repository-artifact", "repository-code", "type", "url", "version"),
}
PERSON = {"affiliation", "email", "family-names", "given-names", "name-particle", "orcid"}
ENTITY = {"name", "website"}
REFERENCE = {"authors", "title", "type"}


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def check_authors(found: list[dict[str, str]]) -> None:
    assert found
    for each in found:
        assert each.keys() <= (ENTITY if "name" in each else PERSON), each
        assert each


def test_it_has_the_keys_of_the_schema(citation: dict[str, Any]) -> None:
    assert REQUIRED <= citation.keys() <= ALLOWED
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["license"] == "Apache-2.0"
    check_authors(citation["authors"])


def test_what_it_refers_to_is_complete(citation: dict[str, Any]) -> None:
    (thesis,) = citation["references"]
    assert thesis.keys() >= REFERENCE
    assert thesis["type"] == "thesis"
    assert thesis["authors"][0]["family-names"] == "Pedersen"
    assert thesis["year"] == 2019
    check_authors(thesis["authors"])


def test_its_version_and_date_are_those_of_the_changelog(citation: dict[str, Any]) -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(.+)\] - (\S+)$", text, re.MULTILINE)
    assert "## [Unreleased]" in text.partition("## [0")[0]
    assert citation["version"] == volr.__version__ == released[0][0]
    assert citation["date-released"] == date.fromisoformat(released[0][1])
    assert released == sorted(released, key=lambda each: each[1], reverse=True)


def test_the_project_takes_its_version_from_the_package() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r"^version = ", project, re.MULTILINE) is None
    assert 'dynamic = ["version"]' in project
