from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture(scope="session")
def upright(data: Path) -> Image.Image:
    """The portrait that the odd files are made of, 400 x 512: cut so that it is no square."""
    return Image.open(data / "astronaut.png").convert("RGB").crop((0, 0, 400, 512))
