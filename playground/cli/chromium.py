"""Where a Chromium is that tests, benchmarks and screenshots can drive."""

import os
import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")

PLAYWRIGHT = {
    "linux": (".cache/ms-playwright", "chromium-*/chrome-linux*/chrome"),
    "darwin": ("Library/Caches/ms-playwright", "chromium-*/chrome-mac*/*.app/Contents/MacOS/*"),
    "win32": ("AppData/Local/ms-playwright", "chromium-*/chrome-win*/chrome.exe"),
}
"""Below the user's home: where ``playwright install chromium`` puts its own, and what it looks like there."""


def find_chromium() -> Path | None:
    """Playwright's own Chromium, newest first, else the first browser of its family on the path; None without one."""
    folder, pattern = PLAYWRIGHT.get(sys.platform, PLAYWRIGHT["linux"])
    own = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / folder)
    found = sorted(own.glob(pattern), reverse=True) + [Path(path) for name in NAMES if (path := shutil.which(name))]
    return found[0] if found else None
