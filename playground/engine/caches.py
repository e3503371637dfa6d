"""What a worker keeps between runs: data sets on the device and compiled programs."""

import json
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock
from typing import Generic, TypeVar

import keras
import numpy as np
import tensorflow as tf

from playground.data import Dataset, load
from playground.engine.download import DOWNLOADABLE, download
from playground.engine.model.build import targets_of
from playground.engine.training import Program, Schedule
from playground.errors import DataMissing
from playground.settings import Settings
from playground.spec import DataFacts, DataSpec, Experiment
from playground.spec.schedules import Constant

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The most recently used results of a slow function, made once each even if several threads ask at once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Hashable, tuple[Lock, list[Value]]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of ``key``, made if it is not kept."""
        with self._lock:
            lock, box = self._kept.setdefault(key, (Lock(), []))
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        with lock:
            if not box:
                box.append(make())
            return box[0]


_datasets: Recent[Dataset] = Recent(3)
_tensors: Recent[tf.Tensor] = Recent(4)
_programs: Recent[Program] = Recent(16)


def _key(spec: DataSpec, seed: int) -> tuple[str, int]:
    """Names the arrays of a data set: another seed gives others only where the seed is used."""
    return spec.model_dump_json(), seed if spec.uses_seed else 0


def dataset(spec: DataSpec, seed: int, settings: Settings) -> Dataset:
    """The data set, loaded and split; downloaded first where it is nowhere on this machine and Keras has it."""

    def find() -> Dataset:
        try:
            return load(spec, seed, settings.data_folders)
        except DataMissing:
            if spec.kind not in DOWNLOADABLE:
                raise
            download(spec.kind, settings.home / "datasets")
            return load(spec, seed, settings.data_folders)

    return _datasets.get((_key(spec, seed), settings.data_folders), find)


def on_device(spec: DataSpec, seed: int, array: np.ndarray) -> tf.Tensor:
    """The training inputs of a data set as one tensor, shared by all runs on it."""
    return _tensors.get(_key(spec, seed), lambda: tf.convert_to_tensor(array))


def program(
    experiment: Experiment,
    facts: DataFacts,
    schedule: Schedule,
    make: Callable[[], keras.Model],
    frozen: Sequence[int] = (),
) -> Program:
    """The compiled program for this architecture and these sizes, shared by all runs that differ in nothing compiled.

    Seed and learning rate are values, not code; layer ids are names of variables. They are not part of the key. Which
    layers are frozen (by position) is: a function that was traced before a layer was frozen goes on training it.
    """
    training = experiment.training
    what = {
        "layers": [layer.model_dump(mode="json", exclude={"id"}) for layer in experiment.model.layers],
        "output": experiment.model.output.model_dump(mode="json"),
        "loss": training.loss.model_dump(mode="json"),
        "optimizer": training.optimizer.model_dump(mode="json", exclude={"learning_rate"}),
        "metrics": training.metrics,
        "precision": training.precision,
        "weighted": training.class_weight is not None,
        "targets": targets_of(experiment, facts),
        "shape": [facts.input_shape, len(facts.class_names)],
        "sizes": [schedule.examples, schedule.batch_size, schedule.every],
        "frozen": list(frozen),
        "scheduled": training.schedule != Constant(),
    }
    return _programs.get(json.dumps(what, sort_keys=True), lambda: Program(make(), schedule))
