import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline import colours, documents
from pipeline.geometry import estimate_head, needed_scale
from pipeline.values import Face, ImageFormat, Portrait, Rgb
from tests.unit.pipeline.orders import (
    BACKGROUNDS,
    DOCUMENTS,
    Alphas,
    Answer,
    FindFaces,
    finished,
    order_of,
    pixels,
    png,
    prepared,
)

PORTRAITS = ["astronaut.png", "grace-hopper.png", "tiny-white-blouse.jpg", "tiny-long-hair.jpg"]
# Labelled by eye in the picture of 512 x 512.
ASTRONAUT_EYES = np.array([(203.7, 101.1), (246.7, 103.3)])


def inner(face: Face) -> tuple[slice, slice]:
    """The middle of the face: forehead to mouth, without the corners of its box."""
    x0, y0, x1, y1 = face.box_xyxy_px
    x, y = (x1 - x0) / 4, (y1 - y0) / 4
    return slice(int(y0 + y), int(y1 - y)), slice(int(x0 + x), int(x1 - x))


@pytest.fixture(scope="module", params=PORTRAITS)
def seen(
    request: pytest.FixtureRequest, data: Path, find_faces: FindFaces, answer: Answer
) -> tuple[Portrait, Alphas]:
    """A real portrait after the nets."""
    portrait = prepared((data / request.param).read_bytes(), find_faces)
    return portrait, answer(portrait)


@pytest.fixture(scope="module")
def astronaut(data: Path, find_faces: FindFaces, answer: Answer) -> tuple[Portrait, Alphas]:
    portrait = prepared((data / "astronaut.png").read_bytes(), find_faces)
    return portrait, answer(portrait)


# --- The finished photo --------------------------------------------------------------------------


def test_every_document_comes_in_every_background(seen: tuple[Portrait, Alphas]) -> None:
    photos = finished(*seen, order_of())
    assert [(photo.document, photo.background) for photo in photos] == [
        (document, background) for document in DOCUMENTS for background in BACKGROUNDS
    ]
    for photo in photos:
        assert photo.size_px == documents.find(photo.document).size_px
        assert photo.media_type == "image/png"
        picture = pixels(photo)
        assert picture.shape == (photo.size_px[1], photo.size_px[0], 3)
        for corner in (picture[2, 2], picture[2, -3]):
            assert tuple(corner) == colours.parse(photo.background).rgb


def test_the_head_is_where_the_rule_wants_it(
    seen: tuple[Portrait, Alphas], find_faces: FindFaces
) -> None:
    """Looked for anew in the finished photo."""
    for photo in finished(*seen, order_of(backgrounds=["blue"])):
        document = documents.find(photo.document)
        width, height = photo.size_px
        picture = pixels(photo)
        (face,) = find_faces(picture)
        head = estimate_head(face)
        assert abs(head.roll_deg) < 3
        assert head.eyes_xy_px[0] == pytest.approx(width / 2, abs=0.03 * width)
        from_bottom = 1 - head.eyes_xy_px[1] / height
        if document.eye_line is not None:
            assert document.eye_line.min <= from_bottom <= document.eye_line.max
        # By the landmarks alone, without the hair: the head is not larger than the rule allows.
        assert head.chin_below_eyes_px / height < 0.6 * document.head_height.max
        # And all of the face is the person's, nothing of it the new background.
        apart = np.abs(picture[inner(face)].astype(int) - (67, 142, 219)).max(axis=-1)
        assert np.mean(apart > 40) > 0.99


def test_on_transparent_ground(seen: tuple[Portrait, Alphas], find_faces: FindFaces) -> None:
    opaque, clear = finished(
        *seen, order_of(ids=["cn-1-inch"], backgrounds=["blue", "transparent"])
    )
    picture, coloured = pixels(clear), pixels(opaque)
    assert picture.shape == (413, 295, 4)
    assert (picture[[2, 2], [2, -3], 3] == 0).all()
    (face,) = find_faces(coloured)
    assert (picture[inner(face)][..., 3] > 200).all()
    # One matte serves every background.
    solid = picture[..., 3] == 255
    np.testing.assert_array_equal(picture[solid][:, :3], coloured[solid])


