"""The page for those who do not see it or use no mouse, by axe-core's rules and by keyboard."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.web.axe import serious
from tests.web.conftest import PHONE, PORTRAIT, Tab


def test_nothing_serious_is_found(tab: Tab) -> None:
    page = tab.open()
    found = {"empty": serious(page)}
    tab.give(PORTRAIT)
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("slider").wait_for()
    found["compare"] = serious(page)
    page.locator("#one .document .choice").click()
    page.get_by_role("searchbox").fill("passport france")
    expect(page.locator("[data-id]")).to_have_count(1)
    found["picker"] = serious(page)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Print sheet").click()
    page.get_by_text("on the sheet").wait_for()
    found["sheet"] = serious(page)
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Many photos").click()
    page.get_by_role("button", name="Choose files").wait_for()
    found["many"] = serious(page)
    assert not {state: each for state, each in found.items() if each}


def test_nothing_serious_is_found_on_a_phone_in_the_dark(tab_of: Callable[..., Tab]) -> None:
    tab = tab_of(PHONE, dark=True)
    tab.open()
    page = tab.give(PORTRAIT)
    assert not serious(page)


def test_a_photo_is_made_by_keyboard_alone(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)

    def tab_to(name: str) -> None:
        page.locator("body").focus()
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = page.evaluate(
                "(document.activeElement.ariaLabel ?? '') + document.activeElement.innerText"
            )
            if name in focused:
                return
        raise AssertionError(f"no way to {name}")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the photo")).to_be_focused()
    tab_to("Larger")
    with page.expect_request("**/v1/photos"):
        page.keyboard.press("Enter")
    tab_to("Download photo")
    with page.expect_download():
        page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Saved")


def test_what_happens_is_announced(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)
    expect(page.locator("#status")).to_contain_text("3 things to look at")


def test_both_languages_have_the_same_strings(tab: Tab) -> None:
    page = tab.open()
    strings: dict[str, dict[str, Any]] = page.evaluate(
        """async () => {
          const base = document.querySelector('script[type=module]').src;
          const of = async (name) => (await import(new URL(name, base))).default;
          return { en: await of('strings-en.js'), zh: await of('strings-zh.js') };
        }"""
    )
    english, chinese = strings["en"], strings["zh"]
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        one = text if isinstance(text, str) else text["other"]
        assert slots(one) == slots(chinese[key]), key


def slots(text: str) -> set[str]:
    return {part.split("}")[0] for part in text.split("{")[1:]}
