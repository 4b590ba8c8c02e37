"""What the Makefile sets for Ray, read from its one line."""

import re
from pathlib import Path

MAKEFILE = Path(__file__).parents[1] / "Makefile"


def environment() -> dict[str, str]:
    (line,) = re.findall(r"^RAY_ENV := (.*)$", MAKEFILE.read_text(), re.MULTILINE)
    return dict(pair.split("=", 1) for pair in line.split())
