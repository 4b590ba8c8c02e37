"""Finding a document."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.web.conftest import PORTRAIT, Tab


@pytest.mark.parametrize(
    ("language", "opener", "words", "found", "shown"),
    [
        ("en-US", "Change", "finland passport", "finland-passport", "Finland"),
        ("zh-CN", "更换", "芬兰护照", "finland-passport", "芬兰"),
    ],
)
def test_a_document_is_searched_and_kept(
    tab_of: Callable[..., Tab], language: str, opener: str, words: str, found: str, shown: str
) -> None:
    tab = tab_of(language=language)
    page = tab.open()
    page.locator("#one").get_by_role("button", name=opener).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("[data-id]").nth(200)).to_be_attached()
    tab.shot(f"picker-{language[:2]}")
    dialog.get_by_role("searchbox").fill(words)
    expect(dialog.locator("[data-id]")).to_have_count(1)
    expect(dialog.locator(f"[data-id={found}]")).to_contain_text(shown)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#one .document .chip")).to_have_text("FI")
    expect(page.locator("#one .rule-text")).to_contain_text("mm" if "en" in language else "毫米")
    page.reload()
    expect(page.locator("#one .document .chip")).to_have_text("FI")


def test_nothing_found_is_said(tab: Tab) -> None:
    page = tab.open()
    page.locator("#one").get_by_role("button", name="Change").click()
    page.get_by_role("searchbox").fill("moon")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing was found")
    page.keyboard.press("Escape")  # clears the search, as everywhere
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_size_of_ones_own(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)
    page.locator("#one").get_by_role("button", name="Change").click()
    page.get_by_label("Width in millimetres").fill("40")
    page.get_by_label("Height in millimetres").fill("50")
    page.get_by_role("button", name="Use", exact=True).click()
    expect(page.locator("#one .facts")).to_contain_text("472 × 591")
