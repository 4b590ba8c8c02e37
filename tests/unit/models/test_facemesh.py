import math
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from models import facemesh
from models.facemesh import FaceMesh, Mesh
from pipeline.values import Face, PointXY, Rgb

FindFaces = Callable[[Rgb], list[Face]]
LoadRgb = Callable[[str], Rgb]

# Read off enlarged pictures by eye: middle of the left and of the right eye's opening, and chin.
LABELS: dict[str, tuple[PointXY, PointXY, PointXY]] = {
    "astronaut.png": ((203.4, 101), (246.8, 103.8), (223, 178.5)),
    "tiny-dark-skin-white-bg.jpg": ((71.2, 139.2), (122.9, 134.3), (100, 219.5)),
    "tiny-glasses-autumn.jpg": ((80, 115.3), (116.7, 112.7), (103, 183.5)),
    "tiny-long-hair.jpg": ((78.2, 121.6), (122, 128.3), (89, 198.5)),
    "tiny-pale-dress.jpg": ((68.4, 101.4), (105.9, 98.6), (91.2, 173)),
    "tiny-white-blouse.jpg": ((67, 85.2), (104.9, 83.8), (90.5, 154.5)),
}


@pytest.fixture(scope="module")
def net() -> FaceMesh:
    return facemesh.load()


@pytest.fixture(scope="module")
def astronaut(net: FaceMesh, load_rgb: LoadRgb, find_faces: FindFaces) -> Mesh:
    rgb = load_rgb("astronaut.png")
    return found(net.points(rgb, find_faces(rgb)[0]))


def found(mesh: Mesh | None) -> Mesh:
    assert mesh is not None
    return mesh


def eyes_apart_px(mesh: Mesh) -> float:
    return math.dist(mesh.left_eye_xy_px, mesh.right_eye_xy_px)


def region(x: float, y: float, side_px: float) -> Face:
    """What a detector would say of a level face in that square."""
    half, eye = side_px / 2, side_px / 5
    box = (x - half, y - half, x + half, y + half)
    return Face(box, (x - eye, y - eye), (x + eye, y - eye), (x, y), (x, y), (x, y), 1.0)


@pytest.mark.parametrize("name", LABELS)
def test_eyes_and_chin_are_where_one_sees_them(
    name: str, net: FaceMesh, load_rgb: LoadRgb, find_faces: FindFaces
) -> None:
    rgb = load_rgb(name)
    mesh = found(net.points(rgb, find_faces(rgb)[0]))
    left_eye, right_eye, chin = LABELS[name]
    apart_px = math.dist(left_eye, right_eye)
    assert math.dist(mesh.left_eye_xy_px, left_eye) < 0.08 * apart_px
    assert math.dist(mesh.right_eye_xy_px, right_eye) < 0.08 * apart_px
    assert math.dist(mesh.chin_xy_px, chin) < 0.1 * apart_px
    assert mesh.score > 0.99


def test_the_mesh_is_plain_arrays_that_belong_to_one_face(astronaut: Mesh) -> None:
    assert astronaut.points_xy_px.shape == (468, 2)
    assert astronaut.points_z_px.shape == (468,)
    assert astronaut.points_xy_px.dtype == astronaut.points_z_px.dtype == np.float32
    with pytest.raises(FrozenInstanceError):
        astronaut.score = 0.0  # type: ignore[misc]


def test_left_and_right_are_as_seen_in_the_picture(astronaut: Mesh) -> None:
    for left, right in (astronaut.mouth_corners_xy_px, astronaut.cheeks_xy_px):
        assert left[0] < astronaut.nose_tip_xy_px[0] < right[0]
    left_outer, left_inner = astronaut.left_eye_corners_xy_px
    right_outer, right_inner = astronaut.right_eye_corners_xy_px
    assert left_outer[0] < left_inner[0] < right_inner[0] < right_outer[0]


def test_named_points_lie_below_one_another_as_in_a_face(astronaut: Mesh) -> None:
    upper_lip, lower_lip = astronaut.inner_lips_xy_px
    upper_lid, lower_lid = astronaut.left_eye_lids_xy_px
    down = [
        *(astronaut.forehead_xy_px, upper_lid, astronaut.left_eye_xy_px, lower_lid),
        *(astronaut.nose_tip_xy_px, upper_lip, lower_lip, astronaut.chin_xy_px),
    ]
    assert [point[1] for point in down] == sorted(point[1] for point in down)
    upper_lid, lower_lid = astronaut.right_eye_lids_xy_px
    assert upper_lid[1] < astronaut.right_eye_xy_px[1] < lower_lid[1]


