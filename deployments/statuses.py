"""The one table from error to HTTP status, and the problem document (RFC 9457) that says it."""

from typing import Any, Literal, TypeAlias

from pipeline import errors
from pipeline.errors import IdPhotoError

Language: TypeAlias = Literal["en", "zh"]

STATUS: dict[type[IdPhotoError], tuple[int, str, str]] = {
    errors.UnreadablePhoto: (400, "Unreadable photo", "照片无法读取"),
    errors.UnreadableRequest: (400, "Unreadable request", "请求无法读取"),
    errors.PhotoTooLarge: (413, "Photo too large", "照片过大"),
    errors.UnsupportedFormat: (415, "Unsupported format", "不支持的格式"),
    errors.UnusablePhoto: (422, "Unusable photo", "照片不可用"),
    errors.BadOrder: (422, "Bad order", "订单参数错误"),
    errors.NotFound: (404, "Not found", "未找到"),
    errors.Unauthorised: (401, "Unauthorised", "未授权"),
    errors.Forbidden: (403, "Forbidden", "禁止访问"),
    errors.Gone: (410, "No longer kept", "已不再保留"),
    errors.Conflict: (409, "Conflict", "状态冲突"),
    errors.Overloaded: (429, "Too many requests", "请求过多"),
    errors.StorageFull: (507, "No room", "存储空间不足"),
    errors.Unavailable: (503, "Not available", "服务不可用"),
    errors.UploadTooSlow: (408, "Upload too slow", "上传过慢"),
    errors.DeadlinePassed: (504, "Deadline passed", "处理超时"),
}
RETRY_AFTER_S = 2
MEDIA_TYPE = "application/problem+json"


def of_error(error: IdPhotoError, language: Language, request_id: str) -> dict[str, Any]:
    """The document of an error, in one of our languages."""
    status, title, title_zh = STATUS[type(error)]
    text = error.text
    if language == "zh":
        return document(status, title_zh, text.title_zh, error.code, text.hint_zh, request_id)
    return document(status, title, text.title, error.code, text.hint, request_id)


def document(
    status: int, title: str, detail: str, code: str, hint: str, request_id: str
) -> dict[str, Any]:
    """The members of a problem document, ours behind those of the standard."""
    return {
        "type": f"urn:idphoto-serve:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        "request_id": request_id,
    }
