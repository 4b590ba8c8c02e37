"""What is kept about a finished photo besides its pictures."""

from collections.abc import Sequence

from deployments import schemas
from deployments.jobs.records import Json
from deployments.jobs.schemas import FindingInfo
from pipeline.values import IdPhoto


def of(photos: Sequence[IdPhoto]) -> list[Json]:
    """The ``checks`` of a finished item: one finding for each picture, in their order."""
    return [
        FindingInfo(
            document=photo.document,
            background=photo.background,
            media_type=photo.media_type,
            size_px=photo.size_px,
            quality=photo.quality,
            checks=[schemas.check_info(check) for check in photo.checks],
        ).model_dump(mode="json")
        for photo in photos
    ]
