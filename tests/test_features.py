"""Features of points: computed from where they lie, before scaling; the choice is part of what is computed."""

import numpy as np
import pytest
from pydantic import ValidationError

from playground import data
from playground.data.features import FEATURES, features_of
from playground.lab import edits
from playground.spec import Experiment, parse_experiment
from playground.spec.data import Moons, Points, Spirals

EVERY = ("x", "y", "x2", "y2", "xy", "sin_x", "sin_y")


def by_hand(plane: np.ndarray) -> np.ndarray:
    x, y = plane[:, 0], plane[:, 1]
    return np.column_stack([x, y, x * x, y * y, x * y, np.sin(5 * x), np.sin(5 * y)])


def test_features_are_what_their_names_say() -> None:
    plane = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    np.testing.assert_allclose(features_of(plane, EVERY), by_hand(plane), rtol=1e-15)
    np.testing.assert_array_equal(features_of(plane, ["xy", "x"]), by_hand(plane)[:, [4, 0]])
    assert tuple(FEATURES) == EVERY


@pytest.mark.parametrize("kind", Points.__subclasses__())
def test_every_generator_gives_them(kind: type[Points]) -> None:
    loaded = data.load(kind(features=EVERY), 3, [])
    assert loaded.facts.input_shape == (7,)
    assert loaded.facts.feature_names == ("x", "y", "x²", "y²", "xy", "sin 5x", "sin 5y")
    np.testing.assert_allclose(loaded.x_train, by_hand(loaded.plane), atol=1e-6)
    usual = data.load(kind(), 3, [])
    np.testing.assert_array_equal(usual.x_train, loaded.x_train[:, :2])  # the same points, in the same splits


def test_each_feature_is_scaled_as_a_column_of_its_own() -> None:
    loaded = data.load(Spirals(features=EVERY, scaling="standard"), 0, [])
    np.testing.assert_allclose(loaded.x_train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(loaded.x_train.std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(loaded.scaler.inverse(loaded.x_train), by_hand(loaded.plane), atol=1e-5)


def test_the_same_choice_is_the_same_experiment() -> None:
    usual = Experiment(data=Moons())
    assert usual.fingerprint() == Experiment(data=Moons(features=("y", "x"))).fingerprint()
    assert usual.fingerprint() != Experiment(data=Moons(features=("x",))).fingerprint()
    assert Moons.model_validate({"features": "xy, x"}).features == ("x", "xy")


@pytest.mark.parametrize("features", [[], "", ["z"], ["x"] * 8])
def test_what_is_no_choice_is_refused(features: object) -> None:
    with pytest.raises(ValidationError):
        Moons.model_validate({"features": features})


def test_another_data_set_has_features_of_its_own() -> None:
    experiment = parse_experiment({"data": {"kind": "spirals", "features": ["x", "sin_x"]}})
    assert edits.with_data_kind(experiment, "moons").data == Moons()
