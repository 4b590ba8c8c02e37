"""How the service behaves on many nodes and GPUs, on a cluster that is simulated on this machine.

python -m benchmarks.cluster placement|scale|burst|kill|update|head|proxy [options] [--out FOLDER]

Each prints a table in Markdown and writes what it saw to FOLDER (benchmarks/results) as JSON. Real
are Ray and the service's own application; GPUs and the work of the CPU steps are not
(benchmarks/simulated.py, docs/scaling.md). Needs Linux; ``head`` also needs redis-server, and
``proxy`` makes a network namespace, as HAProxy mode listens on all interfaces.
"""

import argparse
import asyncio
import dataclasses
import importlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.figures import machine, table
from benchmarks.service import ROOT
from cli.serve import RAY

# Read by Ray when it is imported. A token and folders of its own: no other Ray here is met.
ENVIRONMENT = {
    **RAY,
    "RAY_AUTH_TOKEN": secrets.token_hex(32),
    "PYTHONPATH": str(ROOT),
    # Many processes start on few cores: they take longer than Ray would wait, and those that it
    # starts in advance are in their way.
    "RAY_worker_register_timeout_seconds": "900",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_enable_worker_prestart": "0",
}
SCENARIOS = {
    "placement": "cluster_placement",
    "scale": "cluster_scale",
    "burst": "cluster_burst",
    "kill": "cluster_faults",
    "update": "cluster_faults",
    "head": "cluster_head",
    "proxy": "cluster_proxy",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a scenario came to."""

    said: str
    """Its conditions, in a sentence."""
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    figures: dict[str, Any] = field(default_factory=dict)
    """All that was seen, for the JSON file."""
    good: bool = True
    """Whether it went as it must."""


def written(scenario: str, options: dict[str, Any], report: Report, folder: Path) -> Path:
    """The JSON file of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"cluster-{scenario}.json"
    content = {"machine": machine(), "options": options, **dataclasses.asdict(report)}
    path.write_text(json.dumps(content, indent=1, default=str) + "\n", "utf-8")
    return path


def apart(
    scenario: str,
    more: Sequence[str],
    folder: Path,
    before: Sequence[str] = (),
    environment: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """What the scenario writes that is run by a process of its own, as one has one Ray after the
    other with difficulty: with the options of this process, ``more`` of them, and ``before`` the
    command line. Raises FileNotFoundError where it fails.
    """
    given = sys.argv[sys.argv.index(scenario) + 1 :]
    words = [sys.executable, "-m", "benchmarks.cluster", "--out", str(folder), scenario]
    subprocess.run(
        [*before, *words, *given, *more],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=False,
        stdout=subprocess.DEVNULL,
    )
    path = folder / f"cluster-{scenario}.json"
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    made.add_argument("scenario", choices=sorted(SCENARIOS))
    made.add_argument("rest", nargs=argparse.REMAINDER, help="its options; -h tells them")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="idp-", ignore_cleanup_errors=True) as name:
        os.environ.update(ENVIRONMENT, RAY_TMPDIR=name)
        # After the environment: these import Ray.
        scenario = importlib.import_module(f"benchmarks.{SCENARIOS[options.scenario]}")
        chosen = scenario.parser(options.scenario).parse_args(options.rest)
        report = asyncio.run(scenario.run(chosen, Path(name)))
    print(f"{machine()}; {report.said}\n\n{table(report.header, report.rows)}")
    given = {key: value for key, value in vars(chosen).items() if not callable(value)}
    print(f"\n{written(options.scenario, given, report, options.out)}")
    sys.exit(0 if report.good else 1)


if __name__ == "__main__":
    main()
