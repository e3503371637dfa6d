"""How every benchmark speaks: a table for people, one JSON object with ``--json``."""

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from typing import Any


class Skipped(Exception):
    """This machine lacks what the benchmark needs; the message says what."""


def report(measure: Callable[[], Mapping[str, Any]], about: str | None) -> None:
    """Measure, and print what came out."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    try:
        result = measure()
    except Skipped as reason:
        result = {"skipped": str(reason)}
    if options.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<32} {json.dumps(value)}")


def note(sentence: str) -> None:
    """Say on standard error what is being done."""
    print(sentence, file=sys.stderr, flush=True)
