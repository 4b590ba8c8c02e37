"""Reads the rules in TOML and the package passport-photo-specs into documents.

The files hold the rules whose source is known, and win. The package adds the sizes and colours of
further documents; their head rule is that of the size's family. The package's own sentences about
heads are never read: some make photos that are refused.
"""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeAlias

import passport_photo_specs

from pipeline.finish_values import Retouching
from pipeline.values import Bounds, Document, SizeWH

_MM_PER_INCH = 25.4
_PX_TOLERANCE = 2
"""Authorities round: 51 mm at 300 dpi are 602 px, and 600 px are asked for."""

_ANY = (0.0, float("inf"))
_FLAG_LETTERS = {ord("\N{REGIONAL INDICATOR SYMBOL LETTER A}") + i: ord("a") + i for i in range(26)}

_Table: TypeAlias = Mapping[str, Any]
_HEAD_KEYS = {"head_height", "crown"}
_ROW_KEYS = {"id", "name", "country", "size_mm", "size_px", "dpi", "background"} | {
    *("source", "source_date"),
}
_ROW_EXTRA_KEYS = {
    *("eye_line_from_bottom", "top_margin", "face_width", "file_kb", "pixel_limits"),
    *("forbidden_backgrounds", "aliases", "note", "plain_background", "retouching"),
}
_FAMILY_KEYS = _HEAD_KEYS | {"id", "when", "source", "source_date"}
_FAMILY_EXTRA_KEYS = {"eye_line_from_bottom", "top_margin"}
_WHEN_KEYS = {"ratio", "height_mm", "country"}
_BOUNDS_KEYS = {"min", "max", "target", "unit"}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a rules file and the package say together."""

    documents: tuple[Document, ...]
    by_id: Mapping[str, Document]
    """Every document under its id and its aliases."""
    families: tuple[_Table, ...]
    countries: Mapping[str, frozenset[str]]
    """The names of each country by its code, folded; the code is one of them."""
    texts: Mapping[str, str]
    """What words are searched in, folded, by document id."""


FILES = ("documents_cn.toml", "documents.toml", "names_zh.toml")


def read() -> str:
    """The rules that come with the project, as one TOML text."""
    folder = files("pipeline")
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in FILES)


def load(toml_text: str) -> Catalogue:
    """The catalogue of a rules file and the package; raises ValueError naming a wrong row."""
    tables = tomllib.loads(toml_text)
    families = tuple(tables["families"])
    for family in families:
        _require_keys(family, _FAMILY_KEYS, _FAMILY_EXTRA_KEYS)
        if not family["when"].keys() <= _WHEN_KEYS:
            raise ValueError(f"{family['id']}: when takes only {sorted(_WHEN_KEYS)}")
    if families[-1]["when"]:
        raise ValueError(f"{families[-1]['id']}: the last family must fit every size")

    by_id: dict[str, Document] = {}
    for row in tables["documents"]:
        document = _own(row, families)
        for id in (document.id, *row.get("aliases", ())):
            if id in by_id:
                raise ValueError(f"{document.id}: {id} is taken by {by_id[id].id}")
            by_id[id] = document

    size_source = f"passport-photo-specs {passport_photo_specs.__version__}"
    for row in sorted(_package_rows(tables["names_zh"]), key=lambda row: str(row["id"])):
        if row["id"] not in by_id:
            by_id[row["id"]] = derived(row, families, size_source)
    documents = tuple(document for id, document in by_id.items() if id == document.id)
    countries_zh = tables["names_zh"]["countries"]
    countries = _countries(countries_zh)
    texts = {
        document.id: fold(
            "\n".join(
                (
                    *(id for id, named in by_id.items() if named is document),
                    document.name_en,
                    # So that 中国一寸照 is found, whose own name does not say the country.
                    countries_zh.get(document.country, "") + document.name_zh,
                    *countries.get(document.country, ()),
                )
            )
        )
        for document in documents
    }
    return Catalogue(documents, by_id, families, countries, texts)


def derived(row: _Table, families: tuple[_Table, ...], size_source: str) -> Document:
    """The row as a document with the rule of the first family that fits its size."""
    family = next(family for family in families if _fits(row, family["when"]))
    source = f"size: {size_source}; {_head_source(family)}"
    return _document({**family, **row, "source": source}, derived=True, head_derived=True)


def in_pixels(size_mm: tuple[float, float], dpi: int) -> SizeWH:
    """The size in whole pixels at that many dots per inch."""
    return round(size_mm[0] / _MM_PER_INCH * dpi), round(size_mm[1] / _MM_PER_INCH * dpi)


def in_mm(size_px: SizeWH, dpi: int) -> tuple[float, float]:
    """The size in millimetres, to two decimals, at that many dots per inch."""
    width_px, height_px = size_px
    return round(width_px * _MM_PER_INCH / dpi, 2), round(height_px * _MM_PER_INCH / dpi, 2)


def fold(text: str) -> str:
    """The text without case and accents, for comparing."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _own(row: _Table, families: tuple[_Table, ...]) -> Document:
    """The document of one of our own rows, which may borrow its head from a family."""
    if "head_family" not in row:
        _require_keys(row, _ROW_KEYS | _HEAD_KEYS, _ROW_EXTRA_KEYS)
        return _document(row, derived=False, head_derived=False)
    _require_keys(row, _ROW_KEYS | {"head_family"}, _ROW_EXTRA_KEYS)
    family = next((family for family in families if family["id"] == row["head_family"]), None)
    if family is None:
        raise ValueError(f"{row['id']}: there is no family {row['head_family']!r}")
    head = {key: family[key] for key in _HEAD_KEYS}
    source = f"{row['source']}; {_head_source(family)}"
    return _document({**row, **head, "source": source}, derived=False, head_derived=True)


