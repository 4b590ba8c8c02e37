import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from PIL import Image

from models import weights
from models.faces import FaceDetector
from pipeline.values import Face, PointXY, Rgb
from tests.unit.models.pupils import EYES

FindFaces = Callable[[Rgb], Sequence[Face]]
LoadRgb = Callable[[str], Rgb]

PORTRAITS = pytest.mark.parametrize("name", EYES)
GREY = (128, 128, 128)


def roll_deg(left: PointXY, right: PointXY) -> float:
    return math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))


@PORTRAITS
def test_one_face_with_its_eyes(find_faces: FindFaces, load_rgb: LoadRgb, name: str) -> None:
    (face,) = find_faces(load_rgb(name))
    left, right = EYES[name]
    near = 0.1 * math.dist(left, right)
    assert math.dist(face.left_eye_xy_px, left) < near
    assert math.dist(face.right_eye_xy_px, right) < near


@PORTRAITS
def test_the_landmarks_make_a_face(find_faces: FindFaces, load_rgb: LoadRgb, name: str) -> None:
    (face,) = find_faces(load_rgb(name))
    x0, y0, x1, y1 = face.box_xyxy_px
    points = np.array(
        [
            face.left_eye_xy_px,
            face.right_eye_xy_px,
            face.nose_xy_px,
            face.left_mouth_xy_px,
            face.right_mouth_xy_px,
        ]
    )
    assert ((points > (x0, y0)) & (points < (x1, y1))).all()
    left_eye, right_eye, nose, left_mouth, right_mouth = points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
    assert 0.9 < face.score <= 1
    assert all(isinstance(edge, float) for edge in (*face.box_xyxy_px, face.score))


@PORTRAITS
@pytest.mark.parametrize("turn_deg", [-15, 15])
def test_a_turned_face_is_turned_by_as_much(
    find_faces: FindFaces, load_rgb: LoadRgb, name: str, turn_deg: int
) -> None:
    """Clockwise is positive; Pillow turns the other way."""
    image = Image.fromarray(load_rgb(name))
    turned = image.rotate(-turn_deg, Image.Resampling.BICUBIC, fillcolor=GREY)
    (face,) = find_faces(np.asarray(turned))
    found = roll_deg(face.left_eye_xy_px, face.right_eye_xy_px)
    assert found == pytest.approx(roll_deg(*EYES[name]) + turn_deg, abs=4)


@PORTRAITS
def test_a_mirrored_face_has_its_left_eye_on_the_left(
    find_faces: FindFaces, load_rgb: LoadRgb, name: str
) -> None:
    """Left and right are as seen in the picture."""
    rgb = load_rgb(name)
    (face,) = find_faces(np.ascontiguousarray(rgb[:, ::-1]))
    (left_x, left_y), (right_x, right_y) = EYES[name]
    near = 0.12 * math.dist(*EYES[name])
    assert math.dist(face.left_eye_xy_px, (rgb.shape[1] - right_x, right_y)) < near
    assert math.dist(face.right_eye_xy_px, (rgb.shape[1] - left_x, left_y)) < near


@pytest.mark.parametrize("factor", [0.5, 1.3, 3])
def test_a_face_is_found_at_other_sizes(
    find_faces: FindFaces, load_rgb: LoadRgb, factor: float
) -> None:
    image = Image.fromarray(load_rgb("astronaut.png"))
    side = round(512 * factor)
    (face,) = find_faces(np.asarray(image.resize((side, side), Image.Resampling.BICUBIC)))
    left, right = ((x * factor, y * factor) for x, y in EYES["astronaut.png"])
    assert math.dist(face.left_eye_xy_px, left) < 0.1 * math.dist(left, right)
    assert math.dist(face.right_eye_xy_px, right) < 0.1 * math.dist(left, right)


@pytest.mark.parametrize("shift_px", [-60, 0, 60])
def test_a_face_that_the_edge_cuts_does_not_crash(
    find_faces: FindFaces, load_rgb: LoadRgb, shift_px: int
) -> None:
    rgb = load_rgb("astronaut.png")
    for part in (rgb[:, 225 + shift_px :], rgb[: 130 + shift_px], rgb[130 + shift_px :]):
        assert len(find_faces(np.ascontiguousarray(part))) <= 1


@pytest.mark.parametrize("name", ["cat.png", "coffee-cup.png"])
def test_no_face_where_there_is_no_person(
    find_faces: FindFaces, load_rgb: LoadRgb, name: str
) -> None:
    assert list(find_faces(load_rgb(name))) == []


