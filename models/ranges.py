"""The ranges of a net's values on real photos, which say how int8 is to spread its 256 steps.

They are computed once, by ``python -m models.quantize``, and come with the package: a machine that
writes the int8 file needs no photos.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Ranges:
    """Smallest, greatest and mean values of the tensors of one net."""

    weights_sha256: str
    """Of the file as it is fetched; the ranges are worth nothing with other weights."""
    photos: tuple[str, ...]
    """Names of the photos that they were computed on, each of them as it is and mirrored."""
    tensors: Mapping[str, tuple[float, float]]
    """(min, max) by the tensor's name."""
    channel_means: Mapping[str, tuple[float, ...]]
    """Mean of each channel of what the convolutions read, by the tensor's name."""


_TYPE = TypeAdapter(Ranges)


def load(net_name: str) -> Ranges | None:
    """The ranges that come with the package; None for a net that has none."""
    file = _file(net_name)
    return _TYPE.validate_json(file.read_bytes()) if file.is_file() else None


def as_json(ranges: Ranges) -> str:
    """The content of the net's file in the package, one tensor a line."""
    return (
        f'{{"weights_sha256": "{ranges.weights_sha256}",\n'
        f' "photos": {json.dumps(ranges.photos)},\n'
        f' "tensors": {_rows(ranges.tensors)},\n'
        f' "channel_means": {_rows(ranges.channel_means)}\n}}\n'
    )


def _rows(values: Mapping[str, tuple[float, ...]]) -> str:
    rows = (f'  "{name}": {json.dumps(numbers)}' for name, numbers in values.items())
    return "{\n" + ",\n".join(rows) + "\n }"


def _file(net_name: str) -> Traversable:
    return resources.files("models").joinpath(f"ranges_{net_name}.json")
