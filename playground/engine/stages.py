"""The stages of a run: which layers learn from which step on. A run that tunes nothing has one, of all layers."""

from collections.abc import Collection

import keras

from playground.data import Dataset
from playground.engine import caches
from playground.engine.model import build_model, compile_model, encode_targets
from playground.engine.training import Schedule, Stage, build_all
from playground.spec import Experiment
from playground.spec.tuning import OUTPUT, layers_with_weights, stages


def built_model(experiment: Experiment, data: Dataset) -> keras.Model:
    """The network with its starting weights, compiled, and an optimizer for all of them."""
    model = build_model(experiment, data.facts)
    compile_model(model, experiment, data.facts)
    build_all(model, (data.x_train, encode_targets(data.y_train[:1], experiment, data.facts)))
    return model


def freeze(model: keras.Model, frozen: Collection[int]) -> None:
    """Keep the layers at these places (from 0, without the input) as they are.

    The optimizer must be built already, on all variables: one that is built on fewer of them cannot take the others in
    later. A frozen batch normalization runs in inference mode, as Keras has it: were its moving averages to follow the
    new data, the layers after it would receive other inputs than those they were trained on.
    """
    for place, layer in enumerate(model.layers[1:]):
        layer.trainable = place not in frozen


def stages_of(
    experiment: Experiment,
    data: Dataset,
    sizes: Schedule,
    schedule: Schedule,
    model: keras.Model | None = None,
    frozen: Collection[str] = (),
) -> list[Stage]:
    """From which step on which program runs, and at which rate.

    Args:
        experiment: says what learns when.
        data: its data.
        sizes: what programs are compiled for.
        schedule: of the training.
        model: serves the first stage, unless its program is at hand from another run.
        frozen: ids of layers that learn in no stage.
    """
    unused = [model] if model is not None else []
    ids, able = [*(layer.id for layer in experiment.model.layers), OUTPUT], layers_with_weights(experiment)

    def stage(step: int, learning: Collection[str], rate: float) -> Stage:
        still = [n for n, name in enumerate(ids) if name in able and (name not in learning or name in frozen)]

        def make() -> keras.Model:
            made = unused.pop() if unused else built_model(experiment, data)
            freeze(made, still)
            return made

        return Stage(step, rate, lambda: caches.program(experiment, data.facts, sizes, make, still))

    found: list[Stage] = []
    epoch = 0
    for asked in stages(experiment):
        rate = experiment.training.optimizer.learning_rate * asked.rate_factor
        found.append(stage(schedule.step_of(epoch) if found else 0, asked.layers, rate))
        epoch += asked.epochs or 0
    return found
