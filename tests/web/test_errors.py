"""What a person meets when something is wrong, and what the page does about it."""

import io
import time

import numpy as np
from PIL import Image
from playwright.sync_api import Route, expect

from tests.service import DATA
from tests.web.conftest import PORTRAIT, Tab


def jpeg(image: Image.Image, quality: int = 92) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def test_a_busy_service_is_asked_again_when_it_says(tab: Tab) -> None:
    tab.expected.append("429")
    page = tab.open()
    times: list[float] = []

    def busy_once(route: Route) -> None:
        times.append(time.monotonic())
        if len(times) > 1:
            route.continue_()
        else:
            problem = {"code": "overloaded", "detail": "full", "hint": "later"}
            route.fulfill(status=429, headers={"Retry-After": "2"}, json=problem)

    page.route("**/v1/photos", busy_once)
    page.locator("#one input[type=file]").first.set_input_files(PORTRAIT)
    expect(page.locator("#notices")).to_contain_text("The service is busy. Trying again in 2")
    tab.settled()
    expect(page.locator(".notice")).to_have_count(0)
    assert times[1] - times[0] >= 2


def test_a_lost_network_is_waited_for(tab: Tab) -> None:
    tab.expected.append("ERR_INTERNET_DISCONNECTED")
    page = tab.open()
    page.context.set_offline(True)
    page.locator("#one input[type=file]").first.set_input_files(PORTRAIT)
    expect(page.locator("#notices")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    tab.settled()
    expect(page.locator("#one .stage")).to_have_attribute("data-state", "done")


def test_the_key_is_asked_for_once_and_kept_in_memory(tab: Tab) -> None:
    tab.expected.append("401")

    def guard(route: Route) -> None:
        if route.request.headers.get("authorization") == "Bearer right":
            route.continue_()
        else:
            problem = {"code": "key_missing", "detail": "key", "hint": "key"}
            route.fulfill(status=401, json=problem)

    page = tab.page
    page.route("**/v1/**", guard)
    page.goto(tab.address)
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("API key").fill("wrong")
    tab.shot("key")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("does not know this key")
    dialog.get_by_label("API key").fill("right")
    page.keyboard.press("Enter")
    expect(page.locator("#one .document .chip")).to_have_text("US")
    tab.give(PORTRAIT)
    expect(page.locator("#one .stage")).to_have_attribute("data-state", "done")
    assert "right" not in page.evaluate("JSON.stringify([{...localStorage}, document.cookie])")


def test_a_photo_that_is_too_large_is_made_smaller(tab: Tab) -> None:
    """The service of the tests takes 2 MB and 20 megapixels."""
    tab.expected += ["413", "ERR_CONNECTION_RESET", "ERR_HTTP"]
    tab.open()
    face = Image.open(PORTRAIT).convert("RGB").resize((2200, 2200))
    grain = np.random.default_rng(7).normal(0, 12, (2200, 2200, 1))
    noisy = Image.fromarray((np.asarray(face) + grain).clip(0, 255).astype(np.uint8))
    photo = jpeg(noisy, 95)
    assert len(photo) > 2_000_000
    page = tab.give(photo)
    expect(page.locator("#one .stage")).to_have_attribute("data-state", "done")


def test_nobody_in_the_photo(tab: Tab) -> None:
    tab.expected.append("422")
    page = tab.open()
    tab.give(DATA / "coffee-cup.png")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("No face was found in the photo.")
    expect(alert).to_contain_text("Use a photo of one person")
    tab.shot("no-face")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("alert")).to_contain_text("未检测到人脸")


def test_one_of_several_people_is_chosen(tab: Tab) -> None:
    tab.expected.append("422")
    face = Image.open(PORTRAIT).convert("RGB")
    two = Image.new("RGB", (1024, 512))
    two.paste(face, (0, 0))
    two.paste(face, (512, 0))
    page = tab.open()
    tab.give(jpeg(two))
    page.get_by_role("button", name="Choose one person").click()
    area = page.locator(".crop-area").bounding_box()
    assert area
    x, y = area["x"], area["y"]
    page.mouse.move(x + 6, y + 6)
    page.mouse.down()
    page.mouse.move(x + area["width"] * 0.49, y + area["height"] - 6, steps=4)
    page.mouse.up()
    tab.shot("crop")
    page.locator(".crop-box").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.get_by_role("button", name="Use this part").click()
    page.locator("#one .stage[data-state=done]").wait_for()


def test_what_nobody_knows_is_told_with_the_request_id(tab: Tab) -> None:
    tab.expected.append("500")
    page = tab.open()
    number = {"X-Request-Id": "abc-123"}
    page.route("**/v1/photos", lambda it: it.fulfill(status=500, headers=number, body="<html>"))
    tab.give(PORTRAIT)
    expect(page.get_by_role("alert")).to_contain_text("abc-123")
    page.unroute("**/v1/photos")
    page.get_by_role("button", name="Try again").click()
    page.locator("#one .stage[data-state=done]").wait_for()
