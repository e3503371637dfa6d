"""What may be asked of the engine, by name. Arguments and answers are plain JSON and NumPy: names, never live objects.

``train`` belongs on a train worker, everything else on the question worker. Settings come from the environment.
"""

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
from pydantic import TypeAdapter

from playground import data as datasets
from playground.data import describe as describe_data
from playground.engine import caches
from playground.engine import model as models
from playground.engine.download import download
from playground.engine.machine import device_name
from playground.engine.probes import answer
from playground.engine.probes.network import opening as draw_opening
from playground.engine.reuse.take_in import take_in
from playground.engine.run import run_experiment
from playground.engine.training import fit
from playground.settings import Settings
from playground.spec import DataSpec, parse_experiment
from playground.spec.probes import ProbeSpec
from playground.spec.saved import Saved
from playground.store import Store, open_store

_data_spec: TypeAdapter[Any] = TypeAdapter(DataSpec)
_probe_spec: TypeAdapter[Any] = TypeAdapter(ProbeSpec)


@cache
def _open(url: str, artifacts: Path) -> Store:
    return open_store(url, artifacts)


def device() -> str:
    """The name of what this worker computes on. Every new train worker is asked it once, or ``warm_up``."""
    return device_name()


def warm_up() -> str:
    """Make the device ready before the first run needs it; its name.

    One step of a tiny network pays what TensorFlow and Keras do once in a process, so that no person waits for it.
    """
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
    model.compile("adam", "mean_squared_error")
    fit(model, np.zeros((2, 2), "float32"), np.zeros((2, 1), "float32"), execution="plain")
    return device()


def train(run_id: str, lease: str) -> None:
    """Do a run that was claimed under ``lease``; how it went is in the store."""
    settings = Settings()
    run_experiment(_open(settings.database, settings.artifacts), settings, run_id, lease)


def describe(experiment: str) -> dict[str, Any]:
    """What Keras makes of the network of an experiment (JSON): the fields of ``records.Description``."""
    settings = Settings()
    asked = parse_experiment(experiment)
    return dataclasses.asdict(models.describe(asked, describe_data(asked.data), settings.memory_limit))


def preview(data: str, seed: int, limit: int = 500) -> dict[str, Any]:
    """Some examples of a data set (JSON of a data spec): the fields of ``data.Preview``, the facts as JSON."""
    settings = Settings()
    shown = datasets.preview(_data_spec.validate_json(data), seed, settings.data_folders, limit=limit)
    return {"facts": shown.facts.model_dump_json(), "x": shown.x, "y": shown.y, "part": shown.part}


def opening(experiment: str) -> bytes:
    """The picture of the untrained network of an experiment (JSON) on points: see ``engine.probes.network``."""
    asked = parse_experiment(experiment)
    return draw_opening(asked, caches.dataset(asked.data, asked.seed, Settings()))


def probe(saved: str, asked: str, inputs: np.ndarray | None = None) -> dict[str, Any]:
    """What a probe finds in saved weights: plain arrays, named as its display wants them.

    Args:
        saved: JSON of a ``spec.saved.Saved``.
        asked: JSON of a probe.
        inputs: examples (n, *input_shape) in the data set's own units, for probes that look at given ones.
    """
    settings = Settings()
    store = _open(settings.database, settings.artifacts)
    return answer(store, settings, Saved.model_validate_json(saved), _probe_spec.validate_json(asked), inputs)


def import_model(path: str, name: str, owner: str) -> str:
    """Take the ``.keras`` file at ``path``, which its owner calls ``name``, into the library; the id of the model."""
    settings = Settings()
    return take_in(_open(settings.database, settings.artifacts), settings, Path(path), name, owner).id


def fetch(name: str) -> str:
    """Download a data set through Keras and keep it as npz in the home folder; the path of that file."""
    settings = Settings()
    return str(download(name, settings.home / "datasets"))
