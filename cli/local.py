"""The pipeline in this process, without a service."""

from collections.abc import Callable, Mapping

import cv2

from cli.outcome import refusal
from cli.sheet_wish import SheetWish
from cli.wish import Wish
from models import drawings, finder, nets
from models.matting import MattingNet
from models.weights import default_folder
from pipeline import checks, finding, flow
from pipeline.errors import IdPhotoError, UnusablePhoto
from pipeline.finding import FindFaces, HowDrawn
from pipeline.sheet_values import PrintSheet
from pipeline.values import Doubt, IdPhoto, Order, Portrait, Quality, Report

MAX_PIXELS = 50_000_000
# From so many photos on the few seconds pay in which the fastest way to run a net is found.
_WORTH_A_TRIAL = 50


class Local:
    """Makes and checks photos with nets of its own, one at a time."""

    def __init__(
        self,
        own_nets: Mapping[str, MattingNet],
        sides: Mapping[str, int],
        find_faces: FindFaces,
        how_drawn: HowDrawn,
    ) -> None:
        cv2.setNumThreads(1)
        self._nets = own_nets
        self._sides = sides
        self._find_faces = find_faces
        self._how_drawn = how_drawn

    def photos(self, data: bytes, wish: Wish) -> tuple[IdPhoto, ...]:
        """Every variant of the wish. Raises Refusal."""
        try:
            return self._photos(data, wish.order())
        except IdPhotoError as error:
            raise refusal(error) from None

    def sheet(self, data: bytes, wish: SheetWish) -> PrintSheet:
        """The one sheet. Raises Refusal."""
        order = wish.order()
        try:
            if order.as_is:
                return flow.print_as_is(data, order, max_pixels=MAX_PIXELS)
            portrait = self._prepared(flow.prepare_photo, data, order.photos)
            finished = flow.finish_sheet(portrait, self._matte(portrait), order)
        except IdPhotoError as error:
            raise refusal(error) from None
        assert not isinstance(finished, Doubt)  # which needs an expert, and there is none here
        return finished

    def reports(self, data: bytes, wish: Wish, as_is: bool) -> tuple[Report, ...]:
        """What is to be said about the photo, for each document. Raises Refusal."""
        order = wish.order()
        try:
            if not as_is:
                photos = self._photos(data, order)
                return tuple(Report(photo.document, photo.checks) for photo in photos)
            portrait = self._prepared(flow.prepare_check, data, order)
            return flow.finish_check(portrait, self._matte(portrait), order)
        except UnusablePhoto as error:
            try:
                found = checks.of_refusal(error)
            except UnusablePhoto:
                raise refusal(error) from None
            return tuple(Report(document.id, found) for document in order.documents)
        except IdPhotoError as error:
            raise refusal(error) from None

    def _photos(self, data: bytes, order: Order) -> tuple[IdPhoto, ...]:
        portrait = self._prepared(flow.prepare_photo, data, order)
        finished = flow.finish_photo(portrait, self._matte(portrait), order)
        assert isinstance(finished, tuple)  # a doubt needs an expert, and there is none here
        return finished

    def _prepared(self, prepare: Callable[..., Portrait], data: bytes, order: Order) -> Portrait:
        return prepare(
            data,
            order,
            self._find_faces,
            sides=self._sides,
            max_pixels=MAX_PIXELS,
            how_drawn=self._how_drawn,
        )

    def _matte(self, portrait: Portrait) -> flow.Alphas:
        return nets.matte(self._nets, [portrait.frames])[0]


def wanted_nets(quality: Quality) -> dict[str, str]:
    """The nets, by role, that photos of this quality ask."""
    return {role: name for role, name in nets.NETS.items() if role == "person" or quality != "fast"}


def open_local(quality: Quality, photos: int) -> Local:
    """With the nets for that many photos, on the CPU. Raises WeightsUnavailable."""
    wanted = wanted_nets(quality)
    if photos >= _WORTH_A_TRIAL:
        loader = nets.loader(wanted, "cpu")
    else:
        loader = nets.loader(wanted, "cpu", precision="fp32", runtime="onnxruntime")
    folder = default_folder()
    how_drawn = finding.refusing(drawings.load(folder).score)
    return Local(loader(), nets.sides(wanted), finder.load(folder).find, how_drawn)
