"""What the page hands to the playground's component: one ``bytes``, for anything else would arrive as text.

uint32 length of the header, little-endian; the header, JSON; then, one after the other: the opening picture, a whole
frame of the run (both may be empty), the examples (float32 x, float32 y, uint8 class, uint8 split, one array each), and
for each data set its points (uint8 x, uint8 y, uint8 class).
"""

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.data import Preview
from playground.data.features import FEATURES
from playground.displays import palette
from playground.lab.play import MOST_LAYERS, MOST_UNITS, units_of
from playground.spec import Experiment
from playground.spec.data import Points

FEATURE_HELP = "Let the network receive {}. At least one feature stays."
SET_POINTS = 200
"""Points on the button of a data set."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What the component is to show.

    Args:
        experiment: what was chosen.
        opening: the picture of its untrained network; empty while nobody can be asked for it.
        examples: its points, in the plane; None while nobody can be asked for them.
        sets: the points of each data set there is to choose, so far as they are known.
        class_names: of its data.
        run: the id of the run that trains it; empty if none does.
        status: in which the rest of the page shows it.
        url: where the run is followed; empty if it cannot be.
        frame: a whole frame of the run, where no socket can be had.
        problem: what stands against the last thing that was done.
        waiting: why there is nothing to see yet.
    """

    experiment: Experiment
    opening: bytes
    examples: Preview | None
    sets: Mapping[type[Points], Preview]
    class_names: Sequence[str]
    run: str = ""
    status: str = ""
    url: str = ""
    frame: bytes = b""
    problem: str = ""
    waiting: str = ""

    def packed(self) -> bytes:
        """The bytes."""
        examples, sets = self.examples, [_set(kind, preview) for kind, preview in self.sets.items()]
        header = {
            "colors": {
                "negative": palette.NEGATIVE, "zero": palette.ZERO, "positive": palette.POSITIVE,
                "training": palette.TRAINING, "validation": palette.VALIDATION, "classes": palette.CLASSES,
            },
            "data": self.experiment.data.kind,
            "features": self._features(),
            "layers": units_of(self.experiment),
            "limits": {"layers": MOST_LAYERS, "units": MOST_UNITS},
            "class_names": list(self.class_names),
            "run": self.run,
            "status": self.status,
            "url": self.url,
            "problem": self.problem,
            "waiting": self.waiting,
            "opening": len(self.opening),
            "frame": len(self.frame),
            "points": 0 if examples is None else len(examples.x),
            "sets": [about for about, _ in sets],
        }  # fmt: skip
        text = json.dumps(header).encode()
        arrays = [array for _, own in sets for array in own]
        if examples is not None:
            x, y = examples.x.astype("<f4").T
            arrays = [x, y, examples.y.astype(np.uint8), examples.part, *arrays]
        return b"".join(
            [struct.pack("<I", len(text)), text, self.opening, self.frame, *(array.tobytes() for array in arrays)]
        )

    def _features(self) -> list[dict[str, Any]]:
        data = self.experiment.data
        chosen = data.features if isinstance(data, Points) else ()
        return [
            {"name": name, "label": label, "help": FEATURE_HELP.format(label), "on": name in chosen}
            for name, (label, _) in FEATURES.items()
        ]


def _set(kind: type[Points], preview: Preview) -> tuple[dict[str, Any], list[NDArray[np.uint8]]]:
    """What is said of a data set, and its points between 0 and 255."""
    x, classes = preview.x[:SET_POINTS], preview.y[:SET_POINTS].astype(np.uint8)
    low, width = x.min(axis=0), np.maximum(np.ptp(x, axis=0), 1e-9)
    places = ((x - low) / width * 255).round().astype(np.uint8)
    about = {"kind": kind.model_fields["kind"].default, "label": kind.label, "help": kind.help, "count": len(x)}
    return about, [places[:, 0].copy(), places[:, 1].copy(), classes]
