"""Backgrounds by name: colours, gradients, and a picture."""

import re

from pipeline.errors import BadOrder
from pipeline.values import Background, Shape

# Red and blue are the values that Chinese photo studios print; the rest are plain.
NAMED: dict[str, tuple[int, int, int] | None] = {
    "white": (255, 255, 255),
    "red": (255, 0, 0),
    "blue": (67, 142, 219),
    "light-blue": (173, 206, 235),
    "dark-blue": (30, 70, 140),
    "light-grey": (229, 229, 229),
    "grey": (192, 192, 192),
    "cream": (250, 245, 230),
    "black": (0, 0, 0),
    "transparent": None,
}
_HEX = re.compile(r"#?(?:[0-9a-f]{3}|[0-9a-f]{6})")
_GRADIENT = re.compile(rf"(gradient|radial):({_HEX.pattern})-({_HEX.pattern})")
_SHAPES: dict[str, Shape] = {"gradient": "vertical", "radial": "radial"}
IMAGE = "image"
"""The name of the background that is a picture."""


def parse(text: str) -> Background:
    """The background that a name means, or a colour such as ``#438edb``, ``438edb`` or ``#fff``, a
    gradient from top to bottom, ``gradient:#438edb-#ffffff``, or from the middle to the corners,
    ``radial:#ffffff-#438edb``.

    Raises BadOrder (``bad_parameter``).
    """
    name = text.strip().lower().replace("_", "-").replace(" ", "-").replace("gray", "grey")
    if name in NAMED:
        return Background(name, NAMED[name])
    if name == IMAGE:
        return Background(IMAGE, NAMED["white"], "image")
    if _HEX.fullmatch(name):
        digits = _digits(name)
        return Background(f"#{digits}", _rgb(digits))
    if found := _GRADIENT.fullmatch(name):
        kind, (start, end) = found[1], (_digits(colour) for colour in found.groups()[1:])
        # Files are named after it.
        named = f"{kind}-{start}-{end}"
        return Background(named, _rgb(start), _SHAPES[kind], _rgb(end))
    raise BadOrder(
        "bad_parameter",
        name="background",
        reason="it takes #rrggbb, gradient:#rrggbb-#rrggbb, radial:#rrggbb-#rrggbb, image "
        "or one of " + ", ".join(NAMED),
    )


def _digits(colour: str) -> str:
    """Six hexadecimal digits."""
    digits = colour.removeprefix("#")
    return digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)


def _rgb(digits: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue
