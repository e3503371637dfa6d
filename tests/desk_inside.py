"""Answers of the desk to what the page Activations asks: a network of two layers, whose kernel is the class means."""

from typing import Any

import numpy as np

from playground import data
from playground.errors import SpecError


def kernel(loaded: data.Dataset) -> np.ndarray:
    """(inputs, outputs): the mean of each class; of a regression its correlation with the target."""
    x, y = loaded.x_train.reshape(len(loaded.x_train), -1), loaded.y_train
    if not loaded.facts.class_names:
        return (x * (y - y.mean())[:, None]).mean(axis=0)[:, None] / 100
    return np.stack([x[y == k].mean(axis=0) for k in range(len(loaded.facts.class_names))], axis=1)


def scores_of(loaded: data.Dataset, x: np.ndarray) -> np.ndarray:
    values = x.reshape(len(x), -1) @ kernel(loaded)
    if not loaded.facts.class_names:
        return values[:, 0]
    shares = np.exp(values - values.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return shares[:, 1] if shares.shape[1] == 2 else shares


def picture(values: np.ndarray, tiles: np.ndarray) -> dict[str, Any]:
    return {
        "tiles": tiles[:, :32], "shape": values.shape, "rows": tiles.shape[0], "columns": tiles.shape[1], "step": 1,
        "min": float(values.min()), "mean": float(values.mean()), "std": float(values.std()),
        "max": float(values.max()), "zeros": float(np.mean(values == 0)),
    }  # fmt: skip


def vector(values: np.ndarray) -> dict[str, Any]:
    return picture(values, values.reshape(1, -1, 1, 1))


def activations(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    x = loaded.x_test[asked.index][None] if x is None else x
    scores, weights = scores_of(loaded, x)[0], kernel(loaded)
    shown = picture(x[0], np.moveaxis(x[0], -1, 0)[None]) if x.ndim == 4 else vector(x[0])
    weight = {"name": "kernel", "values": picture(weights, weights.T[None, :, None, :]), "gradient": None}
    return {
        "scores": scores, "predicted": 0, "target": asked.target, "of": "score" if asked.target is None else "loss",
        "value": 0.5,
        "layers": [
            {"id": "input", "kind": "Input", "output": shown, "gradient": shown, "by_logits": False, "weights": []},
            {"id": "flatten_1", "kind": "Flatten", "output": vector(x.ravel()), "gradient": vector(-x.ravel()),
             "by_logits": False, "weights": []},
            {"id": "output", "kind": "Dense", "output": vector(np.atleast_1d(scores)), "gradient": None,
             "by_logits": False, "weights": [weight]},
        ],
    }  # fmt: skip


def units(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    values = getattr(loaded, f"x_{asked.part}").reshape(-1, loaded.x_train[0].size)
    rows = [
        {"id": name, "kind": "Dense", "activation": activation, "units": values.shape[1], "counts": counts,
         "edges": edges, "min": 0.0, "mean": 0.2, "std": 0.3, "max": 1.0, "zeros": 0.4, "dead": dead,
         "saturated": None}
        for name, activation, dead in (("hidden", "relu", np.array([1])), ("output", "softmax", None))
        for counts, edges in [np.histogram(values, 40)]
    ]  # fmt: skip
    return {"examples": min(asked.examples, len(values)), "layers": rows}


def strongest(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    x, y = getattr(loaded, f"x_{asked.part}"), getattr(loaded, f"y_{asked.part}")
    values = x.reshape(len(x), -1)[:, asked.unit]
    best = np.argsort(-values, kind="stable")[: asked.top]
    raw = loaded.scaler.inverse(x[best])
    return {"index": best, "values": values[best], "x": raw, "targets": y[best], "examples": len(x)}


def saliency(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    weights = kernel(loaded)[:, [k % kernel(loaded).shape[1] for k in asked.classes]].T
    maps = weights.reshape(len(asked.classes), *loaded.facts.input_shape)
    return {"classes": asked.classes, "maps": maps, "scores": weights[:, 0], "baseline_scores": weights[:, 0] * 0}


def grad_cam(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    if loaded.facts.family != "images":
        raise SpecError("Grad-CAM needs a layer that gives pictures, and this network has none.", "layer")
    maps = np.zeros((len(asked.classes), 4, 4))
    maps[:, 0, 3] = 0.5
    return {"classes": asked.classes, "layer": asked.layer or "pool", "layers": ["conv", "pool"], "maps": maps}
