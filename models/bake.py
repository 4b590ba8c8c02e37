"""Puts the nets of the default configuration into a folder that may be read-only from then on: the
fetched files, and what the service makes of them at its first start.

python -m models.bake --folder /opt/cache/idphoto-serve
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from models import catalog
from models.catalog import Precision
from models.prepare import prepare
from models.weights import DEFAULT_NETS, WeightsUnavailable, default_folder, fetch


def bake(folder: Path) -> list[Path]:
    """The files that the default nets need in ``folder``, for every device and precision; fetches
    and makes those that are missing. Raises WeightsUnavailable.
    """
    made = []
    for name in DEFAULT_NETS:
        net = catalog.find(name)
        for source in fetch(net, folder).values():
            made.append(source)
            for precision in get_args(Precision):
                try:
                    made.append(prepare(net, source, folder, precision))
                except ValueError:
                    # Run as it is fetched, or without ranges for int8.
                    continue
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a file is not to be had."""
    parser = argparse.ArgumentParser(prog="python -m models.bake", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=default_folder(), help="default: %(default)s"
    )
    try:
        print(*bake(parser.parse_args(arguments).folder), sep="\n")
    except WeightsUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
