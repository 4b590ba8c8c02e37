"""The drop-in interfaces beside the peers themselves: the same mask as rembg's, real clients.

python -m benchmarks.dropin masks [--folder FOLDER] [--precision fp32|int8] PHOTO ...
python -m benchmarks.dropin client URL [--folder FOLDER] [--key KEY] PHOTO ...

``masks`` runs rembg with u2netp on each photo, and this pipeline with the same weights, and prints
the intersection over union of the masks. ``client`` sends the photos to a running service with the
PyPI package ``removebg``, of which nothing is changed but the host. Both make virtual environments,
which need a package index; those in ``--folder`` are used again.
"""

import argparse
import io
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from benchmarks import peers
from models import nets, weights
from models.faces import FaceDetector
from models.matting import Loader
from models.session import SessionOptions
from pipeline import flow
from pipeline.cutout_values import StyledCutoutOrder

_MOST_PIXELS, _MOST_SIDE_PX = 50_000_000, 8192
_REMBG = """
import sys
from pathlib import Path
from rembg import new_session, remove
session = new_session("u2netp")
for index, photo in enumerate(sys.argv[2:]):
    mask = remove(Path(photo).read_bytes(), session=session, only_mask=True)
    Path(sys.argv[1], f"{index}.png").write_bytes(mask)
"""
_REMOVEBG = """
import sys
from removebg import removebg
removebg.API_ENDPOINT = sys.argv[1] + "/v1.0/removebg"
client = removebg.RemoveBg(sys.argv[2], sys.argv[3] + "/errors.log")
for index, photo in enumerate(sys.argv[4:]):
    import base64
    text = base64.b64encode(open(photo, "rb").read())
    name = f"{sys.argv[3]}/{index}.png"
    client.remove_background_from_base64_img(text, size="full", new_file_name=name)
"""


def rembg_masks(photos: Sequence[Path], folder: Path) -> list[bytes]:
    """rembg's own masks, as PNG."""
    python = peers.environment("rembg", folder) / "python"
    (net,) = weights.fetch("u2netp").values()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place, "home")
        home.mkdir()
        (home / "u2netp.onnx").symlink_to(net)
        subprocess.run(
            [str(python), "-c", _REMBG, place, *map(str, photos)],
            check=True,
            env={"U2NET_HOME": str(home), "PATH": "/usr/bin:/bin", "HOME": place},
        )
        return [Path(place, f"{index}.png").read_bytes() for index in range(len(photos))]


def our_masks(photos: Sequence[Path], precision: Literal["fp32", "int8"]) -> list[bytes]:
    """The masks of POST /api/remove with model=u2netp and om=true, as PNG."""
    options = SessionOptions(device="cpu", threads=1)
    folder = weights.default_folder()
    loaded = Loader({"saliency": "u2netp"}, options, folder, precision=precision)()
    faces = FaceDetector(weights.fetch("mtcnn"))
    order = StyledCutoutOrder("png", "mask", _MOST_SIDE_PX, matte="saliency", unscaled=True)
    masks = []
    for photo in photos:
        portrait = flow.prepare_cutout(
            photo.read_bytes(),
            order,
            faces.find,
            sides={"saliency": 320},
            max_pixels=_MOST_PIXELS,
        )
        (alphas,) = nets.matte(loaded, [portrait.frames])
        masks.append(flow.finish_cutout(portrait, alphas, order).data)
    return masks


def iou(one: bytes, other: bytes) -> float:
    """Intersection over union of two masks, each cut at the middle; nan where sizes differ."""
    a, b = (np.asarray(Image.open(io.BytesIO(data)).convert("L")) > 127 for data in (one, other))
    return float((a & b).sum() / (a | b).sum()) if a.shape == b.shape else float("nan")


def client(url: str, key: str, photos: Sequence[Path], folder: Path) -> list[tuple[int, int]]:
    """Sends the photos with the package ``removebg``; the sizes of its files."""
    place = folder / "removebg"
    python = place / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
        subprocess.run([*pip, "removebg==0.4"], check=True)
    with tempfile.TemporaryDirectory() as made:
        names = [str(photo) for photo in photos]
        subprocess.run([str(python), "-c", _REMOVEBG, url, key, made, *names], check=True)
        return [Image.open(Path(made, f"{index}.png")).size for index in range(len(photos))]


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.dropin", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir(), "peers"))
    commands = parser.add_subparsers(dest="command", required=True)
    masks = commands.add_parser("masks")
    masks.add_argument("--precision", choices=("fp32", "int8"), default="fp32")
    real = commands.add_parser("client")
    real.add_argument("url")
    real.add_argument("--key", default="none")
    for command in (masks, real):
        command.add_argument("photos", type=Path, nargs="+")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.command == "client":
        for photo, size in zip(
            args.photos, client(args.url, args.key, args.photos, args.folder), strict=True
        ):
            print(f"{photo.name}  {size[0]}x{size[1]}")
        return
    ours = our_masks(args.photos, args.precision)
    theirs = rembg_masks(args.photos, args.folder)
    for photo, own, other in zip(args.photos, ours, theirs, strict=True):
        print(f"{photo.name}  IoU {iou(own, other):.4f}")


if __name__ == "__main__":
    _main()
