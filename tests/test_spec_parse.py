"""What a person wrote, read: or refused in one sentence that names the place and says what to change."""

import math
from typing import Any

import pytest

from playground.errors import SpecError
from playground.spec import Experiment, Model, parse_experiment, with_settings
from playground.spec.data import Digits
from playground.spec.layers import Dense, Flatten
from playground.spec.losses import MeanSquaredError
from playground.spec.optimizers import SGD


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
