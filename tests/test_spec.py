"""The experiment: what it accepts, what it refuses and how, and that it speaks Keras's language."""

import json
import pickle
from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from playground.errors import LayerError, SpecError
from playground.spec import (
    DATASETS,
    LAYERS,
    LOSSES,
    OPTIMIZERS,
    DataFacts,
    DataSpec,
    Experiment,
    LayerSpec,
    LossSpec,
    Model,
    OptimizerSpec,
    Output,
    Spec,
    Training,
    changed,
    check,
    experiment_schema,
    is_small,
    losses_for,
    metrics_for,
    parse_experiment,
    with_settings,
)
from playground.spec.data import Diabetes, Digits, Moons
from playground.spec.layers import (
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    MaxPooling2D,
)
from playground.spec.losses import CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy

POINTS = DataFacts(
    task="binary", family="points", input_shape=(2,), class_names=("a", "b"), train=320, validation=80, test=100
)
TABLE = DataFacts(task="regression", family="table", input_shape=(10,), train=283, validation=71, test=88)
PICTURES = DataFacts(
    task="multiclass", family="images", input_shape=(8, 8, 1), class_names=tuple("0123456789"), train=1150,
    validation=288, test=359,
)  # fmt: skip


def test_an_experiment_survives_the_way_to_json_and_back() -> None:
    experiment = Experiment(
        data=Digits(), model=Model(layers=(Conv2D(), Flatten(), Dense(), Dense())), training=Training(batch_size="full")
    )
    assert parse_experiment(experiment.dumps()) == experiment
    assert parse_experiment(experiment.dumps().encode()) == experiment
    assert parse_experiment(json.loads(experiment.dumps())) == experiment


def test_experiments_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Experiment().seed = 3  # type: ignore[misc]


def test_a_changed_part_is_validated_again() -> None:
    assert changed(Dense(), units=8) == Dense(units=8)
    with pytest.raises(ValidationError):
        changed(Dense(), units=0)


# Identity


def with_layers(*layers: Any) -> Experiment:
    return Experiment(data=Digits(), model=Model(layers=layers))


def test_the_fingerprint_of_an_experiment_stays_the_same_between_processes_and_editions() -> None:
    # If this fails, stored plans and shared links no longer find their experiment: change it knowingly.
    assert Experiment().fingerprint() == "1318817a3c5f4ad4"


def test_the_fingerprint_follows_what_is_computed_and_not_the_name() -> None:
    experiment = with_layers(Flatten(), Dense())
    assert changed(experiment, name="other").fingerprint() == experiment.fingerprint()
    others = [
        changed(experiment, seed=1),
        changed(experiment, data=Moons()),
        with_settings(experiment, ["training.optimizer.beta_1=0.8"]),
        with_settings(experiment, ["model.layers.1.units=65"]),
    ]
    assert len({other.fingerprint() for other in (experiment, *others)}) == 5


def test_layers_get_names_and_keep_them_when_they_move() -> None:
    layers = Model(layers=(Flatten(), Dense(), Dense(), Dropout(), Dense(id="mine"))).layers
    assert [each.id for each in layers] == ["flatten_1", "dense_1", "dense_2", "dropout_1", "mine"]
    moved = Model(layers=(layers[2], layers[0], layers[1])).layers
    assert [each.id for each in moved] == ["dense_2", "flatten_1", "dense_1"]
    without_first = Model(layers=(layers[2], Dense())).layers
    assert [each.id for each in without_first] == ["dense_2", "dense_1"]


def test_errors_keep_their_place_on_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(LayerError("no", 3)))
    assert (str(error), error.where, error.index) == ("no", "model.layers.3", 3)
    assert pickle.loads(pickle.dumps(SpecError("no", "seed"))).where == "seed"


def test_a_run_is_small_on_points_and_under_a_hundred_thousand_parameters() -> None:
    assert is_small(Experiment(data=Moons(), model=Model(layers=(Dense(units=200), Dense(units=400)))))
    assert not is_small(Experiment(data=Moons(), model=Model(layers=(Dense(units=200), Dense(units=600)))))
    assert not is_small(with_layers(Flatten(), Dense(units=2)))


# What fits together


def test_what_fits_is_accepted() -> None:
    check(
        Experiment(data=Moons(), model=Model(layers=(Dense(),)), training=Training(metrics=("accuracy", "auc"))), POINTS
    )
    check(
        Experiment(
            data=Digits(),
            model=Model(layers=(Conv2D(), MaxPooling2D(), Flatten(), Dense())),
            training=Training(loss=CategoricalCrossentropy(), metrics=("precision", "top_3_accuracy"), batch_size=1150),
        ),
        PICTURES,
    )
    check(
        Experiment(
            data=Diabetes(),
            model=Model(layers=(Dense(),)),
            training=Training(loss=MeanSquaredError(), metrics=("r2_score",), batch_size="full"),
        ),
        TABLE,
    )


CLASSES = SparseCategoricalCrossentropy()


