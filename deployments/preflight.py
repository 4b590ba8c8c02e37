"""Finds out before Ray starts what would keep the service from starting: ``make serve`` asks first.

Ray itself tries a faulty application several times, and keeps its reasons in long tracebacks.
"""

import argparse
import difflib
import importlib
import importlib.util
import socket
import sys
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ray.serve.schema import ServeDeploySchema

from deployments.settings import Settings
from deployments.tracing import PACKAGE
from models import drawings, finder
from models.catalog import find
from models.matting import interface
from models.session import ProviderUnavailable, check_device
from models.weights import WeightsUnavailable, default_folder, fetch
from pipeline import fonts
from pipeline.errors import BadOrder


def reasons(config: Path) -> Iterator[str]:
    """One sentence for each thing in the way of a service with this ``serve_config.yaml`` on this
    machine. Fetches weights that are missing.
    """
    try:
        given = yaml.safe_load(config.read_text("utf-8"))
        deploy = ServeDeploySchema.model_validate(given)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        yield f"{config} cannot be read: {' '.join(str(error).split())}."
        return
    except ValidationError as error:
        yield from (f"{config}: {_sentence(each, None)}" for each in error.errors())
        return
    for application in deploy.applications:
        yield from _of_application(config, application.import_path, application.args)
    yield from _of_port(deploy.http_options.host, deploy.http_options.port)


def _of_application(config: Path, import_path: str, args: dict[str, Any]) -> Iterator[str]:
    module, _, name = import_path.partition(":")
    build = getattr(importlib.import_module(module), name)
    model = next(iter(typing.get_type_hints(build).values()))
    try:
        settings = model.model_validate(args)
    except ValidationError as error:
        yield from (f"{config}: {_sentence(each, model)}" for each in error.errors())
        return
    if isinstance(settings, Settings):
        yield from _of_machine(settings)


def _of_machine(settings: Settings) -> Iterator[str]:
    if settings.device in ("cuda", "tensorrt") and not settings.gpu_nodes_on_demand:
        try:
            check_device(settings.device)
        except ProviderUnavailable as error:
            yield str(error)
    if settings.tracing and importlib.util.find_spec(PACKAGE) is None:
        yield "tracing needs OpenTelemetry's exporter: pip install .[tracing], or leave it out."
    if settings.label and settings.label.text:
        try:
            fonts.require(settings.label.text)
        except BadOrder as error:
            yield f"ai_label_text: {error.text.title} pip install .[fonts], or write it in ASCII."
    folder = settings.weights_folder or default_folder()
    try:
        others = (net for model in settings.models.values() for net in model.nets.values())
        wanted = dict.fromkeys((*settings.all_nets.values(), *others))
        for name in wanted:
            interface(find(name))
        asked = () if settings.drawings == "ignore" else (drawings.NET,)
        for name in (*finder.NETS, *asked, *wanted):
            fetch(name, folder)
    except (ValueError, WeightsUnavailable) as error:
        yield str(error)


def _of_port(host: str | None, port: int) -> Iterator[str]:
    with socket.socket() as wanted:
        # As the server does it, so that connections that are closing are not in the way.
        wanted.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            wanted.bind((host or "127.0.0.1", port))
        except (OSError, OverflowError) as error:
            yield (
                f"Port {port} of {host} cannot be used ({error}): stop what listens there, or set "
                "another http_options.port."
            )


def _sentence(error: ErrorDetails, model: type[BaseModel] | None) -> str:
    """What is wrong with a setting, by its full name."""
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] != "extra_forbidden":
        reason = error["msg"].removeprefix("Value error, ")
        return f"the setting {name} cannot be {error['input']!r}: {reason}."
    close = difflib.get_close_matches(str(error["loc"][-1]), model.model_fields if model else (), 1)
    return f"there is no setting {name}" + (f"; is {close[0]} meant?" if close else ".")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 if anything is in the way, with the reasons on stderr."""
    parser = argparse.ArgumentParser(prog="python -m deployments.preflight", description=__doc__)
    parser.add_argument("config", type=Path, nargs="?", default=Path("serve_config.yaml"))
    found = list(reasons(parser.parse_args(arguments).config))
    for reason in found:
        print(f"cannot start: {reason}", file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
