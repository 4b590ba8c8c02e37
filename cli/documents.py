"""``idphoto documents``: which ID photos there are."""

import argparse
import json
from dataclasses import asdict

from cli.exits import Exit
from pipeline import documents


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--search", default="", metavar="WORDS", help="words of an id, a name or a country"
    )
    parser.add_argument("--country", default="", help="the code or name of one: fr, France, 法国")
    parser.add_argument("--json", action="store_true", help="one JSON object a document")


def run(options: argparse.Namespace) -> Exit:
    """A line for each document that is found; REFUSED where none is."""
    found = documents.search(options.search, options.country)
    for document in found:
        if options.json:
            print(json.dumps(asdict(document)))
            continue
        mm = "x".join(f"{side:g}" for side in document.size_mm)
        px = "x".join(map(str, document.size_px))
        cells = f"{document.id:36} {mm + ' mm':14} {px + ' px':14} {document.background:12}"
        print(f"{cells} {document.name_en} / {document.name_zh}")
    return Exit.DONE if found else Exit.REFUSED
