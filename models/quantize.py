"""Computes a net's ranges and means for int8 on photos, anew.

python -m models.quantize --photos FOLDER [--net NAME] [--leave-out FOLDER ...] [--output FILE]

Photos whose names are in a folder that is left out are not used: what a gate is measured on must
not have been calibrated on. Without ``--output`` the file in the package is replaced.
"""

import argparse
import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
from onnx import ModelProto, TensorProto

from models import drawings, finder, ranges
from models.catalog import Net, find
from models.matting import interface, normalise
from models.prepare import prepare
from models.qdq import OPERATORS
from models.ranges import Ranges
from models.session import SessionOptions, open_session
from models.weights import default_folder, fetch, sha256
from pipeline.values import Rgb

_PICTURES = {".jpg", ".jpeg", ".png", ".webp"}
_SIGNIFICANT_DIGITS = 6
_Means = npt.NDArray[np.float32]
_Planes = npt.NDArray[np.float32]


def calibrate(net: Net, photos: Sequence[Path], folder: Path) -> Ranges:
    """The range of each tensor over all photos and their mirror images.

    A matting net sees them whole, and the net of ``models.drawings`` the largest face, if any.
    Weights come from ``folder``. Raises ValueError where the net sees no photo, and for one
    that cannot be read.
    """
    from onnxruntime.quantization import CalibrationMethod, create_calibrator

    (source,) = fetch(net, folder).values()
    model = prepare(net, source, folder, "fp32")
    named = list(_seen(net, photos, folder))
    if not named:
        raise ValueError("there are no photos to calibrate on")
    seen = [planes for _, planes in named]
    with tempfile.TemporaryDirectory() as scratch:
        calibrator = create_calibrator(
            model, OPERATORS, str(Path(scratch) / "augmented.onnx"), CalibrationMethod.MinMax
        )
        input_name = calibrator.infer_session.get_inputs()[0].name
        calibrator.collect_data(_Reader(seen, input_name))
        found = {
            name: (float(data.lowest.item()), float(data.highest.item()))
            for name, data in calibrator.compute_data().items()
        }
    means = _channel_means(onnx.load(model), seen)
    return Ranges(
        weights_sha256=sha256(source),
        photos=tuple(dict.fromkeys(name for name, _ in named)),
        # Empty tensors, as the unused inputs of Resize, have infinite ends.
        tensors={
            name: (_rounded(low), _rounded(high))
            for name, (low, high) in sorted(found.items())
            if math.isfinite(low) and math.isfinite(high)
        },
        channel_means={
            name: tuple(_rounded(float(mean)) for mean in values) for name, values in means.items()
        },
    )


def _channel_means(model: ModelProto, seen: Sequence[_Planes]) -> dict[str, _Means]:
    """The mean of each channel of what each convolution reads, by the tensor's name."""
    inputs = sorted({node.input[0] for node in model.graph.node if node.op_type == "Conv"})
    pools = [onnx.helper.make_node("GlobalAveragePool", [i], [f"{i}_mean"]) for i in inputs]
    picture = model.graph.input[0].name
    del model.graph.output[:]
    model.graph.node.extend(pools)
    model.graph.output.extend(
        onnx.helper.make_tensor_value_info(pool.output[0], TensorProto.FLOAT, None)
        for pool in pools
    )
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "means.onnx"
        onnx.save(model, path)
        session = open_session(path, SessionOptions(device="cpu"))
    rows = [session.run(None, {picture: each}) for each in seen]
    return {
        name: np.mean([row[at].mean((0, 2, 3)) for row in rows], axis=0)
        for at, name in enumerate(inputs)
    }


class _Reader:
    """What ONNX Runtime's calibrators read their inputs from."""

    def __init__(self, seen: Sequence[_Planes], input_name: str) -> None:
        self._seen = iter(seen)
        self._input_name = input_name

    def get_next(self) -> dict[str, _Planes] | None:
        planes = next(self._seen, None)
        return None if planes is None else {self._input_name: planes}


def _seen(net: Net, photos: Sequence[Path], folder: Path) -> Iterator[tuple[str, _Planes]]:
    """What the net sees of each photo and of its mirror image, float32 Nx3xHxW, and the photo's
    name.
    """
    faces = finder.load(folder) if net.family == "efficientnet" else None
    for name, rgb in _frames(photos):
        if faces is None:
            yield name, normalise([rgb], interface(net))
            continue
        for face in faces.find(rgb)[:1]:
            yield name, drawings.planes(rgb, face.left_eye_xy_px, face.right_eye_xy_px)


def _frames(photos: Sequence[Path]) -> Iterator[tuple[str, Rgb]]:
    for path in photos:
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is None:
            raise ValueError(f"{path} cannot be read as a picture")
        rgb = np.ascontiguousarray(bgr[..., ::-1], np.uint8)
        yield path.stem, rgb
        yield path.stem, np.ascontiguousarray(rgb[:, ::-1])


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS}g}")


def chosen(folder: Path, left_out: Sequence[Path]) -> list[Path]:
    """The pictures of the folder, sorted, without those whose names are in folders left out."""
    names = {path.stem for other in left_out for path in other.iterdir()}
    pictures = (path for path in folder.iterdir() if path.suffix.lower() in _PICTURES)
    return sorted(path for path in pictures if path.stem not in names)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m models.quantize", description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--net", default="u2netp")
    parser.add_argument("--leave-out", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path)
    options = parser.parse_args(arguments)
    net = find(options.net)
    photos = chosen(options.photos, options.leave_out)
    found = calibrate(net, photos, default_folder())
    output = options.output or Path(__file__).with_name(f"ranges_{net.name}.json")
    output.write_text(ranges.as_json(found), "utf-8")
    print(f"{len(found.tensors)} ranges from {len(found.photos)} photos in {output}")


if __name__ == "__main__":
    main()
