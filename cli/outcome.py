"""What became of one photo."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.errors import IdPhotoError
from pipeline.values import Check, IdPhoto, Result

UNREADABLE = "unreadable_file"
NOT_WRITTEN = "not_written"
INTERNAL = "internal_error"


class Refusal(Exception):
    """A photo that came to nothing, in words of the pipeline, the service or this command."""

    def __init__(self, code: str, error: str, hint: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.error = error
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Finding:
    """A check of one finished photo."""

    document: str
    background: str
    code: str
    value: float | None
    unit: str
    min: float | None
    max: float | None
    result: Result
    hint: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one photo; ``code`` is empty where all is well."""

    source: str
    results: tuple[str, ...] = ()
    """Where the finished photos are."""
    code: str = ""
    error: str = ""
    """One sentence about the code."""
    hint: str = ""
    checks: tuple[Finding, ...] = ()
    seconds: float | None = None
    """What the photo took; None where it was written earlier."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Codes of the checks that were not passed, each once, with the result."""
        failed = (f"{c.code}={c.result}" for c in self.checks if c.result != "pass")
        return tuple(dict.fromkeys(failed))

    def as_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


def refusal(error: IdPhotoError) -> Refusal:
    """The pipeline's error in English."""
    return Refusal(error.code, error.text.title, error.text.hint)


def internal(error: Exception) -> Refusal:
    """An error that nobody foresaw."""
    return Refusal(INTERNAL, f"{type(error).__name__}: {error}"[:500], "Please report this photo.")


def refused(source: str, why: Refusal, seconds: float | None = None) -> Outcome:
    """The outcome of a photo that came to nothing."""
    return Outcome(source, (), why.code, why.error, why.hint, (), seconds)


def findings(photos: Sequence[IdPhoto]) -> tuple[Finding, ...]:
    """All checks of the finished photos."""
    return tuple(
        finding(photo.document, photo.background, check)
        for photo in photos
        for check in photo.checks
    )


def finding(document: str, background: str, check: Check) -> Finding:
    """One check; the value with three decimals."""
    value = None if check.value is None else round(float(check.value), 3)
    low, high = (None if limit is None else float(limit) for limit in (check.min, check.max))
    unit, hint = check.unit, check.hint
    return Finding(document, background, check.code, value, unit, low, high, check.result, hint)
