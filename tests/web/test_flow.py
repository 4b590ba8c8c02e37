"""As a new user: from the page to a downloaded photo and a sheet."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Download, expect

from tests.web.conftest import DESK, PHONE, PORTRAIT, TINY, WALL, Tab


def bytes_of(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_passport_photo_and_a_sheet(tab_of: Callable[..., Tab], size: tuple[int, int]) -> None:
    tab = tab_of(size)
    page = tab.open()
    expect(page.get_by_role("button", name="Download photo")).to_be_disabled()
    tab.give(PORTRAIT)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download photo").click()
    assert saved.value.suggested_filename == "us-passport_white.jpg"
    with Image.open(io.BytesIO(bytes_of(saved.value))) as photo:
        assert (photo.format, photo.size) == ("JPEG", (600, 600))
        assert np.asarray(photo.convert("RGB"))[5, 5].min() > 250

    page.get_by_role("button", name="Print sheet").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("2 photos on the sheet")).to_be_visible()
    tab.shot(f"sheet-{size[0]}")
    with page.expect_download() as saved:
        dialog.get_by_role("button", name="Download sheet").click()
    assert saved.value.suggested_filename == "us-passport_4r.pdf"
    assert bytes_of(saved.value).startswith(b"%PDF-")
    dialog.get_by_label("Format").select_option("jpeg")
    dialog.get_by_label("Photos").fill("1")
    expect(dialog.get_by_text("1 photo on the sheet")).to_be_visible()
    with page.expect_download() as saved:
        dialog.get_by_role("button", name="Download sheet").click()
    with Image.open(io.BytesIO(bytes_of(saved.value))) as sheet:
        assert sorted(sheet.size) == [1205, 1795]


def test_every_colour_in_one_zip(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)
    with page.expect_download() as saved:
        page.get_by_role("button", name="All colours").click()
    with zipfile.ZipFile(io.BytesIO(bytes_of(saved.value))) as archive:
        names = archive.namelist()
    assert {"us-passport_white.jpg", "us-passport_blue.jpg", "us-passport_red.jpg"} <= set(names)


def test_colours_and_the_limit_of_bytes(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)
    page.get_by_role("radio", name="Transparent").check(force=True)
    facts = page.locator(".facts")
    expect(facts).to_contain_text("PNG")
    page.get_by_role("radio", name="Blue", exact=True).check(force=True)
    expect(facts).to_contain_text("JPG")
    tab.settled()
    page.get_by_text("File options").first.click()
    page.get_by_label("At most").fill("30")
    expect(facts).to_contain_text(re.compile(r"\b[123]\d\W+kB"))
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download photo").click()
    data = bytes_of(saved.value)
    assert len(data) <= 30_000
    with Image.open(io.BytesIO(data)) as photo:
        ground = np.asarray(photo.convert("RGB"), int)[5, 5]
    assert np.abs(ground - (67, 142, 219)).max() < 8


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_it_fits_every_screen(tab_of: Callable[..., Tab], language: str) -> None:
    tab = tab_of(language=language, dark=language == "zh-CN")
    page = tab.open()
    expect(page.locator("html")).to_have_attribute("lang", "en" if language == "en-US" else "zh-CN")
    for state in ("empty", "done"):
        if state == "done":
            tab.give(PORTRAIT)
        for size in (PHONE, DESK, TINY, WALL):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            tab.shot(f"one-{state}-{language[:2]}-{size[0]}", whole=size != WALL)
            wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wider) <= 0, size


def test_the_language_is_switched(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="下载照片")).to_be_enabled()
    expect(page.locator("#findings")).to_contain_text("照片放大倍数")
    expect(page).to_have_title("证件照")
    page.reload()
    expect(page.get_by_role("link", name="批量照片")).to_be_visible()
