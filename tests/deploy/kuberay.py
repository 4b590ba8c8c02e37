"""The fields of KubeRay's ray.io/v1 RayService that deploy/ uses, as its API reference has them
(docs/reference/api.md and ray-operator/apis/ray/v1 of KubeRay's repository, read in November 2026).

KubeRay's CRD itself is in no registry that tests can ask, so this is our reading of it: a field
that is not here is refused, also where KubeRay knows it. Pod templates, probes, Services and the
like are Kubernetes' own and are checked against Kubernetes' schemas.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Template = dict[str, Any]
Count = Annotated[int, Field(ge=0, strict=True)]
Flag = Annotated[bool, Field(strict=True)]
# KubeRay hands them to the command line of `ray start`: numbers have to be quoted.
Text = Annotated[str, StringConstraints(strict=True)]
Params = dict[Text, Text]


class Kind(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AuthOptions(Kind):
    """Since 1.5.1; ``secretName`` since 1.6, of a Secret with the key ``auth_token``."""

    mode: Literal["disabled", "token"] = "token"
    secretName: str | None = None


class AutoscalerOptions(Kind):
    resources: Template | None = None
    image: str | None = None
    securityContext: Template | None = None
    idleTimeoutSeconds: Count | None = None
    upscalingMode: Literal["Default", "Aggressive", "Conservative"] | None = None
    version: Literal["v1", "v2"] | None = None
    env: list[Template] | None = None
    volumeMounts: list[Template] | None = None


class RedisCredential(Kind):
    value: str | None = None
    valueFrom: Template | None = None


class GcsFaultToleranceOptions(Kind):
    redisAddress: str | None = None
    redisUsername: RedisCredential | None = None
    redisPassword: RedisCredential | None = None
    externalStorageNamespace: str | None = None


class HeadGroupSpec(Kind):
    template: Template
    rayStartParams: Params
    serviceType: Literal["ClusterIP", "NodePort", "LoadBalancer"] | None = None
    headService: Template | None = None
    enableIngress: Flag | None = None


class WorkerGroupSpec(Kind):
    groupName: str
    template: Template
    rayStartParams: Params
    replicas: Count = 0
    minReplicas: Count
    maxReplicas: Count
    numOfHosts: Count = 1
    idleTimeoutSeconds: Count | None = None


class RayClusterSpec(Kind):
    rayVersion: str | None = None
    authOptions: AuthOptions | None = None
    enableInTreeAutoscaling: Flag | None = None
    autoscalerOptions: AutoscalerOptions | None = None
    gcsFaultToleranceOptions: GcsFaultToleranceOptions | None = None
    headServiceAnnotations: dict[str, str] | None = None
    headGroupSpec: HeadGroupSpec
    workerGroupSpecs: list[WorkerGroupSpec] = []


class UpgradeStrategy(Kind):
    type: Literal["NewCluster", "NewClusterWithIncrementalUpgrade", "None"]


class RayServiceSpec(Kind):
    serveConfigV2: Text
    rayClusterConfig: RayClusterSpec
    upgradeStrategy: UpgradeStrategy | None = None
    excludeHeadPodFromServeSvc: Flag = False
    serveService: Template | None = None


class RayService(Kind):
    apiVersion: Literal["ray.io/v1"]
    kind: Literal["RayService"]
    metadata: Template
    spec: RayServiceSpec
