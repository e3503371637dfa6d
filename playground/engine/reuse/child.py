"""The throw-away process: ``python -m playground.engine.reuse.child FILE ROOM`` looks at one file and ends.

It imports neither Keras nor TensorFlow. What it found, or every reason against the file, is in ROOM afterwards.
"""

import sys
from pathlib import Path

from playground.engine.reuse.confine import confine
from playground.engine.reuse.gate import CONFIG, WEIGHTS, unpack
from playground.engine.reuse.gate_config import parse
from playground.engine.reuse.gate_network import ConfigGate
from playground.engine.reuse.gate_weights import Weights
from playground.engine.reuse.handover import READY, Network, write
from playground.errors import ModelRefused
from playground.spec.saved import MAX_FILE

MAX_REASONS = 20


def main(file: Path, room: Path) -> None:
    """Look at a file within the limits of ``confine``, and leave what was found in the room."""
    confine(room, file, file_bytes=MAX_FILE)
    (room / READY).touch()
    try:
        examine(file, room)
    except ModelRefused as refused:
        reasons = refused.reasons[:MAX_REASONS]
        if left := len(refused.reasons) - len(reasons):
            reasons = (*reasons, f"And {left:,} more.")
        write(room, Network(reasons=reasons))


def examine(file: Path, room: Path) -> None:
    """All gates, one after the other.

    Raises:
        ModelRefused: with the reasons of both config and weights, where both can be looked at.
    """
    unpack(file, room)
    reasons: list[str] = []
    config = weights = None
    try:
        config = ConfigGate(parse((room / CONFIG).read_bytes()))
        reasons += config.reasons
    except ModelRefused as refused:
        reasons += refused.reasons
    try:
        weights = Weights(room / WEIGHTS)
    except ModelRefused as refused:
        reasons += refused.reasons
    if reasons or config is None or weights is None:
        raise ModelRefused(reasons)
    arrays = weights.read(config.groups)
    shapes = tuple(tuple(array.shape for array in layer) for layer in arrays)
    write(room, Network(config.model, config.input_shape, shapes, tuple(dict.fromkeys(config.notes))), arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute())
