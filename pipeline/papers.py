"""The papers that sheets are printed on, read from ``papers.toml``."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from pipeline.errors import BadOrder

CUSTOM = "custom"
SIDE_MM_LIMITS = (40.0, 450.0)


@dataclass(frozen=True, slots=True)
class Paper:
    """A sheet of paper, held as a portrait."""

    id: str
    name_en: str
    name_zh: str
    size_mm: tuple[float, float]
    source: str


def all_papers() -> tuple[Paper, ...]:
    """Every paper, in the file's order."""
    return tuple(dict.fromkeys(_papers().values()))


def find(id: str) -> Paper:
    """The paper of that id or alias, in whatever case; raises BadOrder bad_parameter."""
    paper = _papers().get(id.lower())
    if paper is None:
        known = ", ".join(paper.id for paper in all_papers())
        reason = f"it takes {known}, or a size such as 100x150"
        raise BadOrder("bad_parameter", name="paper", reason=reason)
    return paper


def parse(text: str) -> Paper:
    """The paper of that id or alias, or of a size in millimetres such as 100x150; raises BadOrder
    bad_parameter.
    """
    parts = text.lower().replace("×", "x").replace("*", "x").split("x")
    try:
        width, height = (float(part) for part in parts)
    except ValueError:
        return find(text)
    return custom((width, height))


def custom(size_mm: tuple[float, float]) -> Paper:
    """A paper of a free size; raises BadOrder bad_parameter where it is none."""
    low, high = SIDE_MM_LIMITS
    if not all(low <= side <= high for side in size_mm):
        reason = f"outside {low:g} to {high:g} mm"
        raise BadOrder("bad_parameter", name="paper", reason=reason)
    upright = (min(size_mm), max(size_mm))
    return Paper(CUSTOM, "Custom size", "自定义尺寸", upright, "as ordered")


@cache
def _papers() -> dict[str, Paper]:
    text = files("pipeline").joinpath("papers.toml").read_text("utf-8")
    found: dict[str, Paper] = {}
    for row in tomllib.loads(text)["papers"]:
        width, height = row["size_mm"]
        if not 0 < width <= height:
            raise ValueError(f"{row['id']}: size_mm is no portrait")
        paper = Paper(
            row["id"],
            row["name"]["en"],
            row["name"]["zh"],
            (float(width), float(height)),
            row["source"],
        )
        for id in (paper.id, *row["aliases"]):
            if id in found:
                raise ValueError(f"{paper.id}: {id} is taken by {found[id].id}")
            found[id] = paper
    return found
