"""Addresses that more than one module knows."""

PHOTOS = ("/v1/photos", "/v1/sheets", "/v1/cutouts", "/v1/checks")
"""Where a photo takes a place, and is refused in our own words where there is none."""
