"""What is wrong with a training, from made-up series and from the recipes that go wrong on purpose."""

from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from playground.evaluation.health import LAYER_COLUMNS, VARIABLE_COLUMNS, Health, Names
from playground.evaluation.verdicts import Verdict, backward_gains, judge
from playground.recipes import recipe
from playground.settings import Settings
from playground.spec import Experiment, with_settings
from playground.store import open_store

NAMES = Names(
    layers=("flat", "first", "second", "output"),
    activations=("", "relu", "tanh", "softmax"),
    variables=("first/kernel", "first/bias", "second/kernel", "output/kernel"),
    shapes=((4, 8), (8,), (8, 8), (8, 3)),
)
MOMENTS = 20


def series(**columns: object) -> Health:
    """A healthy training, but for what is given: of layers by ``layer_column``, of variables by ``column``."""
    loss = np.linspace(1, 0.2, MOMENTS).astype(np.float32)
    layers = np.full((MOMENTS, 4, len(LAYER_COLUMNS)), np.nan, np.float32)
    layers[..., LAYER_COLUMNS.index("gradient")] = 0.1
    layers[:, 1, LAYER_COLUMNS.index("dead")] = 0.2
    layers[:, 2, LAYER_COLUMNS.index("saturated")] = 0.1
    variables = np.full((MOMENTS, 4, len(VARIABLE_COLUMNS)), 1.0, np.float32)
    variables[..., VARIABLE_COLUMNS.index("ratio")] = -3
    health = replace(
        Health.empty(NAMES), step=np.arange(MOMENTS), epoch=np.arange(MOMENTS) / 2, loss=loss, layers=layers,
        variables=variables,
    )  # fmt: skip
    for name, value in columns.items():
        if name == "loss":
            health = replace(health, loss=np.broadcast_to(value, MOMENTS).astype(np.float32))
        elif name.startswith("layer_"):
            health.layers[..., LAYER_COLUMNS.index(name.removeprefix("layer_"))] = value
        else:
            health.variables[..., VARIABLE_COLUMNS.index(name)] = value
    return health


def verdict(**columns: object) -> tuple[str, str]:
    (found,) = judge(series(**columns))
    assert found.sentence.endswith(".")
    assert found.kind == "healthy" or found.remedy.endswith(".")
    return found.kind, found.layer


def test_nothing_measured_gives_no_verdict():
    assert judge(Health.empty(NAMES)) == []


def test_a_network_that_learns_is_healthy():
    assert verdict() == ("healthy", "")


def test_the_gradient_is_followed_back_to_the_layer_where_it_is_lost():
    assert verdict(layer_gradient=[1, 1e-4, 0.1, 1]) == ("vanishing", "first")
    assert verdict(layer_gradient=[1, 5e-3, 0.1, 1]) == ("healthy", "")
    assert verdict(layer_gradient=[1, 2e3, 1, 1]) == ("exploding", "first")
    np.testing.assert_allclose(backward_gains(series(layer_gradient=[9, 0.02, 0.1, 1])), [1, 0.2, 1], rtol=1e-6)


def test_what_only_rearranges_its_input_is_at_no_fault():
    assert verdict(layer_gradient=[1e-9, 0.1, 0.1, 1]) == ("healthy", "")


def test_numbers_that_are_none_are_an_explosion():
    assert verdict(loss=np.r_[np.ones(MOMENTS - 1), np.inf])[0] == "exploding"
    assert verdict(loss=np.r_[np.ones(MOMENTS - 1), np.nan])[0] == "exploding"
    assert verdict(gradient=[1, 1, np.inf, 1])[0] == "exploding"


def test_dead_units_count_as_they_are_now():
    assert verdict(layer_dead=[np.nan, 0.8, np.nan, np.nan]) == ("dead", "first")
    assert verdict(layer_dead=[np.nan, 0.5, np.nan, np.nan]) == ("healthy", "")


def test_saturation_counts_at_the_beginning_or_while_nothing_is_learned():
    flat = np.full((MOMENTS, 4), np.nan)
    flat[:, 2] = 0.9
    assert verdict(layer_saturated=flat) == ("saturated", "second")
    flat[: MOMENTS // 2, 2] = 0.1
    assert verdict(layer_saturated=flat) == ("healthy", "")
    assert verdict(layer_saturated=flat, loss=1.0) == ("saturated", "second")


def test_an_output_that_is_sure_is_not_saturated():
    assert verdict(layer_saturated=[np.nan, np.nan, 0.1, 1.0]) == ("healthy", "")


def test_a_rate_is_wrong_only_where_nothing_is_learned():
    assert verdict(ratio=[-1, -9, -1.5, -1.2], loss=1.0) == ("rate too high", "first")
    assert verdict(ratio=[-5, -9, -4.5, -4.2], loss=1.0) == ("rate too low", "first")
    assert verdict(ratio=-3.5, loss=1.0) == ("healthy", "")
    assert verdict(ratio=-1.0) == ("healthy", "")
    assert verdict(ratio=[-np.inf, 0, -3, -3], loss=1.0) == ("healthy", "")


def test_the_cause_is_named_and_not_what_follows_from_it():
    assert verdict(layer_dead=[np.nan, 1, np.nan, np.nan], layer_gradient=[0, 1e-9, 1e-3, 1], ratio=-8, loss=1) == (
        "dead", "first",
    )  # fmt: skip
    assert verdict(layer_dead=[np.nan, 1, np.nan, np.nan], layer_gradient=[0, 1e6, 1, 1])[0] == "exploding"


def trained_verdict(experiment: Experiment, settings: Settings) -> Verdict:
    """What is said of a run that is trained here and now, however it ends."""
    from playground.engine.run import run_experiment

    with closing(open_store(settings.database, settings.artifacts)) as store:
        run = store.create_run(experiment)
        _, lease = store.claim("a test", run_id=run.id)
        run_experiment(store, settings, run.id, lease)
        (found,) = judge(Health.from_arrays(store.read_arrays(run.id, "health")))
    return found


SICK = {
    "ten-sigmoids": ("vanishing", "dense_1"),
    "weights-too-large": ("exploding", "dense_1"),
    "dead-relus": ("dead", "dense_2"),
    "saturated-tanh": ("saturated", "dense_1"),
}
HEALTHY = (
    "ten-relus", "weights-right-sized", "living-relus", "unsaturated-tanh", "two-moons", "iris", "xor", "digits-mlp",
)  # fmt: skip


@pytest.mark.keras
@pytest.mark.parametrize("name", [*SICK, *HEALTHY])
def test_the_recipes_get_the_verdict_that_they_are_made_for(name, settings):
    found = trained_verdict(recipe(name).experiment, settings)
    assert (found.kind, found.layer) == SICK.get(name, ("healthy", "")), found
    assert found.layer in found.sentence


@pytest.mark.keras
def test_a_rate_far_too_low_is_named(settings):
    experiment = with_settings(recipe("iris").experiment, ["training.optimizer.learning_rate=1e-6"])
    found = trained_verdict(experiment, settings)
    assert found.kind == "rate too low"
