"""The manifests: Kubernetes' schemas, our reading of KubeRay's, and what they promise."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError
from ray import __version__ as ray_version
from ray.serve.schema import ServeDeploySchema

from deploy import gpus
from deployments.settings import Settings
from tests.deploy import dockerfile, kustomize
from tests.deploy.conftest import DEPLOY
from tests.deploy.kuberay import RayService

KINDS = ["kuberay", *(f"overlays/{gpu.id}" for gpu in gpus.GPUS)]
BUILT = {kind: kustomize.build(DEPLOY / kind) for kind in KINDS}
EXAMPLE = kustomize.documents(DEPLOY / "kuberay" / "ingress.example.yaml")


def of(kind: str, resources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in resources if each["kind"] == kind]


def spec(kind: str) -> dict[str, Any]:
    (service,) = of("RayService", BUILT[kind])
    found: dict[str, Any] = service["spec"]
    return found


def groups(kind: str) -> list[dict[str, Any]]:
    cluster = spec(kind)["rayClusterConfig"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


def settings(kind: str) -> Settings:
    config = yaml.safe_load(spec(kind)["serveConfigV2"])
    ServeDeploySchema.model_validate(config)
    return Settings.model_validate(config["applications"][0]["args"])


def test_kubernetes_knows_every_field(tools: Path, tmp_path: Path) -> None:
    found = [each for kind in KINDS for each in BUILT[kind] if each["kind"] != "RayService"]
    meta = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "of-a-group"}}
    templates = [
        {**meta, "template": group["template"]} for kind in KINDS for group in groups(kind)
    ]
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all([*found, *EXAMPLE, *templates]), "utf-8")
    command = [str(tools / "kubernetes-validate"), "--strict", str(file)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(found) == 6 * len(KINDS) and len(templates) == 3 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_kuberay_knows_every_field(kind: str) -> None:
    (service,) = of("RayService", BUILT[kind])
    RayService.model_validate(service)


@pytest.mark.parametrize(
    ("group", "value"),
    [
        ("rayStartParams", {"num-cpus": 0}),
        ("replicas", 2),
        ("template", None),
    ],
)
def test_what_kuberay_would_refuse_is_refused(group: str, value: object) -> None:
    (service,) = kustomize.documents(DEPLOY / "kuberay" / "rayservice.yaml")
    service["spec"]["rayClusterConfig"]["headGroupSpec"][group] = value
    with pytest.raises(ValidationError):
        RayService.model_validate(service)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cluster_is_the_one_that_the_settings_count_on(kind: str) -> None:
    made, (head, cpu, gpu) = settings(kind), groups(kind)
    assert (made.device, made.gpu_nodes_on_demand) == ("cuda", True)
    assert made.gateway.min_replicas == 2
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert spec(kind)["rayClusterConfig"]["rayVersion"] == ray_version
    limits = gpu["template"]["spec"]["containers"][0]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == "1"
    most = made.matting.max_replicas
    assert most is not None and most * made.gpus_per_replica == gpu["maxReplicas"]
    # The replicas of one GPU find their cores counted on its pod.
    cores = gpus.MATTING_CPUS / made.gpus_per_replica
    assert cores <= int(gpu["rayStartParams"]["num-cpus"]) < cores + 1
    # Whatever else runs, the smallest number of every step fits on the smallest number of pods.
    least = [made.gateway, made.cropping, made.compositing]
    needed = sum((each.min_replicas or 1) * (each.cpus_per_replica or 1) for each in least)
    assert needed <= cpu["minReplicas"] * int(
        cpu["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"]
    )


@pytest.mark.parametrize("gpu", gpus.GPUS, ids=lambda gpu: gpu.id)
def test_an_overlay_is_the_plan_of_its_gpu(gpu: gpus.Gpu) -> None:
    kind, plan = f"overlays/{gpu.id}", gpus.plan(gpu)
    made, (_, _, group) = settings(kind), groups(kind)
    pod = group["template"]["spec"]
    limits = pod["containers"][0]["resources"]["limits"]
    assert (made.gpus_per_replica, made.batch.max_size) == (plan.gpus_per_replica, plan.batch)
    assert limits["memory"] == f"{plan.memory_gib}Gi"
    assert pod["nodeSelector"] == {"nvidia.com/gpu.product": gpu.product}
    assert plan.needed_gib <= plan.arena_gib


def test_pods_are_locked_in_and_hold_what_they_write_in_volumes() -> None:
    final = dockerfile.read(DEPLOY / "Dockerfile").stages[-1]
    user = int(final.last("USER").text.split(":")[0])
    (data,) = final.last("VOLUME").words
    for group in groups("kuberay"):
        pod = group["template"]["spec"]
        (container,) = pod["containers"]
        locked = container["securityContext"]
        assert locked["readOnlyRootFilesystem"] and locked["runAsNonRoot"]
        assert locked["runAsUser"] == user and locked["capabilities"] == {"drop": ["ALL"]}
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert mounts.keys() == {"/tmp", "/dev/shm", data}
        assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
        assert container["image"].startswith("registry.example/idphoto-serve:")
    # KubeRay builds the Service of those who serve from the head's port of this name.
    (head,) = groups("kuberay")[0]["template"]["spec"]["containers"]
    assert {"name": "serve", "containerPort": 8000} in head["ports"]


def test_policies_and_budgets_select_the_pods_that_there_are() -> None:
    labels = [group["template"]["metadata"]["labels"] for group in groups("kuberay")]
    (redis,) = of("StatefulSet", BUILT["kuberay"])
    labels.append(redis["spec"]["template"]["metadata"]["labels"])
    budgets = of("PodDisruptionBudget", BUILT["kuberay"])
    policies = of("NetworkPolicy", BUILT["kuberay"])
    assert len(budgets) == 2 and len(policies) == 2
    for resource in (*budgets, *policies):
        selector = resource["spec"].get("selector") or resource["spec"]["podSelector"]
        wanted = selector["matchLabels"].items()
        assert any(wanted <= each.items() for each in labels), resource["metadata"]["name"]
    for policy in policies:
        assert set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    # Ray's own ports are for its pods and for KubeRay; everybody else names a port.
    ours, *others = policies[0]["spec"]["ingress"]
    assert ours["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "idphoto"}}}]
    assert all(rule["ports"] for rule in others)


def test_secrets_are_only_named() -> None:
    cluster = spec("kuberay")["rayClusterConfig"]
    assert cluster["authOptions"] == {"mode": "token", "secretName": "idphoto-ray-token"}
    assert not of("Secret", BUILT["kuberay"])
    password = cluster["gcsFaultToleranceOptions"]["redisPassword"]["valueFrom"]["secretKeyRef"]
    (redis,) = of("StatefulSet", BUILT["kuberay"])
    (container,) = redis["spec"]["template"]["spec"]["containers"]
    assert container["env"][0]["valueFrom"]["secretKeyRef"] == password
    assert cluster["gcsFaultToleranceOptions"]["redisAddress"] == "idphoto-redis:6379"


def test_the_edge_keeps_to_docs_security() -> None:
    (ingress,) = EXAMPLE
    given = {
        name.partition("/")[2]: value for name, value in ingress["metadata"]["annotations"].items()
    }
    made = settings("kuberay")
    assert int(given["proxy-body-size"].removesuffix("m")) > made.max_body_mb
    assert int(given["proxy-read-timeout"]) > made.deadline_s
    assert given["proxy-request-buffering"] == given["proxy-buffering"] == "off"
    for header in ("X-Request-Timeout-Seconds", "X-Request-Disconnect-Disabled"):
        assert f'proxy_set_header {header} "";' in given["configuration-snippet"]
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    assert backend["name"] == "idphoto-serve-svc"
