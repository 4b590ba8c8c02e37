"""What the face finder adds to the detector: chin, cheeks and look of the largest face."""

import math
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from models import finder, weights
from models.finder import FaceFinder
from pipeline.values import Face, Look, Rgb
from tests.unit.models.pupils import EYES

LoadRgb = Callable[[str], Rgb]


class Seen(NamedTuple):
    """What one sees in the photo: yaw in degrees, about, and whether the lips are closed."""

    yaw_deg: float
    closed: bool


SEEN = {
    "astronaut.png": Seen(0, False),  # smiles with teeth, as four others do
    "grace-hopper.png": Seen(0, True),
    "tiny-dark-skin-white-bg.jpg": Seen(3, True),
    "tiny-glasses-autumn.jpg": Seen(0, False),
    "tiny-long-hair.jpg": Seen(3, False),
    "tiny-pale-dress.jpg": Seen(-10, False),
    "tiny-white-blouse.jpg": Seen(-12, False),
}


@pytest.fixture(scope="module")
def faces() -> FaceFinder:
    return finder.load(weights.default_folder(), threads=2)


def look_at(rgb: Rgb, faces: FaceFinder) -> Look:
    look = faces.find(rgb)[0].look
    assert look is not None
    return look


@pytest.mark.parametrize("name", SEEN)
def test_the_look_is_what_one_sees(name: str, faces: FaceFinder, load_rgb: LoadRgb) -> None:
    look = look_at(load_rgb(name), faces)
    assert look.yaw_deg == pytest.approx(SEEN[name].yaw_deg, abs=4)
    # Nobody in the photos of the tests has closed eyes.
    assert 0.2 < look.eye_opening < 0.5
    assert (look.mouth_opening < 0.09) == SEEN[name].closed


@pytest.mark.parametrize("name", SEEN)
def test_a_mirrored_photo_mirrors_the_yaw(name: str, faces: FaceFinder, load_rgb: LoadRgb) -> None:
    rgb = load_rgb(name)
    look, other = look_at(rgb, faces), look_at(np.ascontiguousarray(rgb[:, ::-1]), faces)
    assert other.yaw_deg == pytest.approx(-look.yaw_deg, abs=5)
    assert other.eye_opening == pytest.approx(look.eye_opening, abs=0.07)
    assert other.mouth_opening == pytest.approx(look.mouth_opening, abs=0.05)


@pytest.mark.parametrize("degrees", [-10, 10])
@pytest.mark.parametrize("name", ["astronaut.png", "tiny-white-blouse.jpg"])
def test_roll_changes_nothing(
    name: str, degrees: float, faces: FaceFinder, load_rgb: LoadRgb
) -> None:
    rgb = load_rgb(name)
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    look, other = look_at(rgb, faces), look_at(np.asarray(turned, np.uint8), faces)
    assert other.yaw_deg == pytest.approx(look.yaw_deg, abs=4)
    assert other.eye_opening == pytest.approx(look.eye_opening, abs=0.06)
    assert other.mouth_opening == pytest.approx(look.mouth_opening, abs=0.05)


@pytest.mark.parametrize("name", EYES)
def test_the_eyes_are_the_pupils(name: str, faces: FaceFinder, load_rgb: LoadRgb) -> None:
    (face,) = faces.find(load_rgb(name))
    left, right = EYES[name]
    near_px = 0.05 * math.dist(left, right)
    assert math.dist(face.left_eye_xy_px, left) < near_px
    assert math.dist(face.right_eye_xy_px, right) < near_px


@pytest.mark.parametrize("name", EYES)
def test_a_mirrored_photo_mirrors_the_points(
    name: str, faces: FaceFinder, load_rgb: LoadRgb
) -> None:
    rgb = load_rgb(name)
    (face,), (other,) = faces.find(rgb), faces.find(np.ascontiguousarray(rgb[:, ::-1]))
    apart_px = math.dist(*EYES[name])
    for point, mirrored, most in (
        (face.left_eye_xy_px, other.right_eye_xy_px, 0.03),
        (face.right_eye_xy_px, other.left_eye_xy_px, 0.03),
        (face.left_mouth_xy_px, other.right_mouth_xy_px, 0.1),
        (face.right_mouth_xy_px, other.left_mouth_xy_px, 0.1),
        (face.nose_xy_px, other.nose_xy_px, 0.1),
    ):
        assert math.dist(point, (rgb.shape[1] - mirrored[0], mirrored[1])) < most * apart_px


def test_where_the_mesh_is_not_sure_the_detector_is_believed(
    faces: FaceFinder, load_rgb: LoadRgb, find_faces: Callable[[Rgb], list[Face]]
) -> None:
    """A face in profile."""
    rgb = load_rgb("gt-blue-ponytail.png")
    (face,), (seen,) = faces.find(rgb), find_faces(rgb)
    assert face.look is not None
    assert (face.left_eye_xy_px, face.nose_xy_px) == (seen.left_eye_xy_px, seen.nose_xy_px)


def test_box_and_score_are_the_detectors(
    faces: FaceFinder, load_rgb: LoadRgb, find_faces: Callable[[Rgb], list[Face]]
) -> None:
    rgb = load_rgb("astronaut.png")
    (face,), (seen,) = faces.find(rgb), find_faces(rgb)
    assert (face.box_xyxy_px, face.score) == (seen.box_xyxy_px, seen.score)


@pytest.mark.parametrize(
    ("name", "count"),
    [*((name, 1) for name in SEEN), ("cat.png", 0), ("coffee-cup.png", 0)],
)
def test_how_many_people_there_are(
    name: str, count: int, faces: FaceFinder, load_rgb: LoadRgb
) -> None:
    assert len(faces.find(load_rgb(name))) == count


def test_cheeks_and_chin_lie_around_the_face(faces: FaceFinder, load_rgb: LoadRgb) -> None:
    face = faces.find(load_rgb("astronaut.png"))[0]
    assert face.cheeks_xy_px is not None
    assert face.chin_xy_px is not None
    left, right = face.cheeks_xy_px
    assert left[0] < face.left_eye_xy_px[0] < face.right_eye_xy_px[0] < right[0]
    assert face.chin_xy_px[1] > max(face.left_mouth_xy_px[1], face.right_mouth_xy_px[1])
    # A face is about two and a half times as wide as its eyes are apart.
    apart_px = math.dist(face.left_eye_xy_px, face.right_eye_xy_px)
    assert 1.8 < math.dist(left, right) / apart_px < 2.8


def test_only_the_largest_face_is_measured(faces: FaceFinder, load_rgb: LoadRgb) -> None:
    rgb = load_rgb("astronaut.png")
    small = cv2.resize(rgb, (256, 256), interpolation=cv2.INTER_AREA)
    both = np.zeros((512, 768, 3), np.uint8)
    both[:, :512], both[:256, 512:] = rgb, np.asarray(small)
    first, second = faces.find(both)[:2]
    assert first.look is not None
    assert (second.look, second.chin_xy_px, second.cheeks_xy_px) == (None, None, None)


def test_without_a_face_there_is_nothing(faces: FaceFinder) -> None:
    nothing: list[Face] = []
    assert faces.find(np.full((200, 200, 3), 127, np.uint8)) == nothing
