"""The import rule of ARCHITECTURE.md: who may know whom."""

import ast
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("pipeline", "models", "deployments")
VOCABULARY = ("pipeline.values", "pipeline.errors")
SHARED = (*VOCABULARY, "pipeline.documents", "pipeline.affine", "pipeline.resample")
PICTURES = ("numpy", "cv2", "PIL", "pillow_heif")
STEPS = ("cropping", "matting", "compositing", "gateway")

# Module (the first pattern that fits counts) to what it may import besides the standard library.
RULE: dict[str, tuple[str, ...]] = {
    "pipeline": (),
    "pipeline.values": ("numpy",),
    "pipeline.errors": ("numpy",),
    "pipeline.affine": ("numpy", "pipeline.values"),
    "pipeline.resample": ("numpy", "cv2", "pipeline.values", "pipeline.affine"),
    "pipeline.document_rules": ("passport_photo_specs", "pipeline.values"),
    "pipeline.documents": ("pipeline.document_rules", *VOCABULARY),
    "pipeline.container": VOCABULARY,
    "pipeline.appearance": ("numpy", "cv2", *VOCABULARY, "pipeline.affine", "pipeline.resample"),
    "pipeline.decode": (*PICTURES, *SHARED, "pipeline.container"),
    "pipeline.flow": ("numpy", "pipeline.*"),
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
    "deployments.calls": (*VOCABULARY,),
    "deployments.cropping": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls"),
        *("models.*", "pipeline.*"),
    ),
    "deployments.matting": (
        *("ray*", "cv2", "deployments.settings", "deployments.calls", "deployments.gate"),
        *("models.*", "pipeline.values"),
    ),
    "deployments.compositing": ("ray*", "cv2", "deployments.calls", "pipeline.*"),
    "deployments.gateway": (
        *("ray*", "fastapi", "deployments.settings", "deployments.calls", "deployments.routes"),
        "deployments.admission",
        *("pipeline.checks", *VOCABULARY),
    ),
    "deployments.app": ("ray*", "deployments.*", "models.*"),
    "deployments.*": (  # the HTTP interface
        *("ray*", "fastapi*", "starlette*", "pydantic", *VOCABULARY),
        *("pipeline.documents", "pipeline.colours", "deployments.settings"),
        *("deployments.answers", "deployments.problems", "deployments.schemas"),
        "deployments.forms",
        "deployments.uploads",
    ),
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
