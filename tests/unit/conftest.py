"""What the unit tests share: the photos, the two small nets, and no Ray."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import ray
from PIL import Image

from models import weights
from models.faces import FaceDetector
from models.matting import Loader, MattingNet
from models.session import SessionOptions
from pipeline.values import Face, Rgb


@pytest.fixture(autouse=True)
def no_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting Ray is an error: what a unit test needs of a deployment is a plain class."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a unit test must not start Ray")

    monkeypatch.setattr(ray, "init", refuse)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the photos; its README.md says what they show."""
    return Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def load_rgb(data: Path) -> Callable[[str], Rgb]:
    """Reads a photo of the data folder."""

    def load(name: str) -> Rgb:
        return np.asarray(Image.open(data / name).convert("RGB"))

    return load


@pytest.fixture(scope="session")
def find_faces() -> Callable[[Rgb], list[Face]]:
    """The real detector."""
    return FaceDetector(weights.fetch("mtcnn"), threads=2).find


@pytest.fixture(scope="session")
def nets() -> dict[str, MattingNet]:
    """The matting nets that are the default on the CPU, by role."""
    options = SessionOptions(device="cpu", threads=2)
    names = {"person": "selfie", "saliency": "u2netp"}
    return Loader(names, options, weights.default_folder())()
