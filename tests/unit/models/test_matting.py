from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from models import catalog, weights
from models.catalog import Interface, Net
from models.matting import Loader, MattingNet, interface, normalise
from models.session import SessionOptions
from pipeline.values import Rgb

Planes = npt.NDArray[np.float32]
LoadRgb = Callable[[str], Rgb]

U2NETP = catalog.find("u2netp")
# Without the grey and the close-up ones: the small net loses those.
PAIRS = ["gt-denim", "gt-lace", "gt-trench"]


@pytest.fixture
def u2netp(nets: Mapping[str, MattingNet]) -> MattingNet:
    return nets["saliency"]


def net(**changes: Any) -> Net:
    """The catalogue's row of u2netp with another interface."""
    assert U2NETP.interface is not None
    return replace(U2NETP, interface=replace(U2NETP.interface, **changes))


def side(rgb: Rgb, side_px: int) -> Rgb:
    return np.asarray(Image.fromarray(rgb).resize((side_px, side_px), Image.Resampling.BOX))


def levels(count: int, side_px: int = 8) -> list[Rgb]:
    """Even frames, each of another grey, that a net can tell apart."""
    return [np.full((side_px, side_px, 3), 10 * (i + 1), np.uint8) for i in range(count)]


# --- The real net --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRS)
def test_the_person_is_cut_out(
    u2netp: MattingNet, load_rgb: LoadRgb, data: Path, name: str
) -> None:
    """Against hand-made alphas: the small net is coarse, not wrong."""
    (alpha,) = u2netp.matte([side(load_rgb(f"{name}.png"), 320)])
    with Image.open(data / "alphas" / f"{name}.png") as image:
        true = np.asarray(image.resize((320, 320), Image.Resampling.BOX), np.float32)
    assert (alpha.shape, alpha.dtype) == ((320, 320), np.uint8)
    assert np.abs(alpha - true).mean() / 255 < 0.06
    both = (alpha > 128) & (true > 128)
    either = (alpha > 128) | (true > 128)
    assert both.sum() / either.sum() > 0.85


def test_a_batch_of_eight_gives_what_its_frames_give_alone(
    u2netp: MattingNet, load_rgb: LoadRgb
) -> None:
    names = ["astronaut.png", "coffee-cup.png", "cat.png", "grace-hopper.png", "tiny-long-hair.jpg"]
    frames = [side(load_rgb(name), 320) for name in (*names, *(f"{pair}.png" for pair in PAIRS))]
    together = u2netp.matte(frames)
    alone = [u2netp.matte([frame])[0] for frame in frames]
    assert len(together) == 8
    np.testing.assert_array_equal(np.stack(together), np.stack(alone))
    assert len({alpha.tobytes() for alpha in together}) == 8


def test_frames_of_any_size_are_resized(u2netp: MattingNet, load_rgb: LoadRgb) -> None:
    whole = load_rgb("astronaut.png")
    frames = [whole, side(whole, 320), side(whole, 640), whole[:, :400]]
    alphas = u2netp.matte(frames)
    assert all(alpha.shape == (320, 320) for alpha in alphas)
    for alpha in (alphas[0], alphas[2]):
        assert np.abs(alpha.astype(int) - alphas[1]).mean() < 3


def test_frames_are_left_alone(u2netp: MattingNet, load_rgb: LoadRgb) -> None:
    frame = side(load_rgb("astronaut.png"), 320).copy()
    frame.setflags(write=False)
    u2netp.matte([frame])


def test_the_loader_keeps_the_roles() -> None:
    loader = Loader(
        {"person": "u2netp", "thing": "u2netp"},
        SessionOptions(device="cpu"),
        weights.default_folder(),
        warm_batches=(1, 2),
    )
    nets = loader()
    assert list(nets) == ["person", "thing"]
    assert nets["person"] is not nets["thing"]
    assert all(net.halved_batches == 0 for net in nets.values())


def test_the_loader_refuses_a_net_that_is_no_matting_net() -> None:
    loader = Loader({"person": "mtcnn"}, SessionOptions(device="cpu"), weights.default_folder())
    with pytest.raises(ValueError, match="mtcnn is not a matting net"):
        loader()


# --- When the device's memory is full ------------------------------------------------------------

FULL = [
    "CUDA failure 2: out of memory ; GPU=0 ; hostname=host",
    "Failed to allocate memory for requested buffer of size 104857600",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED ; GPU=0",
    "[ONNXRuntimeError] : 1 : FAIL : CUDA error cudaErrorMemoryAllocation:Out Of Memory",
]


class Device:
    """Runs a net that answers with a frame's own grey, for so many frames at once."""

    def __init__(self, fits: int, message: str = FULL[0]) -> None:
        self.fits, self.message = fits, message
        self.sizes: list[int] = []

    def __call__(self, batch: Planes) -> Planes:
        self.sizes.append(len(batch))
        if len(batch) > self.fits:
            raise RuntimeError(self.message)
        return batch[:, :1]


