"""Writes what follows from serve_config.yaml, variants.yaml and gpus.py: the configurations of the
container and of production, RayService's ``serveConfigV2``, the overlays of GPU kinds, and the
table of docs/deploy.md.

python -m deploy.render            (``make manifests``)
"""

import copy
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy import gpus

ROOT = Path(__file__).parents[1]
_DEPLOY = ROOT / "deploy"
_HEAD = "# Written by `make manifests`, of {0}.\n"
_OF_GROUP = "/spec/rayClusterConfig/workerGroupSpecs/1"


def outputs() -> Iterator[tuple[Path, str]]:
    """Every file that is written, with its text."""
    shipped = _read(ROOT / "serve_config.yaml")
    variants = {name: merged(shipped, of) for name, of in _read(_DEPLOY / "variants.yaml").items()}
    for name, config in variants.items():
        head = _HEAD.format("serve_config.yaml and deploy/variants.yaml")
        yield _DEPLOY / f"serve_config.{name}.yaml", head + _yaml(config)

    production = variants["production"]
    service = _DEPLOY / "kuberay" / "rayservice.yaml"
    yield service, with_config(service.read_text("utf-8"), production)
    for gpu in gpus.GPUS:
        folder = _DEPLOY / "overlays" / gpu.id
        head = _HEAD.format("deploy/gpus.py and deploy/serve_config.production.yaml")
        yield folder / "kustomization.yaml", head + _yaml(_kustomization())
        yield folder / "gpu.yaml", head + _yaml(patch(gpu, production))

    page = ROOT / "docs" / "deploy.md"
    yield page, _between(page.read_text("utf-8"), r"\| GPU \|[^\n]*\n(?:\|[^\n]*\n)*", gpus.table())


def merged(shipped: Mapping[str, Any], variant: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the variant's values; ``application`` means the one that there is."""
    config = copy.deepcopy(dict(shipped))
    changes = dict(variant)
    _update(config["applications"][0], changes.pop("application", {}))
    _update(config, changes)
    return config


def patch(gpu: gpus.Gpu, production: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The JSON patch (RFC 6902) that fits the RayService to this kind of GPU."""
    plan = gpus.plan(gpu)
    config = copy.deepcopy(dict(production))
    args = config["applications"][0]["args"]
    most_gpus = args["matting"]["max_replicas"] * args["gpus_per_replica"]
    args["matting"]["max_replicas"] = round(most_gpus * plan.replicas)
    args["gpus_per_replica"] = plan.gpus_per_replica
    args["batch"] = {"max_size": plan.batch}
    container = f"{_OF_GROUP}/template/spec/containers/0"
    resources = {"cpu": str(plan.cpus), "memory": f"{plan.memory_gib}Gi", "nvidia.com/gpu": "1"}
    values: dict[str, object] = {
        "/spec/serveConfigV2": _yaml(config),
        # No more than its Matting replicas count, so that other steps go elsewhere.
        f"{_OF_GROUP}/rayStartParams/num-cpus": str(math.ceil(plan.replicas * gpus.MATTING_CPUS)),
        f"{_OF_GROUP}/template/spec/nodeSelector": {"nvidia.com/gpu.product": gpu.product},
        f"{container}/resources": {"requests": resources, "limits": resources},
    }
    return [{"op": "replace", "path": path, "value": value} for path, value in values.items()]


def with_config(manifest: str, config: Mapping[str, Any]) -> str:
    """The manifest with this configuration as the RayService's ``serveConfigV2``."""
    block = "".join(f"    {line}\n" for line in _yaml(config).splitlines())
    return _between(manifest, r"(?<=  serveConfigV2: \|\n)(?:    .*\n|\n)+", block)


def _kustomization() -> dict[str, Any]:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../kuberay"],
        "patches": [{"path": "gpu.yaml", "target": {"kind": "RayService", "name": "idphoto"}}],
    }


def _update(target: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        if isinstance(value, Mapping) and isinstance(target.get(name), dict):
            _update(target[name], value)
        else:
            target[name] = copy.deepcopy(value)


def _between(text: str, pattern: str, replacement: str) -> str:
    found, count = re.subn(pattern, lambda _: replacement, text, count=1)
    if count != 1:
        raise ValueError(f"{pattern} is not in the file")
    return found


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return read


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML ships no types.
    """Texts of several lines as blocks, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def _yaml(value: object) -> str:
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=120)
    return text


if __name__ == "__main__":
    for path, text in outputs():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
