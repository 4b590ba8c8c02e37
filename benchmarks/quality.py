"""How good the mattes are, held against true alphas, and the geometry, against labelled points.

python -m benchmarks.quality [--pairs FOLDER] [--composed] [--portraits FOLDER] [--threads N]
    [--escalate-to NAME]

``--pairs`` holds alphas/NAME.png beside NAME.* or photos/NAME.*; without it, the pairs that come
with the tests. ``--composed`` puts these people on other grounds as well. ``--portraits`` holds the
photos that benchmarks/landmarks.csv labels. ``--escalate-to`` tells what the setting of that name
changes, on the pairs and on every photo of the portraits' folder.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2

from benchmarks import experts
from benchmarks.heads import measure_geometry, print_geometry
from benchmarks.mattes import measure_composed, measure_mattes, print_composed, print_mattes
from benchmarks.studio import Studio

TESTS = Path(__file__).parents[1] / "tests" / "data"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--pairs", type=Path, default=TESTS)
    parser.add_argument("--composed", action="store_true")
    parser.add_argument("--portraits", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--escalate-to", metavar="NAME", help="a matting net of the catalogue")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(options.threads)
    studio = Studio(options.threads)
    print_mattes(measure_mattes(studio, options.pairs))
    if options.composed:
        print()
        print_composed(measure_composed(studio, options.pairs))
    if options.portraits:
        print()
        print_geometry(measure_geometry(studio, options.portraits))
    if options.escalate_to:
        panel = experts.Panel(studio, options.escalate_to, options.threads)
        print()
        experts.print_pairs(experts.measure_pairs(panel, options.pairs), options.escalate_to)
        if options.portraits:
            print()
            experts.print_portraits(experts.measure_portraits(panel, options.portraits))


if __name__ == "__main__":
    main()
