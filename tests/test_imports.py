"""The import rule of ARCHITECTURE.md: who may know whom."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "models", "deployments", "cli")
VOCABULARY = ("pipeline.values", "pipeline.sheet_values", "pipeline.errors")
SHARED = (*VOCABULARY, "pipeline.documents", "pipeline.affine", "pipeline.resample")
PICTURES = ("numpy", "cv2", "PIL", "pillow_heif")
STEPS = ("cropping", "matting", "compositing", "gateway")
TRANSACTIONS = ("ledger", "leases", "lifecycle", "listing", "keeping")

# Module (the first pattern that fits counts) to what it may import besides the standard library.
RULE: dict[str, tuple[str, ...]] = {
    "pipeline": (),
    "pipeline.values": ("numpy",),
    "pipeline.sheet_values": ("pipeline.values",),
    "pipeline.job_texts": (),
    "pipeline.errors": ("pipeline.job_texts",),
    "pipeline.affine": ("numpy", "pipeline.values"),
    "pipeline.resample": ("numpy", "cv2", "pipeline.values", "pipeline.affine"),
    "pipeline.document_rules": ("passport_photo_specs", "pipeline.values"),
    "pipeline.documents": ("pipeline.document_rules", *VOCABULARY),
    "pipeline.container": VOCABULARY,
    "pipeline.av1": ("pipeline.container", *VOCABULARY),
    "pipeline.appearance": ("numpy", "cv2", *VOCABULARY, "pipeline.affine", "pipeline.resample"),
    "pipeline.decode": (*PICTURES, *SHARED, "pipeline.container", "pipeline.av1"),
    "pipeline.flow": ("numpy", "pipeline.*"),
    "pipeline.variants": ("pipeline.*",),
    "pipeline.sheets": ("PIL", "pipeline.*"),
    "pipeline.sheet": VOCABULARY,
    "pipeline.papers": VOCABULARY,
    "pipeline.pdf": ("pikepdf", *VOCABULARY),
    "pipeline.orders": (
        *("pipeline.colours", "pipeline.documents", "pipeline.papers", "pipeline.printing"),
        *("pipeline.sheet", *VOCABULARY),
    ),
    "pipeline.*": (*PICTURES, *SHARED),
    "models.openvino_session": ("numpy", "openvino", "models.session"),
    "models*": (
        *("numpy", "cv2", "onnx", "onnxruntime", "tflite", "pooch", "filelock", "pydantic"),
        *("models", "models.*", *VOCABULARY),
    ),
    "deployments": (),
    "deployments.settings": ("pydantic",),
    "deployments.gate": (),
    "deployments.admission": (*VOCABULARY,),
    "deployments.calls": ("ray.exceptions", "grpc", *VOCABULARY),
    "deployments.chain": ("ray.serve*", "deployments.calls", *VOCABULARY),
    "deployments.courtesy": (),
    "deployments.leaving": ("starlette",),
    "deployments.worker": (),
    "deployments.health": (
        *("numpy", "cv2", "deployments.settings", "deployments.worker"),
        *("models.matting", "pipeline.values"),
    ),
    "deployments.cropping": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls", "deployments.health"),
        *("deployments.courtesy", "deployments.worker", "models.*", "pipeline.*"),
    ),
    "deployments.matting": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls", "deployments.gate"),
        *("deployments.health", "deployments.worker", "models.*", *VOCABULARY),
    ),
    "deployments.compositing": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls", "deployments.health"),
        *("deployments.worker", "pipeline.*"),
    ),
    "deployments.gateway": (
        *("ray*", "fastapi", "deployments.settings", "deployments.chain", "deployments.routes"),
        "deployments.admission",
        *("pipeline.checks", *VOCABULARY),
    ),
    "deployments.preflight": (
        *("yaml", "pydantic", "pydantic_core", "ray.serve.schema", "deployments.settings"),
        "models.*",
    ),
    "deployments.app": ("ray*", "deployments.*", "models.*"),
    "deployments.jobs": (),
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
        *("deployments.jobs*", *VOCABULARY),
    ),
    "deployments.jobs.*": (  # the HTTP interface of jobs
        *("fastapi", "starlette*", "pydantic", "python_multipart*", "platformdirs"),
        *("deployments.forms", "deployments.problems", "deployments.schemas"),
        *("deployments.settings", "deployments.jobs*", "pipeline.container", *VOCABULARY),
    ),
    "deployments.access": ("deployments.settings", *VOCABULARY),
    "deployments.headers": ("starlette*",),
    "deployments.guard": (
        *("starlette*", "deployments.settings", *VOCABULARY),
        *("deployments.access", "deployments.problems"),
    ),
    "deployments.edge": (
        "starlette*",
        "deployments.problems",
        "deployments.jobs.flow",
        *VOCABULARY,
    ),
    "deployments.pages": ("fastapi*", "starlette*"),
    "deployments.*": (  # the HTTP interface
        *("ray*", "fastapi*", "starlette*", "pydantic", *VOCABULARY),
        *("pipeline.documents", "pipeline.orders", "pipeline.papers", "deployments.settings"),
        *("deployments.answers", "deployments.problems", "deployments.schemas"),
        "deployments.forms",
        "deployments.uploads",
        *("deployments.guard", "deployments.headers", "deployments.leaving"),
        *("deployments.pages", "deployments.jobs"),
    ),
    "cli.batch": (),
    "cli.batch.storage": ("numpy", "fsspec", "cli.files"),
    "cli.batch.cluster": ("ray*", "cv2", "pyarrow", "cli.*", "models.*", "pipeline.*"),
    "cli.batch.*": ("numpy", "pyarrow*", "tqdm", "cli.*", "models.*", "pipeline.*"),
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
