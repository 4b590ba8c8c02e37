"""Sheets, and what is done to photos besides the cut-out, from the command line."""

import argparse
import base64
import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pikepdf
import pytest
from PIL import Image

from cli import finish, sheet, wish
from cli.main import main
from cli.remote import Remote
from cli.sheet_wish import SheetWish
from pipeline.finish_values import PLAIN, Adjustments, Finish, Watermark

DATA = Path(__file__).parents[2] / "data"
PORTRAIT = DATA / "astronaut.png"
CHECK = {
    **{"code": "matte", "title": {"en": "Matte", "zh": "x"}, "value": 99, "unit": "%"},
    **{"min": None, "max": None, "result": "warn", "hint": {"en": "Look.", "zh": "x"}},
}
ANSWER = {
    **{"paper": "a6", "size_mm": [105, 148], "size_px": [10, 20], "media_type": "image/png"},
    **{"quality": "best", "data_base64": base64.b64encode(b"made").decode()},
    "file": {"bytes": 4, "dpi": 300, "quality": None, "chroma": None, "progressive": False},
    "photos": [
        {"document": "cn-1-inch", "background": "red", "size_mm": [25, 35], "count": 3}
        | {"checks": [CHECK]}
    ],
}


def finishing(*arguments: str) -> Finish:
    parser = argparse.ArgumentParser()
    finish.add_options(parser)
    return finish.finish(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "found", "query"),
    [
        ([], PLAIN, {}),
        (
            ["--brightness", "-20", "--fill-light", "--adjust", "auto"],
            Finish(Adjustments(brightness=-20, fill_light=True, auto=True)),
            {"brightness": "-20", "fill_light": "true", "adjust": "auto"},
        ),
        (
            ["--watermark", "样本", "--watermark-style", "corner", "--watermark-opacity", "0.5"],
            Finish(watermark=Watermark("样本", "corner", 0.5)),
            {"watermark": "样本", "watermark_style": "corner", "watermark_opacity": "0.5"},
        ),
    ],
)
def test_what_the_options_mean(arguments: list[str], found: Finish, query: dict[str, str]) -> None:
    assert finishing(*arguments) == found
    assert dict(finish.query(found)) == query


@pytest.mark.parametrize(
    "arguments", [["--contrast", "101"], ["--sharpness", "much"], ["--watermark-opacity", "0"]]
)
def test_what_the_options_do_not_take(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        finishing(*arguments)
    assert ended.value.code == 2


def test_bytes_go_into_the_order_and_to_the_service() -> None:
    parser = argparse.ArgumentParser()
    wish.add_options(parser)
    arguments = ["--document", "cn-1-inch", "--max-kb", "40", "--min-kb", "10", "--progressive"]
    asked = wish.wish(parser.parse_args(arguments))
    assert asked.order().bytes_limit == (10_240, 40_000)
    assert asked.order().progressive
    assert {("min_kb", "10"), ("max_kb", "40"), ("progressive", "true")} <= set(asked.query())


def test_a_sheet_of_a_portrait_and_of_the_finished_photo(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = ["--document", "cn-1-inch", "--quality", "fast", "-o", str(tmp_path)]
    assert main(["sheet", str(PORTRAIT), *order, "--paper", "100x150", "--watermark", "NO"]) == 0
    with Image.open(tmp_path / "astronaut_sheet_custom.jpg") as paper:
        assert sorted(paper.size) == [1181, 1772]
    assert main(["make", str(PORTRAIT), *order, "--max-kb", "20"]) == 0
    photo = tmp_path / "astronaut_cn-1-inch_white.jpg"
    assert photo.stat().st_size <= 20_000
    finished = ["--as-is", "--format", "pdf", "--json", *order]
    capsys.readouterr()
    assert main(["sheet", str(photo), *finished]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["results"], told["checks"]) == (
        [str(tmp_path / "astronaut_cn-1-inch_white_sheet_4r.pdf")],
        [],
    )
    with pikepdf.open(io.BytesIO(Path(told["results"][0]).read_bytes())) as pdf:
        assert len(pdf.pages) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sheet", "PHOTO", "--document", "cn-1-inch", "--paper", "a0"], "paper"),
        (["sheet", "PHOTO", "--document", "cn-1-inch", "--count", "99"], "count"),
        (["make", "PHOTO", "--document", "us-passport", "--adjust", "auto"], "adjust"),
        (["make", "PHOTO", "--document", "us-passport", "--background", "image"], "image"),
        (["make", "PHOTO", "--document", "cn-1-inch", "--min-kb", "9", "--max-kb", "8"], "kb"),
    ],
)
def test_wrong_use_is_told_before_anything_is_done(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(PORTRAIT) if part == "PHOTO" else part for part in arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_service_is_asked_for_the_same_sheet(tmp_path: Path) -> None:
    asked: list[Any] = []

    def post(_: Remote, route: str, query: list[tuple[str, str]], data: bytes) -> Any:
        asked.append((route, dict(query), data))
        return ANSWER

    arguments = ["--document", "cn-1-inch", "--count", "3", "--paper", "a6", "--server", "http://x"]
    with patch.object(Remote, "_post", post):
        code = main(["sheet", str(PORTRAIT), *arguments, "-o", str(tmp_path), "--adjust", "auto"])
    assert code == 0
    assert (tmp_path / "astronaut_sheet_a6.png").read_bytes() == b"made"
    ((route, query, data),) = asked
    assert (route, data) == ("/v1/sheets", PORTRAIT.read_bytes())
    assert query["paper"] == "a6" and query["count"] == "3" and query["adjust"] == "auto"
    assert "as_is" not in query


def test_the_defaults_are_those_of_the_options() -> None:
    parser = argparse.ArgumentParser()
    sheet.add_options(parser)
    options = vars(parser.parse_args(["photo.jpg"]))
    usual = SheetWish(())
    for name in ("paper", "orientation", "gap_mm", "margin_mm", "cut", "format", "quality", "dpi"):
        assert options[name] == getattr(usual, name)
