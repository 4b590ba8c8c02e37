"""How many Matting replicas share a GPU, by its kind: the arithmetic of docs/deploy.md's table.

Nothing here was measured on a GPU. What is computed from what is said beside each number.
"""

import math
from dataclasses import dataclass

from benchmarks import peaks

GB = 1e9
GIB = 2**30

SALIENCY_FLOPS, SALIENCY_ELEMENTS = 39.5e9, 143e6
"""Of u2netp at 320 x 320, a photo: benchmarks/roofline.work, elements that nodes read and write."""
PERSON_FLOPS, PERSON_ELEMENTS = 2 * 0.118e9, 2 * 7.3e6
"""Of the selfie net at 256 x 256, which looks at two frames of a photo."""
FP16_BYTES = 2
OF_ROOF = 0.25
"""The part of the roofline that a net of many small layers is assumed to reach."""
HOST_PHOTOS_PER_S = 125
"""Of one replica: Matting took 11 CPU-ms a photo in `fast`, 3 of them the net (benchmarks)."""
OTHER_CPU_MS = 112
"""Of a photo, all processes but Matting: 34 + 33 + 23 + 10 + 4 + 8 (benchmarks)."""
ARENA = 0.8
"""Part of a replica's share that its nets' arenas may fill, each the same: models/nets.py."""
NETS = 2
MATTING_CPUS = 0.4
"""What Ray counts for a replica, unless settings say otherwise: deployments/app.py."""
MOST_REPLICAS = 8
BATCHES = (8, 16)
BATCH_MS = 50
"""A batch may take no longer, so that a photo waits for two of them at most a tenth of a second."""
FRACTIONS = (0.5, 0.25, 0.2, 0.125)
REPLICA_MEMORY_GIB = 1.5
"""Of the host, assumed: CUDA's libraries, the nets and Ray's 0.13."""
NODE_MEMORY_GIB = 3
"""Of the host, a node's Ray processes and 2 GiB of object store."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """A kind of GPU, as its node is asked for."""

    id: str
    driver_name: str
    product: str
    """The label ``nvidia.com/gpu.product`` that NVIDIA's feature discovery gives its nodes."""
    memory_gib: float
    """What the driver shows, of which ECC took its part."""


GPUS = (
    Gpu("t4", "Tesla T4", "Tesla-T4", 15.0),
    Gpu("l4", "NVIDIA L4", "NVIDIA-L4", 22.5),
    Gpu("a10", "NVIDIA A10", "NVIDIA-A10", 22.5),
    Gpu("a100", "NVIDIA A100-SXM4-40GB", "NVIDIA-A100-SXM4-40GB", 39.4),
    Gpu("h200", "NVIDIA H200", "NVIDIA-H200", 139.8),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a GPU is shared."""

    roof_photos_per_s: float
    photos_per_s: float
    gpus_per_replica: float
    batch: int
    arena_gib: float
    """What the saliency net of one replica may take."""
    needed_gib: float
    """What it takes at most: every value of every size of batch in a place of its own."""
    cpus: int
    memory_gib: int
    feeding_cores: int
    """Cores of other nodes that fill this GPU."""

    @property
    def replicas(self) -> int:
        return round(1 / self.gpus_per_replica)


def plan(gpu: Gpu) -> Plan:
    """As many replicas as the GPU can feed, at most eight, and the largest batch that fits."""
    roof = _roof_photos_per_s(gpu)
    rate = OF_ROOF * roof
    wanted = min(MOST_REPLICAS, math.ceil(rate / HOST_PHOTOS_PER_S))
    fitting = [f for f in FRACTIONS if f >= 1 / wanted - 1e-9 and _fits(gpu, f, BATCHES[0])]
    fraction = min(fitting)
    batch = max(b for b in BATCHES if _fits(gpu, fraction, b) and 1e3 * b / rate <= BATCH_MS)
    replicas = round(1 / fraction)
    served = min(rate, replicas * HOST_PHOTOS_PER_S)
    return Plan(
        roof_photos_per_s=roof,
        photos_per_s=served,
        gpus_per_replica=fraction,
        batch=batch,
        arena_gib=_arena_gib(gpu, fraction),
        needed_gib=needed_gib(batch),
        cpus=replicas + 1,
        memory_gib=math.ceil(NODE_MEMORY_GIB + REPLICA_MEMORY_GIB * replicas),
        feeding_cores=math.ceil(served * OTHER_CPU_MS / 1e3),
    )


def needed_gib(batch: int) -> float:
    """Memory of u2netp's values in batches of 1, 2, 4 ... ``batch``, half of what its nodes read
    and write being what they write.
    """
    photos = 2 * batch - 1
    return photos * SALIENCY_ELEMENTS / 2 * FP16_BYTES / GIB


def _roof_photos_per_s(gpu: Gpu) -> float:
    peak = peaks.find(gpu.driver_name)
    assert peak is not None, gpu.driver_name
    seconds = sum(
        max(flops / (peak.fp16 * 1e12), elements * FP16_BYTES / (peak.gb_per_s * GB))
        for flops, elements in (
            (SALIENCY_FLOPS, SALIENCY_ELEMENTS),
            (PERSON_FLOPS, PERSON_ELEMENTS),
        )
    )
    return 1 / seconds


def _arena_gib(gpu: Gpu, fraction: float) -> float:
    return gpu.memory_gib * fraction * ARENA / NETS


def _fits(gpu: Gpu, fraction: float, batch: int) -> bool:
    return needed_gib(batch) <= _arena_gib(gpu, fraction)


def table() -> str:
    """The table of docs/deploy.md."""
    head = (
        "| GPU | memory GiB | roof photos/s | a quarter | replicas | `gpus_per_replica` | batch |"
        " arena GiB | at most GiB | pod cores, GiB | cores that fill it |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    return head + "".join(_row(gpu, plan(gpu)) for gpu in GPUS)


def _row(gpu: Gpu, made: Plan) -> str:
    cells = (
        gpu.id,
        f"{gpu.memory_gib:g}",
        f"{made.roof_photos_per_s:.0f}",
        f"{OF_ROOF * made.roof_photos_per_s:.0f}",
        f"{made.replicas}",
        f"{made.gpus_per_replica:g}",
        f"{made.batch}",
        f"{made.arena_gib:.1f}",
        f"{made.needed_gib:.1f}",
        f"{made.cpus}, {made.memory_gib}",
        f"{made.feeding_cores}",
    )
    return f"| {' | '.join(cells)} |\n"
