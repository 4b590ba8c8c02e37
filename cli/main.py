"""The console script ``idphoto``."""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from types import ModuleType

from cli import check, documents, make, serve, sheet
from cli.batch import command as batch
from cli.exits import Exit, Failure
from cli.wish import explained
from pipeline.errors import BadOrder

_PACKAGE = "idphoto-serve"
_COMMANDS: dict[str, tuple[ModuleType, str]] = {
    "make": (make, "make ID photos of a few photos"),
    "sheet": (sheet, "lay photos of a person out on paper, for print"),
    "check": (check, "say what is wrong with a few photos"),
    "documents": (documents, "list the documents that are known"),
    "batch": (batch, "make ID photos of all photos in a folder or bucket"),
    "serve": (serve, "run the service on 127.0.0.1:8000"),
}
_EXITS = """exit codes:
  0    all is done
  1    done, but a photo came to nothing, a check failed, or no document was found
  2    wrong options or files; nothing was done
  3    no service, no nets or no cluster, or the service does not let us in
  4    results cannot be written
  130  interrupted"""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(
        prog="idphoto",
        description="ID photos from casual portraits.",
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"{_PACKAGE} {version(_PACKAGE)}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, (module, about) in _COMMANDS.items():
        own = commands.add_parser(name, help=about, description=module.__doc__)
        module.add_options(own)
        own.set_defaults(run=module.run)
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    options = parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        return int(options.run(options))
    except BadOrder as error:
        return _ended(Exit.USAGE, explained(error))
    except Failure as failure:
        return _ended(failure.exit, str(failure))
    except KeyboardInterrupt:
        return _ended(Exit.INTERRUPTED, "interrupted")
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not try to flush it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.DONE


def _ended(exit: Exit, message: str) -> int:
    print(f"idphoto: {message}", file=sys.stderr)
    return int(exit)


if __name__ == "__main__":
    sys.exit(main())
