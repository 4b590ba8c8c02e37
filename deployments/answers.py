"""Finished photos as HTTP answers: the picture itself, a zip of variants, or JSON."""

import base64
import io
import zipfile
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deployments.schemas import FindingInfo, PhotoInfo, PhotosInfo
from pipeline.values import IdPhoto

_SUFFIX = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def photos(request: Request, finished: Sequence[IdPhoto]) -> Response:
    """JSON where the client asks for it, one picture as itself, several as a zip."""
    if "application/json" in request.headers.get("accept", ""):
        return _json(finished)
    if len(finished) == 1:
        return _picture(finished[0])
    return _zip(finished)


def name(photo: IdPhoto) -> str:
    """The file name of a finished photo, such as us-passport_white.jpg."""
    suffix = _SUFFIX[photo.media_type]
    if not photo.document:
        return f"cutout.{suffix}"
    return f"{photo.document}_{photo.background.removeprefix('#')}.{suffix}"


def _picture(photo: IdPhoto) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name(photo)}"', **_findings([photo])}
    return Response(photo.data, media_type=photo.media_type, headers=headers)


def _zip(finished: Sequence[IdPhoto]) -> Response:
    file = io.BytesIO()
    # Stored, not deflated: the pictures are compressed already.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for photo in finished:
            archive.writestr(name(photo), photo.data)
    headers = {"Content-Disposition": 'attachment; filename="photos.zip"', **_findings(finished)}
    return Response(file.getvalue(), media_type="application/zip", headers=headers)


def _json(finished: Sequence[IdPhoto]) -> Response:
    infos = [
        PhotoInfo(
            document=photo.document,
            background=photo.background,
            media_type=photo.media_type,
            size_px=photo.size_px,
            findings=[
                FindingInfo(code=found.code, detail=found.detail, detail_zh=found.detail_zh)
                for found in photo.findings
            ],
            data_base64=base64.b64encode(photo.data).decode(),
        )
        for photo in finished
    ]
    return JSONResponse(PhotosInfo(photos=infos).model_dump(), headers=_findings(finished))


def _findings(finished: Sequence[IdPhoto]) -> dict[str, str]:
    codes = dict.fromkeys(found.code for photo in finished for found in photo.findings)
    return {"X-Findings": ", ".join(codes)} if codes else {}
