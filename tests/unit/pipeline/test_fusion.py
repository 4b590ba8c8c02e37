from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.fusion import GRID_PX, fuse
from pipeline.values import Alpha, Alpha8, BoxXYXY, View

Floats = npt.NDArray[np.float64]
Truth = Callable[[Floats, Floats], Floats]

# Of this photo one pixel is one of the matte.
WHOLE: BoxXYXY = (0.0, 0.0, float(GRID_PX), float(GRID_PX))
CLOSE: BoxXYXY = (180.0, 160.0, 340.0, 320.0)
FAR = 40
"""Pixels from the border of a close view at which it fully counts."""


def view(box: BoxXYXY) -> View:
    """Of its picture the fusion knows nothing."""
    return View(np.zeros((1, 1, 3), np.uint8), box)


def seen(truth: Truth, box: BoxXYXY, side_px: int) -> Alpha8:
    """What a perfect net of that side says of a part of the photo: means over its pixels."""
    finer = 8
    centres = (np.arange(side_px * finer) + 0.5) / (side_px * finer)
    x, y = np.meshgrid(box[0] + centres * (box[2] - box[0]), box[1] + centres * (box[3] - box[1]))
    alpha = np.asarray(truth(x, y), np.float64).reshape(side_px, finer, side_px, finer)
    return np.rint(alpha.mean(axis=(1, 3)) * 255).astype(np.uint8)


def matte_of(answers: Mapping[str, Sequence[tuple[Alpha8, BoxXYXY]]]) -> Alpha:
    """The fused matte of the whole photo."""
    alphas = {role: [alpha for alpha, _ in given] for role, given in answers.items()}
    views = {role: [view(box) for _, box in given] for role, given in answers.items()}
    matte = fuse(alphas, views, WHOLE)
    assert matte.box_xyxy_px == WHOLE
    return matte.alpha


def whole(alpha: Alpha8) -> list[tuple[Alpha8, BoxXYXY]]:
    return [(alpha, WHOLE)]


def even(value: int, side_px: int = 64) -> Alpha8:
    return np.full((side_px, side_px), value, np.uint8)


def slope(middle: float, width: float) -> Alpha8:
    """An upright edge, all background at its left, that rises over so many pixels."""

    def rise(x: Floats, y: Floats) -> Floats:
        return np.clip((x - middle) / width + 0.5, 0, 1)

    return seen(rise, WHOLE, GRID_PX)


# --- One net -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["person", "saliency"])
def test_the_nearly_sure_becomes_sure(role: str) -> None:
    """What is uncertain keeps its order and its middle."""
    steps = np.tile(np.arange(256).repeat(2), (GRID_PX, 1)).astype(np.uint8)
    alpha = matte_of({role: whole(steps)})
    assert (alpha.min(), alpha.max()) == (0, 1)
    row = alpha[0, ::2]
    assert (row[:25] == 0).all()
    assert (row[231:] == 1).all()
    assert (np.diff(row[60:196]) > 0).all()
    assert row[127] + row[128] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("role", ["person", "saliency"])
def test_one_net_alone_is_used(role: str) -> None:
    def disc(x: Floats, y: Floats) -> Floats:
        return np.hypot(x - 230, y - 300) < 120

    alpha = matte_of({role: whole(seen(disc, WHOLE, 256))})
    truth = seen(disc, WHOLE, GRID_PX) / 255
    assert np.abs(alpha - truth).mean() < 0.003


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        ((0.0, 0.0, 640.0, 480.0), (384, 512)),
        ((10.0, 20.0, 110.0, 220.0), (512, 256)),
        ((0.0, 0.0, 4000.0, 4000.0), (512, 512)),
        ((5.0, 5.0, 4005.0, 7.0), (1, 512)),
    ],
)
def test_a_matte_has_the_shape_of_its_box(box: BoxXYXY, shape: tuple[int, int]) -> None:
    """And one longer side, whatever the photo's size."""
    matte = fuse({"person": [even(200)]}, {"person": [view(box)]}, box)
    assert (matte.alpha.shape, matte.alpha.dtype) == (shape, np.float32)
    assert matte.box_xyxy_px == box


