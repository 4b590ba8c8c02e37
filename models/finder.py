"""Faces as the pipeline wants them: found by MTCNN, the largest one measured by two more nets."""

from dataclasses import replace
from pathlib import Path

from models import eyelids, facemesh
from models.eyelids import Eyelids, Eyes
from models.facemesh import FaceMesh, Mesh
from models.faces import FaceDetector
from models.weights import fetch
from pipeline.values import Face, Rgb

# Of faces that are seen from the front or half aside the mesh is surer than 0.98. Of a profile it
# is not, and there its eyes are worse than the detector's.
_SURE = 0.9

NETS = ("mtcnn", "facemesh", "iris")
"""The nets that ``load`` takes."""


class FaceFinder:
    """A face detector that measures the main person's face by a mesh, and its eyes one by one."""

    def __init__(self, detector: FaceDetector, mesh: FaceMesh, lids: Eyelids) -> None:
        self._detector = detector
        self._mesh = mesh
        self._lids = lids

    def find(self, rgb: Rgb, min_side_px: int = 28) -> list[Face]:
        """The largest face, measured, and after it all that are at least half as high, in pixels
        of ``rgb``; faces of less than about ``min_side_px`` are not found.
        """
        found = self._detector.find(rgb, min_side_px)
        faces = sorted(found, key=lambda face: face.height_px, reverse=True)
        if faces:
            faces[0] = self._measured(rgb, faces[0])
        return faces

    def _measured(self, rgb: Rgb, face: Face) -> Face:
        """The face by its mesh and the net of the eyes, where the mesh sees a face there.

        Box and score stay the detector's. The mesh looks twice: where its square lies about the
        face moves the chin, and the detector's box is an eighth of its height off at times.
        """
        first = self._mesh.points(rgb, face)
        if first is None:
            return face
        mesh = self._mesh.points(rgb, _about(first, face)) or first
        eyes = self._lids.eyes(rgb, mesh)
        face = replace(
            face,
            chin_xy_px=mesh.chin_xy_px,
            cheeks_xy_px=mesh.cheeks_xy_px,
            # The mesh follows the face, not the lids: it leaves most closed eyes half open.
            look=replace(mesh.look, eye_opening=eyes.opening),
        )
        return _pinned(face, mesh, eyes) if mesh.score >= _SURE else face


def _pinned(face: Face, mesh: Mesh, eyes: Eyes) -> Face:
    """The face with the points that the detector saw less well."""
    left_mouth_xy_px, right_mouth_xy_px = mesh.mouth_corners_xy_px
    return replace(
        face,
        left_eye_xy_px=eyes.left_xy_px,
        right_eye_xy_px=eyes.right_xy_px,
        nose_xy_px=mesh.nose_tip_xy_px,
        left_mouth_xy_px=left_mouth_xy_px,
        right_mouth_xy_px=right_mouth_xy_px,
    )


def _about(mesh: Mesh, face: Face) -> Face:
    """The face with the box and the roll of its mesh."""
    (x0, y0), (x1, y1) = mesh.points_xy_px.min(axis=0), mesh.points_xy_px.max(axis=0)
    return replace(
        face,
        box_xyxy_px=(float(x0), float(y0), float(x1), float(y1)),
        left_eye_xy_px=mesh.left_eye_xy_px,
        right_eye_xy_px=mesh.right_eye_xy_px,
    )


def load(folder: Path, threads: int = 1) -> FaceFinder:
    """Detector, mesh and eyelids from the folder, fetched if need be. Raises WeightsUnavailable."""
    detector = FaceDetector(fetch("mtcnn", folder), threads)
    return FaceFinder(detector, facemesh.load(folder, threads), eyelids.load(folder, threads))
