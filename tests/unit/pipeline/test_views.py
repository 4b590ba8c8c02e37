import numpy as np
import pytest

from pipeline import documents
from pipeline.geometry import estimate_head, reach
from pipeline.values import BoxXYXY, Head, Photo, PointXY, SizeWH
from pipeline.views import close_box, cut, wide_box
from tests.unit.pipeline.people import draw

# A head of average size is 3.6 times as high as the pupils lie apart, here 360 px.
HEADS: dict[str, tuple[SizeWH, PointXY, float]] = {
    "in the middle": ((3000, 3000), (1500, 1200), 100),
    "far away": ((4000, 3000), (3000, 1000), 30),
    "landscape": ((3000, 1200), (1500, 500), 100),
    "upright": ((1200, 2400), (600, 700), 100),
    "at the left": ((3000, 2000), (200, 900), 100),
    "at the right": ((3000, 2000), (2800, 900), 100),
    "at the top": ((3000, 2000), (1500, 200), 100),
    "at the bottom": ((3000, 2000), (1500, 1800), 100),
    "half body": ((1000, 1200), (500, 450), 100),
    "tall": ((520, 1600), (260, 500), 100),
    "as in an ID photo": ((410, 530), (205, 250), 100),
}
# Photos that show the head as large as a close view would.
NEAR = ("half body", "as in an ID photo")
EVERY_HEAD = pytest.mark.parametrize(
    ("size_px", "eyes_xy_px", "apart_px"), HEADS.values(), ids=HEADS
)
EVERY_CLOSE = pytest.mark.parametrize(
    ("size_px", "eyes_xy_px", "apart_px"),
    [head for name, head in HEADS.items() if name not in NEAR],
    ids=[name for name in HEADS if name not in NEAR],
)
TURNED = pytest.mark.parametrize("roll_deg", [-25, 0, 25])


def boxes(
    size_px: SizeWH, eyes_xy_px: PointXY, apart_px: float, roll_deg: float = 0
) -> tuple[Head, BoxXYXY, BoxXYXY, BoxXYXY | None]:
    """The head, what the crops can reach, the wide box and the close one."""
    person = draw(
        eyes_xy_px=eyes_xy_px, apart_px=apart_px, roll_deg=roll_deg, photo_size_px=size_px
    )
    head = estimate_head(person.face)
    wanted = (documents.find("us-passport"), documents.find("cn-1-inch"))
    reached = reach(head, wanted, size_px)
    wide = wide_box(head, reached, size_px)
    return head, reached, wide, close_box(head, wide)


def inside(inner: BoxXYXY, outer: BoxXYXY) -> bool:
    slack = 1e-6
    return (
        inner[0] >= outer[0] - slack
        and inner[1] >= outer[1] - slack
        and inner[2] <= outer[2] + slack
        and inner[3] <= outer[3] + slack
    )


# --- The boxes -----------------------------------------------------------------------------------


@TURNED
@EVERY_HEAD
def test_the_wide_box_holds_what_the_crops_reach(
    size_px: SizeWH, eyes_xy_px: PointXY, apart_px: float, roll_deg: float
) -> None:
    _, reached, wide, _ = boxes(size_px, eyes_xy_px, apart_px, roll_deg)
    assert inside(reached, wide)
    assert inside(wide, (0, 0, *size_px))


def test_of_a_usual_portrait_the_wide_box_is_the_whole_photo() -> None:
    _, _, wide, _ = boxes(*HEADS["half body"])
    assert wide == (0, 0, 1000, 1200)


def test_of_someone_far_away_the_wide_box_is_a_small_part() -> None:
    head, _, wide, _ = boxes(*HEADS["far away"])
    assert (wide[2] - wide[0]) * (wide[3] - wide[1]) < 0.1 * 4000 * 3000
    assert wide[0] < head.eyes_xy_px[0] < wide[2]
    # Shoulders, and room below them.
    assert wide[3] - head.eyes_xy_px[1] > 3 * head.height_px