@pytest.mark.parametrize(
    ("layers", "training", "output", "facts", "where", "said"),
    [
        ((), Training(), Output(), POINTS, "model.layers", "no layers. Add at least one, for instance a Dense layer"),
        ((Dense(),), Training(), Output(), PICTURES, "training.loss", "does not fit a multiclass task. Choose one of"),
        ((Dense(),), Training(), Output(), TABLE, "training.loss", "does not fit a regression task"),
        ((Dense(),), Training(batch_size=321), Output(), POINTS, "training.batch_size", "larger than the 320 training"),
        ((Dense(),), Training(metrics=("r2_score",)), Output(), POINTS, "training.metrics", "Choose from: accuracy"),
        (
            (Flatten(),), Training(loss=CLASSES, metrics=("precision",)), Output(), PICTURES, "training.metrics",
            "Choose the loss categorical_crossentropy (one-hot targets), or leave the metric out",
        ),
        ((Dense(),), Training(), Output(units=2), POINTS, "model.output", "2 units, but the loss binary_cross"),
        ((Flatten(),), Training(loss=CLASSES), Output(units=9), PICTURES, "model.output", "needs 10"),
        ((Dense(),), Training(loss=CLASSES), Output(), PICTURES, "model.layers.0", "Add a Flatten layer before it"),
        ((Conv2D(),), Training(loss=CLASSES), Output(), PICTURES, "model.output", "output layer receives a picture"),
        (
            (Flatten(), Conv2D()), Training(loss=CLASSES), Output(), PICTURES, "model.layers.1",
            "because a Flatten stands before it. Move it up",
        ),
        ((Conv2D(),), Training(), Output(), POINTS, "model.layers.0", "needs a picture, but receives a vector"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_with_a_remedy(
    layers: tuple[LayerSpec, ...], training: Training, output: Output, facts: DataFacts, where: str, said: str
) -> None:
    experiment = Experiment(data=Moons(), model=Model(layers=layers, output=output), training=training)
    with pytest.raises(SpecError) as caught:
        check(experiment, facts)
    assert said in str(caught.value)
    assert caught.value.where == where


def test_a_picture_may_end_in_global_pooling() -> None:
    check(
        Experiment(
            data=Digits(), model=Model(layers=(Conv2D(), GlobalAveragePooling2D())), training=Training(loss=CLASSES)
        ),
        PICTURES,
    )


@pytest.mark.parametrize("facts", [POINTS, TABLE, PICTURES], ids=lambda facts: facts.task)
def test_every_loss_that_fits_a_task_is_accepted_with_every_metric_that_fits_it(facts: DataFacts) -> None:
    assert losses_for(facts.task)
    for loss in losses_for(facts.task):
        experiment = Experiment(model=Model(layers=(Flatten(), Dense())), training=Training(loss=loss()))
        metrics = tuple(metrics_for(experiment, facts))
        check(changed(experiment, training=changed(experiment.training, metrics=metrics)), facts)


# Self-description


def specs(kind: type[Spec] = Spec) -> Iterator[type[Spec]]:
    for child in kind.__subclasses__():
        if child is not DataFacts:  # what is known, not what is asked
            yield child
        yield from specs(child)


def test_every_field_has_a_title_and_one_sentence_of_help() -> None:
    for spec in specs():
        for name, field in spec.model_fields.items():
            if name != "kind":
                assert field.title, f"{spec.__name__}.{name}"
                assert field.description, f"{spec.__name__}.{name}"
                assert field.description.rstrip(")").endswith("."), f"{spec.__name__}.{name}: {field.description}"


def test_every_kind_has_a_label_and_one_sentence_of_help() -> None:
    for spec in (*DATASETS, *LAYERS, *LOSSES, *OPTIMIZERS):
        assert spec.label, spec
        assert spec.help.endswith("."), spec
    assert all(loss.formula and loss.targets for loss in LOSSES)


@pytest.mark.parametrize(
    ("union", "table"), [(DataSpec, DATASETS), (LayerSpec, LAYERS), (LossSpec, LOSSES), (OptimizerSpec, OPTIMIZERS)]
)
def test_the_tables_list_what_the_unions_accept(union: Any, table: tuple[type[Spec], ...]) -> None:
    assert set(get_args(get_args(union)[0])) == set(table)


def leaves(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every place of a JSON Schema that says a type, with its path."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield path, schema
        for key, value in schema.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from leaves(value, f"{path}/{index}")


def test_the_json_schema_bounds_every_number_text_and_list() -> None:
    schema = experiment_schema()
    assert json.loads(json.dumps(schema)) == schema
    for path, leaf in leaves(schema):
        if "const" in leaf or "enum" in leaf:
            continue
        if leaf["type"] in ("integer", "number"):
            assert {"minimum", "exclusiveMinimum"} & set(leaf), path
            assert {"maximum", "exclusiveMaximum"} & set(leaf), path
        elif leaf["type"] == "string":
            assert {"maxLength", "pattern"} & set(leaf), path
        elif leaf["type"] == "array":
            assert "maxItems" in leaf, path
        elif leaf["type"] == "object":
            assert leaf["additionalProperties"] is False, path
