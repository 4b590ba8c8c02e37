"""What is wanted of the photos: the options that ``make``, ``check`` and ``batch`` share."""

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from cli import finish as finishing
from pipeline import orders
from pipeline.errors import BadOrder, IdPhotoError
from pipeline.finish_values import PLAIN, Finish
from pipeline.values import ImageFormat, Order, Quality

_SUFFIXES: dict[ImageFormat, str] = {"jpeg": "jpg", "png": "png", "webp": "webp"}


@dataclass(frozen=True, slots=True)
class Wish:
    """An order in the words of the command line, for the pipeline or for a service."""

    documents: tuple[str, ...]
    backgrounds: tuple[str, ...] = ()
    format: ImageFormat | None = None
    quality: Quality = "best"
    dpi: int | None = None
    size_mm: tuple[float, float] | None = None
    size_px: tuple[float, float] | None = None
    min_kb: int | None = None
    max_kb: int | None = None
    progressive: bool = False
    finish: Finish = PLAIN

    def order(self) -> Order:
        """The pipeline's order. Raises BadOrder."""
        return orders.photo_order(
            self.documents,
            self.backgrounds,
            format=self.format,
            quality=self.quality,
            dpi=self.dpi,
            size_mm=self.size_mm,
            size_px=self.size_px,
            min_kb=self.min_kb,
            max_kb=self.max_kb,
            progressive=self.progressive,
            finish=self.finish,
        )

    def query(self) -> list[tuple[str, str]]:
        """The parameters of POST /v1/photos; what was not asked for is left to the service."""
        named = [("document", name) for name in self.documents]
        named += [("background", name) for name in self.backgrounds]
        named.append(("quality", self.quality))
        for name, size in (("size_mm", self.size_mm), ("size_px", self.size_px)):
            if size:
                named.append((name, f"{size[0]:g}x{size[1]:g}"))
        if self.format:
            named.append(("format", self.format))
        for name in ("dpi", "min_kb", "max_kb"):
            if getattr(self, name):
                named.append((name, str(getattr(self, name))))
        if self.progressive:
            named.append(("progressive", "true"))
        return named + finishing.query(self.finish)


def add_documents(parser: argparse.ArgumentParser) -> None:
    """What is to be made, in which colours."""
    parser.add_argument(
        "--document",
        action="append",
        default=[],
        metavar="ID",
        help="a document, see `idphoto documents`; repeatable",
    )
    parser.add_argument("--size-mm", type=size, metavar="WxH", help="a free size instead: 35x45")
    parser.add_argument(
        "--background",
        action="append",
        default=[],
        metavar="COLOUR",
        help="a colour's name, #rrggbb, gradient:#rrggbb-#rrggbb, radial:#rrggbb-#rrggbb or "
        "transparent; repeatable; default: the document's own",
    )


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of ``wish``."""
    add_documents(parser)
    parser.add_argument("--size-px", type=size, metavar="WxH", help="a free size: 413x531")
    parser.add_argument("--quality", choices=get_args(Quality), default="best")
    parser.add_argument(
        "--format", choices=get_args(ImageFormat), help="default: jpeg, or png where transparent"
    )
    parser.add_argument(
        "--dpi", type=int, help="dots per inch; chooses the pixels of a size in millimetres"
    )
    parser.add_argument("--min-kb", type=int, metavar="KB", help="fewest kB of each file")
    parser.add_argument("--max-kb", type=int, metavar="KB", help="most kB of each file")
    parser.add_argument("--progressive", action="store_true", help="JPEGs that appear coarse first")
    finishing.add_options(parser)


def wish(options: argparse.Namespace) -> Wish:
    """What the options of ``add_options`` say."""
    return Wish(
        tuple(options.document),
        tuple(options.background),
        options.format,
        options.quality,
        options.dpi,
        options.size_mm,
        options.size_px,
        options.min_kb,
        options.max_kb,
        options.progressive,
        finishing.finish(options),
    )


def size(text: str) -> tuple[float, float]:
    """The two positive numbers of ``35x45``. Raises ArgumentTypeError."""
    try:
        width, height = (float(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        width = height = math.nan
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise argparse.ArgumentTypeError(f"{text!r} is not width x height, such as 35x45")
    return width, height


def variants(order: Order) -> tuple[str, ...]:
    """How the name of each of the order's files ends, in the order in which they are made:
    us-passport_white.jpg.
    """
    found = []
    for document in order.documents:
        width, height = document.size_px
        # All free sizes have the same id.
        known = f"custom-{width}x{height}" if document.id == "custom" else document.id
        names = [background.name for background in order.backgrounds] or [document.background]
        found += [ending(known, name, order.format) for name in names]
    return tuple(found)


def ending(document: str, background: str, format: ImageFormat) -> str:
    """How the name of one file ends."""
    return f"{document}_{background.removeprefix('#')}.{_SUFFIXES[format]}"


def explained(error: IdPhotoError) -> str:
    """What was wrong with an order, in two sentences."""
    if isinstance(error, BadOrder) and error.code == "unknown_document":
        return f"{error.text.title} `idphoto documents --search WORDS` finds it."
    return f"{error.text.title} {error.text.hint}"


def check_documents(names: Sequence[str]) -> None:
    """Raises BadOrder for a document that does not exist."""
    orders.named(names)
