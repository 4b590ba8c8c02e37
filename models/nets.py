"""The matting nets of a service, a batch or a command line: several, named, opened alike and asked
together.
"""

import logging
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

from models import batches
from models.catalog import WantedPrecision, find
from models.matting import Loader, MattingNet, interface
from models.runtimes import WantedRuntime
from models.session import KnownDevice, SessionOptions
from models.weights import default_folder
from pipeline.values import Alpha8, Rgb

NETS: Mapping[str, str] = {"person": "selfie", "saliency": "u2netp"}
"""Names by role, as the service has them out of the box."""
# Part of a GPU worker's share of memory that its nets may fill; the rest is CUDA's own.
_NETS_SHARE = 0.8
_LOG = logging.getLogger(__name__)


def sides(nets: Mapping[str, str]) -> dict[str, int]:
    """The side in pixels of what each net sees, by role. Raises ValueError for an unknown name."""
    return {role: interface(find(name)).size_px for role, name in nets.items()}


def loader(
    nets: Mapping[str, str],
    device: KnownDevice,
    *,
    batch: int = 1,
    threads: int = 1,
    gpu_share: float = 1,
    precision: WantedPrecision = "auto",
    runtime: WantedRuntime = "auto",
    cuda_graphs: bool = True,
    folder: Path | None = None,
    log: logging.Logger = _LOG,
) -> Loader:
    """What opens the nets in the process that calls it.

    ``batch`` is the most photos that are asked about at once, ``gpu_share`` the part of one GPU
    that is theirs, of whose memory they take no more.
    """
    folder = folder or default_folder()
    options = SessionOptions(
        device=device,
        threads=threads,
        # The nets divide the share among them.
        gpu_memory_share=gpu_share * _NETS_SHARE / len(nets),
        tensorrt_cache=folder / "tensorrt",
        cuda_graphs=cuda_graphs,
    )
    warm = tuple(sorted({1, batch})) if device == "cpu" else batches.sizes(batch)
    return Loader(
        nets, options, folder, warm_batches=warm, precision=precision, runtime=runtime, log=log
    )


def matte(
    nets: Mapping[str, MattingNet], photos: Sequence[Mapping[str, Sequence[Rgb]]]
) -> list[dict[str, tuple[Alpha8, ...]]]:
    """What each net that a photo asks, by its role, answers for each of its frames: uint8 SxS.

    Each net sees the frames of all photos in one batch.
    """
    answers: list[dict[str, tuple[Alpha8, ...]]] = [{} for _ in photos]
    for role, net in nets.items():
        asked = [i for i, frames in enumerate(photos) if role in frames]
        alphas = iter(net.matte([frame for i in asked for frame in photos[i][role]]))
        for i in asked:
            answers[i][role] = tuple(islice(alphas, len(photos[i][role])))
    return answers