@pytest.mark.parametrize(
    ("format", "pillow_name", "media_type", "tolerance"),
    [
        ("jpeg", "JPEG", "image/jpeg", 2),
        ("png", "PNG", "image/png", 0),
        ("webp", "WEBP", "image/webp", 6),
    ],
)
@pytest.mark.parametrize(
    ("dpi", "written", "size_px"),
    [(None, 350, (358, 441)), (350, 350, (358, 441)), (600, 600, (614, 756))],
)
def test_format_and_density(
    astronaut: tuple[Portrait, Alphas],
    format: ImageFormat,
    pillow_name: str,
    media_type: str,
    tolerance: int,
    dpi: int | None,
    written: int,
    size_px: tuple[int, int],
) -> None:
    """26 x 32 mm, at whatever density."""
    (photo,) = finished(*astronaut, order_of(["cn-id-card"], ["blue"], format, dpi))
    assert photo.media_type == media_type
    with Image.open(io.BytesIO(photo.data)) as image:
        assert (image.format, image.size, image.mode) == (pillow_name, size_px, "RGB")
        if format != "webp":
            assert image.info["dpi"] == pytest.approx((written, written), abs=0.02)
    assert np.abs(pixels(photo)[2, 2].astype(int) - (67, 142, 219)).max() <= tolerance


def test_arrays_that_crossed_a_process_are_left_alone(
    seen: tuple[Portrait, Alphas], read_only: Callable[..., tuple[Portrait, Alphas]]
) -> None:
    portrait, alphas = seen
    order = order_of(backgrounds=["blue", "transparent"])
    again = finished(*read_only(portrait, alphas), order)
    assert again == finished(portrait, alphas, order)


@pytest.mark.parametrize("name", ["astronaut.png", "tiny-long-hair.jpg"])
def test_a_lying_photo_gives_the_same_portrait(
    data: Path, find_faces: FindFaces, name: str
) -> None:
    """As a phone stores it: pixels turned, and an EXIF tag that says so."""
    with Image.open(data / name) as image:
        upright = image.convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(lying, "PNG", exif=exif)
    turned, straight = (prepared(file, find_faces) for file in (lying.getvalue(), png(upright)))
    np.testing.assert_array_equal(turned.region_rgb, straight.region_rgb)
    assert turned.views.keys() == straight.views.keys() == {"person", "saliency"}
    for role, views in turned.views.items():
        for view, other in zip(views, straight.views[role], strict=True):
            np.testing.assert_array_equal(view.rgb, other.rgb)
            assert view.box_xyxy_px == other.box_xyxy_px
    assert turned.face == straight.face
    assert turned.full_size_px == straight.full_size_px


# --- What goes to the nets -----------------------------------------------------------------------


def test_the_portrait_of_a_small_photo(astronaut: tuple[Portrait, Alphas]) -> None:
    portrait, _ = astronaut
    assert portrait.photo_size_px == portrait.full_size_px == (512, 512)
    shapes = {role: [frame.shape for frame in seen] for role, seen in portrait.frames.items()}
    wide, close = (320, 320, 3), (256, 256, 3)
    assert shapes == {"person": [wide, close], "saliency": [wide]}
    assert {frame.dtype.name for seen in portrait.frames.values() for frame in seen} == {"uint8"}


def test_little_is_sent_to_the_nets(seen: tuple[Portrait, Alphas]) -> None:
    portrait, _ = seen
    frames = [frame for role in portrait.frames.values() for frame in role]
    assert sum({id(frame): frame.nbytes for frame in frames}.values()) <= 510_000
    # Both nets share the wide view, and it holds all of the region.
    assert portrait.frames["person"][0] is portrait.frames["saliency"][0]
    x0, y0, x1, y1 = portrait.views["person"][0].box_xyxy_px
    (x, y), (height, width) = portrait.region_xy_px, portrait.region_rgb.shape[:2]
    assert x0 <= x and y0 <= y and x1 >= x + width and y1 >= y + height


