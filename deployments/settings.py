"""Everything that an operator can set, given by ``args`` in serve_config.yaml and checked before
anything starts.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
    model_validator,
)

from pipeline.finish_values import AiLabel

# A scheme and a host: neither "*" nor a path.
Origin = Annotated[str, Field(pattern=r"^https?://[^/*\s]+$")]
Role = Annotated[str, Field(pattern="^(person|saliency)$")]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,39}$")]


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
    cpus_per_replica: NonNegativeFloat | None = None
    """What Ray counts for placing a replica. It limits nothing: threads do. None: so little that
    there is always room for a new replica beside each old one while the service is deployed anew.
    Where it is given, the old one goes first, as room is not certain.
    """


class Model(_Settings):
    """Nets besides the service's own, for requests that name them; a deployment of its own."""

    nets: Mapping[Role, str] = Field(min_length=1)
    """By role, as the setting of that name."""
    scale: Scale = Scale(downscale_delay_s=600)
    """Without min_replicas there is none while nobody asks for it."""
    start_s: PositiveFloat = 30
    """The more time that a photo has: until a replica of these nets has started and is warm."""


class Batch(_Settings):
    """How Matting groups photos for the net; changes without a restart."""

    max_size: PositiveInt | None = None
    """None: 1 on the CPU, where a batch gains nothing and costs memory, and 8 on a GPU."""
    wait_ms: NonNegativeFloat = 0
    """How long the first photo of a batch waits for others when the net is idle."""


