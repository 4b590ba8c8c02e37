"""The Ray cluster: of this machine alone, or one that is there; and the workers on it."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import pyarrow as pa

# Ray looks at the environment when it is first imported. Below fatal it says of every pool of
# actors that they could not be started anew if their arguments were lost.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")

import ray
import ray.data
from ray.data import ActorPoolStrategy, DataContext
from ray.exceptions import RayError
from ray.util.annotations import RayDeprecationWarning

from cli.batch.manifest import SCHEMA
from cli.batch.storage import Storage
from cli.batch.work import Frames, Job, Nets, OwnNets, Work, row
from cli.exits import Exit, Failure
from models import drawings, finder, nets
from models.matting import MattingNet
from models.session import KnownDevice
from models.weights import default_folder
from pipeline import finding
from pipeline.flow import Alphas

# Freed memory stays with the process, as in serve_config.yaml; it saves a fifth of a photo's CPU.
_MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "134217728",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_ARENA_MAX": "4",
}
# Names go in and rows come out; pictures pass only where nets are on a GPU.
_STORE_BYTES = {"cpu": 200_000_000, "cuda": 2_000_000_000}
# A worker that dies at a photo dies again; others of its block are tried without it later.
_TRIES = 2
_GPU_BATCH = 8
# One block is worked on, and the next one is there.
_BLOCKS_AT_HAND = 2
_ROW = pa.schema([("place", pa.int64()), *SCHEMA])


@dataclass(frozen=True)
class Cluster:
    """What there is to work with."""

    cpus: int
    gpus: float


@dataclass(frozen=True)
class Team:
    """How many workers, and how each comes to its nets."""

    workers: int
    open_nets: Callable[[], Nets]


@contextmanager
def connected(address: str | None, workers: int) -> Iterator[Cluster]:
    """A Ray of our own for so many workers, or the one at the address. Raises Failure."""
    own: dict[str, Any] = {
        "num_cpus": workers,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES["cuda"] if _has_gpu() else _STORE_BYTES["cpu"],
    }
    try:
        with _silent_stderr():
            ray.init(
                address=address or "local",
                runtime_env={"env_vars": _MEMORY},
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if address else own),
            )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise Failure(Exit.UNREACHABLE, f"No Ray cluster: {error}") from None
    try:
        there = ray.cluster_resources()
        yield Cluster(max(1, int(there.get("CPU", 1))), there.get("GPU", 0))
    except RayError as error:
        said = f"The Ray cluster failed: {error}\nRun it again to go on where it was."
        raise Failure(Exit.UNREACHABLE, said) from None
    finally:
        ray.shutdown()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Ray's C++ part reports there that it was told how much to report."""
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def rows(
    job: Job, source: Storage, target: Storage, names: Sequence[pa.Table], team: Team
) -> Iterator[pa.Table]:
    """The rows of the photos in these blocks, as they are made, in any order.

    A block whose worker died again and again is left out; the caller sees which rows are missing.
    """
    context = DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    pool = ActorPoolStrategy(
        min_size=1,
        max_size=min(team.workers, len(names)),
        initial_size=min(team.workers, len(names)),
        max_tasks_in_flight_per_actor=_BLOCKS_AT_HAND,
    )
    with warnings.catch_warnings():
        # Deprecated, but without it a worker is started for ever that dies at every try.
        warnings.simplefilter("ignore", RayDeprecationWarning)
        # from_arrow would start workers only to count the rows.
        made = ray.data.from_blocks(list(names)).map_batches(
            _Worker,
            fn_constructor_args=(job, source, target, team.open_nets),
            batch_size=None,
            batch_format="pyarrow",
            compute=pool,
            num_cpus=1,
            max_task_retries=_TRIES,
        )
    yield from made.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)


def team(used: Mapping[str, str], device: KnownDevice, there: Cluster, gpu_share: float) -> Team:
    """A worker for each core, with nets on this device.

    On CPUs each worker has nets of its own: nothing but names and rows passes between processes.
    On GPUs the workers have none, and send what the nets are to see to actors that share the GPUs.
    """
    if device == "cpu":
        loader = nets.loader(used, device)
        return Team(there.cpus, lambda: OwnNets(loader()))
    loader = nets.loader(used, device, batch=_GPU_BATCH, gpu_share=gpu_share)
    return shared(loader, there.cpus, gpu_share, max(1, int(there.gpus / gpu_share)))


def shared(load: Callable[[], dict[str, MattingNet]], workers: int, gpus: float, many: int) -> Team:
    """Workers that share so many actors with nets, each of which has this share of a GPU."""
    actor = ray.remote(_Matting).options(
        num_gpus=gpus, num_cpus=0, max_restarts=-1, max_task_retries=_TRIES
    )
    actors = tuple(actor.remote(load) for _ in range(many))
    return Team(workers, lambda: _SharedNets(actors, _GPU_BATCH, 1))


class _Matting:
    """The nets on a share of a GPU."""

    def __init__(self, load: Callable[[], dict[str, MattingNet]]) -> None:
        cv2.setNumThreads(1)
        self._nets = load()

    def matte(self, photos: Sequence[Frames]) -> Sequence[Alphas]:
        return nets.matte(self._nets, photos)


class _SharedNets:
    """Nets in actors, asked in turn."""

    def __init__(self, actors: Sequence[Any], batch: int, ahead: int) -> None:
        self._actors = actors
        # Not all workers begin with the same one.
        self._next = os.getpid()
        self.batch = batch
        self.ahead = ahead

    def ask(self, photos: Sequence[Frames]) -> Callable[[], Sequence[Alphas]]:
        self._next += 1
        answer = self._actors[self._next % len(self._actors)].matte.remote(list(photos))
        return lambda: ray.get(answer)


class _Worker:
    """A process that makes the photos of one block after the other."""

    def __init__(
        self, job: Job, source: Storage, target: Storage, open_nets: Callable[[], Nets]
    ) -> None:
        cv2.setNumThreads(1)
        folder = default_folder()
        find_faces = finder.load(folder).find
        how_drawn = finding.refusing(drawings.load(folder).score)
        self._work = Work(job, source, target, find_faces, open_nets(), how_drawn)

    def __call__(self, block: pa.Table) -> pa.Table:
        places, sources = block["place"].to_pylist(), block["source"].to_pylist()
        outcomes = self._work.outcomes(sources)
        made = [row(outcome, place) for place, outcome in zip(places, outcomes, strict=True)]
        return pa.Table.from_pylist(made, _ROW)


def _has_gpu() -> bool:
    return os.path.exists("/dev/nvidia0")