@pytest.mark.parametrize("box", [(100.0, 0.0, 612.0, 512.0), (0.0, 300.0, 300.0, 600.0)])
def test_the_matte_of_a_region_that_the_view_goes_beyond(box: BoxXYXY) -> None:
    """Each point of the region gets the alpha of the same point of the view."""
    wide = (0.0, 0.0, 800.0, 600.0)

    def disc(x: Floats, y: Floats) -> Floats:
        return np.hypot(x - 250, y - 400) < 130

    matte = fuse({"saliency": [seen(disc, wide, 400)]}, {"saliency": [view(wide)]}, box)
    truth = seen(disc, box, GRID_PX)
    assert np.mean((matte.alpha > 0.5) != (truth > 127)) < 0.003


# --- Two nets ------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [("person", "saliency"), ("saliency", "person")])
def test_of_two_nets_that_agree_the_saliency_net_s_edge_is_taken(order: tuple[str, str]) -> None:
    """The person net's edge is wide and 4 px aside; the other one's steep and right."""
    edges = {"person": slope(260, 60), "saliency": slope(256, 8)}
    fused = matte_of({role: whole(edges[role]) for role in order})
    alone = matte_of({"saliency": whole(edges["saliency"])})
    near = np.s_[:, 245:268]
    np.testing.assert_allclose(fused[near], alone[near], atol=0.02)
    # Farther away both are sure, or nearly so.
    assert (fused[:, :220] == 0).all()
    assert (fused[:, 300:] == 1).all()


@pytest.mark.parametrize(("person", "saliency"), [(255, 0), (0, 255), (250, 5), (5, 250)])
def test_where_they_differ_wholly_the_person_net_decides(person: int, saliency: int) -> None:
    alpha = matte_of({"person": whole(even(person)), "saliency": whole(even(saliency, 80))})
    np.testing.assert_array_equal(alpha, np.full_like(alpha, person > 127))


def test_a_thing_that_only_the_saliency_net_sees_is_no_person() -> None:
    """While the edge of the person, which both see, remains the saliency net's."""
    saliency = slope(256, 8)
    saliency[100:200, 40:120] = 255
    alpha = matte_of({"person": whole(slope(256, 40)), "saliency": whole(saliency)})
    assert (alpha[:, :200] == 0).all()
    assert (alpha[:, 300:] == 1).all()
    rising = (alpha[50] > 0.05) & (alpha[50] < 0.95)
    assert rising.sum() <= 10


def test_the_answers_may_differ_in_size() -> None:
    def disc(x: Floats, y: Floats) -> Floats:
        return np.hypot(x - 256, y - 256) < 150

    alpha = matte_of(
        {"person": whole(seen(disc, WHOLE, 64)), "saliency": whole(seen(disc, WHOLE, 320))}
    )
    truth = seen(disc, WHOLE, GRID_PX) / 255
    assert np.abs(alpha - truth).mean() < 0.005


# --- A close view --------------------------------------------------------------------------------


def wavy(x: Floats, y: Floats) -> Floats:
    """Locks of hair: an edge with waves that a wide view cannot follow."""
    return (x > 260 + 7 * np.sin(y / 3)).astype(np.float64)


def edges(alpha: Alpha, rows: slice, columns: slice) -> npt.NDArray[np.int64]:
    """How many pixels of each row are background."""
    return (alpha[rows, columns] < 0.5).sum(axis=1)


@pytest.mark.parametrize(("with_saliency", "most_px"), [(False, 1), (True, 2)])
def test_a_close_view_shows_the_edge_to_a_pixel(with_saliency: bool, most_px: int) -> None:
    """A saliency net, which sees all from afar, takes little of that away."""
    near, far = (seen(wavy, CLOSE, 160), CLOSE), (seen(wavy, WHOLE, 32), WHOLE)
    other = {"saliency": [far]} if with_saliency else {}
    rows, columns = slice(160 + FAR, 320 - FAR), slice(180 + FAR, 340 - FAR)
    truth = edges(seen(wavy, WHOLE, GRID_PX) / np.float32(255), rows, columns)

    closely = edges(matte_of({"person": [far, near], **other}), rows, columns)
    assert np.abs(closely - truth).max() <= most_px
    from_afar = edges(matte_of({"person": [far], **other}), rows, columns)
    assert np.abs(from_afar - truth).max() >= 4


