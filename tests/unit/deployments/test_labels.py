"""One setting labels every kind of file, on every way through the graph."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import pytest

from deployments import calls
from deployments.chain import Chain, Kind
from deployments.settings import Settings
from pipeline import orders, papers
from pipeline.finish_values import AiLabel
from pipeline.sheet_values import SheetOrder
from pipeline.values import CutoutOrder, Order

PHOTO = orders.photo_order(["cn-1-inch"], background_image=b"picture")
PAPER = papers.find("4r")
SHEET = orders.sheet_order(["cn-1-inch"], paper=PAPER)
AS_IS = orders.sheet_order(["cn-1-inch"], paper=PAPER, as_is=True)
CUTOUT = CutoutOrder("png", "rgba", 100)
LABEL = AiLabel("me")


@pytest.mark.parametrize(
    ("named", "label"),
    [
        ({}, None),
        ({"ai_label": "metadata", "ai_producer": "me"}, LABEL),
        ({"ai_label": "visible", "ai_producer": "me"}, AiLabel("me", "AI生成")),
        ({"ai_label": "visible", "ai_label_text": "AI"}, AiLabel("idphoto-serve", "AI")),
    ],
)
def test_what_the_settings_mean(named: dict[str, Any], label: AiLabel | None) -> None:
    assert Settings(**named).label == label


class Handle:
    """A deployment whose every method answers with its name, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []

    def options(self, **_: Any) -> "Handle":
        return self

    def __getattr__(self, name: str) -> Any:
        return name


class Steps:
    """As ``calls.Steps``, without Ray."""

    handle: Handle

    def __init__(self, *_: Any) -> None:
        pass

    async def ask(self, step: Any, *args: Any) -> tuple[Any, Any]:
        self.handle.asked.append((step if isinstance(step, str) else "matting", args))
        return step, self.handle

    async def chain(self, once: Any) -> Any:
        work: Awaitable[Any] = once()
        return await work


@pytest.mark.parametrize("label", [None, LABEL])
@pytest.mark.parametrize(
    ("kind", "order", "steps"),
    [
        ("photo", PHOTO, ["photo", "matting", "photo"]),
        ("later", PHOTO, ["later", "later", "photo"]),
        ("sheet", SHEET, ["photo", "matting", "sheet"]),
        ("cutout", CUTOUT, ["cutout", "matting", "cutout"]),
        ("sheet", AS_IS, ["paper"]),
    ],
)
def test_every_order_is_labelled_but_that_of_a_finished_photo(
    monkeypatch: pytest.MonkeyPatch,
    label: AiLabel | None,
    kind: Kind,
    order: Order | SheetOrder | CutoutOrder,
    steps: list[str],
) -> None:
    handle = Handle()
    monkeypatch.setattr(Steps, "handle", handle, raising=False)
    monkeypatch.setattr(calls, "Steps", Steps)
    way: Any = Chain(handle, handle, handle, label=label)  # type: ignore[arg-type]
    asyncio.run(way.run(kind, b"photo", order, time.time() + 9, {}))
    assert [step for step, _ in handle.asked] == steps
    *_, finishing = handle.asked[-1][1]
    photos = finishing.photos if isinstance(finishing, SheetOrder) else finishing
    found = photos.label if isinstance(photos, CutoutOrder) else photos.finish.label
    assert found == (None if order is AS_IS else label)
    if isinstance(photos, Order):
        # Cropping has read it; it is large.
        assert photos.background_image is None