@TURNED
@EVERY_CLOSE
def test_the_close_box_is_a_square_inside_the_wide_one(
    size_px: SizeWH, eyes_xy_px: PointXY, apart_px: float, roll_deg: float
) -> None:
    _, _, wide, close = boxes(size_px, eyes_xy_px, apart_px, roll_deg)
    assert close is not None
    assert inside(close, wide)
    assert close[2] - close[0] == pytest.approx(close[3] - close[1])
    # It does enlarge.
    assert (close[2] - close[0]) ** 2 < 0.9 * (wide[2] - wide[0]) * (wide[3] - wide[1])


@EVERY_CLOSE
def test_the_close_box_holds_the_head(
    size_px: SizeWH, eyes_xy_px: PointXY, apart_px: float
) -> None:
    """As far as the photo does: from crown to chin, and from ear to ear."""
    head, _, wide, close = boxes(size_px, eyes_xy_px, apart_px)
    assert close is not None
    x, y = head.eyes_xy_px
    aside = 1.2 * apart_px
    extent = (
        max(x - aside, wide[0]),
        max(y - head.crown_above_eyes_px, wide[1]),
        min(x + aside, wide[2]),
        min(y + head.chin_below_eyes_px, wide[3]),
    )
    assert inside(extent, close)


def test_the_close_box_is_near_the_head() -> None:
    head, _, _, close = boxes(*HEADS["in the middle"])
    assert close is not None
    assert 2 * head.height_px < close[2] - close[0] < 3.5 * head.height_px
    assert (close[0] + close[2]) / 2 == pytest.approx(head.eyes_xy_px[0])


@pytest.mark.parametrize(
    ("size_px", "eyes_xy_px"),
    [((500, 500), (250, 240)), ((900, 900), (450, 400)), ((800, 900), (400, 400))],
)
def test_a_close_up_has_no_close_box(size_px: SizeWH, eyes_xy_px: PointXY) -> None:
    """It would show nearly the same."""
    assert boxes(size_px, eyes_xy_px, 100)[-1] is None


# --- The view ------------------------------------------------------------------------------------


def gradient(size_px: SizeWH) -> Photo:
    """A photo whose red is the column and whose green is the row."""
    width, height = size_px
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = np.arange(width)
    rgb[..., 1] = np.arange(height)[:, None]
    return Photo(rgb, size_px)


@pytest.mark.parametrize(
    ("box", "widened"),
    [
        ((10.4, 20.6, 50.2, 60.9), (10, 20, 51, 61)),
        ((10.0, 20.0, 50.0, 60.0), (10, 20, 50, 60)),
        ((0.0, 0.0, 200.0, 150.0), (0, 0, 200, 150)),
        ((190.5, 140.5, 200.0, 150.0), (190, 140, 200, 150)),
    ],
)
@pytest.mark.parametrize("side_px", [16, 256])
def test_a_view_is_widened_to_whole_pixels(box: BoxXYXY, widened: BoxXYXY, side_px: int) -> None:
    photo = gradient((200, 150))
    view = cut(photo, box, side_px)
    assert view.box_xyxy_px == widened
    assert (view.rgb.shape, view.rgb.dtype) == ((side_px, side_px, 3), np.uint8)
    assert view.rgb.flags.c_contiguous
    # What it shows is what lies there.
    x0, y0, x1, y1 = widened
    step_x, step_y = (x1 - x0) / side_px, (y1 - y0) / side_px
    columns = x0 + (np.arange(side_px) + 0.5) * step_x - 0.5
    rows = y0 + (np.arange(side_px) + 0.5) * step_y - 0.5
    np.testing.assert_allclose(view.rgb[0, :, 0], columns, atol=max(1, step_x / 2))
    np.testing.assert_allclose(view.rgb[:, 0, 1], rows, atol=max(1, step_y / 2))


def test_cut_leaves_its_input() -> None:
    photo = gradient((64, 64))
    photo.rgb.setflags(write=False)
    cut(photo, (3.0, 3.0, 60.0, 60.0), 32)