def test_outside_the_close_view_nothing_changes() -> None:
    near, far = (even(0, 160), CLOSE), (seen(wavy, WHOLE, 64), WHOLE)
    both, alone = matte_of({"person": [far, near]}), matte_of({"person": [far]})
    outside = np.ones(both.shape, bool)
    outside[160:320, 180:340] = False
    np.testing.assert_array_equal(both[outside], alone[outside])
    assert np.abs(both - alone).max() > 0.5


RAMPS: dict[str, Truth] = {
    "across": lambda x, y: 0.25 + x / 1024,
    "down": lambda x, y: 0.25 + y / 1024,
    "slanting": lambda x, y: 0.25 + (x + y) / 2048,
}


@pytest.mark.parametrize("ramp", RAMPS.values(), ids=RAMPS)
@pytest.mark.parametrize("box", [CLOSE, (0.0, 100.0, 200.0, 300.0), (230.5, 300.25, 290.5, 360.25)])
def test_a_smooth_ramp_shows_no_seam(box: BoxXYXY, ramp: Truth) -> None:
    alpha = matte_of({"person": [(seen(ramp, WHOLE, 64), WHOLE), (seen(ramp, box, 64), box)]})
    x0, y0, x1, y1 = (round(edge) for edge in box)
    around = alpha[max(0, y0 - 4) : y1 + 4, max(0, x0 - 4) : x1 + 4]
    for axis in (0, 1):
        assert np.abs(np.diff(around, axis=axis)).max() < 0.008


@pytest.mark.parametrize("box", [CLOSE, (100.0, 120.0, 400.0, 420.0)])
def test_views_that_differ_pass_smoothly_into_each_other(box: BoxXYXY) -> None:
    alpha = matte_of({"person": [(even(102), WHOLE), (even(153), box)]})
    for axis in (0, 1):
        assert np.abs(np.diff(alpha, axis=axis)).max() < 0.035
    middle = alpha[round(box[1] + box[3]) // 2, round(box[0] + box[2]) // 2]
    # The closer look counts more.
    assert 0.53 < middle < 0.7


def test_an_edge_that_both_views_share_is_no_seam() -> None:
    """Where the photo ends the close view counts as in its middle."""
    corner = (0.0, 352.0, 160.0, 512.0)
    alpha = matte_of({"person": [(even(102), WHOLE), (even(153), corner)]})
    np.testing.assert_allclose(alpha[352 + FAR :, : 160 - FAR], alpha[432, 80], atol=1e-5)
    assert alpha[432, 80] > 0.55


# --- Both ----------------------------------------------------------------------------------------


def test_alpha_stays_between_0_and_1() -> None:
    """Bicubic interpolation overshoots at hard edges."""
    checks = (np.indices((40, 40)).sum(axis=0) % 2 * 255).astype(np.uint8)
    for roles in (["person"], ["saliency"], ["person", "saliency"]):
        alpha = matte_of({role: [(checks, WHOLE), (checks, CLOSE)] for role in roles})
        assert alpha.min() >= 0
        assert alpha.max() <= 1


def test_fuse_leaves_its_input() -> None:
    answers = {
        "person": [(seen(wavy, WHOLE, 64), WHOLE), (seen(wavy, CLOSE, 64), CLOSE)],
        "saliency": [(seen(wavy, WHOLE, 80), WHOLE)],
    }
    before = {role: [alpha.copy() for alpha, _ in given] for role, given in answers.items()}
    for given in answers.values():
        for alpha, _ in given:
            alpha.setflags(write=False)
    matte_of(answers)
    for role, given in answers.items():
        for (alpha, _), copy in zip(given, before[role], strict=True):
            np.testing.assert_array_equal(alpha, copy)
