"""Our rows beside those of passport-photo-specs: an update of the package shows here."""

import tomllib
from typing import Any

import passport_photo_specs
import pytest

from pipeline import document_rules, documents

RULES = document_rules.read()
TABLES: dict[str, Any] = tomllib.loads(RULES)
PACKAGE = {row["id"]: row for row in passport_photo_specs.documents()}
DERIVED = [document for document in documents.all_documents() if document.derived]


def test_every_conflict_is_known() -> None:
    """Document, what differs, ours, theirs."""
    conflicts = set()
    for row in TABLES["documents"]:
        for id in {row["id"], *row.get("aliases", ())} & PACKAGE.keys():
            theirs = PACKAGE[id]
            colour = theirs["bgColorLabel"].lower().replace(" ", "-")
            pairs = {
                "mm": (tuple(row["size_mm"]), (theirs["widthMm"], theirs["heightMm"])),
                "px": (tuple(row["size_px"]), (theirs["widthPx"], theirs["heightPx"])),
                "background": (row["background"], colour),
            }
            conflicts |= {
                (row["id"], what, *pair) for what, pair in pairs.items() if len({*pair}) > 1
            }
    assert conflicts == {
        ("uk-passport", "background", "light-grey", "cream"),
        ("gr-passport", "mm", (40, 60), (35, 45)),
        ("gr-passport", "px", (472, 709), (413, 531)),
        ("gr-passport", "background", "white", "light-grey"),
        ("in-passport", "px", (630, 810), (413, 531)),
        ("in-oci", "mm", (51, 51), (35, 45)),
        ("in-oci", "px", (600, 600), (413, 531)),
        ("in-oci", "background", "light-grey", "white"),
    }


def test_which_of_its_rows_are_ours() -> None:
    assert PACKAGE.keys() - {document.id for document in DERIVED} == {
        *("us-passport", "us-visa", "uk-passport", "schengen-visa", "france-passport"),
        *("germany-passport", "italy-passport", "greece-passport", "japan-passport", "japan-visa"),
        *("canada-passport", "canada-visa", "australia-passport", "india-passport", "india-oci"),
        *("china-passport", "china-visa"),
    }


def test_all_else_is_the_packages() -> None:
    assert len(DERIVED) == len(PACKAGE) - 17 == 231
    for document in DERIVED:
        row = PACKAGE[document.id]
        assert document.size_mm == (row["widthMm"], row["heightMm"])
        assert document.size_px == (row["widthPx"], row["heightPx"])
        assert document.background == row["bgColor"]


def test_its_sentences_are_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = {"id", "name", "widthMm", "heightMm", "widthPx", "heightPx", "dpi", "bgColor"}
    stripped = [
        {
            **{key: country[key] for key in ("id", "name", "flag")},
            "documents": [{key: row[key] for key in read} for row in country["documents"]],
        }
        for country in passport_photo_specs.countries()
    ]
    monkeypatch.setattr(passport_photo_specs, "countries", lambda: stripped)
    assert document_rules.load(RULES).documents == documents.all_documents()


def test_chinese_names_are_composed() -> None:
    names = {document.id: document.name_zh for document in DERIVED}
    assert names["finland-passport"] == "芬兰护照"
    assert names["us-green-card"] == "美国绿卡"
    assert names["kenya-evisa"] == "肯尼亚电子签证"
    assert names["japan-residence-card"] == "日本在留卡"  # by its id; Poland's is another
    assert names["poland-residence"] == "波兰居留卡"
    assert len(set(names.values())) == len(names)


def test_the_tables_of_chinese_names_fit() -> None:
    """Each country and kind has a name, and no name is left over."""
    names = TABLES["names_zh"]
    assert set(names["countries"]) == {d.country for d in documents.all_documents()} - {""}
    wanted = set()
    for document in DERIVED:
        id, kind = document.id, PACKAGE[document.id]["name"]
        wanted.add(id if id in names["kinds"] else kind)
    assert set(names["kinds"]) == wanted


def test_what_a_newer_package_brings_keeps_its_english_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = {**PACKAGE["finland-passport"], "id": "moon-pass", "name": "Pass"}
    moon = {"id": "moon", "name": "Moon", "flag": "\N{CRESCENT MOON}", "documents": [row]}
    monkeypatch.setattr(passport_photo_specs, "countries", lambda: [moon])
    catalogue = document_rules.load(RULES)
    document = catalogue.by_id["moon-pass"]
    assert (document.name_en, document.name_zh, document.country) == ("Moon Pass", "Moon Pass", "")
    assert "" not in catalogue.countries
