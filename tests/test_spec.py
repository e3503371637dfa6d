"""The experiment: what it accepts, what it refuses and how, and that it speaks Keras's language."""

import inspect
import json
import math
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
    Activation,
    Activation_,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    Initializer,
    MaxPooling2D,
)
from playground.spec.losses import CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy
from playground.spec.optimizers import SGD

POINTS = DataFacts(
    task="binary", family="points", input_shape=(2,), class_names=("a", "b"), train=320, validation=80, test=100
)
TABLE = DataFacts(task="regression", family="table", input_shape=(10,), train=283, validation=71, test=88)
PICTURES = DataFacts(
    task="multiclass", family="images", input_shape=(8, 8, 1), class_names=tuple("0123456789"), train=1150,
    validation=288, test=359,
)  # fmt: skip


def layer(**values: Any) -> dict[str, Any]:
    return {"model": {"layers": [values]}}


def optimizer(**values: Any) -> dict[str, Any]:
    return {"training": {"optimizer": values}}


# What is refused: content → where, and what the sentence must say

REFUSED: list[tuple[Any, str, str]] = [
    ("{", "", "not valid JSON"),
    (b"\xff\xfe\x00", "", "not valid JSON"),
    ("[" * 100_000, "", "not valid JSON"),
    ('"' + "x" * 1_000_000 + '"', "", "1,000,002 characters long; the limit is 1,000,000"),
    ("[]", "", 'An experiment is a JSON object such as {"data": {"kind": "moons"}}, not list'),
    ("null", "", "not NoneType"),
    ({"datas": {}}, "datas", "Unknown key 'datas' in the experiment. Did you mean 'data'?"),
    ({"data2": 1, "training": {"epochs": 0}}, "data2", "Did you mean 'data'?"),
    ({"schema_version": 2}, "schema_version", "cannot be 2. Known: 1"),
    ({"seed": -1}, "seed", "should be at least 0; it is -1"),
    ({"name": "x" * 81}, "name", "should have at most 80 characters"),
    ({"name": 3}, "name", "should be a text in quotes; it is 3"),
    ({"data": "moons"}, "data", 'should be an object such as {"kind": "…"}'),
    ({"data": {}}, "data", 'needs a "kind"'),
    ({"data": {"kind": "moon"}}, "data", "Unknown data 'moon'. Did you mean 'moons'?"),
    ({"data": {"kind": "spirals", "samples": 5}}, "data.samples", "at least 20; it is 5"),
    ({"data": {"kind": "mnist", "test_fraction": 0.2}}, "data.test_fraction", "Unknown key 'test_fraction' in data"),
    ({"data": {"kind": "iris", "scaling": "minmx"}}, "data.scaling", "Did you mean 'minmax'?"),
    ({"data": {"kind": "moons", "stratify": "maybe"}}, "data.stratify", "should be true or false; it is 'maybe'"),
    (
        {"data": {"kind": "moons", "test_fraction": 0.8, "validation_fraction": 0.7}},
        "data",
        "test share 0.8 and validation share 0.7 leave less than a tenth for training; lower one of them.",
    ),
    ({"model": []}, "model", "should be an object in braces; it is []"),
    ({"model": {"layers": "Dense"}}, "model.layers", "should be a list in brackets; it is 'Dense'"),
    ({"model": {"layers": [7]}}, "model.layers.0", 'should be an object such as {"kind": "…"}; it is 7'),
    ({"model": {"layers": [{"kind": "Flatten"}] * 201}}, "model.layers", "at most 200 items"),
    ({"model": {"output": {"units": 0}}}, "model.output.units", "at least 1; it is 0"),
    (layer(units=3), "model.layers.0", 'needs a "kind"'),
    (layer(kind="dense"), "model.layers.0", "Unknown model.layers.0 'dense'. Did you mean 'Dense'?"),
    (layer(kind="Dense", unitz=3), "model.layers.0.unitz", "Unknown key 'unitz' in model.layers.0. Did you mean"),
    (layer(kind="Dense", units=-1), "model.layers.0.units", "at least 1; it is -1"),
    (layer(kind="Dense", units=10**10), "model.layers.0.units", "at most 65536"),
    (layer(kind="Dense", activation="rlu"), "model.layers.0.activation", "Did you mean 'relu'?"),
    (layer(kind="Dense", id="A b"), "model.layers.0.id", "should match pattern"),
    (layer(kind="MaxPooling2D", strides=0), "model.layers.0.strides", "at least 1; it is 0"),
    (layer(kind="Dropout", rate=1.0), "model.layers.0.rate", "at most 0.95"),
    (
        {"model": {"layers": [{"kind": "Dense", "id": "a"}, {"kind": "Flatten", "id": "a"}]}},
        "model.layers",
        "two layers have the id 'a'; give each a name of its own.",
    ),
    ({"training": {"epocs": 3}}, "training.epocs", "Unknown key 'epocs' in training. Did you mean 'epochs'?"),
    ({"training": {"epochs": 0}}, "training.epochs", "at least 1; it is 0"),
    ({"training": {"epochs": 10**9}}, "training.epochs", "at most 100000; it is 1000000000"),
    ({"training": {"epochs": 1.5}}, "training.epochs", "should be a whole number; it is 1.5"),
    ({"training": {"epochs": "many"}}, "training.epochs", "should be a whole number; it is 'many'"),
    ({"training": {"batch_size": 0}}, "training.batch_size", "should be at least 1 or 'full'; it is 0"),
    ({"training": {"batch_size": "all"}}, "training.batch_size", "should be a whole number or 'full'; it is 'all'"),
    ({"training": {"metrics": ["acuracy"]}}, "training.metrics.0", "Did you mean 'accuracy'?"),
    ({"training": {"metrics": ["auc", "auc"]}}, "training", "name one twice; name each once"),
    ('{"training": {"stop_at_loss": NaN}}', "training.stop_at_loss", "finite number"),
    ({"training": {"loss": "mse"}}, "training.loss", "Unknown training.loss 'mse'. Known: sparse_categorical"),
    ({"training": {"loss": {"kind": "huber", "dela": 1}}}, "training.loss.dela", "Did you mean 'delta'?"),
    (optimizer(kind="adam"), "training.optimizer", "Unknown training.optimizer 'adam'. Did you mean 'Adam'?"),
    (optimizer(kind="SGD", beta_1=0.1), "training.optimizer.beta_1", "Unknown key 'beta_1' in training.optimizer"),
    (optimizer(kind="Adam", learning_rate=0), "training.optimizer.learning_rate", "greater than 0; it is 0"),
    (optimizer(kind="Adam", learning_rate=-1), "training.optimizer.learning_rate", "greater than 0; it is -1"),
    (optimizer(kind="Adam", learning_rate=math.nan), "training.optimizer.learning_rate", "finite number"),
    (optimizer(kind="Adam", learning_rate=math.inf), "training.optimizer.learning_rate", "finite number"),
    (optimizer(kind="Lion", beta_2=1), "training.optimizer.beta_2", "less than 1; it is 1"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "where", "said"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_is_refused_in_one_sentence_that_names_the_place(content: Any, where: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_experiment(content)
    assert said in str(caught.value)
    assert caught.value.where == where
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


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


# Settings of the terminal


def with_layers(*layers: Any) -> Experiment:
    return Experiment(data=Digits(), model=Model(layers=layers))


@pytest.mark.parametrize(
    ("setting", "read"),
    [
        ("training.epochs=1", lambda e: e.training.epochs == 1),
        ("training.batch_size=full", lambda e: e.training.batch_size == "full"),
        ("training.batch_size=64", lambda e: e.training.batch_size == 64),
        ("training.optimizer.learning_rate=1e-2", lambda e: e.training.optimizer.learning_rate == 0.01),
        ("training.optimizer=SGD", lambda e: e.training.optimizer == SGD()),
        ("training.optimizer.kind=SGD", lambda e: e.training.optimizer == SGD()),
        ("training.loss=mean_squared_error", lambda e: e.training.loss == MeanSquaredError()),
        ('training.metrics=["accuracy"]', lambda e: e.training.metrics == ("accuracy",)),
        ("training.stop_at_loss=null", lambda e: e.training.stop_at_loss is None),
        ("model.layers.1.units=8", lambda e: e.model.layers[1].units == 8),
        ("model.layers.0.kind=GlobalAveragePooling2D", lambda e: e.model.layers[0].kind == "GlobalAveragePooling2D"),
        ("data.kind=spirals", lambda e: e.data.kind == "spirals" and e.data.samples == 500),
        ("name=hello world", lambda e: e.name == "hello world"),
        ("name=a=b", lambda e: e.name == "a=b"),
    ],
)
def test_a_setting_changes_what_it_names(setting: str, read: Any) -> None:
    assert read(with_settings(with_layers(Flatten(), Dense()), [setting]))


def test_settings_apply_in_order() -> None:
    settings = ["training.optimizer.kind=SGD", "training.optimizer.momentum=0.5", "training.optimizer.momentum=0.9"]
    assert with_settings(Experiment(), settings).training.optimizer == SGD(momentum=0.9)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.epochs", "not of the form path=value"),
        ("=3", "not of the form path=value"),
        ("training.epoch=1", "Unknown key 'epoch' in training. Did you mean 'epochs'?"),
        ("trainin.epochs=1", "There is no 'trainin' in 'trainin.epochs'. Did you mean 'training'?"),
        ("training.epochs=abc", "should be a whole number; it is 'abc'"),
        ("training.optimizer.learning_rate=NaN", "finite number"),
        ("seed.x=1", "leads into 0, which has no parts"),
        ("model.layers.2.units=8", "'2' in 'model.layers.2.units' is not one of the 2 places, counted from 0"),
        ("model.layers.-1.units=8", "is not one of the 2 places"),
        ("model.layers.²=8", "is not one of the 2 places"),
    ],
)
def test_a_setting_that_fits_nowhere_is_refused(setting: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        with_settings(with_layers(Flatten(), Dense()), [setting])
    assert said in str(caught.value)


# Identity


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


# Keras's own names and defaults

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


@pytest.mark.keras
@pytest.mark.parametrize("spec", LAYERS, ids=lambda spec: spec.__name__)
def test_layers_have_the_names_and_defaults_of_keras(spec: type[Spec]) -> None:
    import keras

    assert spec.model_fields["kind"].default == spec.__name__
    assert_speaks_keras(spec, getattr(keras.layers, spec.__name__), ("kind", "id"))


@pytest.mark.keras
@pytest.mark.parametrize("spec", OPTIMIZERS, ids=lambda spec: spec.__name__)
def test_optimizers_have_the_names_and_defaults_of_keras(spec: type[Spec]) -> None:
    import keras

    assert spec.model_fields["kind"].default == spec.__name__
    assert_speaks_keras(spec, getattr(keras.optimizers, spec.__name__))


@pytest.mark.keras
@pytest.mark.parametrize("spec", LOSSES, ids=lambda spec: spec.__name__)
def test_losses_have_the_names_and_defaults_of_keras(spec: type[Spec]) -> None:
    import keras

    assert_speaks_keras(spec, getattr(keras.losses, spec.__name__))
    assert callable(keras.losses.get(spec.model_fields["kind"].default))


@pytest.mark.keras
def test_activations_and_initializers_are_known_to_keras() -> None:
    import keras

    assert all(callable(keras.activations.get(name)) for name in get_args(Activation_))
    assert all(callable(keras.initializers.get(name)) for name in get_args(Initializer))
    assert Activation(activation="relu").activation in get_args(Activation_)
