"""The singular values of a kernel."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from playground.displays import palette
from playground.displays.figure import Figure


def singular_values(found: Mapping[str, Any]) -> Figure:
    """The answer of the probe ``SingularValues`` as a falling curve."""
    values = found["values"]
    spec = {
        "height": 280,
        "mark": {"type": "line", "point": True, "color": palette.POSITIVE},
        "encoding": {
            "x": {"field": "rank", "type": "quantitative", "title": "Rank", "axis": {"tickMinStep": 1}},
            "y": {"field": "value", "type": "quantitative", "title": "Singular value"},
        },
    }
    data = pa.table({"rank": list(range(1, len(values) + 1)), "value": values})
    summary = f"The layer stretches its input by {values[0]:.3g} at most and by {values[-1]:.3g} at least."
    return Figure("Singular values", spec, data, summary)
