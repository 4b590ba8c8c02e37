"""Carries out a Dockerfile's instructions without a container engine.

Unlike there, the base image is this machine, nothing is fetched, and of stages that build on each
other there is one file system.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.deploy.dockerfile import Instruction, Stage, expanded, pairs
from tests.deploy.rootfs import Image, base, run

_OFFLINE = {
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_NO_INDEX": "1",
    "PIP_FIND_LINKS": "/wheels",
}


def build(
    stages: list[Stage],
    arguments: Mapping[str, str],
    context: Path,
    folder: Path,
    wheels: Path,
    seeds: Mapping[str, Mapping[str, Path]],
) -> Image:
    """The last stage's image, built in ``folder``. ``seeds`` are folders that lie in a stage at its
    beginning, by path: what it would fetch.
    """
    made: dict[str, Image] = {}
    for stage in stages:
        image = made.get(expanded(stage.base, arguments)) or base(folder / stage.name, wheels)
        for path, seed in seeds.get(stage.name, {}).items():
            shutil.copytree(seed, image.path(path))
        made[stage.name] = image
        for instruction in stage.instructions:
            _follow(instruction, image, made, context)
    return image


def _follow(
    instruction: Instruction,
    image: Image,
    made: Mapping[str, Image],
    context: Path,
) -> None:
    match instruction.name:
        case "RUN":
            done = run(image, ["sh", "-c", instruction.text], {**image.arguments, **_OFFLINE})
            assert done.returncode == 0, f"{instruction.text}\n{done.stdout}"
        case "COPY":
            _copy(instruction, image, made, context)
        case "ENV":
            image.environment |= pairs(instruction)
        case "ARG":
            image.arguments |= pairs(instruction)
        case "WORKDIR":
            image.workdir = instruction.text
            image.path("").mkdir(parents=True, exist_ok=True)
        case "USER":
            image.user = instruction.text
        case "CMD":
            image.command = instruction.words
        case "HEALTHCHECK":
            image.health = Instruction("CMD", instruction.text.partition(" CMD ")[2]).words
        case name:
            assert name in ("EXPOSE", "STOPSIGNAL", "VOLUME"), f"{name} is not known here"


def _copy(instruction: Instruction, image: Image, made: Mapping[str, Image], context: Path) -> None:
    """Of a folder what is in it; into a folder where the target ends in a slash."""
    words = instruction.words
    options = dict(word[2:].split("=") for word in words if word.startswith("--"))
    *sources, target = [word for word in words if not word.startswith("--")]
    origin = made[options["from"]].root if "from" in options else context
    place = image.path(target)
    for source in sources:
        path = origin / source.lstrip("/")
        if path.is_dir():
            # Between stages one file in two places will do: nothing is written in it any more.
            how = os.link if "from" in options else shutil.copy
            shutil.copytree(path, place, symlinks=True, copy_function=how, dirs_exist_ok=True)
            continue
        to = place / path.name if target.endswith("/") else place
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    if "chown" in options:
        subprocess.run(["chown", "--recursive", options["chown"], place], check=True)
