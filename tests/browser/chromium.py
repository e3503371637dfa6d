"""Make sure that a Chromium is there: Playwright's own, or Debian's where root may install it."""

import os
import shutil
import subprocess
import sys

from playground.cli.chromium import find_chromium

PLAYWRIGHT = [sys.executable, "-m", "playwright", "install", "chromium"]
DEBIAN = ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"]


def main() -> int:
    """Install one where there is none; exit code 1 where that fails."""
    if find_chromium():
        return 0
    may_ask_debian = shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0
    # Debian's package brings its libraries along, Playwright's download does not.
    for command in (DEBIAN, PLAYWRIGHT) if may_ask_debian else (PLAYWRIGHT,):
        print(f"No Chromium found; installing one: {' '.join(command)}", file=sys.stderr)
        if command is DEBIAN:
            subprocess.run(["apt-get", "update"], check=False)
        if subprocess.run(command, check=False).returncode == 0 and find_chromium():
            return 0
    print("Chromium could not be installed. Install Chromium or Chrome, then run this again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
