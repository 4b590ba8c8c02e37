"""What is written from serve_config.yaml is what lies in deploy/ and docs/."""

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from ray.serve.schema import ServeDeploySchema

from deploy import gpus, render
from deployments.settings import Settings
from tests.deploy.conftest import DEPLOY, ROOT

OUTPUTS = list(render.outputs())
SHIPPED = yaml.safe_load((ROOT / "serve_config.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("path", "text"), [pytest.param(*o, id=str(o[0].relative_to(ROOT))) for o in OUTPUTS]
)
def test_the_file_is_what_make_manifests_writes(path: Path, text: str) -> None:
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize("name", ["container", "compose", "production"])
def test_a_variant_is_the_shipped_configuration_but_for_what_it_names(name: str) -> None:
    config = yaml.safe_load((DEPLOY / f"serve_config.{name}.yaml").read_text("utf-8"))
    ServeDeploySchema.model_validate(config)
    (application,), (shipped,) = config["applications"], SHIPPED["applications"]
    Settings.model_validate(application["args"])
    changed = {key for key in shipped if application[key] != shipped[key]}
    assert changed <= {"args", "logging_config"}
    assert shipped["args"].keys() <= application["args"].keys()
    assert config["logging_config"]["encoding"] == "JSON"
    assert config["http_options"]["port"] == SHIPPED["http_options"]["port"]


def test_production_has_two_gateways_and_gpus() -> None:
    config = yaml.safe_load((DEPLOY / "serve_config.production.yaml").read_text("utf-8"))
    settings = Settings.model_validate(config["applications"][0]["args"])
    assert settings.gateway.min_replicas == 2
    assert settings.device == "cuda"
    assert settings.jobs is not None and settings.jobs.storage_url is not None
    assert config["proxy_location"] == "EveryNode"


def test_the_service_holds_the_production_configuration() -> None:
    (service,) = yaml.safe_load_all((DEPLOY / "kuberay" / "rayservice.yaml").read_text("utf-8"))
    config = (DEPLOY / "serve_config.production.yaml").read_text("utf-8")
    assert yaml.safe_load(service["spec"]["serveConfigV2"]) == yaml.safe_load(config)


def test_a_manifest_keeps_what_follows_its_configuration() -> None:
    manifest = "spec:\n  serveConfigV2: |\n    a: 1\n\n    b: 2\n  rayClusterConfig: {}\n"
    assert render.with_config(manifest, {"c": 3}) == (
        "spec:\n  serveConfigV2: |\n    c: 3\n  rayClusterConfig: {}\n"
    )
    with pytest.raises(ValueError, match="serveConfigV2"):
        render.with_config("spec: {}\n", {"c": 3})


@pytest.mark.parametrize("gpu", gpus.GPUS, ids=lambda gpu: gpu.id)
def test_a_plan_divides_the_gpu_and_fits_its_memory(gpu: gpus.Gpu) -> None:
    plan = gpus.plan(gpu)
    assert plan.replicas * plan.gpus_per_replica == pytest.approx(1)
    assert plan.needed_gib <= plan.arena_gib
    assert plan.replicas * plan.arena_gib * gpus.NETS <= gpus.ARENA * gpu.memory_gib + 1e-9
    assert 1e3 * plan.batch / (gpus.OF_ROOF * plan.roof_photos_per_s) <= gpus.BATCH_MS


def test_a_file_for_another_version_of_the_settings_is_refused() -> None:
    assert SHIPPED["applications"][0]["args"]["version"] == 1
    with pytest.raises(ValidationError, match="version"):
        Settings.model_validate({"version": 2})
