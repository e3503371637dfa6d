"""What a recipe is."""

from dataclasses import dataclass
from typing import Any

from playground.spec import Experiment, Model, Output, Training, changed
from playground.spec.data import DataSpec
from playground.spec.layers import LayerSpec
from playground.spec.losses import BinaryCrossentropy, SparseCategoricalCrossentropy
from playground.spec.saved import Saved


@dataclass(frozen=True, slots=True)
class Recipe:
    """An experiment that works as it is, or once another one has been trained: see :attr:`base`."""

    name: str
    """In URLs and on the command line."""
    title: str
    summary: str
    """What it teaches, in one sentence."""
    takes: str
    """Roughly, on two CPU cores."""
    experiment: Experiment
    base: Experiment | None = None
    """What is trained first, where the experiment starts from its weights; :meth:`after` then says of which run."""

    def after(self, base: Saved) -> Experiment:
        """The experiment, starting from these weights."""
        if self.experiment.start is None:
            return self.experiment
        return changed(self.experiment, start=changed(self.experiment.start, base=base))


def ready(
    name: str,
    title: str,
    summary: str,
    takes: str,
    data: DataSpec,
    layers: tuple[LayerSpec, ...],
    training: Training,
    output: Output | None = None,
    weight_scale: float = 1.0,
) -> Recipe:
    """A recipe whose experiment has its title."""
    model = Model(layers=layers, output=output or Output(), weight_scale=weight_scale)
    return Recipe(name, title, summary, takes, Experiment(name=title, data=data, model=model, training=training))


BINARY: Any = {"loss": BinaryCrossentropy(), "metrics": ("accuracy",)}
CLASSES: Any = {"loss": SparseCategoricalCrossentropy(), "metrics": ("accuracy",)}
