"""What axe-core finds in a page."""

import json
from importlib import resources
from typing import Any

from playwright.sync_api import Page

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js")
SERIOUS = {"serious", "critical"}


def serious(page: Page) -> list[str]:
    """What axe-core finds, with where."""
    page.evaluate(AXE.read_text("utf-8"))
    found: dict[str, Any] = page.evaluate(
        "axe.run(document, { resultTypes: ['violations'], runOnly: "
        "['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
    )
    return [
        f"{each['id']}: {json.dumps([node['html'][:120] for node in each['nodes']])}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
    ]
