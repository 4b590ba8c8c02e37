"""Which ID photos there are, and where their rules want the head.

``documents.toml`` holds the rules whose source is known. The package passport-photo-specs adds the
sizes and colours of further documents; their head rule is that of the size's family, as for a free
size. The package's own sentences about heads are never read: some make photos that are refused.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import passport_photo_specs

from pipeline.errors import BadOrder
from pipeline.values import Bounds, Document, SizeWH

SIZE_MM_LIMITS = (5.0, 300.0)
SIZE_PX_LIMITS = (32, 4096)
DPI_LIMITS = (72, 1200)

_MM_PER_INCH = 25.4
_PX_TOLERANCE = 2
"""Authorities round: 51 mm at 300 dpi are 602 px, and 600 px are asked for."""

_ANY = (0.0, float("inf"))
_FLAG_LETTERS = {ord("\N{REGIONAL INDICATOR SYMBOL LETTER A}") + i: ord("a") + i for i in range(26)}

_Table: TypeAlias = Mapping[str, Any]
_RULE_KEYS = {"id", "head_height", "crown", "source", "source_date"}
_DOCUMENT_KEYS = _RULE_KEYS | {"name", "country", "size_mm", "size_px", "dpi", "background"}
_FAMILY_KEYS = _RULE_KEYS | {"when"}
_WHEN_KEYS = {"ratio", "height_mm", "country"}
_OPTIONAL_KEYS = {"eye_line_from_bottom", "top_margin", "aliases", "note"}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a rules file and the package say together."""

    documents: tuple[Document, ...]
    by_id: Mapping[str, Document]
    """Every document under its id and its aliases."""
    families: tuple[_Table, ...]


def all_documents() -> tuple[Document, ...]:
    """Every document: those with their own rule in the file's order, then the package's by id."""
    return _catalogue().documents


def find(id: str) -> Document:
    """The document of that id or alias, in whatever case; raises BadOrder unknown_document."""
    document = _catalogue().by_id.get(id.lower())
    if document is None:
        # The name comes from outside and is shown to people and written to logs.
        raise BadOrder("unknown_document", name="".join(filter(str.isprintable, id))[:60])
    return document


def custom(
    size_mm: tuple[float, float] | None = None, size_px: SizeWH | None = None, dpi: int = 300
) -> Document:
    """A photo of a free size, with the head rule of the size's family.

    Give one of ``size_mm`` and ``size_px``; the other follows from ``dpi``. Raises BadOrder
    bad_parameter for a size or density outside the limits.
    """
    _require("dpi", (dpi,), DPI_LIMITS, "dpi")
    if size_mm is not None and size_px is None:
        _require("size_mm", size_mm, SIZE_MM_LIMITS, "mm")
        size_px = _in_pixels(size_mm, dpi)
        _require("size_mm", size_px, SIZE_PX_LIMITS, f"pixels at {dpi} dpi")
    elif size_px is not None and size_mm is None:
        _require("size_px", size_px, SIZE_PX_LIMITS, "pixels")
        width_px, height_px = size_px
        size_mm = round(width_px * _MM_PER_INCH / dpi, 2), round(height_px * _MM_PER_INCH / dpi, 2)
    else:
        raise BadOrder("bad_parameter", name="size_mm", reason="give either size_mm or size_px")
    row = {
        "id": "custom",
        "name": {"en": "Custom size", "zh": "自定义尺寸"},
        "country": "",
        "size_mm": size_mm,
        "size_px": size_px,
        "dpi": dpi,
        "background": "white",
    }
    return _derived(row, _catalogue().families, size_source="as ordered")


def load(toml_text: str) -> Catalogue:
    """The catalogue of a rules file and the package; raises ValueError naming a wrong row."""
    tables = tomllib.loads(toml_text)
    families = tuple(tables["families"])
    for family in families:
        _require_keys(family, _FAMILY_KEYS)
        if not family["when"].keys() <= _WHEN_KEYS:
            raise ValueError(f"{family['id']}: when takes only {sorted(_WHEN_KEYS)}")
    if families[-1]["when"]:
        raise ValueError(f"{families[-1]['id']}: the last family must fit every size")

    by_id: dict[str, Document] = {}
    for row in tables["documents"]:
        _require_keys(row, _DOCUMENT_KEYS)
        document = _document(row, rule=row, source=row["source"], derived=False)
        for id in (document.id, *row.get("aliases", ())):
            if id in by_id:
                raise ValueError(f"{document.id}: {id} is taken by {by_id[id].id}")
            by_id[id] = document

    size_source = f"passport-photo-specs {passport_photo_specs.__version__}"
    for row in sorted(_package_rows(), key=lambda row: str(row["id"])):
        if row["id"] not in by_id:
            by_id[row["id"]] = _derived(row, families, size_source)
    documents = tuple(document for id, document in by_id.items() if id == document.id)
    return Catalogue(documents, by_id, families)


