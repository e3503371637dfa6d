"""A question desk without Keras: the contract of ``Jobs``, answered with arithmetic and the real data."""

import dataclasses
import json
import math
import struct
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from playground import data
from playground.errors import EngineUnavailable
from playground.jobs import EngineStatus
from playground.lab import edits
from playground.records import Description, LayerRow
from playground.spec import DataSpec, Experiment, changed, parse_experiment
from playground.spec.layers import Dense, Flatten
from playground.spec.probes import ProbeSpec
from playground.spec.saved import Saved
from playground.store import Store
from tests import desk_inside

STARTING = EngineStatus("starting", message="The engine is starting. Wait a few seconds.")


class Desk:
    """Knows Dense and Flatten. ``asked`` counts the questions. Probes look into the runs of ``store``."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store
        self.now = EngineStatus("ready", workers=1, device="abacus")
        self.asked: list[str] = []

    def ask(self, name: str, *args: Any, timeout: float = 20) -> Any:
        if self.now.state != "ready":
            raise EngineUnavailable(self.now.message)
        self.asked.append(name)
        return {"describe": describe, "preview": preview, "opening": opening, "probe": self._probe}[name](*args)

    def _probe(self, saved_text: str, text: str, inputs: np.ndarray | None = None) -> dict[str, Any]:
        saved, asked = Saved.model_validate_json(saved_text), TypeAdapter(ProbeSpec).validate_json(text)
        experiment = (self.store.model(saved.model) if saved.model else self.store.run(saved.run)).experiment
        loaded = data.load(experiment.data, experiment.seed, ())
        return PROBES[asked.kind](loaded, asked, None if inputs is None else loaded.scaler.transform(inputs))

    def status(self) -> EngineStatus:
        return self.now

    def close(self) -> None:
        pass


def predictions(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    """By the distance to the mean of each class; of a regression the mean of the nearest training examples."""
    x = loaded.x_test if x is None else x
    off = np.linalg.norm((loaded.x_train - x[:, None]).reshape(len(x), len(loaded.x_train), -1), axis=2)
    rows = np.argsort(off, axis=1)[:, : max(asked.neighbours, 3)]
    if loaded.facts.task == "regression":
        scores = loaded.y_train[rows].mean(axis=1)
    else:
        means = [loaded.x_train[loaded.y_train == k].mean(axis=0) for k in range(len(loaded.facts.class_names))]
        near = np.exp(-np.linalg.norm((np.stack(means) - x[:, None]).reshape(len(x), len(means), -1), axis=2))
        scores = near / near.sum(axis=1, keepdims=True)
        scores = scores[:, 1] if loaded.facts.task == "binary" else scores
    neighbours = loaded.scaler.inverse(loaded.x_train[rows])
    distances = np.take_along_axis(off, rows, axis=1)
    return {
        "scores": scores, "neighbours": neighbours, "neighbour_targets": loaded.y_train[rows], "distances": distances,
    }  # fmt: skip


def example(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    x, y = getattr(loaded, f"x_{asked.part}"), getattr(loaded, f"y_{asked.part}")
    return {"x": loaded.scaler.inverse(x[asked.index][None]), "y": y[asked.index].item(), "count": len(x)}


def ranges(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    raw = loaded.scaler.inverse(loaded.x_train) if loaded.plane is None else loaded.plane
    return {"low": raw.min(axis=0), "high": raw.max(axis=0), "typical": raw[0]}


def gradients(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    return {
        "loss": 0.7, "input": 1e-3, "layers": ["dense_1", "output"], "outputs": np.array([2e-3, 0.1]),
        "variables": ["dense_1/kernel", "dense_1/bias", "output/kernel", "output/bias"],
        "weights": np.array([0.1, 0.0, 0.3, 0.2]),
    }  # fmt: skip


def gradient_check(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    automatic = np.linspace(-1, 1, asked.entries)
    entries = np.stack([np.arange(asked.entries), np.zeros(asked.entries, int)], axis=1)
    numeric, relative = automatic * (1 + 1e-9), np.full(asked.entries, 1e-9)
    return {"shape": [9, 1], "entries": entries, "automatic": automatic, "numeric": numeric, "relative": relative}


def singular_values(loaded: data.Dataset, asked: Any, x: np.ndarray | None) -> dict[str, Any]:
    return {"values": np.array([2.0, 0.5])}


PROBES: dict[str, Callable[[data.Dataset, Any, np.ndarray | None], dict[str, Any]]] = {
    "predictions": predictions, "example": example, "ranges": ranges,
    "gradients": gradients, "gradient_check": gradient_check, "singular_values": singular_values,
    "activations": desk_inside.activations, "units": desk_inside.units, "strongest": desk_inside.strongest,
    "saliency": desk_inside.saliency, "grad_cam": desk_inside.grad_cam,
}  # fmt: skip


def describe(text: str) -> dict[str, Any]:
    experiment = parse_experiment(text)
    facts = data.describe(experiment.data)
    shape, rows = facts.input_shape, []
    outputs = len(facts.class_names) if facts.task == "multiclass" else 1
    for layer in (*experiment.model.layers, Dense(id="output", units=outputs)):
        row, shape = _row(layer, shape)
        rows.append(row)
    total = sum(row.parameters for row in rows)
    description = Description(tuple(rows), total, total, 2 * total, 16 * total)
    return dataclasses.asdict(description)


def _row(layer: Any, shape: tuple[int, ...]) -> tuple[LayerRow, tuple[int, ...]]:
    parameters = 0
    if isinstance(layer, Dense):
        parameters = (shape[-1] + 1) * layer.units
        shape = (*shape[:-1], layer.units)
    elif isinstance(layer, Flatten):
        shape = (math.prod(shape),)
    return LayerRow(layer.id, layer.kind, shape, parameters, parameters, 2 * parameters, 4 * math.prod(shape)), shape


def preview(text: str, seed: int) -> dict[str, Any]:
    shown = data.preview(TypeAdapter(DataSpec).validate_json(text), seed, (), limit=60)
    return {"facts": shown.facts.model_dump_json(), "x": shown.x, "y": shown.y, "part": shown.part}


def opening(text: str) -> bytes:
    """A network on points that answers half a one everywhere, all of whose weights are a quarter."""
    experiment = parse_experiment(text)
    facts = data.describe(experiment.data)
    units = [facts.input_shape[0], *(layer.units for layer in experiment.model.layers), 1]
    ids = [*(layer.id for layer in experiment.model.layers), "output"]
    rows = [
        {"id": name, "kind": "Dense", "units": n, "scales": [0.5] * n, "kernel": [m, n], "bias": True}
        for name, m, n in zip(ids, units, units[1:], strict=False)
    ]
    header = {
        "tile": 30, "surface": 100, "channels": 1, "extent": [-1, 1, -1, 1], "loss": {"train": 0.7, "test": 0.7},
        "features": [{"name": name, "scale": 1} for name in facts.feature_names], "layers": rows,
    }  # fmt: skip
    written = json.dumps(header).encode()
    weights = sum((m + 1) * n for m, n in pairwise(units))
    cells = bytes([255]) * (900 * sum(units) + 10_000)
    return struct.pack("<I", len(written)) + written + cells + np.full(weights, 0.25, "<f4").tobytes()


def experiment_of(kind: str) -> Experiment:
    """A small experiment on a data set, that can be trained as it is."""
    points = parse_experiment({"model": {"layers": [{"kind": "Dense"}]}, "training": {"metrics": ["accuracy"]}})
    return changed(edits.with_data_kind(points, kind), name=f"My {kind}")
