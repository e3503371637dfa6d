"""A question desk without Keras: the contract of ``Jobs``, answered with arithmetic and the real data."""

import dataclasses
import math
from typing import Any

from pydantic import TypeAdapter

from playground import data
from playground.errors import EngineUnavailable
from playground.jobs import EngineStatus
from playground.lab import edits
from playground.records import Description, LayerRow
from playground.spec import DataSpec, Experiment, changed, parse_experiment
from playground.spec.layers import Dense, Flatten

STARTING = EngineStatus("starting", message="The engine is starting. Wait a few seconds.")


class Desk:
    """Knows Dense and Flatten. ``asked`` counts the questions."""

    def __init__(self) -> None:
        self.now = EngineStatus("ready", workers=1, device="abacus")
        self.asked: list[str] = []

    def ask(self, name: str, *args: Any, timeout: float = 20) -> Any:
        if self.now.state != "ready":
            raise EngineUnavailable(self.now.message)
        self.asked.append(name)
        return {"describe": describe, "preview": preview}[name](*args)

    def status(self) -> EngineStatus:
        return self.now

    def close(self) -> None:
        pass


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


def experiment_of(kind: str) -> Experiment:
    """A small experiment on a data set, that can be trained as it is."""
    points = parse_experiment({"model": {"layers": [{"kind": "Dense"}]}, "training": {"metrics": ["accuracy"]}})
    return changed(edits.with_data_kind(points, kind), name=f"My {kind}")