def test_a_fast_order_asks_the_person_net_alone(
    data: Path, find_faces: FindFaces, answer: Answer
) -> None:
    file = (data / "astronaut.png").read_bytes()
    order = order_of(["us-passport"], ["blue"], quality="fast")
    portrait = prepared(file, find_faces, order)
    assert [frame.shape for frame in portrait.frames["person"]] == 2 * [(256, 256, 3)]
    assert portrait.frames.keys() == {"person"}
    (photo,) = finished(portrait, answer(portrait), order)
    best = prepared(file, find_faces)
    np.testing.assert_array_equal(portrait.region_rgb, best.region_rgb)
    (other,) = finished(best, answer(best), order_of(["us-passport"], ["blue"]))
    # The same crop of the same person, but for the edge.
    apart = np.abs(pixels(photo).astype(int) - pixels(other)).max(axis=-1)
    assert 0.9 < (apart < 20).mean() < 1


def test_the_region_is_a_part_of_the_photo(
    astronaut: tuple[Portrait, Alphas], load_rgb: Callable[[str], Rgb]
) -> None:
    portrait, _ = astronaut
    (x, y), (height, width) = portrait.region_xy_px, portrait.region_rgb.shape[:2]
    whole = load_rgb("astronaut.png")
    np.testing.assert_array_equal(portrait.region_rgb, whole[y : y + height, x : x + width])
    # It does not keep the whole photo alive.
    assert portrait.region_rgb.base is None


@pytest.mark.parametrize("side_px", [300, 512, 1000, 1600, 3000])
def test_the_face_is_found_at_every_size(data: Path, find_faces: FindFaces, side_px: int) -> None:
    with Image.open(data / "astronaut.png") as image:
        photo = image.convert("RGB").resize((side_px, side_px), Image.Resampling.BICUBIC)
    portrait = prepared(png(photo), find_faces)
    assert portrait.full_size_px == (side_px, side_px)
    face = portrait.face
    assert face is not None
    labelled = ASTRONAUT_EYES * portrait.photo_size_px[0] / 512
    apart_px = math.dist(*labelled)
    for found, expected in zip((face.left_eye_xy_px, face.right_eye_xy_px), labelled, strict=True):
        assert math.dist(found, expected) < 0.06 * apart_px


@pytest.mark.parametrize("height_px", [900, 1500, 2500])
def test_a_large_head_is_kept_as_fine_as_needed(
    data: Path, find_faces: FindFaces, height_px: int
) -> None:
    """At most twice as fine, and never coarser, whatever the original's size."""
    with Image.open(data / "astronaut.png") as image:
        head = image.convert("RGB").crop((120, 0, 330, 250))
    photo = head.resize((height_px * 210 // 250, height_px), Image.Resampling.BICUBIC)
    portrait = prepared(png(photo), find_faces, order_of(["cn-1-inch"]))
    assert portrait.full_size_px == photo.size
    assert portrait.face is not None
    scale = needed_scale(estimate_head(portrait.face), documents.find("cn-1-inch"))
    assert 0.49 < scale < 1.01


@pytest.mark.parametrize("side_px", [2048, 3000])
def test_a_small_head_in_a_large_photo_keeps_all_its_pixels(
    load_rgb: Callable[[str], Rgb], find_faces: FindFaces, side_px: int
) -> None:
    """The first, coarse decode finds the face; a second, finer one brings the pixels."""
    canvas = np.full((side_px, side_px, 3), 150, np.uint8)
    at = side_px // 2
    canvas[at : at + 512, at : at + 512] = load_rgb("astronaut.png")
    portrait = prepared(png(Image.fromarray(canvas)), find_faces)
    assert portrait.photo_size_px == portrait.full_size_px == (side_px, side_px)
    (x, y), (height, width) = portrait.region_xy_px, portrait.region_rgb.shape[:2]
    np.testing.assert_array_equal(portrait.region_rgb, canvas[y : y + height, x : x + width])
    face = portrait.face
    assert face is not None
    for found, expected in zip(
        (face.left_eye_xy_px, face.right_eye_xy_px), ASTRONAUT_EYES + at, strict=True
    ):
        assert math.dist(found, expected) < 0.15 * math.dist(*ASTRONAUT_EYES)
