"""What is done to photos besides the cut-out: the options that ``make``, ``sheet`` and ``batch``
share.
"""

import argparse
from typing import get_args

from pipeline.finish_values import PERCENT, Adjustments, Finish, Watermark, WatermarkStyle

_SCALES = ("brightness", "contrast", "saturation", "sharpness")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``finish``; docs/adjustments.md has what they do."""
    parser.add_argument(
        "--adjust",
        choices=("off", "auto"),
        default="off",
        help="auto: what the measured face needs of white balance, light and contrast",
    )
    for name in _SCALES:
        parser.add_argument(f"--{name}", type=_percent, default=0, metavar="N", help="-100 to 100")
    parser.add_argument(
        "--white-balance", action="store_true", help="take a coloured light off, by the skin"
    )
    parser.add_argument(
        "--fill-light", action="store_true", help="lift the darker half of an unevenly lit face"
    )
    parser.add_argument("--watermark", metavar="TEXT", help="text over the photo, in any script")
    parser.add_argument(
        "--watermark-style", choices=get_args(WatermarkStyle), default=Watermark("").style
    )
    parser.add_argument(
        "--watermark-opacity", type=_share, default=Watermark("").opacity, metavar="N"
    )


def finish(options: argparse.Namespace) -> Finish:
    """What the options of ``add_options`` say."""
    adjustments = Adjustments(
        options.brightness,
        options.contrast,
        options.saturation,
        options.sharpness,
        options.white_balance,
        options.fill_light,
        options.adjust == "auto",
    )
    if not options.watermark:
        return Finish(adjustments)
    style, opacity = options.watermark_style, options.watermark_opacity
    return Finish(adjustments, Watermark(options.watermark, style, opacity))


def query(finish: Finish) -> list[tuple[str, str]]:
    """The parameters of the service that say the same; what was not asked for is left out."""
    asked, watermark = finish.adjustments, finish.watermark
    named = [(name, str(getattr(asked, name))) for name in _SCALES if getattr(asked, name)]
    named += [(name, "true") for name in ("white_balance", "fill_light") if getattr(asked, name)]
    if asked.auto:
        named.append(("adjust", "auto"))
    if watermark:
        named += [("watermark", watermark.text), ("watermark_style", watermark.style)]
        named.append(("watermark_opacity", f"{watermark.opacity:g}"))
    return named


def _percent(text: str) -> int:
    value = int(text)
    if not -PERCENT <= value <= PERCENT:
        raise argparse.ArgumentTypeError(f"{text} is outside -{PERCENT} to {PERCENT}")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0 and at most 1")
    return value
