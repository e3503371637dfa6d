"""Renew the README's picture: a network that learns the spirals in the playground, from the running app."""

import tempfile
from pathlib import Path

from PIL import Image

from tests.browser.app import ROOT, running_app
from tests.browser.chrome import chromium
from tests.browser.looks import status

PICTURE = ROOT / ".github" / "screenshot.png"
COLORS = 128
"""A palette of so many is enough for a page, and a third of the size."""


def main() -> None:
    """Play on Home, watch for a while, take the picture."""
    with tempfile.TemporaryDirectory() as home, running_app(Path(home)) as app, chromium() as browser:
        page = browser.new_page(base_url=app.url, viewport={"width": 1280, "height": 790})
        page.set_default_timeout(120_000)
        page.goto("/")
        page.get_by_text("Engine ready").wait_for()
        page.get_by_role("button", name="Play", exact=True).click()
        status(page, "running").wait_for()
        page.wait_for_timeout(10_000)  # a hundred epochs, at the speed with which everybody begins
        page.screenshot(path=PICTURE)
    with Image.open(PICTURE) as picture:
        picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=COLORS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
