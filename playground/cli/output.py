"""What reaches the person: tables and JSON, and nothing that libraries print."""

import json
import logging
import math
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from playground.errors import StoreError
from playground.settings import Settings


def hush(settings: Settings) -> TextIO:
    """Turn what libraries print into ``terminal.log`` in the home folder; the person's standard output is returned.

    TensorFlow's C++ writes to both streams of the process whatever one tells it, from threads of its own up to the very
    end, and Keras prints to ``sys.stdout``: for the rest of this process only the returned stream and ``sys.stderr``
    reach the person.

    Raises:
        StoreError: the home folder cannot be written.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        log = os.open(settings.home / "terminal.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise StoreError(
            f"The folder {settings.home} cannot be written: {error.strerror}. Set PLAYGROUND_HOME to another one."
        ) from None
    sys.stdout.flush()
    answers, sys.stderr = (os.fdopen(os.dup(stream), "w", buffering=1, encoding="utf-8") for stream in (1, 2))
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    logging.basicConfig(filename=settings.home / "terminal.log", level=logging.WARNING)
    logging.captureWarnings(True)
    return answers


def trace_of_fault() -> Path:
    """Write the traceback of the exception being handled into a file of its own."""
    with tempfile.NamedTemporaryFile("w", prefix="playground-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(traceback.format_exc())
    return Path(file.name)


def print_json(value: Any, file: TextIO | None = None) -> None:
    """One JSON value, on standard output unless ``file`` is given; NaN and infinity, not JSON, become null."""
    print(json.dumps(_finite(value), ensure_ascii=False, allow_nan=False), file=file)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return value


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]], file: TextIO | None = None) -> None:
    """Columns as wide as they need to be; those that hold numbers are set to the right."""
    columns = list(zip(head, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [bool(rows) and all(cell[:1].isdigit() or cell in ("", "–") for cell in column[1:]) for column in columns]
    for row in [head, ["─" * width for width in widths], *rows]:
        cells = (f"{cell:>{w}}" if r else f"{cell:<{w}}" for cell, w, r in zip(row, widths, right, strict=True))
        print("  ".join(cells).rstrip(), file=file)
