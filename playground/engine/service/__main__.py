"""``python -m playground.engine.service [WORKER_MODULE]``: what the app starts. Shorter than by way of the terminal's
commands, which would be imported first."""

import sys

from playground.engine.service import run
from playground.settings import Settings

if __name__ == "__main__":
    sys.exit(run(Settings(), *sys.argv[1:]))