PLAIN: dict[str, Any] = {"size_px": 8, "mean": (0, 0, 0), "std": (1, 1, 1), "scale": "255"}


@pytest.mark.parametrize("message", FULL)
@pytest.mark.parametrize(
    ("frames", "fits", "sizes", "halved"),
    [
        (8, 8, [8], 0),
        (8, 4, [8, 4, 4], 1),
        (8, 3, [8, 4, 2, 2, 4, 2, 2], 3),
        (5, 2, [5, 2, 3, 1, 2], 2),
        (3, 1, [3, 1, 2, 1, 1], 2),
        (1, 1, [1], 0),
    ],
)
def test_a_batch_is_halved_until_it_fits(
    message: str, frames: int, fits: int, sizes: list[int], halved: int
) -> None:
    device = Device(fits, message)
    matting = MattingNet(net(**PLAIN), device)
    alphas = matting.matte(levels(frames))
    assert [int(alpha[0, 0]) for alpha in alphas] == [10 * (i + 1) for i in range(frames)]
    assert device.sizes == sizes
    assert matting.halved_batches == halved


def test_halved_batches_add_up() -> None:
    matting = MattingNet(net(**PLAIN), Device(2))
    for _ in range(3):
        matting.matte(levels(4))
    assert matting.halved_batches == 3


def test_a_single_frame_that_does_not_fit_is_an_error() -> None:
    matting = MattingNet(net(**PLAIN), Device(0))
    with pytest.raises(RuntimeError, match="out of memory"):
        matting.matte(levels(4))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA failure 700: an illegal memory access was encountered"),
        RuntimeError("CUDA failure 20: something else"),
        ValueError("Got invalid dimensions for input"),
        MemoryError(),
    ],
)
def test_other_errors_pass_through(error: Exception) -> None:
    calls = 0

    def run(batch: Planes) -> Planes:
        nonlocal calls
        calls += 1
        raise error

    matting = MattingNet(net(**PLAIN), run)
    with pytest.raises(type(error)) as caught:
        matting.matte(levels(4))
    assert caught.value is error
    assert (calls, matting.halved_batches) == (1, 0)


# --- What goes in and comes out ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("activation", "outputs", "alphas"),
    [
        ("none", [-0.5, 0.0, 0.25, 1.0, 1.5], [0, 0, 64, 255, 255]),
        ("sigmoid", [-20.0, -1.0, 0.0, 1.0, 20.0], [0, 69, 128, 186, 255]),
    ],
)
def test_outputs_become_alphas(activation: str, outputs: list[float], alphas: list[int]) -> None:
    def run(batch: Planes) -> Planes:
        values = np.array(outputs[: len(batch)], np.float32)
        return np.broadcast_to(values[:, None, None, None], (len(batch), 1, 8, 8))

    matting = MattingNet(net(**PLAIN | {"activation": activation}), run)
    found = matting.matte(levels(5))
    assert all((alpha.shape, alpha.dtype) == ((8, 8), np.uint8) for alpha in found)
    assert [int(alpha[3, 3]) for alpha in found] == alphas


@pytest.mark.parametrize("output", [-200, 200])
def test_a_sigmoid_far_out_is_0_or_1_without_a_warning(output: float) -> None:
    def run(batch: Planes) -> Planes:
        return np.full((len(batch), 1, 8, 8), output, np.float32)

    matting = MattingNet(net(**PLAIN | {"activation": "sigmoid"}), run)
    (alpha,) = matting.matte(levels(1))
    assert (alpha == (255 if output > 0 else 0)).all()


@pytest.mark.parametrize("row", [row for row in catalog.nets() if row.interface is not None])
@pytest.mark.parametrize("brightest", [255, 90])
def test_normalise_follows_the_formula(row: Net, brightest: int) -> None:
    """(v / scale - mean) / std, the scale being 255 or the frame's own greatest value."""
    expects = interface(row)
    size = expects.size_px
    frame = np.random.default_rng(5).integers(0, brightest + 1, (size, size, 3), np.uint8)
    frame[0, 0, 0] = brightest
    batch = normalise([frame, np.zeros_like(frame)], expects)
    assert (batch.shape, batch.dtype) == ((2, 3, size, size), np.float32)
    scale = 255 if expects.scale == "255" else brightest
    exact = (frame / scale - expects.mean) / expects.std
    np.testing.assert_allclose(batch[0], exact.transpose(2, 0, 1), atol=1e-5)
    black = -np.array(expects.mean) / expects.std
    np.testing.assert_allclose(batch[1, :, 5, 5], black, atol=1e-5)


def test_normalise_scales_each_frame_by_its_own_greatest_value() -> None:
    expects = interface(net(size_px=8, mean=(0, 0, 0), std=(1, 1, 1), scale="max"))
    batch = normalise(levels(3), expects)
    np.testing.assert_allclose(batch, 1, atol=1e-6)


def test_a_net_that_is_no_matting_net() -> None:
    with pytest.raises(ValueError, match="mtcnn is not a matting net"):
        interface(catalog.find("mtcnn"))
    assert isinstance(interface(U2NETP), Interface)
