"""The documents say what the code does."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from deployments.schemas import CutoutForm, PhotoForm
from deployments.settings import Settings
from pipeline.errors import TEXTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
PAGES = sorted(ROOT.glob("*.md")) + sorted((ROOT / "benchmarks").glob("*.md"))


def requirements() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = project["dependencies"] + project["optional-dependencies"]["dev"]
    return sorted({re.split(r"[\[<>=; ]", line)[0] for line in lines})


def test_the_readme_lists_every_code_and_no_other() -> None:
    rows = re.findall(r"^\| (\d{3}) \| (.+) \|$", README, re.MULTILINE)
    listed = {code for _, cell in rows for code in re.findall(r"`([a-z]+(?:_[a-z]+)*)`", cell)}
    assert listed == set(TEXTS)


def test_every_parameter_of_a_photo_is_in_the_readme() -> None:
    for name in (*PhotoForm.model_fields, *CutoutForm.model_fields):
        assert f"{name}" in README


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
