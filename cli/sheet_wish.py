"""What is wanted of a sheet: the options of ``idphoto sheet``."""

from dataclasses import dataclass

from cli import finish
from pipeline import orders, papers
from pipeline.finish_values import PLAIN, Finish
from pipeline.sheet import Orientation
from pipeline.sheet_values import Cut, SheetFormat, SheetOrder
from pipeline.values import Quality


@dataclass(frozen=True, slots=True)
class SheetWish:
    """A sheet in the words of the command line, for the pipeline or for a service."""

    documents: tuple[str, ...]
    backgrounds: tuple[str, ...] = ()
    size_mm: tuple[float, float] | None = None
    paper: str = "4r"
    orientation: Orientation = "auto"
    counts: tuple[int, ...] = ()
    gap_mm: float = 2.0
    margin_mm: float = 3.0
    cut: Cut = "marks"
    format: SheetFormat = "jpeg"
    quality: Quality = "best"
    dpi: int = 300
    max_kb: int | None = None
    progressive: bool = False
    as_is: bool = False
    finish: Finish = PLAIN

    def order(self) -> SheetOrder:
        """The pipeline's order. Raises BadOrder."""
        return orders.sheet_order(
            self.documents,
            self.backgrounds,
            paper=papers.parse(self.paper),
            counts=self.counts,
            orientation=self.orientation,
            gap_mm=self.gap_mm,
            margin_mm=self.margin_mm,
            cut=self.cut,
            format=self.format,
            quality=self.quality,
            dpi=self.dpi,
            size_mm=self.size_mm,
            max_kb=self.max_kb,
            progressive=self.progressive,
            finish=self.finish,
            as_is=self.as_is,
        )

    def query(self) -> list[tuple[str, str]]:
        """The parameters of POST /v1/sheets."""
        named = [("document", name) for name in self.documents]
        named += [("background", name) for name in self.backgrounds]
        if self.size_mm:
            named.append(("size_mm", f"{self.size_mm[0]:g}x{self.size_mm[1]:g}"))
        named += [("count", str(count)) for count in self.counts]
        for name in ("paper", "orientation", "gap_mm", "margin_mm", "cut", "format", "quality"):
            value = getattr(self, name)
            named.append((name, value if isinstance(value, str) else f"{value:g}"))
        named.append(("dpi", str(self.dpi)))
        if self.max_kb:
            named.append(("max_kb", str(self.max_kb)))
        named += [(name, "true") for name in ("progressive", "as_is") if getattr(self, name)]
        return named + finish.query(self.finish)
