"""What can be done with a finished photo: lines, comparison, moving it."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.web.conftest import PORTRAIT, Tab

# By how many pixels the photo as it came must be moved to lie best on the finished one.
BEST_SHIFT = """() => {
  const before = document.querySelector('.before-picture');
  const [w, h] = [before.width, before.height];
  const after = document.createElement('canvas');
  Object.assign(after, { width: w, height: h });
  after.getContext('2d').drawImage(document.querySelector('.photo > img'), 0, 0, w, h);
  const pixels = (c) => c.getContext('2d').getImageData(0, 0, w, h).data;
  const [a, b] = [pixels(before), pixels(after)];
  let best = [Infinity];
  for (let dy = -6; dy <= 6; dy++) for (let dx = -6; dx <= 6; dx++) {
    let sum = 0;
    for (let y = Math.round(h * 0.34); y < h * 0.58; y += 2)
      for (let x = Math.round(w * 0.38); x < w * 0.62; x += 2)
        sum += Math.abs(a[4 * ((y + dy) * w + x + dx)] - b[4 * (y * w + x)]);
    if (sum < best[0]) best = [sum, dx, dy];
  }
  return best.slice(1);
}"""


def posted(page: Page, act: Callable[[], Any]) -> str:
    """The form that the page sends to make a photo, as text."""
    forms: list[str] = []

    def keep(route: Route) -> None:
        forms.append(form_of(route.request))
        route.continue_()

    # Of requests that nobody intercepts, Chromium does not tell what files are in them.
    page.route("**/v1/photos", keep)
    with page.expect_response("**/v1/photos"):
        act()
    page.unroute("**/v1/photos", keep)
    return forms[0]


def form_of(request: Request) -> str:
    return (request.post_data_buffer or b"").decode("latin-1")


def test_lines_show_crown_eyes_and_chin(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)
    tops = {
        name: page.locator(f".line.{name}").bounding_box() for name in ("crown", "eyes", "chin")
    }
    heights = [box["y"] for box in tops.values() if box]
    assert len(heights) == 3 and heights == sorted(heights)
    photo = page.locator(".photo").bounding_box()
    assert photo
    head = (heights[2] - heights[0]) / photo["height"] * 51
    assert 25 <= head <= 35
    page.get_by_role("button", name="Lines").click()
    expect(page.locator(".line.eyes")).to_be_hidden()


def test_before_and_after_lie_over_each_other(tab: Tab) -> None:
    """The face of the photo as it came must lie where the finished one has it."""
    page = tab.open()
    tab.give(PORTRAIT)
    page.get_by_role("button", name="Compare").click()
    slider = page.get_by_role("slider")
    expect(slider).to_have_value("50")
    shift = page.evaluate(BEST_SHIFT)
    assert max(map(abs, shift)) <= 2, shift  # of 600 pixels, at two to a pixel of the upload
    tab.shot("compare")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("51")
    page.get_by_role("button", name="Compare").click()
    expect(slider).to_have_count(0)


def test_the_photo_is_moved_by_token(tab: Tab) -> None:
    page = tab.open()
    first = posted(page, lambda: tab.give(PORTRAIT))
    assert 'name="photo"' in first and 'name="reuse"' in first

    form = posted(page, lambda: page.get_by_role("button", name="Larger").click())
    assert 'name="cutout"' in form and 'name="photo"' not in form and 'name="zoom"' in form
    tab.settled()
    page.locator(".photo").focus()
    form = posted(page, lambda: page.keyboard.press("ArrowRight"))
    assert 'name="shift_x"' in form and 'name="zoom"' in form
    tab.settled()
    form = posted(page, lambda: page.keyboard.press("]"))
    assert 'name="turn"' in form
    tab.settled()
    form = posted(page, lambda: page.keyboard.press("0"))
    assert 'name="zoom"' not in form and 'name="turn"' not in form


def test_the_photo_is_dragged(tab: Tab) -> None:
    page = tab.open()
    tab.give(PORTRAIT)
    box = page.locator(".photo").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] * 0.04, y, steps=4)
    form = posted(page, page.mouse.up)
    shift = form.split('name="shift_x"\r\n\r\n')[1].split("\r\n")[0]
    assert 3.5 < float(shift) < 4.5
    tab.settled()
    expect(page.get_by_role("button", name="Back to how it was")).to_be_visible()


def test_a_cut_out_that_is_gone_is_not_missed(tab: Tab) -> None:
    tab.expected.append("410")
    page = tab.open()
    tab.give(PORTRAIT)

    def gone(route: Route) -> None:
        if 'name="cutout"' in form_of(route.request):
            route.fulfill(status=410, json={"code": "cutout_gone", "detail": "", "hint": ""})
        else:
            route.continue_()

    page.route("**/v1/photos", gone)
    with page.expect_request(lambda request: 'name="photo"' in form_of(request)):
        page.get_by_role("radio", name="Red", exact=True).check(force=True)
    tab.settled()
    expect(page.locator(".stage")).to_have_attribute("data-state", "done")


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_pasted_and_dropped_photos(tab: Tab, kind: str) -> None:
    page = tab.open()
    give = """([type, text]) => {
      const data = new DataTransfer();
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      data.items.add(new File([bytes], 'me.png', { type: 'image/png' }));
      const event = type === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true })
        : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true });
      document.body.dispatchEvent(event);
    }"""
    portrait = b64encode(PORTRAIT.read_bytes()).decode()
    form = posted(page, lambda: page.evaluate(give, [kind, portrait]))
    assert 'filename="me.png"' in form
    tab.settled()
    expect(page.locator("#one .stage")).to_have_attribute("data-state", "done")


def test_a_photo_is_taken(tab: Tab) -> None:
    """The camera of the test shows no person, so the photo is refused, which shows it was sent."""
    tab.expected.append("422")
    page = tab.open()
    page.get_by_role("button", name="Take a photo").click()
    shoot = page.get_by_role("button", name="Take it")
    expect(shoot).to_be_enabled()
    tab.shot("camera")
    form = posted(page, shoot.click)
    assert 'filename="camera.jpg"' in form
    expect(page.get_by_role("alert")).to_contain_text("No face was found")
