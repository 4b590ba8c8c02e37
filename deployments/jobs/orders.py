"""The order of a job, and what a photo's overrides make of it."""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field

from deployments import forms
from deployments.forms import PhotoForm
from deployments.jobs.entries import Override
from deployments.jobs.records import Json
from pipeline.errors import BadOrder, IdPhotoError
from pipeline.values import Order

DIGEST = "digest"
"""The entry of a job's order that tells whether a repeated request is the very same."""
_SIZES = ("size_mm", "size_px")
_BY_PHOTO = ("document", "background")


class JobForm(PhotoForm):
    """The parameters of POST /v1/jobs: those of POST /v1/photos, and what concerns the job."""

    webhook: str | None = Field(
        None, max_length=2000, description="URL that is called when the job has ended."
    )


def parse(fields: Iterable[tuple[str, str]]) -> JobForm:
    """The form with these fields. Raises BadOrder."""
    form: JobForm = forms.parse(JobForm, list(fields))
    return form


def as_json(form: JobForm) -> dict[str, Any]:
    """What the store keeps of the form: the parameters of a photo that were given."""
    return form.model_dump(mode="json", exclude={"webhook"}, exclude_defaults=True)


def of_photo(order: Json, overrides: Json, max_variants: int) -> Order:
    """What is wanted of one photo: the job's order, with its own document and background where it
    has some. A document of its own takes the place of a size. Raises BadOrder.
    """
    fields = {name: value for name, value in order.items() if name != DIGEST}
    if overrides.get("document"):
        fields = {name: value for name, value in fields.items() if name not in _SIZES}
    fields |= {name: overrides[name] for name in _BY_PHOTO if overrides.get(name)}
    return forms.photo_order(PhotoForm.model_validate(fields), max_variants)


def check(order: Json, overrides: Sequence[Override | None], max_variants: int) -> None:
    """Raises BadOrder where the order cannot be met for one of the photos, whose overrides are
    given (None: it has none).
    """
    seen = set()
    for override in overrides:
        wanted = override.by_photo if override else {}
        kind = tuple(tuple(wanted.get(name, ())) for name in _BY_PHOTO)
        if kind in seen:
            continue
        seen.add(kind)
        try:
            of_photo(order, wanted, max_variants)
        except IdPhotoError as error:
            if override is None or not any(kind):
                raise
            reason = str(error).rstrip(".")
            raise BadOrder("bad_override", line=override.line, reason=reason) from None
