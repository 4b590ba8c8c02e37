"""Finished photos and sheets as HTTP answers: the file itself, a zip of variants, or JSON."""

import base64
import io
import zipfile
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deployments import schemas
from deployments.schemas import (
    PhotoInfo,
    PhotosInfo,
    ReportInfo,
    ReportsInfo,
    SheetInfo,
    SheetPhotoInfo,
)
from deployments.tokens import Cutout
from pipeline.sheet_values import PrintSheet
from pipeline.values import (
    Check,
    Encoding,
    IdPhoto,
    Quality,
    Report,
    Result,
)

_WORSE: tuple[Result, ...] = ("pass", "warn", "fail")
SUFFIX = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "application/pdf": "pdf",
}
"""What names of files end in, by media type."""


def photos(request: Request, finished: Sequence[IdPhoto], cutout: Cutout | None = None) -> Response:
    """JSON where the client asks for it, one picture as itself, several as a zip; with the
    ``cutout`` that is kept.
    """
    if _wants_json(request):
        answer = _json(finished, cutout)
    else:
        answer = _picture(finished[0]) if len(finished) == 1 else _zip(finished)
    answer.headers.update(_kept(cutout))
    return answer


def photos_and_sheet(
    request: Request, finished: PrintSheet, cutout: Cutout | None = None
) -> Response:
    """The files that were wanted with the sheet and the sheet itself: JSON where the client asks
    for it, else a zip; with the ``cutout`` as above.
    """
    if _wants_json(request):
        answer = _json(finished.files, cutout, _sheet_info(finished, None))
    else:
        answer = _zip(finished.files, {_sheet_name(finished): finished.data})
    answer.headers.update(_kept(cutout))
    return answer


def sheet(request: Request, finished: PrintSheet, cutout: Cutout | None = None) -> Response:
    """JSON where the client asks for it, else the sheet's file; with the ``cutout`` as above."""
    checks = [check for photo in finished.photos for check in photo.checks]
    headers = _about(finished.quality, checks) | _kept(cutout)
    if _wants_json(request):
        info = _sheet_info(finished, cutout)
        return JSONResponse(info.model_dump(mode="json"), headers=headers)
    headers |= _written(finished.data, finished.encoding)
    headers["Content-Disposition"] = f'inline; filename="{_sheet_name(finished)}"'
    headers["X-Photos"] = ", ".join(
        f"{photo.document}_{photo.background.removeprefix('#')}={photo.count}"
        for photo in finished.photos
    )
    return Response(finished.data, media_type=finished.media_type, headers=headers)


def name(photo: IdPhoto) -> str:
    """The file name of a finished photo, such as us-passport_white.jpg."""
    suffix = SUFFIX[photo.media_type]
    if not photo.document:
        return f"cutout.{suffix}"
    return f"{photo.document}_{photo.background.removeprefix('#')}.{suffix}"


def _picture(photo: IdPhoto) -> Response:
    headers = {"Content-Disposition": f'inline; filename="{name(photo)}"', **_of([photo])}
    if photo.encoding:
        headers |= _written(photo.data, photo.encoding)
    return Response(photo.data, media_type=photo.media_type, headers=headers)


def _sheet_name(finished: PrintSheet) -> str:
    return f"sheet_{finished.paper}.{SUFFIX[finished.media_type]}"


def _zip(finished: Sequence[IdPhoto], more: Mapping[str, bytes] = MappingProxyType({})) -> Response:
    file = io.BytesIO()
    # Stored, not deflated: the pictures are compressed already.
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for photo in finished:
            archive.writestr(name(photo), photo.data)
        for filename, data in more.items():
            archive.writestr(filename, data)
    headers = {"Content-Disposition": 'attachment; filename="photos.zip"', **_of(finished)}
    return Response(file.getvalue(), media_type="application/zip", headers=headers)


def _json(
    finished: Sequence[IdPhoto], cutout: Cutout | None, sheet: SheetInfo | None = None
) -> Response:
    infos = [
        PhotoInfo(
            document=photo.document,
            background=photo.background,
            media_type=photo.media_type,
            size_px=photo.size_px,
            quality=photo.quality,
            file=schemas.file_info(photo.data, photo.encoding) if photo.encoding else None,
            checks=[schemas.check_info(check) for check in photo.checks],
            nudge=schemas.nudge_info(photo.nudge),
            adjustments=schemas.adjustments_info(photo.adjusted),
            data_base64=base64.b64encode(photo.data).decode(),
        )
        for photo in finished
    ]
    info = PhotosInfo(photos=infos, sheet=sheet, cutout=schemas.cutout_info(cutout))
    return JSONResponse(info.model_dump(mode="json"), headers=_of(finished))


def _sheet_info(finished: PrintSheet, cutout: Cutout | None) -> SheetInfo:
    return SheetInfo(
        paper=finished.paper,
        size_mm=finished.size_mm,
        size_px=finished.size_px,
        media_type=finished.media_type,
        quality=finished.quality,
        file=schemas.file_info(finished.data, finished.encoding),
        photos=[
            SheetPhotoInfo(
                document=photo.document,
                background=photo.background,
                size_mm=photo.size_mm,
                count=photo.count,
                checks=[schemas.check_info(check) for check in photo.checks],
                nudge=schemas.nudge_info(photo.nudge),
                adjustments=schemas.adjustments_info(photo.adjusted),
            )
            for photo in finished.photos
        ],
        cutout=schemas.cutout_info(cutout),
        data_base64=base64.b64encode(finished.data).decode(),
    )


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


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def _of(finished: Sequence[IdPhoto]) -> dict[str, str]:
    return _about(finished[0].quality, [check for photo in finished for check in photo.checks])


def _about(quality: Quality, checks: Sequence[Check]) -> dict[str, str]:
    """Headers with the quality, and with the checks that were not passed, each with its worst
    result.
    """
    worst: dict[str, Result] = {}
    for check in checks:
        if check.result != "pass":
            worst[check.code] = max(check.result, worst.get(check.code, "pass"), key=_WORSE.index)
    found = ", ".join(f"{code}={result}" for code, result in worst.items())
    return {"X-Quality": quality, **({"X-Checks": found} if found else {})}


def _kept(cutout: Cutout | None) -> dict[str, str]:
    return {"X-Cutout": cutout.token} if cutout else {}


def _written(data: bytes, encoding: Encoding) -> dict[str, str]:
    """A header with how the file was written."""
    parts = [f"bytes={len(data)}", f"dpi={encoding.dpi}"]
    if encoding.quality is not None:
        parts += [f"quality={encoding.quality}", f"chroma={encoding.chroma}"]
    return {"X-File": ", ".join(parts)}
