"""How soon the page can be used, and how long a person needs for a photo and a sheet.

python -m benchmarks.page --url http://127.0.0.1:8000 [--photo PATH] [--loads 5] [--shots FOLDER]

Asks a running service with Debian's Chromium, on a phone and on a desk: what the first load brings,
when the page is ready, how far its layout shifts and how long its scripts block; then the way from
the open page to a saved US passport photo and a saved 6-inch sheet, without a pause for thought.
"""

import argparse
import shutil
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from benchmarks.figures import cell, machine, table

HEADER = (
    *("screen", "requests", "kB", "ready ms", "largest paint ms", "layout shift", "blocked ms"),
    *("photo saved s", "sheet saved s"),
)
_SIZES = {"phone": (390, 844), "desk": (1440, 900)}
_PORTRAIT = Path(__file__).parents[1] / "tests" / "data" / "astronaut.png"
_SETTLE_MS = 500
# Told by the browser's own observers; a task blocks for what it takes beyond 50 ms.
_WATCH = """
  window.seen = { ready: null, shift: 0, blocked: 0, paint: 0 };
  const watch = (type, note) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({
      type, buffered: true,
    });
  watch("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.shift += entry.value; });
  watch("longtask", (entry) => { seen.blocked += Math.max(0, entry.duration - 50); });
  watch("largest-contentful-paint", (entry) => { seen.paint = entry.startTime; });
  new MutationObserver(() => {
    if (document.documentElement?.hasAttribute("data-ready")) seen.ready ??= performance.now();
  }).observe(document, { attributes: true, subtree: true });
"""
_LOADED = """() => {
  const all = [...performance.getEntriesByType("navigation"),
               ...performance.getEntriesByType("resource")];
  const kB = all.reduce((sum, each) => sum + each.transferSize, 0) / 1000;
  return { ...seen, kB, requests: all.length };
}"""


def context(browser: Browser, size: tuple[int, int]) -> BrowserContext:
    """A browser that has never been here."""
    mobile = size[0] < 500
    made = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale="en-US",
        is_mobile=mobile,
        has_touch=mobile,
    )
    made.add_init_script(_WATCH)
    return made


def opened(made: BrowserContext, url: str) -> Page:
    """The page, ready for a photo."""
    page = made.new_page()
    page.goto(url)
    page.locator("html[data-ready]").wait_for()
    page.locator("section:not([hidden]) .document .chip:not(:empty)").first.wait_for()
    return page


def loads(browser: Browser, url: str, size: tuple[int, int], times: int) -> dict[str, float]:
    """The medians of some first loads."""
    found: list[dict[str, float]] = []
    for _ in range(times):
        made = context(browser, size)
        page = opened(made, url)
        page.wait_for_timeout(_SETTLE_MS)
        found.append(page.evaluate(_LOADED))
        made.close()
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


def walk(page: Page, photo: Path, shots: Path | None) -> tuple[float, float]:
    """Seconds until the photo, and until the sheet is saved; the page is open."""
    start = time.monotonic()
    page.locator("#one input[type=file]").first.set_input_files(photo)
    page.locator("#one .stage[data-state=done]:not([aria-busy])").wait_for()
    with page.expect_download():
        page.get_by_role("button", name="Download photo").click()
    photo_s = time.monotonic() - start
    _shot(page, shots, "photo")
    page.get_by_role("button", name="Print sheet").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("photos on the sheet").wait_for()
    _shot(page, shots, "sheet")
    with page.expect_download():
        dialog.get_by_role("button", name="Download sheet").click()
    return photo_s, time.monotonic() - start


def _shot(page: Page, shots: Path | None, name: str) -> None:
    if shots and page.viewport_size:
        page.screenshot(path=shots / f"{name}-{page.viewport_size['width']}.png", full_page=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.page",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--url", required=True)
    parser.add_argument("--photo", type=Path, default=_PORTRAIT)
    parser.add_argument("--loads", type=int, default=5, help="of which the median is told")
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the page")
    options = parser.parse_args(arguments)
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
    rows = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        for name, size in _SIZES.items():
            seen = loads(browser, options.url, size, options.loads)
            made = context(browser, size)
            saved_s = walk(opened(made, options.url), options.photo, options.shots)
            made.close()
            rows.append(
                (
                    *(name, cell(seen["requests"], 0), cell(seen["kB"], 0)),
                    *(cell(seen["ready"], 0), cell(seen["paint"], 0), cell(seen["shift"], 3)),
                    *(cell(seen["blocked"], 0), cell(saved_s[0], 1), cell(saved_s[1], 1)),
                )
            )
    print(f"{machine()}; medians of {options.loads} first loads\n\n{table(HEADER, rows)}")


if __name__ == "__main__":
    main()