def _head_source(family: _Table) -> str:
    return f"head rule: family {family['id']} ({family['source']})"


def _package_rows(names_zh: _Table) -> Iterator[_Table]:
    """The package's documents in the form of our own rows, without a head rule."""
    for country in passport_photo_specs.countries():
        code = _country_code(country["flag"])
        for document in country["documents"]:
            name = f"{country['name']} {document['name']}"
            kinds_zh = names_zh["kinds"]
            parts_zh = (
                names_zh["countries"].get(code, ""),
                kinds_zh.get(document["id"], kinds_zh.get(document["name"], "")),
            )
            yield {
                "id": document["id"],
                # What a newer package brings keeps its English name until the tables know it.
                "name": {"en": name, "zh": "".join(parts_zh) if all(parts_zh) else name},
                "country": code,
                "size_mm": (document["widthMm"], document["heightMm"]),
                "size_px": (document["widthPx"], document["heightPx"]),
                "dpi": document["dpi"],
                "background": document["bgColor"],
            }


def _countries(countries_zh: _Table) -> dict[str, frozenset[str]]:
    """Code, English name, the package's own short name and Chinese name of every country."""
    names: dict[str, set[str]] = {code: {code, name} for code, name in countries_zh.items()}
    for country in passport_photo_specs.countries():
        code = _country_code(country["flag"])
        if code:
            names.setdefault(code, {code}).update((country["id"], country["name"]))
    return {code: frozenset(map(fold, of_one)) for code, of_one in names.items()}


def _country_code(flag: str) -> str:
    """The two letters that a flag emoji spells in regional indicators, in lower case, or ""."""
    code = flag.translate(_FLAG_LETTERS)
    return code if len(code) == 2 and code.isascii() else ""


def _fits(row: _Table, when: _Table) -> bool:
    width_mm, height_mm = row["size_mm"]
    low, high = when.get("ratio", _ANY)
    shortest_mm, tallest_mm = when.get("height_mm", _ANY)
    return bool(
        low <= width_mm / height_mm <= high
        and shortest_mm <= height_mm <= tallest_mm
        and row["country"] == when.get("country", row["country"])
    )


