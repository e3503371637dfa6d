"""The loss of a sweep against its learning rate, and the rate that it suggests."""

from typing import Any

import numpy as np
import pyarrow as pa

from playground.displays import palette
from playground.displays.figure import Figure
from playground.evaluation.rate_finder import RateSearch

STEP, SMOOTHED, SUGGESTED = "each step", "smoothed", "suggested"


def rate_figure(search: RateSearch) -> Figure:
    """Each step thin, smoothed thick, the suggestion as an upright line; the rates on a logarithmic axis."""
    known = np.isfinite(search.losses)
    rates, losses, series = [search.rates[known]] * 2, [search.losses[known], search.smoothed[known]], [STEP, SMOOTHED]
    if search.suggestion is not None:
        rates.append(np.array([search.suggestion]))
        losses.append(np.array([np.nan]))
        series.append(SUGGESTED)
    names = np.repeat(series, [len(part) for part in rates])
    data = pa.table(
        {
            "rate": np.concatenate(rates),
            "loss": np.concatenate(losses),
            "series": pa.array(names.tolist(), pa.string()).dictionary_encode(),
        }
    )
    return Figure("Loss against learning rate", _spec(), data, search.says)


def _spec() -> dict[str, Any]:
    color = {
        "field": "series", "type": "nominal", "legend": {"title": None, "orient": "top", "symbolType": "stroke"},
        "scale": {
            "domain": [STEP, SMOOTHED, SUGGESTED], "range": [palette.ZERO, palette.TRAINING, palette.VALIDATION]
        },
    }  # fmt: skip
    tooltip = [
        {"field": "rate", "type": "quantitative", "format": ".3g", "title": "Learning rate"},
        {"field": "loss", "type": "quantitative", "format": ".4g", "title": "Loss"},
    ]
    x = {"field": "rate", "type": "quantitative", "title": "Learning rate", "scale": {"type": "log", "nice": False},
         "axis": {"format": ".0e", "tickCount": 8, "grid": False}}  # fmt: skip
    y = {"field": "loss", "type": "quantitative", "title": "Loss", "scale": {"zero": False}, "axis": {"tickCount": 5}}

    def layer(series: str, mark: dict[str, Any], **encoding: Any) -> dict[str, Any]:
        shown = {"transform": [{"filter": f"datum.series == '{series}'"}], "mark": mark}
        return {**shown, "encoding": {"color": color, **encoding}}

    return {
        "height": 280,
        "padding": {"left": 0, "right": 5, "top": 0, "bottom": 0},
        "encoding": {"x": x},
        "layer": [
            layer(STEP, {"type": "line", "strokeWidth": 1, "opacity": 0.7}, y=y, tooltip=tooltip),
            layer(SMOOTHED, {"type": "line", "strokeWidth": 2.6}, y=y, tooltip=tooltip),
            layer(SUGGESTED, {"type": "rule", "strokeWidth": 2, "strokeDash": [5, 3]}, tooltip=tooltip[:1]),
        ],
    }
