"""Everything that an operator can set, given by ``args`` in serve_config.yaml and checked before
anything starts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

Role = Annotated[str, Field(pattern="^(person|saliency)$")]


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scale(_Settings):
    """How many replicas a deployment has. Ray starts more when each has more work than
    ``target_ongoing``.
    """

    min_replicas: PositiveInt | None = None
    """None: chosen from the device and the cores, see ARCHITECTURE.md."""
    max_replicas: PositiveInt | None = None
    target_ongoing: PositiveFloat | None = None
    upscale_delay_s: NonNegativeFloat = 5
    downscale_delay_s: NonNegativeFloat = 120
    cpus_per_replica: NonNegativeFloat = 0.25
    """What Ray counts for placing a replica. It limits nothing: threads do."""


class Batch(_Settings):
    """How Matting groups photos for the net; changes without a restart."""

    max_size: PositiveInt | None = None
    """None: 1 on the CPU, where a batch gains nothing and costs memory, and 8 on a GPU."""
    wait_ms: NonNegativeFloat = 0
    """How long the first photo of a batch waits for others when the net is idle."""


class Settings(_Settings):
    device: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    """auto: cuda where the cluster has GPUs, else cpu. Never a silent fall-back: a device that
    cannot be used stops the start with a reason.
    """
    gpu_nodes_on_demand: bool = False
    """True where an autoscaler starts GPU nodes when a replica asks for one; needs device cuda or
    tensorrt.
    """
    gpus_per_replica: float = Field(0.25, gt=0, le=1)
    """Share of one GPU for each Matting replica; also its share of the GPU's memory."""
    precision: Literal["auto", "fp32", "fp16", "int8"] = "auto"
    """auto: fp16 on a GPU. On the CPU each replica tries the saliency net when it starts and takes
    int8 where its sums are exact and it is faster by a third, which means CPUs with int8 dot
    products; else fp32. int8 itself is for the CPU only, skips the trial, and leaves nets that
    have no ranges (models/ranges.py), such as selfie, in fp32. The log says what was taken.
    """
    runtime: Literal["auto", "onnxruntime", "openvino"] = "auto"
    """What runs the nets. auto: ONNX Runtime, but on the CPU OpenVINO for the nets that it runs
    faster by a third in the same trial, where it is installed (``pip install .[openvino]``).
    openvino: all nets, on the CPU only; where it is not installed the start stops with a reason.
    """
    cuda_graphs: bool = True
    """On a GPU: records the launches of a net for each batch size and replays them. A net that
    cannot be recorded is run without, and the log says why (docs/gpu.md).
    """
    threads_per_replica: PositiveInt = 1
    """Threads of the net on the CPU. One thread and one replica a core give the most photos a
    second.
    """
    nets: Mapping[Role, str] = Field({"person": "selfie", "saliency": "u2netp"}, min_length=1)
    """Matting nets by role; names from models/catalog.toml. One of them alone will do."""
    escalate_to: str | None = None
    """A stronger matting net, such as isnet-imgly or birefnet-portrait, that takes the place
    of the saliency net where the matte is not certain (docs/checks.md, ``matte``). Of the two
    mattes the more certain one is kept.
    """
    weights_folder: Path | None = None
    """None: the user's cache folder."""

    gateway: Scale = Scale(min_replicas=1, max_replicas=2, target_ongoing=16, cpus_per_replica=0.1)
    cropping: Scale = Scale()
    matting: Scale = Scale(cpus_per_replica=0.5)
    compositing: Scale = Scale(cpus_per_replica=0.125)
    batch: Batch = Batch()

    deadline_s: PositiveFloat = 10
    """Time from a request's arrival to its answer; later photos are dropped at the next step with
    504.
    """
    max_photos_in_flight: PositiveInt = 16
    """Photos that one Gateway replica works on or keeps waiting at once; further ones get 429. On a
    machine that cannot finish so many in time the limit sinks by itself until it can.
    """
    fast_when_full: float | None = Field(None, gt=0, lt=1)
    """Overload mode. Where more than this share of the places is taken, photos in quality best are
    made in fast, which frees a place in half the time; the answer's ``X-Quality`` says so. None:
    never.
    """
    max_body_mb: PositiveFloat = 20
    max_megapixels: PositiveFloat = 50
    max_variants: PositiveInt = 64
    """Documents times backgrounds in one request."""
    max_cutout_side_px: PositiveInt = 4096

    @property
    def all_nets(self) -> dict[str, str]:
        """Names of all nets that Matting loads, by role."""
        return {**self.nets, **({"expert": self.escalate_to} if self.escalate_to else {})}

    @property
    def max_body_bytes(self) -> int:
        return int(self.max_body_mb * 1_000_000)

    @property
    def max_pixels(self) -> int:
        return int(self.max_megapixels * 1_000_000)
