"""Finished photos as HTTP answers: the picture itself, a zip of variants, or JSON."""

import base64
import io
import zipfile
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deployments import schemas
from deployments.schemas import PhotoInfo, PhotosInfo, ReportInfo, ReportsInfo
from pipeline.values import IdPhoto, Report, Result

_WORSE: tuple[Result, ...] = ("pass", "warn", "fail")
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
    headers = {"Content-Disposition": f'inline; filename="{name(photo)}"', **_about([photo])}
    return Response(photo.data, media_type=photo.media_type, headers=headers)


def _zip(finished: Sequence[IdPhoto]) -> Response:
    file = io.BytesIO()
    # Stored, not deflated: the pictures are compressed already.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for photo in finished:
            archive.writestr(name(photo), photo.data)
    headers = {"Content-Disposition": 'attachment; filename="photos.zip"', **_about(finished)}
    return Response(file.getvalue(), media_type="application/zip", headers=headers)


def _json(finished: Sequence[IdPhoto]) -> Response:
    infos = [
        PhotoInfo(
            document=photo.document,
            background=photo.background,
            media_type=photo.media_type,
            size_px=photo.size_px,
            quality=photo.quality,
            checks=[schemas.check_info(check) for check in photo.checks],
            data_base64=base64.b64encode(photo.data).decode(),
        )
        for photo in finished
    ]
    return JSONResponse(PhotosInfo(photos=infos).model_dump(), headers=_about(finished))


def checks(reports: Sequence[Report]) -> Response:
    """The reports as JSON."""
    infos = [
        ReportInfo(
            document=report.document,
            result=max((check.result for check in report.checks), key=_WORSE.index),
            checks=[schemas.check_info(check) for check in report.checks],
        )
        for report in reports
    ]
    return JSONResponse(ReportsInfo(reports=infos).model_dump())


def _about(finished: Sequence[IdPhoto]) -> dict[str, str]:
    """Headers with the quality, and with the checks that were not passed, each with its worst
    result.
    """
    worst: dict[str, Result] = {}
    for check in (check for photo in finished for check in photo.checks):
        if check.result != "pass":
            worst[check.code] = max(check.result, worst.get(check.code, "pass"), key=_WORSE.index)
    found = ", ".join(f"{code}={result}" for code, result in worst.items())
    return {"X-Quality": finished[0].quality, **({"X-Checks": found} if found else {})}
