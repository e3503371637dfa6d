"""The spec speaks Keras's language: same names, same arguments, same defaults but for those listed here."""

import importlib
import inspect
from typing import Any, get_args

import pytest

from playground.spec import LAYERS, LOSSES, OPTIMIZERS, Spec
from playground.spec.layers import Activation_, Initializer
from playground.spec.losses import SparseCategoricalCrossentropy

pytestmark = pytest.mark.keras


@pytest.fixture(scope="session")
def keras() -> Any:
    # Imported here, so that collecting the tests that need no TensorFlow does not load it.
    return importlib.import_module("keras")


OUR_OWN: dict[tuple[str, str], str] = {
    ("Dense", "units"): "required in Keras; a layer added with one click needs a width",
    ("Dense", "activation"): "None in Keras; relu is what a hidden layer is added for",
    ("Conv2D", "filters"): "required in Keras",
    ("Conv2D", "kernel_size"): "required in Keras",
    ("Conv2D", "activation"): "None in Keras; relu as for Dense",
    ("AveragePooling2D", "pool_size"): "required in Keras, where MaxPooling2D has 2",
    ("Dropout", "rate"): "required in Keras",
    ("Activation", "activation"): "required in Keras",
}
"""Defaults that differ from Keras's, and why."""
NOT_OF_KERAS: dict[str, str] = {
    "id": "names the layer",
    "kernel_gain": "Keras has a gain with some initializers only",
    "l1": "one of the two numbers of Keras's kernel_regularizer",
    "l2": "the other one",
}
"""Fields of layers that Keras does not have, and why."""


def assert_speaks_keras(spec: type[Spec], keras_class: Any, ours: tuple[str, ...] = ("kind",)) -> None:
    parameters = inspect.signature(keras_class.__init__).parameters
    for name, field in spec.model_fields.items():
        if name in ours:
            continue
        assert name in parameters, f"{spec.__name__}.{name} is not an argument of Keras's {keras_class.__name__}"
        default = parameters[name].default
        if isinstance(default, tuple) and len(set(default)) == 1:
            default = default[0]  # (2, 2) is written 2
        is_equal = default == field.default
        assert is_equal != ((spec.__name__, name) in OUR_OWN), (
            f"{spec.__name__}.{name}: {field.default}, Keras {default}"
        )


@pytest.mark.parametrize("spec", LAYERS, ids=lambda spec: spec.__name__)
def test_layers_have_the_names_and_defaults_of_keras(keras: Any, spec: type[Spec]) -> None:
    assert spec.model_fields["kind"].default == spec.__name__
    assert_speaks_keras(spec, getattr(keras.layers, spec.__name__), ("kind", *NOT_OF_KERAS))


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=lambda spec: spec.__name__)
def test_optimizers_have_the_names_and_defaults_of_keras(keras: Any, spec: type[Spec]) -> None:
    assert spec.model_fields["kind"].default == spec.__name__
    assert_speaks_keras(spec, getattr(keras.optimizers, spec.__name__))


@pytest.mark.parametrize("spec", LOSSES, ids=lambda spec: spec.__name__)
def test_losses_have_the_names_and_defaults_of_keras(keras: Any, spec: type[Spec]) -> None:
    # Keras smooths one-hot targets only; class numbers become one-hot where they are to be smoothed.
    ours = ("label_smoothing",) if spec is SparseCategoricalCrossentropy else ()
    assert_speaks_keras(spec, getattr(keras.losses, spec.__name__), ("kind", *ours))
    assert callable(keras.losses.get(spec.model_fields["kind"].default))


def test_activations_and_initializers_are_known_to_keras(keras: Any) -> None:
    assert all(callable(keras.activations.get(name)) for name in get_args(Activation_))
    assert all(callable(keras.initializers.get(name)) for name in get_args(Initializer))
