"""The loop with the arguments of Keras's ``fit``, for any model and arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf

from playground.engine.training.callback import Callback
from playground.engine.training.learner import Learner
from playground.engine.training.loop import Loop
from playground.engine.training.plan import Pilot, Plan
from playground.engine.training.program import Program, batches_of, build_all, variables_of
from playground.engine.training.schedule import Schedule
from playground.engine.training.source import OnDevice


def class_weights(y: np.ndarray, weights: Mapping[int, float]) -> np.ndarray:
    """Class weights as sample weights, which is what ``fit`` makes of them: float32 (n,).

    Args:
        y: class index (n,) or (n, 1), or one-hot (n, classes).
    """
    index = y.argmax(axis=1) if y.ndim == 2 and y.shape[1] > 1 else y.reshape(-1).astype(int)
    return np.asarray([weights.get(int(i), 1.0) for i in index], np.float32)


def fit(
    model: keras.Model,
    x: Any,
    y: np.ndarray,
    *,
    sample_weight: np.ndarray | None = None,
    class_weight: Mapping[int, float] | None = None,
    validation_data: tuple[Any, ...] | None = None,
    batch_size: int = 32,
    epochs: int = 1,
    shuffle: bool = True,
    seed: int = 0,
    execution: Literal["auto", "plain", "xla"] = "auto",
    plan: Plan = (),
    callbacks: Sequence[Callback] = (),
) -> Loop:
    """Train any compiled Keras model on arrays, with the arguments of ``model.fit``.

    The model is trained in place. The loop that is returned has ``history``, ``pilot.plan`` and ``speed``.
    """
    if class_weight is not None:
        weights = class_weights(y, class_weight)
        sample_weight = weights if sample_weight is None else sample_weight * weights
    arrays = (x, y) if sample_weight is None else (x, y, sample_weight)
    schedule = Schedule(len(y), min(batch_size, len(y)), epochs)
    source = OnDevice(arrays, schedule, shuffle, seed)
    build_all(model, arrays)
    program = Program(model, source.sizes)
    loop = Loop(
        Learner(program, [tf.convert_to_tensor(v.value) for v in variables_of(model)]),
        source,
        schedule=schedule,
        validation=batches_of(validation_data) if validation_data else (),
        pilot=Pilot(program, execution, plan, settled=bool(plan)),
        callbacks=callbacks,
    )
    loop.run()
    return loop
