"""For which data set a network from elsewhere is: the file does not say, its input and output do."""

from math import prod

from playground.data import describe
from playground.engine.reuse.handover import Network
from playground.errors import ModelRefused
from playground.spec import DATASETS, DataFacts, Experiment, Model, changed
from playground.spec.data import Classified
from playground.spec.layers import Flatten
from playground.spec.losses import BinaryCrossentropy, LossSpec, MeanSquaredError, SparseCategoricalCrossentropy
from playground.spec.training import Training


def experiment_for(network: Network, name: str) -> tuple[Experiment, list[str]]:
    """An experiment that has this network, on the first data set whose examples fit its input and output.

    Args:
        network: from the gates.
        name: of the experiment.

    Returns:
        The experiment, perhaps with a Flatten before the network's own layers; what was assumed, a sentence each.

    Raises:
        ModelRefused: no data set has such examples, so the network could be neither tried nor trained.
    """
    units = network.model.output.units or 1
    for exact in (True, False):
        for cls in DATASETS:
            data = cls()
            facts = describe(data)
            model, notes = _on_input(network, facts)
            loss = _loss(facts, units)
            if model is None or loss is None or (exact and max(len(facts.class_names), 1) not in (units, 2)):
                continue
            if facts.task == "multiclass" and units < len(facts.class_names) and isinstance(data, Classified):
                data = changed(data, classes=tuple(range(units)))
                notes.append(f"Its {units} classes are taken for the first {units} of {data.label}.")
            training = Training(loss=loss, batch_size=min(32, describe(data).train))
            notes.append(f"It is taken for a network for {data.label}: the file does not say which data it was for.")
            return Experiment(name=name, data=data, model=model, training=training), notes
    shapes = {describe(cls()).input_shape: cls.label for cls in reversed(DATASETS)}
    choice = ", ".join(f"{_size(shape)} ({label})" for shape, label in shapes.items())
    raise ModelRefused([
        f"No data set here fits {_size(network.input_shape)} inputs and {units} {'output' if units == 1 else 'outputs'}"
        f", so the model could not be tried. There are inputs of {choice}."
    ])  # fmt: skip


def _on_input(network: Network, facts: DataFacts) -> tuple[Model | None, list[str]]:
    """The network for examples of a data set; None if they have another form."""
    if network.input_shape == facts.input_shape:
        return network.model, []
    if facts.family != "images" or network.input_shape != (prod(facts.input_shape),):
        return None, []
    ids = [layer.id for layer in network.model.layers]
    flatten = Flatten(id=next(id for id in ("pixels", *(f"pixels_{n}" for n in range(999))) if id not in ids))
    model = changed(network.model, layers=(flatten, *network.model.layers))
    return model, [f"Its {network.input_shape[0]} inputs are taken for the pixels of a picture."]


def _loss(facts: DataFacts, units: int) -> LossSpec | None:
    """The usual loss for so many outputs; None if they do not fit the task."""
    if facts.task == "regression":
        return MeanSquaredError() if units == 1 else None
    if facts.task == "binary" and units == 1:
        return BinaryCrossentropy()
    return SparseCategoricalCrossentropy() if 2 <= units <= len(facts.class_names) else None


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
