"""Saved weights -> a ``keras.Model`` that has them: what probes look into and what fine-tuning starts from."""

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from playground.data import describe as describe_data
from playground.engine.model.build import build_model, keras_optimizer, scores_of
from playground.engine.training.averages import Averages
from playground.errors import NotFound, SpecError
from playground.records import Run
from playground.spec import DataFacts, Experiment
from playground.spec.saved import Saved
from playground.store import Store


@dataclass(frozen=True, eq=False)
class Restored:
    """A network as it was saved. Nobody trains it: whoever wants to change it restores one of their own."""

    model: keras.Model
    """Not compiled; layers are named by the ids of the experiment's layers, the last one ``output``."""
    experiment: Experiment
    facts: DataFacts
    epoch: float
    """Epochs that its weights have seen."""

    def scores(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """What the network says of inputs (n, *input_shape): see :func:`scores_of`."""
        outputs = np.asarray(self.model(x, training=False))
        return scores_of(outputs, self.experiment, self.facts)


def restore(store: Store, saved: Saved) -> Restored:
    """The network that ``saved`` names, with its weights.

    Raises:
        NotFound: no such run or model, or no weights were kept of that epoch.
        SpecError: the weights do not fit the network, or are not finite.
    """
    if saved.model:
        card = store.model(saved.model)
        experiment, facts = card.experiment, card.facts
        arrays, epoch = store.model_arrays(card.id), card.epoch
    else:
        run = store.run(saved.run)
        experiment, facts = run.experiment, describe_data(run.experiment.data)
        arrays, epoch = weights_of(store, run, saved.epoch)
    # The weights of a training in mixed precision are float32, and so is everything that looks into them.
    model = build_model(experiment, facts, dtype="float32")
    assign_weights(model, _judged(model, experiment, arrays))
    return Restored(model, experiment, facts, epoch)


def weights_of(store: Store, run: Run, epoch: int | None) -> tuple[dict[str, NDArray[np.generic]], float]:
    """The variables of a run's network by position (``v0``, ``v1`` …), and how many epochs they have seen.

    Args:
        store: keeps them.
        run: whose they are.
        epoch: one of the kept epochs; None: the newest there are, also while the run is live.

    Raises:
        NotFound: nothing was kept of that epoch, or nothing at all yet.
    """
    kept = store.kept_epochs(run.id)
    if epoch is None:
        checkpoint = store.read_checkpoint(run.id)
        if checkpoint is not None and float(checkpoint[1]["epoch"]) >= max(kept, default=0):
            return checkpoint[0], float(checkpoint[1]["epoch"])
        if not kept:
            raise NotFound(f"The run {run.id} has kept no weights yet. Let it train for an epoch.")
        epoch = max(kept)
    if epoch not in kept:
        choice = ", ".join(map(str, kept)) or "none"
        raise NotFound(f"The run {run.id} kept no weights of epoch {epoch}. Choose one of the kept epochs: {choice}.")
    return store.read_epoch(run.id, epoch), float(epoch)


def _judged(
    model: keras.Model, experiment: Experiment, arrays: dict[str, NDArray[np.generic]]
) -> list[NDArray[np.generic]]:
    """The weights of a network among its kept variables: their moving averages, where the optimizer has those."""
    places = list(range(len(model.variables)))
    if experiment.training.optimizer.use_ema and f"v{len(places)}" in arrays:
        optimizer = keras_optimizer(experiment)
        optimizer.build(model.trainable_variables)
        every = [*model.variables, *optimizer.variables]
        for place, variable in enumerate(every[len(places) :], len(places)):
            variable.assign(arrays[f"v{place}"])
        for weight, average in Averages(optimizer).places(every).items():
            places[weight] = average
    return [arrays[f"v{place}"] for place in places]


def assign_weights(model: keras.Model, values: list[NDArray[np.generic]]) -> None:
    """Give a network its variables by position.

    Raises:
        SpecError: number or shapes differ, or a weight is not a number.
    """
    if len(values) != len(model.variables):
        raise SpecError(
            f"The saved weights are {len(values)} arrays, the network has {len(model.variables)}. Choose the weights "
            "of this network."
        )
    for variable, value in zip(model.variables, values, strict=True):
        if tuple(variable.shape) != value.shape:
            raise SpecError(
                f"The saved weights of {variable.path} have shape {value.shape}, the network wants "
                f"{tuple(variable.shape)}. Choose the weights of this network."
            )
        if value.dtype.kind == "f" and not np.isfinite(value).all():
            raise SpecError(f"The saved weights of {variable.path} are not all numbers. Choose an earlier epoch.")
        variable.assign(value)