def _document(row: _Table, derived: bool, head_derived: bool) -> Document:
    """The row, which has a head rule by now."""
    id, size_mm, size_px = row["id"], row["size_mm"], row["size_px"]
    exact_px = in_pixels(size_mm, row["dpi"])
    if max(abs(exact_px[side] - size_px[side]) for side in (0, 1)) > _PX_TOLERANCE:
        raise ValueError(f"{id}: size_px is not size_mm at {row['dpi']} dpi, {exact_px}")
    if row["crown"] not in ("hair", "skull"):
        raise ValueError(f"{id}: crown is {row['crown']!r}")
    return Document(
        id=id,
        name_en=row["name"]["en"],
        name_zh=row["name"]["zh"],
        country=row["country"],
        size_mm=(float(size_mm[0]), float(size_mm[1])),
        size_px=(size_px[0], size_px[1]),
        dpi=row["dpi"],
        head_height=_bounds(row, "head_height", side=1),
        eye_line=_bounds(row, "eye_line_from_bottom", side=1)
        if "eye_line_from_bottom" in row
        else None,
        top_margin=_bounds(row, "top_margin", side=1) if "top_margin" in row else None,
        face_width=_bounds(row, "face_width", side=0) if "face_width" in row else None,
        crown=row["crown"],
        background=row["background"],
        forbidden_backgrounds=_forbidden_backgrounds(row),
        bytes_limit=_bytes_limit(row),
        pixel_limits=_pixel_limits(row),
        source=row["source"],
        source_date=str(row["source_date"]),
        note=row.get("note", ""),
        derived=derived,
        head_derived=head_derived,
        plain_background=row.get("plain_background", True),
        retouching=_retouching(row),
    )


def _retouching(row: _Table) -> Retouching:
    if "retouching" not in row:
        return "any"
    rule = row["retouching"]
    if rule.keys() != {"allows", "source"} or rule["allows"] not in ("tone", "none"):
        raise ValueError(f"{row['id']}: retouching is not what it allows, tone or none, and source")
    allows: Retouching = rule["allows"]
    return allows


def _bounds(row: _Table, key: str, side: int) -> Bounds:
    """The row's interval as fractions of the photo's width (side 0) or height (side 1)."""
    id, table = row["id"], row[key]
    if unknown := table.keys() - _BOUNDS_KEYS:
        raise ValueError(f"{id}: {key}: unknown {sorted(unknown)}")
    try:
        low, high, unit = (table[part] for part in ("min", "max", "unit"))
        whole = {"mm": row["size_mm"][side], "px": row["size_px"][side], "ratio": 1}[unit]
    except KeyError as error:
        raise ValueError(f"{id}: {key}: {error} is missing or unknown") from error
    target = table.get("target", (low + high) / 2)
    if not 0 <= low <= target <= high <= whole:
        raise ValueError(f"{id}: {key} is not 0 <= min <= target <= max <= {whole} {unit}")
    return Bounds(low / whole, high / whole, target / whole)


def _forbidden_backgrounds(row: _Table) -> tuple[str, ...]:
    forbidden = row.get("forbidden_backgrounds", [])
    if not isinstance(forbidden, list) or row["background"] in forbidden:
        raise ValueError(f"{row['id']}: forbidden_backgrounds is no list or holds the background")
    return tuple(forbidden)


def _bytes_limit(row: _Table) -> tuple[int, int] | None:
    """``file_kb`` in bytes, narrowed so that it holds whether a kB is 1000 or 1024 of them."""
    if "file_kb" not in row:
        return None
    low_kb, high_kb = row["file_kb"]
    if not 0 <= low_kb * 1024 < high_kb * 1000:
        raise ValueError(f"{row['id']}: file_kb is not 0 <= min < max")
    return low_kb * 1024, high_kb * 1000


def _pixel_limits(row: _Table) -> tuple[SizeWH, SizeWH] | None:
    if "pixel_limits" not in row:
        return None
    smallest, largest = row["pixel_limits"]
    for low, size, high in zip(smallest, row["size_px"], largest, strict=True):
        if not 0 < low <= size <= high:
            raise ValueError(f"{row['id']}: pixel_limits are not around size_px")
    return (smallest[0], smallest[1]), (largest[0], largest[1])


def _require_keys(row: _Table, required: set[str], optional: set[str]) -> None:
    missing, unknown = required - row.keys(), row.keys() - required - optional
    if missing or unknown:
        raise ValueError(f"{row.get('id')}: missing {sorted(missing)}, unknown {sorted(unknown)}")
