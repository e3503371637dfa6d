"""What a person does to a network on points, as functions from one experiment to the next."""

from collections.abc import Sequence
from typing import Any

from playground.errors import SpecError
from playground.lab import edits
from playground.spec import Experiment, Layer, Model, Training, changed
from playground.spec.data import Points, Spirals
from playground.spec.layers import Dense
from playground.spec.losses import BinaryCrossentropy
from playground.spec.optimizers import Adam

MOST_LAYERS, MOST_UNITS = 8, 16
"""What has a picture of every neuron; larger networks are built on the page Build & train."""

PLAY = Experiment(
    name="Playground",
    data=Spirals(
        samples=1000, noise=0, test_fraction=0.3, validate_on="test", scaling="standard",
        features=("x", "y", "sin_x", "sin_y"),
    ),
    model=Model(layers=(Dense(units=8, activation="tanh"), Dense(units=8, activation="tanh"))),
    training=Training(
        loss=BinaryCrossentropy(), optimizer=Adam(learning_rate=0.01), batch_size=32, epochs=10_000,
        metrics=("accuracy",),
    ),
)  # fmt: skip
"""Where everybody begins: spirals that two hidden layers part within seconds, from any seed."""


def is_same_network(one: Experiment, other: Experiment) -> bool:
    """Whether both begin with the same weights on the same examples; rate and batches may change while one plays."""
    return _what_is_drawn(one) == _what_is_drawn(other)


def _what_is_drawn(experiment: Experiment) -> tuple[Any, ...]:
    return experiment.data, experiment.model, experiment.seed, experiment.start, experiment.training.loss


def with_kind(experiment: Experiment, kind: str) -> Experiment:
    """Another generator with its own noise; the rest of the data stays as it was chosen."""
    after, before = edits.with_data_kind(experiment, kind), experiment.data
    if not isinstance(after.data, Points):
        raise SpecError(f"{type(after.data).label} does not lie in the plane. Choose points.", "data.kind")
    kept = {name: getattr(before, name) for name in Points.model_fields if name != "kind"}
    return edits.with_data(changed(after, name=experiment.name), changed(after.data, **kept))


def with_points(experiment: Experiment, **values: Any) -> Experiment:
    """Other settings of the data, such as its noise."""
    return edits.with_data(experiment, changed(experiment.data, **values))


def units_of(experiment: Experiment) -> list[tuple[str, int | None]]:
    """Id and units of each hidden layer; None for one that has no neurons of its own."""
    return [(layer.id, layer.units if isinstance(layer, Dense) else None) for layer in experiment.model.layers]


def with_units(experiment: Experiment, wanted: Sequence[tuple[str, int | None]]) -> Experiment:
    """The hidden layers of these ids, with so many neurons each; a layer without an id is a new one.

    Raises:
        SpecError: no layer at all, or more layers or neurons than the playground draws.
    """
    if not wanted:
        raise SpecError("A network needs a hidden layer. Keep one.")
    if len(wanted) > max(MOST_LAYERS, len(experiment.model.layers)):
        raise SpecError(f"The playground draws up to {MOST_LAYERS} hidden layers. Add more on the page Build & train.")
    known = {layer.id: layer for layer in experiment.model.layers}
    return edits.with_layers(experiment, [_layer(experiment, known.get(name), units) for name, units in wanted])


def _layer(experiment: Experiment, known: Layer | None, units: int | None) -> Layer:
    if known is not None and not isinstance(known, Dense):
        return known
    l1, l2 = regularization_of(experiment)
    layer = known or Dense(activation=activation_of(experiment), l1=l1, l2=l2)
    if units is not None and units > max(MOST_UNITS, known.units if known else 0):
        raise SpecError(f"The playground draws up to {MOST_UNITS} neurons a layer. Add more on the page Build & train.")
    return changed(layer, units=units or layer.units)


def dense_layers(experiment: Experiment) -> list[Dense]:
    """The hidden layers that have neurons."""
    return [layer for layer in experiment.model.layers if isinstance(layer, Dense)]


def activation_of(experiment: Experiment) -> str:
    """The activation of the hidden layers; that of the first where they differ."""
    return next((layer.activation for layer in dense_layers(experiment)), "tanh")


def regularization_of(experiment: Experiment) -> tuple[float, float]:
    """Factors of L1 and L2 of the hidden layers; those of the first where they differ."""
    return next(((layer.l1, layer.l2) for layer in dense_layers(experiment)), (0.0, 0.0))


def with_hidden(experiment: Experiment, **values: Any) -> Experiment:
    """Other values of all hidden layers that have neurons."""
    layers = [changed(layer, **values) if isinstance(layer, Dense) else layer for layer in experiment.model.layers]
    return edits.with_layers(experiment, layers)