@cache
def _catalogue() -> Catalogue:
    return load(files("pipeline").joinpath("documents.toml").read_text("utf-8"))


def _package_rows() -> Iterator[_Table]:
    """The package's documents in the form of our own rows, without a head rule."""
    for country in passport_photo_specs.countries():
        for document in country["documents"]:
            name = f"{country['name']} {document['name']}"
            yield {
                "id": document["id"],
                "name": {"en": name, "zh": name},
                "country": _country_code(country["flag"]),
                "size_mm": (document["widthMm"], document["heightMm"]),
                "size_px": (document["widthPx"], document["heightPx"]),
                "dpi": document["dpi"],
                "background": document["bgColor"],
            }


def _country_code(flag: str) -> str:
    """The two letters that a flag emoji spells in regional indicators, in lower case, or ""."""
    code = flag.translate(_FLAG_LETTERS)
    return code if len(code) == 2 and code.isascii() else ""


def _derived(row: _Table, families: tuple[_Table, ...], size_source: str) -> Document:
    """The row as a document with the rule of the first family that fits its size."""
    family = next(family for family in families if _fits(row, family["when"]))
    source = f"size: {size_source}; head rule: family {family['id']} ({family['source']})"
    return _document(row, rule=family, source=source, derived=True)


def _fits(row: _Table, when: _Table) -> bool:
    width_mm, height_mm = row["size_mm"]
    low, high = when.get("ratio", _ANY)
    shortest_mm, tallest_mm = when.get("height_mm", _ANY)
    return bool(
        low <= width_mm / height_mm <= high
        and shortest_mm <= height_mm <= tallest_mm
        and row["country"] == when.get("country", row["country"])
    )


def _document(row: _Table, rule: _Table, source: str, derived: bool) -> Document:
    """The size in ``row`` under the head rule in ``rule``; for our own rows they are one table."""
    id, (width_mm, height_mm), (width_px, height_px) = row["id"], row["size_mm"], row["size_px"]
    exact_px = _in_pixels((width_mm, height_mm), row["dpi"])
    if max(abs(exact_px[0] - width_px), abs(exact_px[1] - height_px)) > _PX_TOLERANCE:
        raise ValueError(f"{id}: size_px is not size_mm at {row['dpi']} dpi, {exact_px}")
    if rule["crown"] not in ("hair", "skull"):
        raise ValueError(f"{id}: crown is {rule['crown']!r}")

    def bounds(key: str) -> Bounds:
        try:
            low, high, unit = (rule[key][part] for part in ("min", "max", "unit"))
            height = {"mm": height_mm, "px": height_px, "ratio": 1}[unit]
        except KeyError as error:
            raise ValueError(f"{id}: {key}: {error} is missing or unknown") from error
        target = rule[key].get("target", (low + high) / 2)
        if not 0 <= low <= target <= high <= height:
            raise ValueError(f"{id}: {key} is not 0 <= min <= target <= max <= {height} {unit}")
        return Bounds(low / height, high / height, target / height)

    return Document(
        id=id,
        name_en=row["name"]["en"],
        name_zh=row["name"]["zh"],
        country=row["country"],
        size_mm=(float(width_mm), float(height_mm)),
        size_px=(width_px, height_px),
        dpi=row["dpi"],
        head_height=bounds("head_height"),
        eye_line=bounds("eye_line_from_bottom") if "eye_line_from_bottom" in rule else None,
        top_margin=bounds("top_margin") if "top_margin" in rule else None,
        crown=rule["crown"],
        background=row["background"],
        source=source,
        source_date=str(rule["source_date"]),
        derived=derived,
    )


def _in_pixels(size_mm: tuple[float, float], dpi: int) -> SizeWH:
    return round(size_mm[0] / _MM_PER_INCH * dpi), round(size_mm[1] / _MM_PER_INCH * dpi)


def _require_keys(row: _Table, required: set[str]) -> None:
    missing, unknown = required - row.keys(), row.keys() - required - _OPTIONAL_KEYS
    if missing or unknown:
        raise ValueError(f"{row.get('id')}: missing {sorted(missing)}, unknown {sorted(unknown)}")


def _require(name: str, values: Iterable[float], limits: tuple[float, float], unit: str) -> None:
    low, high = limits
    # Written so that NaN, which compares false to everything, is refused.
    if not all(low <= value <= high for value in values):
        raise BadOrder("bad_parameter", name=name, reason=f"outside {low:g} to {high:g} {unit}")
