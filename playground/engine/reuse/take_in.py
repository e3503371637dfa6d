"""A stranger's ``.keras`` file -> a model of the library, by way of a child process that reads it for us."""

import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import playground
from playground.data import describe as describe_data
from playground.engine import model as models
from playground.engine.reuse import handover
from playground.engine.reuse.fitting import experiment_for
from playground.errors import ModelRefused
from playground.records import SavedModel
from playground.settings import Settings
from playground.spec import changed
from playground.store import Store

WALL_SECONDS = 9.0

TOO_MUCH = "Reading the file took more memory or time than a file from outside may take. Save a smaller model again."

log = logging.getLogger(__name__)

Layers = list[list[NDArray[np.float32]]]


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
    network, layers = examine_apart(path, settings)
    called = "".join(letter for letter in name[-300:].replace("\\", "/") if letter.isprintable())
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
        id="", name=stem, created=0, origin="upload", source=Path(called).name, experiment=experiment,
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


def examine_apart(path: Path, settings: Settings) -> tuple[handover.Network, Layers]:
    """What a child process finds in a file: the network, and its weights a layer.

    Raises:
        ModelRefused: with every reason.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="taking-in-", dir=settings.home, ignore_cleanup_errors=True) as folder:
        room = Path(folder).resolve()
        errors = room / "errors.txt"
        try:
            with errors.open("wb") as file:
                done = subprocess.run(
                    [sys.executable, "-P", "-s", "-m", "playground.engine.reuse.child", path.resolve(), room],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file, cwd=room, env=_environment(room),
                    timeout=WALL_SECONDS, check=False,
                )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ModelRefused([TOO_MUCH]) from None
        if done.returncode:
            with errors.open("rb") as file:
                log.warning("a file was not read (%s): %s", done.returncode, file.read(4000).decode(errors="replace"))
            raise ModelRefused([TOO_MUCH])
        return handover.read(room)


def _environment(room: Path) -> dict[str, str]:
    """Nothing of ours: no settings, no secrets, no home folder."""
    variables = {
        "PYTHONPATH": str(Path(playground.__file__).resolve().parents[1]),
        "OPENBLAS_NUM_THREADS": "1",  # a process of one thread may still leave its network
        "HDF5_PLUGIN_PRELOAD": "::",  # HDF5 loads no plug-ins
    }
    variables |= dict.fromkeys(("HOME", "TMPDIR", "TEMP", "KERAS_HOME"), str(room))
    return variables | {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}  # Windows needs it
