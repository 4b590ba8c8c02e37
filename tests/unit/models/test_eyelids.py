import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from models import eyelids, facemesh
from models.eyelids import Eyelids
from models.facemesh import FaceMesh, Mesh
from pipeline.values import Face, PointXY, Rgb

FindFaces = Callable[[Rgb], list[Face]]
LoadRgb = Callable[[str], Rgb]
PORTRAITS = (
    "astronaut.png",
    "grace-hopper.png",
    "tiny-dark-skin-white-bg.jpg",
    "tiny-glasses-autumn.jpg",
    "tiny-long-hair.jpg",
    "tiny-pale-dress.jpg",
    "tiny-white-blouse.jpg",
)


@pytest.fixture(scope="module")
def mesh_net() -> FaceMesh:
    return facemesh.load()


@pytest.fixture(scope="module")
def net() -> Eyelids:
    return eyelids.load()


@pytest.fixture(scope="module")
def mesh_of(mesh_net: FaceMesh, find_faces: FindFaces) -> Callable[[Rgb], Mesh]:
    def look(rgb: Rgb) -> Mesh:
        mesh = mesh_net.points(rgb, find_faces(rgb)[0])
        assert mesh is not None
        return mesh

    return look


def lowered(rgb: Rgb, mesh: Mesh) -> Rgb:
    """The photo with the skin of the upper lids drawn down over the eyes, seams and all."""
    drawn = rgb.copy()
    for corners, lids in (
        (mesh.left_eye_corners_xy_px, mesh.left_eye_lids_xy_px),
        (mesh.right_eye_corners_xy_px, mesh.right_eye_lids_xy_px),
    ):
        xs = sorted(x for x, _ in corners)
        upper, lower = lids[0][1], lids[1][1]
        width = xs[1] - xs[0]
        x0, x1 = round(xs[0] - 0.1 * width), round(xs[1] + 0.1 * width)
        y0, y1, y2 = round(upper - 0.4 * width), round(upper), round(lower)
        lid: PointXY = (x1 - x0, y2 - y0)
        skin = cv2.resize(rgb[y0:y1, x0:x1], (int(lid[0]), int(lid[1])))
        drawn[y0:y2, x0:x1] = np.asarray(skin, np.uint8)
    return drawn


@pytest.mark.parametrize("name", PORTRAITS)
def test_open_eyes_are_open(
    name: str, net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb(name)
    assert 0.23 < net.eyes(rgb, mesh_of(rgb)).opening < 0.5


@pytest.mark.parametrize("name", ["astronaut.png", "tiny-white-blouse.jpg"])
def test_mirroring_and_size_change_little(
    name: str, net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb(name)
    opening = net.eyes(rgb, mesh_of(rgb)).opening
    mirrored = np.ascontiguousarray(rgb[:, ::-1])
    assert net.eyes(mirrored, mesh_of(mirrored)).opening == pytest.approx(opening, abs=0.04)
    large = np.asarray(cv2.resize(rgb, None, fx=2, fy=2), np.uint8)
    assert net.eyes(large, mesh_of(large)).opening == pytest.approx(opening, abs=0.04)


@pytest.mark.parametrize("name", ["astronaut.png", "tiny-white-blouse.jpg", "tiny-long-hair.jpg"])
def test_eyes_behind_skin_are_not(
    name: str, net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb(name)
    mesh = mesh_of(rgb)
    opening = net.eyes(rgb, mesh).opening
    assert net.eyes(lowered(rgb, mesh), mesh).opening < 0.75 * opening


def test_an_eye_beyond_the_edge_gives_a_number(
    net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb("astronaut.png")
    mesh = mesh_of(rgb)
    shifted = Mesh(mesh.points_xy_px - np.float32(1000), mesh.points_z_px, mesh.score)
    assert np.isfinite(net.eyes(rgb, shifted).opening)


@pytest.mark.parametrize("name", PORTRAITS)
def test_pupils_lie_within_their_eyes(
    name: str, net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb(name)
    mesh = mesh_of(rgb)
    eyes = net.eyes(rgb, mesh)
    for (x, y), corners, (_, lower) in (
        (eyes.left_xy_px, mesh.left_eye_corners_xy_px, mesh.left_eye_lids_xy_px),
        (eyes.right_xy_px, mesh.right_eye_corners_xy_px, mesh.right_eye_lids_xy_px),
    ):
        assert min(corners)[0] < x < max(corners)[0]
        assert abs(y - lower[1]) < 0.4 * math.dist(*corners)
    assert eyes.left_xy_px != mesh.left_eye_xy_px


@pytest.mark.parametrize("degrees", [-30, 30, 90, 180])
def test_pupils_turn_with_the_face(
    degrees: float, net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb("astronaut.png")
    mesh = mesh_of(rgb)
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1)
    turned = np.asarray(cv2.warpAffine(rgb, turn, (width, height)), np.uint8)
    matrix = np.asarray(turn, np.float64)
    matrix[:, 2] += 0.5 - matrix[:, :2] @ [0.5, 0.5]
    points = mesh.points_xy_px @ matrix[:, :2].T + matrix[:, 2]
    level = net.eyes(rgb, mesh)
    eyes = net.eyes(turned, Mesh(points.astype(np.float32), mesh.points_z_px, mesh.score))
    near_px = 0.03 * math.dist(level.left_xy_px, level.right_xy_px)
    for there, here in (
        (eyes.left_xy_px, level.left_xy_px),
        (eyes.right_xy_px, level.right_xy_px),
    ):
        assert math.dist(there, matrix[:, :2] @ here + matrix[:, 2]) < near_px


def test_pupils_that_are_not_level_with_the_eyes_are_not_believed(
    net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb("astronaut.png")
    mesh = mesh_of(rgb)
    points = mesh.points_xy_px.copy()
    points[[33, 133, 159, 145]] += (0, 0.12 * math.dist(mesh.left_eye_xy_px, mesh.right_eye_xy_px))
    askew = Mesh(points, mesh.points_z_px, mesh.score)
    eyes = net.eyes(rgb, askew)
    assert (eyes.left_xy_px, eyes.right_xy_px) == (askew.left_eye_xy_px, askew.right_eye_xy_px)


def test_pupils_behind_lids_are_where_the_mesh_says(
    net: Eyelids, mesh_of: Callable[[Rgb], Mesh], load_rgb: LoadRgb
) -> None:
    rgb = load_rgb("tiny-pale-dress.jpg")
    mesh = mesh_of(rgb)
    eyes = net.eyes(lowered(rgb, mesh), mesh)
    assert eyes.opening < 0.17
    assert (eyes.left_xy_px, eyes.right_xy_px) == (mesh.left_eye_xy_px, mesh.right_eye_xy_px)