def test_the_nose_is_nearer_than_the_cheeks_and_depth_is_in_pixels(astronaut: Mesh) -> None:
    nose, *cheeks = astronaut.points_z_px[[1, 234, 454]]
    # From the nose to the outline of the cheeks is about as far as from eye to eye.
    assert 0.7 < (min(cheeks) - nose) / eyes_apart_px(astronaut) < 2


def turned(rgb: Rgb, degrees: float) -> tuple[Rgb, npt.NDArray[np.float64]]:
    """The picture turned about its middle, and the map that does so, both in our coordinates."""
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
    picture = cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    matrix = np.asarray(turn, np.float64)
    matrix[:, 2] += 0.5 - matrix[:, :2] @ [0.5, 0.5]
    return np.asarray(picture, np.uint8), matrix


def errors(mesh: Mesh, matrix: npt.NDArray[np.float64], level: Mesh) -> npt.NDArray[np.float64]:
    """How far each point is off after turning back, in distances of the eyes."""
    back = (mesh.points_xy_px - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return np.asarray(np.linalg.norm(back - level.points_xy_px, axis=1) / eyes_apart_px(level))


@pytest.mark.parametrize("degrees", [-20, 20])
def test_a_tilted_head_gives_the_same_points(
    degrees: float, net: FaceMesh, load_rgb: LoadRgb, find_faces: FindFaces, astronaut: Mesh
) -> None:
    rgb, matrix = turned(load_rgb("astronaut.png"), degrees)
    mesh = found(net.points(rgb, find_faces(rgb)[0]))
    # The detector's box is another one in the turned picture, which is most of the error.
    assert errors(mesh, matrix, astronaut).mean() < 0.03


@pytest.mark.parametrize("degrees", [-60, -20, 20, 120])
@pytest.mark.parametrize("name", ["astronaut.png", "tiny-long-hair.jpg"])
def test_turning_the_square_costs_nothing(
    degrees: float, name: str, net: FaceMesh, load_rgb: LoadRgb, find_faces: FindFaces
) -> None:
    level_rgb = load_rgb(name)
    face = find_faces(level_rgb)[0]
    level = found(net.points(level_rgb, face))
    rgb, matrix = turned(level_rgb, degrees)

    def move(point: PointXY) -> PointXY:
        x, y = matrix[:, :2] @ point + matrix[:, 2]
        return float(x), float(y)

    x0, y0, x1, y1 = face.box_xyxy_px
    x, y = move(((x0 + x1) / 2, (y0 + y1) / 2))
    half_x, half_y = (x1 - x0) / 2, (y1 - y0) / 2
    moved = replace(
        face,
        box_xyxy_px=(x - half_x, y - half_y, x + half_x, y + half_y),
        left_eye_xy_px=move(face.left_eye_xy_px),
        right_eye_xy_px=move(face.right_eye_xy_px),
    )
    assert errors(found(net.points(rgb, moved)), matrix, level).max() < 0.02


def test_points_scale_with_the_picture(
    net: FaceMesh, load_rgb: LoadRgb, find_faces: FindFaces, astronaut: Mesh
) -> None:
    rgb = load_rgb("astronaut.png")
    large = np.asarray(cv2.resize(rgb, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    mesh = found(net.points(large, find_faces(rgb)[0].scaled(4, 4)))
    apart_px = eyes_apart_px(astronaut)
    assert np.abs(mesh.points_xy_px / 4 - astronaut.points_xy_px).max() < 0.02 * apart_px
    assert np.abs(mesh.points_z_px / 4 - astronaut.points_z_px).max() < 0.05 * apart_px


def test_a_face_at_the_edge_has_a_whole_mesh(
    net: FaceMesh, load_rgb: LoadRgb, find_faces: FindFaces, astronaut: Mesh
) -> None:
    rgb = load_rgb("astronaut.png")
    cut_px = round(astronaut.points_xy_px[:, 1].min()) + 5
    face = find_faces(rgb)[0]
    x0, y0, x1, y1 = face.box_xyxy_px
    lower = replace(
        face,
        box_xyxy_px=(x0, y0 - cut_px, x1, y1 - cut_px),
        left_eye_xy_px=(face.left_eye_xy_px[0], face.left_eye_xy_px[1] - cut_px),
        right_eye_xy_px=(face.right_eye_xy_px[0], face.right_eye_xy_px[1] - cut_px),
    )
    mesh = found(net.points(rgb[cut_px:], lower))
    chin = astronaut.chin_xy_px[0], astronaut.chin_xy_px[1] - cut_px
    assert math.dist(mesh.chin_xy_px, chin) < 0.1 * eyes_apart_px(astronaut)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("astronaut.png", (400, 400, 100)),  # the suit
        ("astronaut.png", (60, 300, 100)),
        ("coffee-cup.png", (300, 200, 200)),
        ("cat.png", (190, 110, 130)),
    ],
)
def test_where_there_is_no_face_there_is_no_mesh(
    name: str, where: tuple[float, float, float], net: FaceMesh, load_rgb: LoadRgb
) -> None:
    assert net.points(load_rgb(name), region(*where)) is None


def test_neither_grey_nor_noise_is_a_face(net: FaceMesh) -> None:
    grey = np.full((200, 200, 3), 127, np.uint8)
    noise = np.random.default_rng(7).integers(0, 256, grey.shape, np.uint8)
    assert net.points(grey, region(100, 100, 90)) is None
    assert net.points(noise, region(100, 100, 90)) is None


def test_the_picture_may_be_read_only(
    net: FaceMesh, load_rgb: LoadRgb, find_faces: FindFaces, astronaut: Mesh
) -> None:
    rgb = load_rgb("astronaut.png").copy()
    face = find_faces(rgb)[0]
    rgb.flags.writeable = False
    again = found(net.points(rgb, face))
    np.testing.assert_array_equal(again.points_xy_px, astronaut.points_xy_px)


def mask(yaw_deg: float, eyes: tuple[float, float], mouth: float, roll_deg: float = 0) -> Mesh:
    """A mesh with nothing but the points that the look is made of, of a head turned so.

    The openings are heights per width; the head is 200 px wide and its nose 130 px before it.
    """
    points = np.zeros((468, 3))
    for corners, lids, x, opening in (((33, 133), (159, 145), -45, eyes[0]),
                                      ((263, 362), (386, 374), 45, eyes[1])):  # fmt: skip
        outside = 20 if x > 0 else -20
        points[list(corners)] = (x + outside, 0, -60), (x - outside, 0, -60)
        points[list(lids)] = (x, -20 * opening, -60), (x, 20 * opening, -60)
    points[[61, 291]] = (-30, 90, -80), (30, 90, -80)
    points[[13, 14]] = (0, 90 - 30 * mouth, -80), (0, 90 + 30 * mouth, -80)
    points[[234, 454]] = (-100, 10, 0), (100, 10, 0)
    points[1] = 0, 40, -130
    yaw, roll = math.radians(yaw_deg), math.radians(roll_deg)
    sideways = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    level = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    placed = points @ sideways.T @ level.T + [300, 300, 0]
    return Mesh(placed[:, :2].astype(np.float32), placed[:, 2].astype(np.float32), 1.0)


@pytest.mark.parametrize("roll_deg", [0, -30, 15])
@pytest.mark.parametrize("yaw_deg", [0, 10, -25, 40])
def test_the_look_of_a_head_turned_by_a_known_angle(yaw_deg: float, roll_deg: float) -> None:
    look = mask(yaw_deg, (0.3, 0.3), 0.1, roll_deg).look
    assert look.yaw_deg == pytest.approx(yaw_deg, abs=0.01)
    # Depth makes up for what the turn takes from the widths.
    assert look.eye_opening == pytest.approx(0.3, abs=0.001)
    assert look.mouth_opening == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize(
    ("eyes", "opening"),
    [((0.3, 0.3), 0.3), ((0.3, 0.02), 0.02), ((0.05, 0.4), 0.05), ((0, 0), 0)],
)
def test_one_closed_eye_is_enough(eyes: tuple[float, float], opening: float) -> None:
    assert mask(0, eyes, 0).look.eye_opening == pytest.approx(opening, abs=0.001)


@pytest.mark.parametrize("mouth", [0, 0.05, 0.5])
def test_the_mouth_opens_by_its_inner_lips(mouth: float) -> None:
    assert mask(0, (0.3, 0.3), mouth).look.mouth_opening == pytest.approx(mouth, abs=0.001)
