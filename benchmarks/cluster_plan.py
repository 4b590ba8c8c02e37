"""The arithmetic of replicas on GPUs and nodes: where Ray puts them, and what keeps them busy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# A share such as 0.1 is not exact: ten of them fill a GPU all the same.
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Shape:
    """A cluster's GPUs, and the share of one that a Matting replica has."""

    nodes: int
    gpus: int
    """Of each node."""
    share: float

    @property
    def per_gpu(self) -> int:
        """Replicas that a GPU holds."""
        return math.floor(1 / self.share + _EPSILON)

    @property
    def replicas(self) -> int:
        """Replicas that all GPUs hold."""
        return self.nodes * self.gpus * self.per_gpu


def placed(shape: Shape, replicas: int) -> tuple[tuple[int, ...], ...]:
    """Replicas by node and GPU as Ray Serve 2.60 places them: spread evenly over the nodes, and in
    a node on the first GPU that has room. Raises ValueError where they do not fit.
    """
    if replicas > shape.replicas:
        raise ValueError(f"{replicas} replicas on {shape.replicas} places")
    least, more = divmod(replicas, shape.nodes)
    return tuple(_packed(shape, least + (node < more)) for node in range(shape.nodes))


def _packed(shape: Shape, replicas: int) -> tuple[int, ...]:
    full, rest = divmod(replicas, shape.per_gpu)
    counts = [shape.per_gpu] * full + [rest] * (rest > 0)
    return tuple(counts + [0] * (shape.gpus - len(counts)))


def idle(counts: Sequence[Sequence[int]]) -> int:
    """GPUs that no replica is on."""
    return sum(not replicas for node in counts for replicas in node)


def alike(found: Sequence[Sequence[int]], plan: Sequence[Sequence[int]]) -> bool:
    """Whether the nodes hold what is planned, whichever of them holds what."""
    return sorted(map(tuple, found)) == sorted(map(tuple, plan))


def busy_photos(shape: Shape, batch: int) -> int:
    """Photos that must be in flight so that no GPU waits: while it computes a batch, another full
    one waits for it, in the same replica or in those that share the GPU.
    """
    return shape.nodes * shape.gpus * batch * max(2, shape.per_gpu)


def gateways(photos: int, max_photos_in_flight: int) -> int:
    """Gateway replicas that have places for so many photos in flight."""
    return math.ceil(photos / max_photos_in_flight)
