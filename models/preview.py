"""Fetches what the page's private preview needs (docs/page.md): ONNX Runtime for browsers, out of
an npm package, and the nets, as files that the service hands on. npm comes with Node.js.

python -m models.preview --folder /srv/weights
"""

import argparse
import gzip
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from models import catalog, preview_files
from models.prepare import prepare
from models.preview_files import LISTING, NETS, RUNTIME, Files
from models.weights import WeightsUnavailable, default_folder, fetch, fetch_file, locked, sha256

# A quarter of the runtime's size is left; of a net's weights nine tenths.
_ZIPPED = ".wasm"


def assemble(folder: Path) -> Files:
    """The files in the folder of the weights, fetched and made unless they are there.

    Raises WeightsUnavailable.
    """
    if found := preview_files.find(folder):
        return found
    own = preview_files.place(folder)
    with locked(own):
        own.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as packages:
            for file in RUNTIME:
                fetch_file(file, own, packages=Path(packages))
        for source, name in _nets(folder):
            _replace(own / name, source)
        names = [*(file.file_name for file in RUNTIME), *(name for _, name in _nets(folder))]
        for name in names:
            if name.endswith(_ZIPPED):
                data = (own / name).read_bytes()
                (own / f"{name}.gz").write_bytes(gzip.compress(data, mtime=0))
        listing = json.dumps({name: sha256(own / name) for name in names}, indent=1)
        part = own / f"{LISTING}.part"
        part.write_text(listing, "utf-8")
        os.replace(part, own / LISTING)
    found = preview_files.find(folder)
    assert found is not None
    return found


def _nets(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each net's file and its name in a browser; a net of several files has no name there."""
    for name in NETS:
        net = catalog.find(name)
        sources = fetch(net, folder)
        for part, source in sources.items():
            if net.family == "mtcnn":
                yield source, f"{part}.onnx"
            else:
                yield prepare(net, source, folder, "fp32"), f"{name}.onnx"


def _replace(path: Path, source: Path) -> None:
    part = path.with_suffix(".part")
    shutil.copyfile(source, part)
    os.replace(part, path)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 1 where a file is not to be had."""
    parser = argparse.ArgumentParser(prog="python -m models.preview", description=__doc__)
    parser.add_argument(
        "--folder", type=Path, default=default_folder(), help="default: %(default)s"
    )
    try:
        found = assemble(parser.parse_args(arguments).folder)
    except WeightsUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    print(*(found.folder / name for name in found.sums), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
