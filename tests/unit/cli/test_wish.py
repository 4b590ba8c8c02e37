"""What the options mean, and what the files are called."""

import argparse

import pytest

from cli import wish
from cli.wish import Wish
from pipeline.errors import BadOrder


def parsed(*arguments: str) -> Wish:
    parser = argparse.ArgumentParser()
    wish.add_options(parser)
    return wish.wish(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--document", "us-passport"], ("us-passport_white.jpg",)),
        (["--document", "US-Passport", "--format", "png"], ("us-passport_white.png",)),
        (
            ["--document", "us-passport", "--background", "#438edb", "--background", "red"],
            ("us-passport_438edb.jpg", "us-passport_red.jpg"),
        ),
        (
            ["--document", "us-passport", "--background", "transparent"],
            ("us-passport_transparent.png",),
        ),
        (["--size-px", "413x531"], ("custom-413x531_white.jpg",)),
        (["--size-mm", "35x45", "--dpi", "600"], ("custom-827x1063_white.jpg",)),
        (
            ["--document", "us-passport", "--document", "cn-1-inch"],
            ("us-passport_white.jpg", "cn-1-inch_white.jpg"),
        ),
    ],
)
def test_each_variant_has_a_name_of_its_own(arguments: list[str], names: tuple[str, ...]) -> None:
    assert wish.variants(parsed(*arguments).order()) == names


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "bad_parameter"),
        (["--document", "no-such"], "unknown_document"),
        (["--document", "us-passport", "--size-px", "413x531"], "bad_parameter"),
        (["--size-px", "413.5x531"], "bad_parameter"),
        (["--size-mm", "35x4500"], "bad_parameter"),
        (["--document", "us-passport", "--background", "plaid"], "bad_parameter"),
        (
            ["--document", "us-passport", "--background", "transparent", "--format", "jpeg"],
            "transparent_jpeg",
        ),
    ],
)
def test_what_cannot_be_ordered(arguments: list[str], code: str) -> None:
    with pytest.raises(BadOrder) as refused:
        parsed(*arguments).order()
    assert refused.value.code == code


@pytest.mark.parametrize("text", ["35", "35x", "x45", "0x45", "-1x2", "nanx3", "infx3", "1x2x3"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        wish.size(text)


def test_a_service_is_told_what_was_asked_for_and_no_more() -> None:
    asked = parsed("--document", "us-passport", "--background", "red", "--dpi", "600")
    assert asked.query() == [
        ("document", "us-passport"),
        ("background", "red"),
        ("quality", "best"),
        ("dpi", "600"),
    ]
    assert ("size_mm", "35x45.5") in parsed("--size-mm", "35x45.5").query()
