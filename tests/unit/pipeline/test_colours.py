import pytest

from pipeline.colours import NAMED, parse
from pipeline.errors import BadOrder
from pipeline.values import Background


@pytest.mark.parametrize(
    ("text", "name", "rgb"),
    [
        ("white", "white", (255, 255, 255)),
        ("blue", "blue", (67, 142, 219)),
        ("transparent", "transparent", None),
        (" Light-Grey ", "light-grey", (229, 229, 229)),
        ("light_gray", "light-grey", (229, 229, 229)),
        ("LIGHT BLUE", "light-blue", (173, 206, 235)),
        ("Gray", "grey", (192, 192, 192)),
        ("#438edb", "#438edb", (0x43, 0x8E, 0xDB)),
        ("438EDB", "#438edb", (0x43, 0x8E, 0xDB)),
        ("#fff", "#ffffff", (255, 255, 255)),
        ("0a9", "#00aa99", (0x00, 0xAA, 0x99)),
        ("#000000", "#000000", (0, 0, 0)),
        ("\t#FfF\n", "#ffffff", (255, 255, 255)),
    ],
)
def test_parse(text: str, name: str, rgb: tuple[int, int, int] | None) -> None:
    assert parse(text) == Background(name, rgb)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "gradient:#438edb-#FFF",
            Background("gradient-438edb-ffffff", (67, 142, 219), "vertical", (255, 255, 255)),
        ),
        (
            "Radial:fff-000000",
            Background("radial-ffffff-000000", (255, 255, 255), "radial", (0, 0, 0)),
        ),
        ("image", Background("image", (255, 255, 255), "image")),
    ],
)
def test_what_is_no_plain_colour(text: str, found: Background) -> None:
    assert parse(text) == found
    # Files are named after it.
    assert not set(found.name) & set("#:/ ")


@pytest.mark.parametrize("name", NAMED)
def test_every_name_means_its_colour(name: str) -> None:
    assert parse(name) == Background(name, NAMED[name])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "##fff",
        "#ff",
        "#ffff",
        "#fffff",
        "#fffffff",
        "#ggg",
        "#12345g",
        "0x438edb",
        "rgb(1,2,3)",
        "-1",
        "#４３８edb",  # full-width digits
        "#²³¹",
        "f f f",
        "beige",
        "gradient:",
        "gradient:#fff",
        "gradient:red-blue",
        "gradient:#fff-#000-#fff",
        "radial:#ffff-#000",
        "conic:#fff-#000",
        "image.png",
        "none",
        "white\x00",
        "a" * 100_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(BadOrder) as caught:
        parse(text)
    assert caught.value.code == "bad_parameter"
    assert caught.value.details["name"] == "background"
    # What was sent is not repeated, however long it was.
    assert len(str(caught.value)) < 300
    assert "light-blue" in str(caught.value)
