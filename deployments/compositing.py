"""CPU step after the nets: from the alphas to finished files."""

import cv2

from deployments import calls
from pipeline import flow
from pipeline.values import CutoutOrder, IdPhoto, Order, Portrait


class Compositing:
    """Checks the matte, cuts every variant of the order and encodes it."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)

    @calls.step
    def photo(
        self, portrait: Portrait, alphas: flow.Alphas, order: Order, deadline_at: float
    ) -> tuple[IdPhoto, ...]:
        calls.check(deadline_at)
        return flow.finish_photo(portrait, alphas, order)

    @calls.step
    def cutout(
        self,
        portrait: Portrait,
        alphas: flow.Alphas,
        order: CutoutOrder,
        deadline_at: float,
    ) -> tuple[IdPhoto, ...]:
        calls.check(deadline_at)
        return (flow.finish_cutout(portrait, alphas, order),)
