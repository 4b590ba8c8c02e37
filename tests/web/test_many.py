"""Many photos: sent, watched across a reload, steered, fetched, erased."""

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Download, Page, expect

from tests.service import DATA
from tests.web.axe import serious
from tests.web.conftest import DESK, PHONE, PORTRAIT, Tab

GOOD = 10


@pytest.fixture(scope="module")
def class_photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A class of portraits, with a cup, a damaged file and a text among them."""
    folder = tmp_path_factory.mktemp("class")
    for number in range(GOOD):
        (folder / f"{number:02} pupil.png").write_bytes(PORTRAIT.read_bytes())
    (folder / "90 cup.png").write_bytes((DATA / "coffee-cup.png").read_bytes())
    (folder / "91 broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")
    (folder / "notes.txt").write_text("no photo")
    return sorted(folder.iterdir())


def start(tab: Tab, files: list[Path]) -> Page:
    """A quick job of these files."""
    page = tab.open("#many")
    page.locator("#many input[type=file]").first.set_input_files(list(map(str, files)))
    heap = page.locator(".heap")
    expect(heap).to_contain_text(f"{len(files) - 1} photos")
    expect(heap).to_contain_text("1 other file is left out")
    tab.shot("many-heap")
    page.locator("#many").get_by_text("File options").click()
    page.locator("#many").get_by_label("Quick cut-out").check()
    page.get_by_role("button", name="Make all photos").click()
    page.locator(".job").wait_for()
    return page


def saved(page: Page, button: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    value: Download = download.value
    return Path(value.path()).read_bytes()


def test_a_job_from_a_heap_of_files_to_a_zip(
    tab_of: Callable[..., Tab], class_photos: list[Path]
) -> None:
    tab = tab_of(DESK)
    page = start(tab, class_photos)
    # What the address and the browser remember is enough to go on.
    page.reload()
    expect(page.locator(".job h2")).to_have_text("All done", timeout=60_000)
    expect(page.locator(".job")).to_contain_text("10 of 12 made, 2 failed")
    expect(page.locator(".thumb img[src]")).not_to_have_count(0)
    tab.shot("many-done")
    assert not serious(page)

    page.locator(".tabs [data-state=failed]").click()
    rows = page.locator(".table-row")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("No face was found")
    expect(rows.nth(1)).to_contain_text("damaged")

    with zipfile.ZipFile(io.BytesIO(saved(page, "Download all (zip)"))) as archive:
        names = archive.namelist()
    assert len([name for name in names if name.endswith(".jpg")]) == GOOD
    assert "report.csv" in names
    report = list(csv.DictReader(io.StringIO(saved(page, "Report").decode("utf-8-sig"))))
    assert [row["State"] for row in report] == ["Made"] * GOOD + ["Failed"] * 2

    page.get_by_role("button", name="Try the failed again").click()
    expect(page.locator(".job h2")).to_have_text("All done", timeout=60_000)
    page.get_by_role("button", name="New job").click()
    expect(page.locator(".history li")).to_have_count(1)
    page.get_by_role("button", name="Delete now").click()
    expect(page.locator(".history")).to_be_hidden()


def test_a_job_is_paused_resumed_and_stopped(tab: Tab, class_photos: list[Path]) -> None:
    page = start(tab, class_photos[:9] * 4 + class_photos[-1:])
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".job h2")).to_contain_text("Paused")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".job h2")).to_contain_text("Making photos")
    page.get_by_role("button", name="Stop here").click()
    expect(page.locator(".job h2")).to_have_text("Cancelled")
    page.get_by_role("button", name="Delete now").click()
    expect(page.locator("#many")).to_contain_text("Drop photos, a folder or a zip")


def test_a_zip_on_a_phone_in_chinese(tab_of: Callable[..., Tab], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "一班.zip", "w") as archive:
        for name in ("一班/王芳.png", "一班/李伟.png"):
            archive.writestr(name, PORTRAIT.read_bytes())
        archive.writestr("一班/空.jpg", b"")
    tab = tab_of(PHONE, "zh-CN")
    page = tab.open("#many")
    page.locator("#many input[type=file]").first.set_input_files(tmp_path / "一班.zip")
    expect(page.locator(".heap")).to_contain_text("一班.zip")
    page.get_by_role("button", name="制作全部照片").click()
    expect(page.locator(".job h2")).to_have_text("全部完成", timeout=60_000)
    expect(page.locator(".table-row")).to_have_count(3)
    expect(page.locator(".table-row").first).to_contain_text("王芳.png")
    tab.shot("many-zh-390")
    page.get_by_role("button", name="立即删除").click()
    expect(page.locator(".job")).to_have_count(0)


def test_several_photos_dropped_on_one_are_many(tab: Tab) -> None:
    page = tab.open()
    give = """() => {
      const data = new DataTransfer();
      for (const name of ['a.png', 'b.png']) {
        data.items.add(new File(['photo'], name, { type: 'image/png' }));
      }
      const about = { dataTransfer: data, bubbles: true, cancelable: true };
      document.body.dispatchEvent(new DragEvent('drop', about));
    }"""
    page.evaluate(give)
    expect(page.locator(".heap")).to_contain_text("2 photos")
