"""Addresses that more than one module knows."""

from starlette.types import Scope

PHOTOS = ("/v1/photos", "/v1/sheets", "/v1/cutouts", "/v1/checks")
"""Where a photo takes a place, and is refused in our own words where there is none."""


def is_photo(scope: Scope) -> bool:
    """Whether the request brings a photo to one of them."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    return str(scope["path"]).rstrip("/").endswith(PHOTOS)
