"""How a process stands beside others where cores are short."""

import os
from contextlib import suppress
from pathlib import Path

AUTOGROUP = Path("/proc/self/autogroup")


def nice_among_sessions(nice: int) -> None:
    """Set the niceness of this session; 0 is like any other's.

    Linux shares out its cores among sessions first, where it has autogroups; ``os.nice`` counts only inside one, and
    pages are in another one than the engine. Unlike a process's own, this niceness may be lowered again by anybody.
    Elsewhere, and for a process that does not lead its session, nothing happens.
    """
    if AUTOGROUP.exists() and os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(str(nice))
