"""The page in Debian's Chromium, against the real service.

``IDPHOTO_SHOTS`` names a folder for the screenshots, else they go where pytest keeps its files.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    FilePayload,
    Page,
    expect,
    sync_playwright,
)

from tests.service import DATA

PHONE, DESK, TINY, WALL = (390, 844), (1440, 900), (320, 640), (3840, 2160)
# A machine may be busy: nothing here is about time.
expect.set_options(timeout=30_000)
PORTRAIT = DATA / "astronaut.png"


@dataclass
class Tab:
    """One page and what went wrong in it."""

    page: Page
    address: str
    shots: Path
    expected: list[str] = field(default_factory=list)
    """Parts of console errors that the test provokes."""
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, view: str = "") -> Page:
        """Loads the page, and waits until it is there."""
        self.page.goto(f"{self.address}/{view}")
        self.page.locator("html[data-ready]").wait_for()
        self.page.locator("section:not([hidden]) .document .chip:not(:empty)").first.wait_for()
        return self.page

    def give(self, photo: Path | bytes, name: str = "photo.jpg") -> Page:
        """Chooses a photo, and waits until it is finished or refused."""
        file: Path | FilePayload = (
            photo
            if isinstance(photo, Path)
            else {"name": name, "mimeType": "image/jpeg", "buffer": photo}
        )
        self.page.locator("#one input[type=file]").first.set_input_files(file)
        return self.settled()

    def settled(self) -> Page:
        """Waits until nothing is in the works."""
        states = ".stage[data-state=done]:not([aria-busy]), .stage[data-state=trouble]"
        self.page.locator(f"#one {states}").first.wait_for(timeout=60_000)
        return self.page

    def shot(self, name: str, whole: bool = False) -> None:
        self.page.screenshot(path=self.shots / f"{name}.png", full_page=whole)


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("IDPHOTO_SHOTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, with a camera that shows a test picture."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "the tests of the page need Chromium: apt-get install chromium"
    camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=camera)
        yield browser
        browser.close()


@pytest.fixture
def tab_of(
    browser: Browser, client: httpx.Client, address: str, shots: Path
) -> Iterator[Callable[..., Tab]]:
    """Makes tabs: size, language, theme. At the end of the test nothing may have gone wrong."""
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def make(size: tuple[int, int] = DESK, language: str = "en-US", dark: bool = False) -> Tab:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale=language,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            is_mobile=size[0] < 500,
            has_touch=size[0] < 500,
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        tab = Tab(context.new_page(), address, shots)
        _watch(tab)
        tabs.append(tab)
        return tab

    yield make
    for context in contexts:
        context.close()
    for tab in tabs:
        unexpected = [text for text in tab.wrong if not any(part in text for part in tab.expected)]
        assert not unexpected
        others = [url for url in tab.asked if not url.startswith((address, "blob:"))]
        assert not others, "a request to another host"


@pytest.fixture
def tab(tab_of: Callable[..., Tab]) -> Tab:
    """A tab of a desk, in English."""
    return tab_of()


def _watch(tab: Tab) -> None:
    page = tab.page
    page.on("pageerror", lambda error: tab.wrong.append(f"error: {error}"))
    page.on("request", lambda request: tab.asked.append(request.url))
    # A violation of the Content-Security-Policy is told as an error of the console.
    page.on(
        "console",
        lambda message: tab.wrong.append(message.text) if message.type == "error" else None,
    )
