"""Background colours by name or hexadecimal value."""

import re

from pipeline.errors import BadOrder
from pipeline.values import Background

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


def parse(text: str) -> Background:
    """The background that a name or a colour such as ``#438edb``, ``438edb`` or ``#fff`` means.

    Raises BadOrder (``bad_parameter``).
    """
    name = text.strip().lower().replace("_", "-").replace(" ", "-").replace("gray", "grey")
    if name in NAMED:
        return Background(name, NAMED[name])
    if _HEX.fullmatch(name):
        digits = name.removeprefix("#")
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        red, green, blue = bytes.fromhex(digits)
        return Background(f"#{digits}", (red, green, blue))
    raise BadOrder(
        "bad_parameter",
        name="background",
        reason="it takes #rrggbb or one of " + ", ".join(NAMED),
    )
