"""How a process gives up what it does not need: memory, time, files, connections, other programs."""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

MEMORY = 1_000_000_000
"""Bytes of address space."""
CPU_SECONDS = 8
FILES = 64

_NEW_USER, _NEW_NETWORK = 0x1000_0000, 0x4000_0000  # CLONE_NEWUSER, CLONE_NEWNET of linux/sched.h
_FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "ctypes.")


def confine(room: Path, file: Path, *, file_bytes: int) -> None:
    """Confine this process for the rest of its life; it must have a single thread and all its imports behind it.

    Limits of the kernel where there are any (not on Windows), a network of its own without an interface where Linux
    lets it have one, and a hook that refuses in Python what is left: connections, programs, files elsewhere.

    Args:
        room: the folder in which it may read and write.
        file: a file that it may read.
        file_bytes: size of the largest file that it may write.
    """
    if sys.platform != "win32":
        import resource  # noqa: PLC0415  # Windows has no such module

        for limit, value in (
            (resource.RLIMIT_AS, MEMORY),
            (resource.RLIMIT_CPU, CPU_SECONDS),
            (resource.RLIMIT_FSIZE, file_bytes),
            (resource.RLIMIT_NOFILE, FILES),
            (resource.RLIMIT_CORE, 0),
        ):
            with contextlib.suppress(ValueError, OSError):  # macOS knows no RLIMIT_AS; a lower limit may hold already
                resource.setrlimit(limit, (value, value))
    if sys.platform == "linux":
        # Not allowed everywhere, in containers for instance: then the hook stands alone.
        ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NETWORK)
    readable = (room.resolve(), Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is not allowed here")
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path = Path(os.fsdecode(arguments[0])).absolute()
            if path != file and not any(path.is_relative_to(folder) for folder in readable):
                raise PermissionError(f"{path} is not to be opened here")

    sys.addaudithook(watch)
