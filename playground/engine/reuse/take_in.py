"""A stranger's ``.keras`` file -> a model of the library, by way of a child process that reads it for us."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from playground.data import describe as describe_data
from playground.engine import model as models
from playground.engine.reuse.apart import Layers, examine_apart
from playground.engine.reuse.fitting import experiment_for
from playground.errors import ModelRefused
from playground.records import SavedModel
from playground.settings import Settings
from playground.spec import changed
from playground.store import Store


def take_in(store: Store, settings: Settings, path: Path, name: str, owner: str) -> SavedModel:
    """Check a ``.keras`` file, rebuild its network from our own spec, and keep it in the library.

    Args:
        store: takes the model.
        settings: the home folder, in which the child has its room, and the memory limit.
        path: the file; it is read in a child process only.
        name: what the file is called, for people.
        owner: whose model it becomes.

    Raises:
        ModelRefused: with every reason.
        StoreError: the disk cannot be written.
    """
    network, layers = examine_apart(path, settings.home / "uploads")
    # Names are shown in many places: what could be Markdown, a path or a control character is not taken over.
    called = re.sub(r"[^\w .,+-]", "_", name[-300:].replace("\\", "/").rpartition("/")[2])
    stem = Path(called).stem[:80].strip() or "model"
    experiment, notes = experiment_for(network, stem)
    added = len(experiment.model.layers) + 1 - len(layers)
    layers = [[] for _ in range(added)] + layers
    facts = describe_data(experiment.data)
    description = models.describe(experiment, facts, settings.memory_limit)
    if description.error:
        raise ModelRefused([description.error])
    for row, arrays in zip(description.rows, layers, strict=True):
        held = sum(array.size for array in arrays)
        if held != row.parameters:
            raise ModelRefused([
                f"The layer {row.id} ({row.kind}) has {row.parameters:,} weights as it is described, and {held:,} in "
                "the file. Save the model again with Keras."
            ])  # fmt: skip
    variables = _variables(models.build_model(experiment, facts), layers)
    card = SavedModel(
        id="", name=stem, created=0, origin="upload", source=called, experiment=experiment,
        facts=changed(facts, train=0, validation=0, test=0),
        parameters=description.parameters, bytes=sum(array.nbytes for array in variables.values()),
        note=" ".join([*network.notes, *notes]),
        owner=owner,
    )  # fmt: skip
    return store.add_model(card, variables)


def _variables(model: Any, layers: Layers) -> dict[str, NDArray[Any]]:
    """The variables of a network by position, once it has the weights of ``layers``.

    Raises:
        ModelRefused: a weight has another shape.
    """
    for layer, arrays in zip(model.layers[1:], layers, strict=True):
        shapes = [tuple(weight.shape) for weight in layer.weights]
        if shapes != [array.shape for array in arrays]:
            raise ModelRefused([f"The weights of the layer {layer.name} have other shapes than its description says."])
        layer.set_weights(arrays)
    return {f"v{index}": np.asarray(variable) for index, variable in enumerate(model.variables)}