def noise(height: int, width: int) -> Rgb:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(
    "rgb",
    [
        np.full((480, 640, 3), 255, np.uint8),
        np.zeros((480, 640, 3), np.uint8),
        noise(480, 640),
        np.kron(noise(24, 32), np.ones((20, 20, 1), np.uint8)),  # coarse noise
        np.tile(np.arange(256, dtype=np.uint8)[:, None, None], (1, 300, 3)),
    ],
    ids=["white", "black", "noise", "coarse noise", "gradient"],
)
def test_no_face_where_there_is_nothing(find_faces: FindFaces, rgb: Rgb) -> None:
    assert list(find_faces(rgb)) == []


@pytest.mark.parametrize("make", [noise, lambda *size: np.full((*size, 3), 200, np.uint8)])
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 700), (700, 1), (12, 12), (27, 27), (28, 28), (29, 300), (48, 48)]
)
def test_tiny_pictures_do_not_crash(
    find_faces: FindFaces, make: Callable[..., Rgb], size: tuple[int, int]
) -> None:
    assert list(find_faces(make(*size))) == []


def test_several_faces_come_best_first(find_faces: FindFaces, load_rgb: LoadRgb) -> None:
    names = [name for name in EYES if name.startswith("tiny")]
    row = np.concatenate([load_rgb(name) for name in names], axis=1)
    faces = find_faces(row)
    assert len(faces) == len(names)
    scores = [face.score for face in faces]
    assert scores == sorted(scores, reverse=True)
    for index, name in enumerate(names):
        (left, right), x = EYES[name], 192 * index
        near = 0.12 * math.dist(left, right)
        assert any(
            math.dist(face.left_eye_xy_px, (left[0] + x, left[1])) < near
            and math.dist(face.right_eye_xy_px, (right[0] + x, right[1])) < near
            for face in faces
        )


@pytest.mark.parametrize("ratio", [0.6, 0.75, 1.0])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("astronaut.png", "tiny-glasses-autumn.jpg"),
        ("tiny-dark-skin-white-bg.jpg", "astronaut.png"),
        ("tiny-white-blouse.jpg", "tiny-long-hair.jpg"),
    ],
)
def test_a_second_person_is_found_whatever_the_size_of_the_first(
    find_faces: FindFaces, load_rgb: LoadRgb, name: str, other: str, turned: bool, ratio: float
) -> None:
    """Once a face is found nobody looks for small ones any more; half as high is not small."""
    both = [head_of(load_rgb(name), EYES[name], 240), head_of(load_rgb(other), EYES[other], 240)]
    side = round(240 * ratio)
    small = np.asarray(Image.fromarray(both[1]).resize((side, side), Image.Resampling.LANCZOS))
    both[1] = np.full((240, side, 3), GREY, np.uint8)
    both[1][:side] = small
    row = np.concatenate(both[::-1] if turned else both, axis=1)
    faces = find_faces(np.ascontiguousarray(row))
    tallest = max(face.height_px for face in faces)
    assert sum(face.height_px >= 0.5 * tallest for face in faces) == 2


def head_of(rgb: Rgb, eyes: tuple[PointXY, PointXY], side_px: int) -> Rgb:
    """A square of five distances of the eyes about the face, so that all faces are alike."""
    (x0, y0), (x1, y1) = eyes
    half = 2.5 * math.dist(*eyes)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2 + 0.2 * half
    box = round(x - half), round(y - half), round(x + half), round(y + half)
    return np.asarray(Image.fromarray(rgb).crop(box).resize((side_px, side_px)))


@pytest.mark.parametrize("share", [0.09, 0.15, 0.3, 0.5])
@pytest.mark.parametrize("name", ["astronaut.png", "tiny-dark-skin-white-bg.jpg"])
def test_a_small_face_is_found_in_a_large_picture(
    find_faces: FindFaces, load_rgb: LoadRgb, name: str, share: float
) -> None:
    """A face is about two and a half distances of the eyes high."""
    side = round(640 * share * 2)
    head = head_of(load_rgb(name), EYES[name], side)
    picture = np.full((640, 640, 3), GREY, np.uint8)
    picture[:side, -side:] = head[:640, :640]
    (face,) = find_faces(picture)
    assert face.height_px / 640 == pytest.approx(share, rel=0.4)


def test_faces_below_the_smallest_side_are_left_out(load_rgb: LoadRgb) -> None:
    detector = FaceDetector(weights.fetch("mtcnn"))
    rgb = load_rgb("grace-hopper.png")
    assert len(detector.find(rgb)) == 1
    assert detector.find(rgb, min_side_px=120) == []


def test_the_picture_is_left_alone(find_faces: FindFaces, load_rgb: LoadRgb) -> None:
    rgb = load_rgb("grace-hopper.png").copy()
    rgb.setflags(write=False)
    assert find_faces(rgb) == find_faces(rgb.copy())
