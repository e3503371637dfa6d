"""How a process gives up what it does not need: memory, time, files, connections, other programs."""

import contextlib
import ctypes
import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import resource

MEMORY = 1_000_000_000
"""Bytes of address space."""
CPU_SECONDS = 8
FILES = 64

_NEW_USER, _NEW_NETWORK = 0x1000_0000, 0x4000_0000  # CLONE_NEWUSER, CLONE_NEWNET of linux/sched.h
_FORBIDDEN = (
    "socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
    "os.startfile", "os.remove", "os.rename", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.chown",
    "os.truncate",
)  # fmt: skip


def confine(room: Path, file: Path, *, file_bytes: int) -> None:
    """Confine this process for the rest of its life; it must have a single thread and all its imports behind it.

    Limits of the kernel where there are any (not on Windows), a network of its own without an interface where Linux
    lets it have one, and a hook that refuses in Python what is left: connections, programs, files elsewhere.

    Args:
        room: the folder in which it may read and write; a path without links, as is that of the file.
        file: a file that it may read.
        file_bytes: size of the largest file that it may write.
    """
    if sys.platform != "win32":
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
    library = Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is not allowed here")
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            path, flags = Path(os.fsdecode(arguments[0])).absolute(), arguments[2]
            writes = not isinstance(flags, int) or bool(flags & (os.O_WRONLY | os.O_RDWR))
            readable = path == file or any(path.is_relative_to(folder) for folder in library)
            if ".." in path.parts or not (path.is_relative_to(room) or (readable and not writes)):
                raise PermissionError(f"{path} is not to be opened here")

    sys.addaudithook(watch)
