"""Workers that die, and nets that are shared: on a Ray with two logical GPUs."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray

from cli import wish
from cli.batch import cluster, run
from cli.batch.manifest import Manifest
from cli.batch.plan import plan
from cli.batch.storage import Folder
from cli.batch.work import Job, OwnNets
from cli.wish import Wish
from models import nets
from tests.batch.conftest import ROOT, rows
from tests.unit.cli.people import CODES, GOOD

USED = {"person": nets.NETS["person"]}


@pytest.fixture(scope="module", autouse=True)
def local_ray() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=2,
        num_gpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    yield
    ray.shutdown()


def ran(source: Folder, target: Path, team: cluster.Team) -> dict[str, dict[str, Any]]:
    order = Wish(("us-passport",), quality="fast").order()
    variants = wish.variants(order)
    job = Job(order, variants, nets.sides(USED), 100_000_000, 50_000_000, skip_written=False)
    places = source, Folder(target)
    found = plan(*places, job)
    run.run(job, *places, found, team, Manifest(places[1], variants))
    return rows(target)


def test_workers_share_nets(source: Path, target: Path) -> None:
    found = ran(
        Folder(source), target, cluster.shared(nets.loader(USED, "cpu", batch=8), 2, 0.5, 2)
    )
    assert {name: row["code"] for name, row in found.items()} == {
        **CODES,
        **dict.fromkeys(GOOD, ""),
    }


class Deadly(Folder):
    """A folder of which one file kills whoever reads it."""

    def read(self, name: str, limit_bytes: int) -> bytes:
        if name == "good-1.jpg":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().read(name, limit_bytes)


def test_a_photo_at_which_workers_die_is_the_only_one_that_is_lost(
    source: Path, target: Path
) -> None:
    load = nets.loader(USED, "cpu")
    found = ran(Deadly(source), target, cluster.Team(2, lambda: OwnNets(load())))
    assert found["good-1.jpg"]["code"] == "internal_error"
    assert {name for name, row in found.items() if not row["code"]} == GOOD - {"good-1.jpg"}
