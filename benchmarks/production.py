"""The service as the README wants it in production, two Gateways, for runs that last."""

from pathlib import Path
from typing import Any

import yaml

from benchmarks.service import ROOT, Command, serve

APPLICATION = "idphoto"


def production(port: int, folder: Path, *, dashboard: bool = False, **settings: Any) -> Command:
    """``idphoto serve`` of the shipped configuration with two Gateways and other settings as given.
    Writes ``serve.json`` to the folder, which exists.
    """
    (shipped,) = yaml.safe_load((ROOT / "serve_config.yaml").read_text("utf-8"))["applications"]
    args = {**shipped["args"], "gateway": {"min_replicas": 2}, **settings}
    return serve({"name": APPLICATION, "args": args}, port, folder, dashboard=dashboard)
