"""A person kept for further orders, so that these need no photo, no nets and no checks again; joins
steps as ``variants`` does.

prepare_photo of an order with ``reuse`` -> Subject -> Kept -> photos, sheets
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from pipeline import documents, geometry, nudge, sheets, variants
from pipeline.affine import apply, inverse
from pipeline.errors import BadOrder, Gone
from pipeline.sheet_values import PrintSheet, SheetOrder
from pipeline.values import Bounds, CropPlan, Document, IdPhoto, Order, Quality

ANY_NUDGE = replace(nudge.WIDEST, zoom=1.0, shift_y=0.0)
"""What a kept person can be nudged by, besides what lies within the documents' rules."""

# Heads of all documents but a few have up to this height, as those of photos of 35x45 mm on paper.
_HEAD_PX = 420
_HEAD = 0.6
# A crop that is enlarged further, although the photo has more pixels than were kept, is refused. A
# tenth is the tolerance of ``flow``, and the head's size is only an estimate there.
_FINE_ENOUGH = 1.3
# Beside the arrays: face, head and the texts of the checks.
_REST_BYTES = 20_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A person as far as any document reaches."""

    subject: variants.Subject
    quality: Quality
    """What the matte was made in."""

    @property
    def size_bytes(self) -> int:
        """The memory that it takes."""
        region, alpha = self.subject.portrait.region_rgb, self.subject.matte.alpha
        return region.nbytes + alpha.nbytes + _REST_BYTES


@cache
def any_document() -> Document:
    """A document whose crop holds that of every document, with a head of 420 pixels."""
    every = documents.all_documents()
    tall = max(1 / document.head_height.min for document in every)
    wide = max(
        document.size_px[0] / document.size_px[1] / document.head_height.min for document in every
    )
    height = _HEAD_PX / _HEAD
    size_px = round(height * wide / tall), round(height)
    free = documents.custom(size_px=size_px)
    return replace(free, head_height=Bounds(1 / tall, 1, _HEAD), eye_line=None, top_margin=None)


def keep(subject: variants.Subject, order: Order) -> Kept:
    """What is kept of a subject whose order said ``reuse``; the arrays are its own, read-only."""
    portrait = subject.portrait
    wanted = (*variants.finest(order), any_document())
    size_px = portrait.photo_size_px
    box = geometry.reach(subject.head, wanted, size_px, ANY_NUDGE, measured=True)
    x, y = portrait.region_xy_px
    x0, y0 = max(0, int(box[0]) - x), max(0, int(box[1]) - y)
    x1, y1 = int(np.ceil(box[2])) + 1 - x, int(np.ceil(box[3])) + 1 - y
    region = portrait.region_rgb[y0:y1, x0:x1].copy()
    region.setflags(write=False)
    place = (x + x0, y + y0)
    kept = replace(portrait, region_rgb=region, region_xy_px=place, views={}, background_rgb=None)
    return Kept(replace(subject, portrait=kept), order.quality)


def photos(
    kept: Kept, order: Order, cropper: variants.Cropper = variants.crop
) -> tuple[IdPhoto, ...]:
    """Every document of the order in every background, in the kept quality.

    Raises Gone (``cutout_too_small``) where the photo itself would give a better one, and BadOrder
    (``too_many_bytes``, ``too_few_bytes``).
    """
    require(kept, order)
    return variants.every(kept.subject, replace(order, quality=kept.quality), cropper)


def sheet(kept: Kept, order: SheetOrder) -> PrintSheet:
    """The sheet, as ``photos``."""
    require(kept, order.prepared)
    return sheets.printed(
        kept.subject, order.each(lambda photos: replace(photos, quality=kept.quality))
    )


def require(kept: Kept, order: Order) -> None:
    """Raises Gone (``cutout_too_small``) or BadOrder where the order needs the photo itself."""
    if any(background.shape == "image" for background in order.backgrounds):
        # The picture is read where the photo is.
        reason = "a picture can stand behind a photo only, not behind a kept cut-out"
        raise BadOrder("bad_parameter", name="background", reason=reason)
    for document in variants.finest(order):
        plan, _ = variants.planned(kept.subject, document, order.nudge)
        if _is_coarse(kept, plan) or _is_beyond(kept, plan):
            raise Gone("cutout_too_small", document=document.id)


def _is_coarse(kept: Kept, plan: CropPlan) -> bool:
    portrait = kept.subject.portrait
    return plan.scale > _FINE_ENOUGH and portrait.photo_size_px[0] < portrait.full_size_px[0]


def _is_beyond(kept: Kept, plan: CropPlan) -> bool:
    """Whether the crop shows a part of the photo that was not kept."""
    portrait, (width, height) = kept.subject.portrait, plan.size_px
    corners = apply(inverse(plan.matrix), [(0, 0), (width, 0), (0, height), (width, height)])
    seen = np.clip(corners, 0, portrait.photo_size_px)
    rows, columns = portrait.region_rgb.shape[:2]
    least = np.array(portrait.region_xy_px)
    most = least + np.array((columns, rows))
    return bool(np.any(seen < least - 1) or np.any(seen > most + 1))
