"""The nets and the face detector in this process, for benchmarks that need no service."""

from collections.abc import Mapping

import numpy as np

from models import finder
from models.matting import Loader, MattingNet
from models.session import SessionOptions
from models.weights import default_folder
from pipeline import views
from pipeline.affine import inverse
from pipeline.errors import UnusablePhoto
from pipeline.face import the_one
from pipeline.fusion import fuse
from pipeline.matte import onto_grid
from pipeline.resample import fit, warp
from pipeline.values import Alpha, Face, Head, Matte, Photo, Rgb, SizeWH, View

SIDES = {"person": 256, "saliency": 320}
MODES = {"u2netp": ("saliency",), "fast": ("person",), "best": ("person", "saliency")}


class Studio:
    """The nets and the face detector, in this process."""

    def __init__(self, threads: int = 2) -> None:
        options = SessionOptions(device="cpu", threads=threads)
        nets = {"person": "selfie", "saliency": "u2netp"}
        self.nets: Mapping[str, MattingNet] = Loader(nets, options, default_folder())()
        self.finder = finder.load(default_folder())

    def face(self, rgb: Rgb, least_px: int = 20) -> Face | None:
        """The one face, or None."""
        small = fit(rgb, 640)
        try:
            face = the_one(self.finder.find(small, least_px), enlarge=10)
        except UnusablePhoto:
            return None
        return face.scaled(rgb.shape[1] / small.shape[1], rgb.shape[0] / small.shape[0])

    def mattes(self, rgb: Rgb, head: Head | None) -> dict[str, Matte]:
        """The whole picture's matte in each mode."""
        photo = Photo(rgb, (rgb.shape[1], rgb.shape[0]))
        whole = (0.0, 0.0, float(rgb.shape[1]), float(rgb.shape[0]))
        first = views.cut(photo, whole, max(SIDES.values()))
        asked: dict[str, tuple[View, ...]] = {"saliency": (first,), "person": (first,)}
        if head and (close := views.close_box(head, whole)):
            asked["person"] = first, views.cut(photo, close, SIDES["person"])
        alphas = {
            role: self.nets[role].matte([view.rgb for view in seen]) for role, seen in asked.items()
        }
        return {
            mode: fuse(alphas, {role: asked[role] for role in roles}, whole)
            for mode, roles in MODES.items()
        }


def rendered(matte: Matte, size_px: SizeWH) -> Alpha:
    """A whole picture's matte at the picture's size."""
    return np.clip(warp(matte.alpha, inverse(onto_grid(matte)), size_px), 0, 1)