class Key(_Settings):
    """An API key, made by ``python -m deployments.access``. Only its hash is kept."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")
    """Who holds it; stands in the log beside each request."""
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    max_in_flight: PositiveInt | None = None
    """Requests, other than for reading, that this key may have in one Gateway replica at once, so
    that it leaves places to others; further ones get 429. None: as many as there are places.
    """


class Tracing(_Settings):
    """Where traces of photos go (docs/operations.md). Needs the extra ``tracing``."""

    otlp_url: str = Field(pattern=r"^https?://[^\s]+$")
    """A collector that takes OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces."""
    sampled_share: float = Field(default=0.01, ge=0, le=1)
    """Share of the photos that are traced; where a request has a ``traceparent``, whoever sent it
    has decided already.
    """


class Dropin(_Settings):
    """Interfaces of other services, for programs that speak them (docs/dropin.md). All are off:
    they are further addresses, with the names and the errors of others, that nobody needs who does
    not bring such a program along.
    """

    rembg: bool = False
    """``POST /api/remove``, as of ``rembg s``."""
    hivision: bool = False
    """``POST /idphoto`` and its six neighbours, as of HivisionIDPhotos."""
    removebg: bool = False
    """``POST /v1.0/removebg`` and ``GET /v1.0/account``, as of remove.bg."""
    fetch_hosts: tuple[str, ...] = ()
    """Hosts whose pictures may be given by their address (rembg's ``url``, remove.bg's
    ``image_url``): images.example or images.example:8443, by https alone and only at public
    addresses. None by default: addresses are refused.
    """
    fetch_s: PositiveFloat = 5
    """Time that such a picture may take to come, redirects included."""


class Cutouts(_Settings):
    """Cut-out people that clients ask to be kept, for other sizes and colours (docs/cutouts.md). In
    memory alone.
    """

    keep_minutes: float = Field(default=10, gt=0, le=24 * 60)
    max_mb: PositiveFloat = 512
    """Of all of them; the least recently used ones go first. One takes 1 to 9 MB."""

    @property
    def keep_s(self) -> float:
        return 60 * self.keep_minutes

    @property
    def max_bytes(self) -> int:
        return int(self.max_mb * 1_000_000)


class Page(_Settings):
    """The page at / (docs/page.md)."""

    private_preview: Literal["auto", "off"] = "auto"
    """auto: the page offers to make photos in the browser, which then stay there, where the files
    for it were fetched (``python -m models.preview``), ``nets`` are the default ones and no
    ``ai_label`` is wanted.
    """


class Jobs(_Settings):
    """Jobs of many photos (docs/jobs.md). They alone put photos on a disk: uploads until they are
    finished, results for ``keep_hours``.
    """

    folder: Path | None = None
    """Where database, files and uploads on their way in are kept. None: the user's data folder."""
    database_url: str | None = None
    """None: SQLite, in ``folder``. Several nodes need PostgreSQL: postgresql://user@host/name."""
    storage_url: str | None = None
    """None: files in ``folder``. Several nodes need a place that all reach: s3://bucket/prefix."""
    storage_options: Mapping[str, str] = {}
    """For fsspec's file system, such as ``endpoint_url``."""
    keep_hours: PositiveFloat = 24
    """How long results are kept after a job's end."""
    quota_gb: PositiveFloat = 20
    """Uploads and results of all jobs; with more, new jobs are refused with 507."""
    max_job_mb: PositiveFloat = 4000
    """Bytes of one job, as sent and, of a zip, unpacked."""
    max_items: PositiveInt = 20_000
    """Files of one job."""
    max_streams: PositiveInt = 8
    """Uploads, archives and listeners of events that one Gateway replica serves at once; further
    ones get 429. Each takes one of its 2 x ``max_photos_in_flight`` requests.
    """
    window: PositiveInt = 4
    """Photos of jobs that are in the graph at once."""
    lease_s: PositiveFloat = 30
    """After this time without a sign of its runner a photo is given to another one."""
    max_attempts: PositiveInt = 3
    """Runners that may be lost over one photo before it is given up."""
    sweep_s: PositiveFloat = 30
    """How often what is no longer needed is erased, and paused jobs are looked at."""
    allowed_keys: tuple[str, ...] = ()
    """Places that jobs may name photos in: prefixes that end in a slash, such as s3://intake/ or
    file:///srv/photos/. Whoever may create jobs can then read every photo there. None by default.
    """
    allowed_webhook_hosts: tuple[str, ...] = ()
    """Hosts that may be called at the end of a job: hooks.example or hooks.example:8443, by https
    alone and only at public addresses. Written as http://10.0.0.7:9000 or https://hooks.intern, a
    host may also be of a private network. None by default: no webhooks.
    """
    webhook_secret: SecretStr | None = Field(default=None, min_length=16)
    """Key of the webhooks' signatures; needed with ``allowed_webhook_hosts``."""

    @property
    def max_job_bytes(self) -> int:
        return int(self.max_job_mb * 1_000_000)

    @field_validator("allowed_keys")
    @classmethod
    def _whole_folders(cls, prefixes: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in prefixes:
            if "://" not in prefix or not prefix.endswith("/"):
                raise ValueError(f"{prefix} is no URL that ends in a slash")
        return prefixes

    @model_validator(mode="after")
    def _signed(self) -> "Jobs":
        if self.allowed_webhook_hosts and self.webhook_secret is None:
            raise ValueError("allowed_webhook_hosts needs a webhook_secret")
        return self


class Settings(_Settings):
    version: Literal[1] = 1
    """Of this table of settings; it rises when one comes to mean something else, and a file of
    another version stops the start.
    """
    device: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    """auto: cuda where the cluster has GPUs, else cpu. Never a silent fall-back: a device that
    cannot be used stops the start with a reason.
    """
    gpu_nodes_on_demand: bool = False
    """True where an autoscaler starts GPU nodes when a replica asks for one; needs device cuda or
    tensorrt.
    """
    gpus_per_replica: float = Field(default=0.25, gt=0, le=1)
    """Share of one GPU for each Matting replica; also its share of the GPU's memory."""
    precision: Literal["auto", "fp32", "fp16", "int8"] = "auto"
    """auto: fp16 on a GPU. On the CPU the saliency net is tried at the first start and taken in
    int8 where its sums are exact and it is faster by a third, which means CPUs with int8 dot
    products; else fp32. int8 itself is for the CPU only, skips the trial, and leaves nets that
    have no ranges (models/ranges.py), such as selfie, in fp32. The log says what was taken.
    """
    runtime: Literal["auto", "onnxruntime", "openvino"] = "auto"
    """What runs the nets. auto: ONNX Runtime, but on the CPU OpenVINO for the nets that it runs
    faster by a seventh in the same trial, where it is installed (``pip install .[openvino]``).
    openvino: all nets, on the CPU only; where it is not installed the start stops with a reason.
    """
    cuda_graphs: bool = True
    """On a GPU: records the launches of a net for each batch size and replays them. A net that
    cannot be recorded is run without, and the log says why (docs/gpu.md).
    """
    threads_per_replica: PositiveInt | None = None
    """Threads of a net on the CPU; there is one Matting replica for each so many cores. None: two
    where OpenVINO may run the nets, which gives a photo that is alone both, and else one to each;
    with ONNX Runtime one, which gives an eighth more photos a second.
    """
    nets: Mapping[Role, str] = Field(
        default={"person": "selfie", "saliency": "u2netp"}, min_length=1
    )
    """Matting nets by role; names from models/catalog.toml. One of them alone will do."""
    escalate_to: str | None = None
    """A stronger matting net, such as isnet-imgly or birefnet-portrait, that takes the place
    of the saliency net where the matte is not certain (docs/checks.md, ``matte``). Of the two
    mattes the more certain one is kept.
    """
    models: Mapping[ModelName, Model] = {}
    """Sets of nets that a request may choose by ``model`` (docs/models.md). None by default."""
    weights_folder: Path | None = None
    """None: the user's cache folder."""
    drawings: Literal["refuse", "warn", "ignore"] = "refuse"
    """What becomes of drawings and paintings, for which one look at the face costs 6 CPU-ms, or 11
    where the CPU has no exact int8 (docs/checks.md). refuse: faces that are clearly drawn are
    ``not_a_photo``, and of doubtful ones the check ``photo_like`` warns; warn: the check alone.
    """

    gateway: Scale = Scale()
    cropping: Scale = Scale()
    matting: Scale = Scale()
    compositing: Scale = Scale()
    batch: Batch = Batch()

    deadline_s: PositiveFloat = 10
    """Time for a photo, from the moment that its upload is read; later ones are dropped at the next
    step with 504.
    """
    upload_s: PositiveFloat = 60
    """Time that a photo may take to arrive, and each further 64 kB of a job; slower clients get
    408.
    """
    stuck_after_s: PositiveFloat = 60
    """A replica that works on one batch, or at one step of a photo, for longer is replaced. Must be
    above what the slowest net takes for a batch.
    """
    max_replica_mb: PositiveFloat | None = None
    """A replica of Cropping, Matting or Compositing that takes more memory (as PSS: what it shares
    with others counts in part) is replaced. None: no limit. Linux only.
    """
    max_photos_in_flight: PositiveInt = 16
    """Photos that one Gateway replica works on or keeps waiting at once; further ones get 429. On a
    machine that cannot finish so many in time the limit sinks by itself until it can.
    """
    fast_when_full: float | None = Field(default=None, gt=0, lt=1)
    """Overload mode. Where more than this share of the places is taken, photos in quality best are
    made in fast, which frees a place in half the time; the answer's ``X-Quality`` says so. None:
    never.
    """
    max_body_mb: PositiveFloat = 20
    max_megapixels: PositiveFloat = 50
    max_variants: PositiveInt = 64
    """Documents times backgrounds in one request."""
    max_cutout_side_px: PositiveInt = 4096

    ai_label: Literal["off", "metadata", "visible"] = "off"
    """Whether files say that a net had a part in them (docs/adjustments.md): in their metadata, as
    IPTC and GB 45438-2025 want it, and, if visible, in a corner of the picture as well. A label in
    Chinese needs the extra ``fonts``. Files hold no other metadata in any case.
    """
    ai_producer: str = Field(default="idphoto-serve", min_length=1, max_length=100)
    """Name or code of whoever runs the service, for the label."""
    ai_label_text: str = Field(default="AI生成", min_length=1, max_length=40)
    """What is written into the corner."""

    keys: tuple[Key, ...] = ()
    """Clients need one of these keys, except for health checks and /docs. None: the service is
    open to whoever reaches it, so leave it on 127.0.0.1.
    """
    allowed_origins: tuple[Origin, ...] = ()
    """Web pages of other origins that may use the service from a browser (CORS), such as
    https://photos.example. None by default.
    """

    tracing: Tracing | None = None
    """None: no traces, and a ``traceparent`` is not looked at."""

    cutouts: Cutouts | None = Cutouts()
    """null turns them off: nothing of a photo outlives its answer then."""

    dropin: Dropin = Dropin()

    page: Page = Page()

    jobs: Jobs | None = Jobs()
    """null turns jobs off: no photo is written to a disk then, whatever clients ask for."""

    @field_validator("keys")
    @classmethod
    def _of_one_client_each(cls, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        for values in ([key.name for key in keys], [key.sha256 for key in keys]):
            if len(set(values)) < len(values):
                raise ValueError("two keys have the same name or hash")
        return keys

    @property
    def label(self) -> AiLabel | None:
        """What files are labelled with."""
        if self.ai_label == "off":
            return None
        return AiLabel(self.ai_producer, self.ai_label_text if self.ai_label == "visible" else None)

    @property
    def all_nets(self) -> dict[str, str]:
        """Names of all nets that Matting loads for those who name no model, by role."""
        return {**self.nets, **({"expert": self.escalate_to} if self.escalate_to else {})}

    @property
    def max_body_bytes(self) -> int:
        return int(self.max_body_mb * 1_000_000)

    @property
    def max_pixels(self) -> int:
        return int(self.max_megapixels * 1_000_000)
