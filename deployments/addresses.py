"""Addresses that more than one module knows."""

from starlette.types import Scope

PHOTOS = ("/v1/photos", "/v1/sheets", "/v1/cutouts", "/v1/checks")
"""Where a photo takes a place, and is refused in our own words where there is none."""

JOBS = "/v1/jobs"


def is_photo(scope: Scope) -> bool:
    """Whether the request brings a photo to one of them."""
    return _is_post(scope) and str(scope["path"]).rstrip("/").endswith(PHOTOS)


def is_counted(scope: Scope) -> bool:
    """Whether the turnstile of HAProxy counts the request: it may take a place, there or at an
    address that another service has.
    """
    return _is_post(scope) and JOBS not in str(scope["path"])


def _is_post(scope: Scope) -> bool:
    return bool(scope["type"] == "http" and scope["method"] == "POST")
