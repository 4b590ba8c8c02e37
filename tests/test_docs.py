"""The documents say what the code does."""

import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml

from deployments.finish_forms import FinishForm
from deployments.forms import CheckForm, CutoutForm
from deployments.reuse import PhotoRequest, SheetRequest
from deployments.settings import Settings
from pipeline import papers
from pipeline.errors import TEXTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
CHECKS = (ROOT / "docs" / "checks.md").read_text("utf-8")
LIMITS = tomllib.loads((ROOT / "pipeline" / "checks.toml").read_text("utf-8"))
OURS = [code for code, row in LIMITS.items() if {"min", "max"} & row.keys()]
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "benchmarks").glob("*.md"))
PAGES += sorted((ROOT / "docs").glob("*.md"))


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["dev"]
    return sorted({re.split(r"[\[<>=; ]", line)[0] for line in lines})


def test_the_readme_lists_every_code_and_no_other() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", README, re.MULTILINE)
    listed = {code for _, cell in rows for code in re.findall(r"`([a-z]+(?:_[a-z]+)*)`", cell)}
    assert listed == set(TEXTS)


def test_every_parameter_of_a_photo_is_in_the_readme() -> None:
    for name in (*PhotoRequest.model_fields, *CutoutForm.model_fields, *CheckForm.model_fields):
        assert f"{name}" in README


def test_every_parameter_of_a_sheet_is_in_its_page() -> None:
    page = (ROOT / "docs" / "sheets.md").read_text("utf-8")
    for name in SheetRequest.model_fields:
        assert f"`{name}" in page
    for paper in papers.all_papers():
        assert f"`{paper.id}`" in page


def test_every_adjustment_and_mark_is_in_its_page() -> None:
    page = (ROOT / "docs" / "adjustments.md").read_text("utf-8")
    for name in FinishForm.model_fields:
        assert f"`{name}" in page


def test_the_example_for_python_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (ROOT / "docs" / "python.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    shutil.copy(ROOT / "tests" / "data" / "astronaut.png", tmp_path / "me.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "docs/python.md", "exec"), {})
    for background in ("blue", "white"):
        made = tmp_path / f"me_{background}.jpg"
        assert 10_000 < made.stat().st_size <= 40_000


@pytest.mark.parametrize("name", requirements())
def test_every_dependency_has_a_reason_and_a_pinned_version(name: str) -> None:
    assert re.search(rf"(^\||[ ,:]){re.escape(name)}[\[ ,.|]", ARCHITECTURE, re.MULTILINE)
    pins = (ROOT / "constraints.txt").read_text("utf-8").lower().replace("_", "-")
    # onnxruntime itself is for other machines than the one that made the pins; pip is not frozen.
    if name not in ("onnxruntime", "pip"):
        assert f"\n{name}==" in pins


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), link


def test_the_shipped_configuration_is_valid_and_local() -> None:
    config = yaml.safe_load((ROOT / "serve_config.yaml").read_text("utf-8"))
    assert config["http_options"]["host"] == "127.0.0.1"
    (application,) = config["applications"]
    assert application["import_path"] == "deployments.app:build"
    Settings.model_validate(application["args"])


def rows_of_checks() -> dict[str, list[str]]:
    """By code, the cells of docs/checks.md after it: measure, unit, passes, fails from."""
    rows = re.findall(r"^\| (`.+) \|$", CHECKS, re.MULTILINE)
    found: dict[str, list[str]] = {}
    for first, *cells in (re.split(r" *\| *", row) for row in rows):
        found |= dict.fromkeys(re.findall(r"`(\w+)`", first), cells)
    return found


def written(limits: dict[str, float], low: str, high: str) -> set[float]:
    """The limits as the table writes them: one number where they are the same either way."""
    values = {limits[name] for name in (low, high) if name in limits}
    return {abs(value) for value in values} if len(values) == 2 and sum(values) == 0 else values


def numbers(cell: str) -> set[float]:
    return {float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", cell)}


def test_every_check_has_a_row_and_no_other() -> None:
    assert rows_of_checks().keys() == LIMITS.keys()


@pytest.mark.parametrize(
    "code", [code for code, row in LIMITS.items() if "min" in row or "max" in row]
)
def test_the_limits_of_a_check_are_those_that_are_applied(code: str) -> None:
    row, (measure, _, passes, fails) = LIMITS[code], rows_of_checks()[code]
    inside = {row[name] for name in ("min", "max") if name in row}
    assert numbers(passes) == inside
    if code == "faces":
        assert numbers(fails) == {row["least"] - 1, row["most"] + 1}
    else:
        assert numbers(fails) == written(row, "least", "most")
    if "as_is" in row:
        own = row["as_is"]
        assert numbers(measure) == written(own, "min", "max") | written(own, "least", "most")


@pytest.mark.parametrize(
    "code", [code for code, row in LIMITS.items() if not {"min", "max"} & set(row)]
)
def test_a_check_without_limits_of_ours_names_none(code: str) -> None:
    _, _, passes, fails = rows_of_checks()[code]
    assert not numbers(passes) | numbers(fails)
