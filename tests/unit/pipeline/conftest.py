from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from models import finder
from models.matting import MattingNet
from models.weights import default_folder
from pipeline.values import Alpha8, Face, Portrait, Rgb


@pytest.fixture(scope="session")
def upright(data: Path) -> Image.Image:
    """The portrait that the odd files are made of, 400 x 512: cut so that it is no square."""
    return Image.open(data / "astronaut.png").convert("RGB").crop((0, 0, 400, 512))


@pytest.fixture(scope="session")
def find_faces() -> Callable[[Rgb], list[Face]]:
    """Detector, mesh and lids, as Cropping has them."""
    return finder.load(default_folder(), threads=2).find


@pytest.fixture(scope="session")
def answer(nets: dict[str, MattingNet]) -> Callable[[Portrait], dict[str, list[Alpha8]]]:
    """What the nets say to a portrait, as they would beside the pipeline."""

    def ask(portrait: Portrait) -> dict[str, list[Alpha8]]:
        return {role: nets[role].matte(list(frames)) for role, frames in portrait.frames.items()}

    return ask


def _frozen(array: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    array = array.copy()
    array.setflags(write=False)
    return array


@pytest.fixture(scope="session")
def read_only() -> Callable[..., tuple[Portrait, dict[str, list[Alpha8]]]]:
    """A portrait and its alphas with the arrays that another process would see."""

    def freeze(
        portrait: Portrait, alphas: Mapping[str, Sequence[Alpha8]]
    ) -> tuple[Portrait, dict[str, list[Alpha8]]]:
        views = {
            role: tuple(replace(view, rgb=_frozen(view.rgb)) for view in views)
            for role, views in portrait.views.items()
        }
        frozen = replace(portrait, region_rgb=_frozen(portrait.region_rgb), views=views)
        return frozen, {role: [_frozen(alpha) for alpha in given] for role, given in alphas.items()}

    return freeze
