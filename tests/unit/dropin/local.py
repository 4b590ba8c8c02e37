"""The graph's work in the process of a test, behind the same routes: no Ray, and one net."""

from typing import Any

from deployments.settings import Settings
from models.faces import FaceDetector
from models.matting import MattingNet
from models.nets import matte
from pipeline import edits, flow
from pipeline.edit_values import EditOrder
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import CutoutOrder, IdPhoto, Order, Portrait

Timings = dict[str, float]


class Studio:
    """In the place of the Gateway."""

    def __init__(
        self, settings: Settings, nets: dict[str, MattingNet], faces: FaceDetector
    ) -> None:
        self.settings = settings
        self._nets = nets
        self._faces = faces
        self.sides = {"person": 256, "saliency": 320}
        self.places = (16, 15)

    def require_room(self) -> None:
        pass

    def _alphas(self, portrait: Portrait) -> Any:
        return matte(self._nets, [portrait.frames])[0]

    def _given(self) -> dict[str, Any]:
        return {"sides": self.sides, "max_pixels": self.settings.max_pixels}

    async def photos(self, data: bytes, order: Order, timings: Timings) -> tuple[IdPhoto, ...]:
        portrait = flow.prepare_photo(data, order, self._faces.find, **self._given())
        made = flow.finish_photo(portrait, self._alphas(portrait), order)
        assert isinstance(made, tuple)
        return made

    async def cutouts(
        self, data: bytes, order: CutoutOrder, timings: Timings
    ) -> tuple[IdPhoto, ...]:
        portrait = flow.prepare_cutout(data, order, self._faces.find, **self._given())
        return (flow.finish_cutout(portrait, self._alphas(portrait), order),)

    async def sheet(self, data: bytes, order: SheetOrder, timings: Timings) -> PrintSheet:
        return flow.print_as_is(data, order, max_pixels=self.settings.max_pixels)

    async def edits(self, data: bytes, order: EditOrder, timings: Timings) -> tuple[IdPhoto, ...]:
        return edits.edited(data, order, self._faces.find)

    kept_photos = kept_sheet = again = checks = ready = None
