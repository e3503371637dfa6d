"""Every recipe is an experiment that can be trained as it is."""

import pytest

from playground import data
from playground.errors import SpecError
from playground.recipes import RECIPES, Recipe, recipe
from playground.spec import DATASETS, changed, check, is_small, parse_experiment
from playground.spec.data import Points
from playground.spec.saved import Saved
from playground.spec.tuning import check_base, may_have_seen

REFERENCE = {
    "mnist-mlp-64-64": ("Flatten Dense:64:relu Dense:64:relu", "sparse_categorical_crossentropy", "Adam", 32, 5),
    "mnist-cnn": (
        "Conv2D:32:relu MaxPooling2D Flatten Dense:128:relu", "sparse_categorical_crossentropy", "Adam", 32, 5,
    ),
    "mnist-mlp-scratch": ("Flatten Dense:128:relu", "categorical_crossentropy", "Adam", "full", 1000),
    "mlp-gradient-descent": ("Flatten Dense:128:relu", "mean_squared_error", "SGD", "full", 1000),
    "mnist-mlp-64-32": ("Flatten Dense:64:relu Dense:32:relu", "categorical_crossentropy", "Adam", 32, 10),
    "mnist-mlp-128": ("Flatten Dense:128:relu", "sparse_categorical_crossentropy", "Adam", 32, 5),
}  # fmt: skip


def stack(which: Recipe) -> str:
    """The layers in one line, such as ``Flatten Dense:128:relu``."""
    sizes = [(layer, layer.model_dump()) for layer in which.experiment.model.layers]
    return " ".join(
        ":".join([layer.kind, *(str(own[name]) for name in ("units", "filters", "activation") if name in own)])
        for layer, own in sizes
    )


@pytest.mark.parametrize("which", RECIPES.values(), ids=RECIPES)
def test_a_recipe_is_written_to_json_read_back_and_accepted(which: Recipe) -> None:
    again = parse_experiment(which.experiment.dumps())
    assert again == which.experiment
    assert again.fingerprint() == which.experiment.fingerprint()
    check(again, data.describe(again.data))


@pytest.mark.parametrize("which", RECIPES.values(), ids=RECIPES)
def test_a_recipe_says_what_it_teaches_and_how_long_it_takes(which: Recipe) -> None:
    assert which.name == which.name.lower()
    assert "_" not in which.name
    assert which.title == which.experiment.name
    assert which.summary.endswith(".")
    assert which.takes.split()[0].isdigit()
    if data.describe(which.experiment.data).task != "regression":
        assert "accuracy" in which.experiment.training.metrics


@pytest.mark.parametrize("name", REFERENCE)
def test_the_reference_cases_are_the_agreed_ones(name: str) -> None:
    training = recipe(name).experiment.training
    found = (stack(recipe(name)), training.loss.kind, training.optimizer.kind, training.batch_size, training.epochs)
    assert found == REFERENCE[name]


def test_the_reference_cases_from_scratch_start_from_a_normal_distribution_and_stop_at_a_loss() -> None:
    for name in ("mnist-mlp-scratch", "mlp-gradient-descent"):
        experiment = recipe(name).experiment
        assert experiment.data.examples == 5000
        assert experiment.model.layers[1].kernel_initializer == "random_normal"
        assert experiment.model.output.kernel_initializer == "random_normal"
        assert experiment.training.stop_at_loss is not None
    assert recipe("mlp-gradient-descent").experiment.training.optimizer.momentum == 0


def test_a_validation_split_and_the_test_set_validate_where_they_should() -> None:
    held_out = recipe("mnist-mlp-64-32").experiment
    assert held_out.training.metrics == ("accuracy", "precision", "recall")
    facts = data.describe(held_out.data)
    assert (facts.train, facts.validation, facts.test) == (48_000, 12_000, 10_000)
    assert recipe("mnist-mlp-128").experiment.data.validate_on == "test"


def test_every_data_set_has_a_recipe() -> None:
    assert {type(which.experiment.data) for which in RECIPES.values()} == set(DATASETS)


def test_recipes_on_points_are_small_and_come_first() -> None:
    on_points = [isinstance(which.experiment.data, Points) for which in RECIPES.values()]
    assert on_points == sorted(on_points, reverse=True)
    assert [is_small(which.experiment) for which in RECIPES.values()] == on_points


def test_a_recipe_that_fine_tunes_has_a_base_that_fits_it() -> None:
    tuning = {name: which for name, which in RECIPES.items() if which.experiment.start is not None}
    assert set(tuning) == {"mnist-cnn-finetune", "digits-0-4-to-5-9", "mnist-to-fashion"}
    for which in tuning.values():
        assert which.base is not None
        facts, base_facts = data.describe(which.experiment.data), data.describe(which.base.data)
        check(which.base, base_facts)
        check_base(which.experiment, facts, which.base, base_facts)
        assert not may_have_seen(which.experiment, facts, which.base, base_facts)
        tuned = which.after(Saved(run="b7"))
        assert tuned.start is not None
        assert tuned.start.base.run == "b7"
        assert changed(tuned, start=which.experiment.start) == which.experiment
    assert data.describe(recipe("mnist-to-fashion").experiment.data).train == 900
    assert all(which.base is None for name, which in RECIPES.items() if name not in tuning)


def test_an_unknown_recipe_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SpecError, match=r"Unknown recipe 'Mnist-CNN'\. Did you mean 'mnist-cnn'\?"):
        recipe("Mnist-CNN")
    with pytest.raises(SpecError, match="Known: spirals, two-moons"):
        recipe("zzzz")
