"""The second gate: ``config.json``, read as plain JSON and translated into our own spec, layer by layer.

Nothing in it is ever looked up, imported or called: what has no counterpart in the catalogue is a reason to refuse.
"""

import json
import re
from typing import Any, NoReturn

from playground.engine.reuse.gate import shown
from playground.errors import ModelRefused

MAX_DEPTH = 40
"""Brackets within brackets; a network of Keras's has about 14."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def parse(text: bytes) -> dict[str, Any]:
    """The JSON object in ``text``.

    Raises:
        ModelRefused: it is none, nested too deeply, says something twice, or holds what is no number.
    """
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise ModelRefused([f"The description of the network is nested more than {MAX_DEPTH} levels deep."])
    try:
        content = json.loads(text, object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise ModelRefused(["The description of the network is not JSON. Save the model again with Keras."]) from None
    if not isinstance(content, dict):
        raise ModelRefused(["The description of the network is not an object. Save the model again with Keras."])
    return content


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ModelRefused([f"The description of the network says {shown(twice)} twice in one place."])
    return content


def _no_number(text: str) -> NoReturn:
    raise ModelRefused([f"The description of the network holds {text}, which is no number."])
