"""What the Dockerfile, .dockerignore and compose.yaml promise, read; and hadolint's rules."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.serve import RAY
from deployments.settings import Settings
from tests.deploy import dockerfile
from tests.deploy.conftest import DEPLOY, ROOT

FILE = dockerfile.read(DEPLOY / "Dockerfile")
CHOICES = [
    {"DEVICE": device, "WEIGHTS": weights}
    for device in ("cpu", "cuda13")
    for weights in ("baked", "mounted")
]
APPLICATION = {"idphoto"}


def compose(name: str = "compose.yaml") -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text("utf-8"))
    return read


def test_hadolint_finds_nothing(tools: Path) -> None:
    done = subprocess.run(
        [tools / "hadolint", "--no-color", DEPLOY / "Dockerfile"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: "-".join(choice.values()))
def test_every_choice_builds_from_stages_that_are_there(choice: dict[str, str]) -> None:
    stages = FILE.built(**choice)
    assert {f"installed-{choice['DEVICE']}", f"weights-{choice['WEIGHTS']}"} <= {
        stage.name for stage in stages
    }
    named = {stage.name for stage in FILE.stages}
    for stage in stages:
        base = dockerfile.expanded(stage.base, {**FILE.arguments, **choice})
        assert base in named or re.fullmatch(r"python:3\.11-slim-bookworm", base)


def test_no_stage_needs_a_compiler_and_every_version_is_pinned() -> None:
    commands = [i.text for stage in FILE.stages for i in stage.instructions if i.name == "RUN"]
    assert not any(re.search(r"\b(apt|apt-get|gcc|make|curl|wget)\b", text) for text in commands)
    installs = [text for text in commands if "pip install" in text]
    assert len(installs) == 3
    for text in installs:
        assert "--only-binary :all:" in text
        assert "--constraint constraints.txt" in text or "--requirement deploy/build.txt" in text
    for name in ("build.txt", "constraints.cuda13.txt"):
        lines = (DEPLOY / name).read_text("utf-8").splitlines()
        assert all(re.match(r"#|[\w-]+==[\d.]+$", line) for line in lines), name


def test_the_extras_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (stage,) = [stage for stage in FILE.stages if stage.name == "installed-cpu"]
    extras = dockerfile.pairs(stage.last("ARG"))["EXTRAS"].split(",")
    assert set(extras) <= project["optional-dependencies"].keys()
    (cuda,) = project["optional-dependencies"]["cuda"]
    (stage,) = [stage for stage in FILE.stages if stage.name == "installed-cuda13"]
    assert cuda.partition(">=")[0] in stage.last("RUN").text


def test_the_image_starts_ray_as_the_command_line_does() -> None:
    # On several nodes Ray has to be more than the loopback address.
    ours = {name for name in RAY.items() if name[0] != "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"}
    assert ours <= dockerfile.pairs(FILE.stages[-1].last("ENV")).items()


def test_the_image_is_nobodys_in_particular() -> None:
    final = FILE.stages[-1]
    assert final.last("USER").text == "10001:10001"
    assert final.last("CMD").words[:2] == ["idphoto", "serve"]
    assert "http://127.0.0.1:8000/healthz" in final.last("HEALTHCHECK").text


def test_only_what_is_copied_is_sent(context: Path) -> None:
    sent = {path.relative_to(context).parts[0] for path in context.rglob("*") if path.is_file()}
    copied = {
        source.split("/")[0]
        for stage in FILE.stages
        for instruction in stage.instructions
        if instruction.name == "COPY" and "--from" not in instruction.text
        for source in instruction.words[:-1]
    }
    assert sent == copied


@pytest.mark.parametrize("name", ["idphoto", "postgres", "prometheus", "grafana"])
def test_services_listen_on_this_machine_alone(name: str) -> None:
    service = compose()["services"][name]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert ":" in service["image"] and not service["image"].endswith("latest")


def test_the_composed_service_is_the_images_own_command_with_its_volumes() -> None:
    service, final = compose()["services"]["idphoto"], FILE.stages[-1]
    assert service["read_only"] and service["cap_drop"] == ["ALL"] and service["init"]
    assert " ".join(final.last("CMD").words) in service["command"][-1]
    assert service["stop_signal"] == final.last("STOPSIGNAL").text
    (data,) = final.last("VOLUME").words
    assert f"data:{data}" in service["volumes"]
    assert "database" not in compose()["services"]["prometheus"]["networks"]
    assert compose()["networks"]["database"]["internal"]


def test_secrets_are_files_that_git_does_not_know() -> None:
    file = compose()
    for secret in file["secrets"].values():
        checked = ["git", "check-ignore", "--quiet", f"deploy/{secret['file']}"]
        assert subprocess.run(checked, cwd=ROOT).returncode == 0
    named = {name for service in file["services"].values() for name in service.get("secrets", ())}
    assert named == file["secrets"].keys()
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    assert not re.search(r"PASSWORD: (?!/run/secrets/)", text)


def test_mounted_files_are_there() -> None:
    for service in compose()["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert os.path.exists(DEPLOY / source), source


def test_the_composed_configuration_has_the_database_beside_it() -> None:
    config = compose("serve_config.compose.yaml")
    settings = Settings.model_validate(config["applications"][0]["args"])
    assert settings.jobs is not None and settings.jobs.database_url is not None
    user = compose()["services"]["postgres"]["environment"]["POSTGRES_USER"]
    assert settings.jobs.database_url == f"postgresql://{user}@postgres/{user}"
    assert config["http_options"]["host"] == "0.0.0.0"


def test_the_gpu_file_only_adds() -> None:
    gpu = compose("compose.gpu.yaml")["services"]
    assert gpu.keys() == APPLICATION
    assert gpu["idphoto"]["build"]["args"]["DEVICE"] in {c["DEVICE"] for c in CHOICES}
