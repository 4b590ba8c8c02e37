"""As much of kustomize as deploy/ uses: resources, JSON patches by kind and name, and images."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
_KNOWN = {"apiVersion", "kind", "resources", "patches", "images"}


def build(folder: Path) -> list[Resource]:
    """The resources of a kustomization, as ``kubectl apply -k`` would send them."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    assert kustomization.keys() <= _KNOWN
    made: list[Resource] = []
    for name in kustomization["resources"]:
        path = (folder / name).resolve()
        # kustomize takes a folder above its own for a circle.
        assert not folder.resolve().is_relative_to(path), f"{path} is above {folder}"
        made += build(path) if path.is_dir() else documents(path)
    for patch in kustomization.get("patches", ()):
        target = patch["target"]
        (resource,) = [
            each
            for each in made
            if each["kind"] == target["kind"] and each["metadata"]["name"] == target["name"]
        ]
        for operation in yaml.safe_load((folder / patch["path"]).read_text("utf-8")):
            _replace(resource, operation)
    for image in kustomization.get("images", ()):
        for container in containers(made):
            name, _, _ = container["image"].partition(":")
            if name == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    return made


def documents(path: Path) -> list[Resource]:
    """The documents of a file of YAML, whose aliases become copies."""
    return [json.loads(json.dumps(each)) for each in yaml.safe_load_all(path.read_text("utf-8"))]


def containers(value: object) -> Iterator[dict[str, Any]]:
    """The containers of pods, however deep."""
    if isinstance(value, dict):
        yield from value.get("containers", ())
        for each in value.values():
            yield from containers(each)
    elif isinstance(value, list):
        for each in value:
            yield from containers(each)


def _replace(resource: Resource, operation: dict[str, Any]) -> None:
    """RFC 6902, section 4.3: what is replaced has to be there."""
    assert operation["op"] == "replace"
    *parents, last = [
        part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
    ]
    place: Any = resource
    for part in parents:
        place = place[int(part) if isinstance(place, list) else part]
    assert last in place, operation["path"]
    place[last] = copy.deepcopy(operation["value"])
