"""The private preview: the same photo as the service makes, without the service seeing it."""

import io
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps
from playwright.sync_api import Page, Request, expect

from tests.service import DATA
from tests.web.axe import serious
from tests.web.conftest import PORTRAIT, Tab

SWITCH = "Make it on this device"
MOST_APART = 0.01
_TURNED = 6  # EXIF: a quarter to the right


def photos() -> dict[str, bytes]:
    """Ten portraits: those there are, and others made of them."""
    names = ("astronaut.png", "grace-hopper.png", *sorted(p.name for p in DATA.glob("tiny-*.jpg")))
    found = {name: (DATA / name).read_bytes() for name in names}
    portrait = Image.open(PORTRAIT).convert("RGB")
    found["mirrored"] = _file(ImageOps.mirror(portrait), "PNG")
    exif = Image.Exif()
    exif[0x0112] = _TURNED
    large = portrait.resize((1700, 1700), Image.Resampling.BICUBIC)
    found["large, turned"] = _file(large.rotate(90), "JPEG", quality=92, exif=exif)
    glasses = Image.open(DATA / "tiny-glasses-autumn.jpg")
    found["tilted"] = _file(glasses.resize((576, 768)).rotate(8), "JPEG", quality=95)
    return found


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def alpha(data: bytes) -> npt.NDArray[np.float64]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.getchannel("A"), np.float64) / 255


@pytest.fixture
def methods(tab: Tab) -> list[str]:
    """What was asked of the service, and how."""
    asked: list[str] = []

    def noted(request: Request) -> None:
        asked.append(f"{request.method} {request.url.rpartition('/')[2]}")

    tab.page.context.on("request", noted)
    return asked


@pytest.fixture
def private(tab: Tab) -> Page:
    """The page with the switch on."""
    page = tab.open()
    offered = page.locator("html").get_attribute("data-preview")
    assert offered, "the files of the private preview are missing: make preview (needs npm)"
    page.get_by_label(SWITCH).check()
    return page


def saved(page: Page) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download photo").click()
    return Path(download.value.path()).read_bytes()


def posts(asked: list[str]) -> list[str]:
    return [each for each in asked if not each.startswith("GET ")]


def test_it_makes_what_the_service_makes(
    tab: Tab, private: Page, methods: list[str], client: httpx.Client
) -> None:
    private.get_by_role("radio", name="Transparent").check(force=True)
    wanted = {"document": "us-passport", "background": "transparent"}
    apart, done = {}, photos()
    assert len(done) == 10
    for name, data in done.items():
        tab.give(data)
        answer = client.post("/v1/photos", files={"photo": data}, data=wanted)
        assert answer.status_code == 200, answer.text
        ours, its = alpha(saved(private)), alpha(answer.content)
        assert ours.shape == its.shape
        # There is somebody in it.
        assert 0.2 < its.mean() < 0.8
        apart[name] = float(np.abs(ours - its).mean())
    print(f"MAD: mean {np.mean(list(apart.values())):.4f}, worst {max(apart.values()):.4f}")
    assert max(apart.values()) <= MOST_APART, apart
    # The worker's requests are among those that are seen.
    assert "GET u2netp.onnx" in methods
    assert not posts(methods)


def test_a_photo_is_finished_and_saved(tab: Tab, private: Page, methods: list[str]) -> None:
    tab.give(PORTRAIT)
    stage = private.locator("#one .stage")
    expect(stage).to_have_attribute("data-state", "done")
    expect(private.locator("#private-note")).to_contain_text("does not leave your device")
    expect(private.get_by_role("button", name="Print sheet")).to_be_hidden()
    expect(private.get_by_role("button", name="Larger")).to_be_hidden()
    expect(private.locator(".line.chin")).to_be_visible()
    private.get_by_role("radio", name="Blue", exact=True).check(force=True)
    tab.settled()
    with Image.open(io.BytesIO(saved(private))) as photo:
        assert (photo.format, photo.size, photo.info["dpi"]) == ("JPEG", (600, 600), (300, 300))
        ground = np.asarray(photo.convert("RGB"), int)[5, 5]
    assert np.abs(ground - (67, 142, 219)).max() < 8
    private.get_by_role("button", name="Compare").click()
    private.get_by_role("slider").wait_for()
    assert not serious(private)
    tab.shot("private", whole=True)
    assert not posts(methods)


def test_a_refusal_is_told_here_too(tab: Tab, private: Page, methods: list[str]) -> None:
    tab.give(DATA / "coffee-cup.png")
    expect(private.get_by_role("alert")).to_contain_text("No face was found")
    assert not posts(methods)


def test_nothing_is_sent_when_the_switch_is_turned(
    tab: Tab, private: Page, methods: list[str]
) -> None:
    """A photo that was kept here is not sent by turning the switch; only the next one is."""
    tab.give(DATA / "coffee-cup.png")
    private.get_by_label(SWITCH).uncheck()
    expect(private.locator("#one .stage")).to_have_attribute("data-state", "empty")
    private.get_by_role("radio", name="Red", exact=True).check(force=True)
    assert not posts(methods)
    tab.give(PORTRAIT)
    assert posts(methods) == ["POST photos"]
    private.get_by_label(SWITCH).check()
    private.reload()
    private.locator("html[data-ready]").wait_for()
    expect(private.get_by_label(SWITCH)).to_be_checked()


def test_nothing_of_it_is_loaded_before(tab_of: Callable[..., Tab]) -> None:
    tab = tab_of()
    tab.open()
    assert not [url for url in tab.asked if "preview" in url]
