"""Data sets: found, split, scaled; and described without any of that."""

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import datasets as sklearn_datasets

from playground import data, evaluation
from playground.data import mnist
from playground.data.facts import KNOWN
from playground.data.loading import LOADERS
from playground.data.scaling import WHITE, Scaler, fit
from playground.data.split import split
from playground.errors import SpecError
from playground.spec import DATASETS, changed
from playground.spec.data import (
    BreastCancer,
    Circles,
    Data,
    Diabetes,
    Digits,
    FashionMnist,
    Gaussians,
    Iris,
    Mnist,
    Mnist28,
    Moons,
    Points,
    Spirals,
    Wine,
    Xor,
)

HERE = [kind for kind in DATASETS if not issubclass(kind, Mnist28)]
"""The data sets that need no files."""
OPTIONS: list[dict[str, Any]] = [
    {},
    {"validate_on": "test"},
    {"validation_fraction": 0.0},
    {"validation_fraction": 0.07, "scaling": "minmax"},
    {"validation_fraction": 0.35, "scaling": "standard", "stratify": False},
    {"validation_fraction": 0.8, "scaling": "none"},
]


# What every data set keeps to


def assert_keeps_its_promises(spec: Data) -> None:
    loaded, facts = data.load(spec, 3, []), data.describe(spec)
    assert loaded.facts == facts
    assert facts.task == spec.task
    assert facts.family == spec.family
    for part, count in (("train", facts.train), ("validation", facts.validation), ("test", facts.test)):
        x, y = getattr(loaded, f"x_{part}"), getattr(loaded, f"y_{part}")
        assert x.shape == (count, *facts.input_shape)
        assert y.shape == (count,)
        assert x.dtype == np.float32
        assert x.flags.c_contiguous
        assert y.dtype == (np.float32 if spec.task == "regression" else np.int32)
        assert np.isfinite(x).all()
        if spec.task != "regression" and spec.stratify and count:
            assert set(y) == set(range(len(facts.class_names)))
    if spec.validate_on == "test":
        assert loaded.x_validation is loaded.x_test
        assert loaded.y_validation is loaded.y_test


REAL_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.__name__)
def test_what_is_loaded_is_what_was_described(kind: type[Data], options: dict[str, Any]) -> None:
    if options.get("validation_fraction") == 0.8:
        options = {**options, "test_fraction": 0.3}
    assert_keeps_its_promises(kind(**options))


def test_every_data_set_has_facts_a_loader_and_where_needed_a_white() -> None:
    assert set(KNOWN) == set(LOADERS) == set(DATASETS)
    assert set(WHITE) == {Digits, Mnist, FashionMnist}


@pytest.mark.parametrize("kind", [Moons, Iris, Diabetes], ids=lambda kind: kind.__name__)
def test_the_seed_alone_decides(kind: type[Data]) -> None:
    first, again, other = (data.load(kind(), seed, []) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.x_train, again.x_train)
    np.testing.assert_array_equal(first.y_test, again.y_test)
    assert not np.array_equal(first.x_train, other.x_train)


def test_a_share_is_one_of_what_the_test_examples_leave() -> None:
    facts = data.describe(Moons(samples=1000, test_fraction=0.5, validation_fraction=0.5))
    assert (facts.train, facts.validation, facts.test) == (250, 250, 500)


def test_no_example_is_in_two_splits() -> None:
    parts = split(Wine(), sklearn_datasets.load_wine().target, 0)
    assert sorted(np.concatenate(parts)) == list(range(178))


def test_describing_needs_neither_scikit_learn_nor_files() -> None:
    code = (
        "import sys; from playground import data, evaluation; from playground.spec import DATASETS; "
        "[data.describe(kind()) for kind in DATASETS]; "
        "sys.exit(any(name.split('.')[0] in ('sklearn', 'scipy', 'pandas', 'keras') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


@pytest.mark.parametrize("module", [data, evaluation], ids=lambda module: module.__name__)
def test_every_public_name_is_there_and_no_other(module: Any) -> None:
    assert all(getattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'anything'"):
        _ = module.anything


# Facts held against scikit-learn


@pytest.mark.parametrize(
    ("kind", "source"),
    [(Iris, "iris"), (Wine, "wine"), (BreastCancer, "breast_cancer"), (Diabetes, "diabetes"), (Digits, "digits")],
)
def test_constants_agree_with_scikit_learn(kind: type[Data], source: str) -> None:
    bunch, known = getattr(sklearn_datasets, f"load_{source}")(), KNOWN[kind]
    assert known.examples == len(bunch.data)
    assert np.prod(known.input_shape) == bunch.data.shape[1]
    if kind is not Digits:
        assert list(known.feature_names) == list(bunch.feature_names)
    if kind is not Diabetes:
        assert len(known.class_names) == len(bunch.target_names)
    if kind in (Iris, BreastCancer, Digits):
        assert list(known.class_names) == [str(name) for name in bunch.target_names]
    if kind in WHITE:
        assert bunch.data.max() == WHITE[kind]


def test_diabetes_comes_in_its_own_units() -> None:
    shown = data.preview(Diabetes(), 0, [])
    assert 18 < shown.x[:, 0].min() < shown.x[:, 0].max() < 80  # age in years
    assert 20 < shown.y.min() < shown.y.max() < 350


# Points


@pytest.mark.parametrize("kind", [Moons, Circles, Xor, Spirals, Gaussians], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("samples", [20, 501, 20_000])
def test_both_classes_are_equally_frequent(kind: type[Points], samples: int) -> None:
    raw = LOADERS[kind](kind(samples=samples), 0, [])
    assert raw.x.shape == (samples, 2)
    assert abs(np.diff(np.bincount(raw.y))[0]) <= 1


def test_points_without_noise_lie_where_their_formulas_say() -> None:
    raw = {kind: LOADERS[kind](kind(samples=400, noise=0.0), 0, []) for kind in (Moons, Circles, Xor, Spirals)}
    x, y = raw[Circles].x, raw[Circles].y
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), np.where(y == 0, 1, 0.5))
    x, y = raw[Xor].x, raw[Xor].y
    np.testing.assert_array_equal(x.prod(axis=1) > 0, y == 1)
    assert 0.06 <= np.abs(x).min() <= np.abs(x).max() <= 1
    x, y = raw[Spirals].x, raw[Spirals].y
    radius = np.linalg.norm(x, axis=1)
    angle = 2 * np.pi * 1.75 * radius + np.pi * y
    np.testing.assert_allclose(x, radius[:, None] * np.column_stack([np.sin(angle), np.cos(angle)]), atol=1e-12)
    x, y = raw[Moons].x, raw[Moons].y
    centre = np.where(y[:, None] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.linalg.norm(x - centre, axis=1), 1)


def test_clouds_have_the_spread_that_was_asked_for() -> None:
    raw = LOADERS[Gaussians](Gaussians(samples=20_000, noise=0.5), 0, [])
    for name, centre in ((0, -1), (1, 1)):
        np.testing.assert_allclose(raw.x[raw.y == name].mean(axis=0), centre, atol=0.03)
        np.testing.assert_allclose(raw.x[raw.y == name].std(axis=0), 0.5, atol=0.03)


# Splits that are too small


@pytest.mark.parametrize(
    ("spec", "where", "said"),
    [
        (Iris(test_fraction=0.01), "data.test_fraction", "test share of 2 is too small to hold each of the 3 classes"),
        (Moons(samples=20, validation_fraction=0.01), "data.validation_fraction", "validation share of 1 is too small"),
        (Mnist(examples=100, validation_fraction=0.05), "data.validation_fraction", "share of 5 is too small"),
    ],
)
def test_a_share_too_small_for_its_classes_is_refused_before_loading(spec: Data, where: str, said: str) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        data.describe(spec)
    assert caught.value.where == where
    assert data.describe(changed(spec, stratify=False)).train > 0


def test_a_regression_has_no_classes_to_hold() -> None:
    assert data.describe(Diabetes(test_fraction=0.001)).test == 1


def test_every_accepted_pair_of_shares_leaves_training_examples_for_each_class() -> None:
    shares = np.arange(0.05, 0.81, 0.05).tolist()
    for samples, test, validation in itertools.product((20, 23, 25, 31), shares, shares):
        try:
            spec = Moons(samples=samples, test_fraction=test, validation_fraction=validation)
            facts = data.describe(spec)
        except (ValidationError, SpecError):
            continue
        assert facts.train >= 2
        assert facts.train + facts.validation + facts.test == samples


def test_a_class_with_a_single_example_cannot_be_stratified() -> None:
    y = np.array([0] * 19 + [1])
    with pytest.raises(SpecError, match="'lower moon' has a single example"):
        split(Moons(samples=20), y, 0)
    assert len(split(Moons(samples=20, stratify=False), y, 0).train) == 13


# Scaling


def test_statistics_come_from_the_training_split_alone() -> None:
    loaded = data.load(Wine(), 0, [])
    np.testing.assert_allclose(loaded.x_train.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(loaded.x_train.std(axis=0), 1, atol=1e-5)
    assert np.abs(loaded.x_test.mean(axis=0)).max() > 0.02
    bounded = data.load(Wine(scaling="minmax"), 0, [])
    np.testing.assert_allclose(
        [bounded.x_train.min(axis=0), bounded.x_train.max(axis=0)], [[0] * 13, [1] * 13], atol=1e-6
    )
    assert max(bounded.x_test.max(), bounded.x_validation.max()) > 1


def test_scaling_can_be_undone_with_two_plain_arrays() -> None:
    spec = BreastCancer(scaling="standard")
    loaded, raw = data.load(spec, 0, []), sklearn_datasets.load_breast_cancer()
    back = loaded.x_test / loaded.scaler.factor + loaded.scaler.offset
    np.testing.assert_allclose(back, raw.data[split(spec, raw.target, 0).test], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("scaling", ["minmax", "standard"])
@pytest.mark.parametrize("constant", [0.0, 0.1, -1e9])
def test_a_constant_column_stays_constant(scaling: Any, constant: float) -> None:
    x = np.column_stack([np.arange(7.0), np.full(7, constant)])
    scaled = fit(Iris(scaling=scaling), x).transform(x)
    assert np.isfinite(scaled).all()
    np.testing.assert_allclose(scaled[:, 1], 0, atol=1e-5)


def test_numbers_keep_their_digits_until_the_offset_is_gone() -> None:
    x = 1e9 + np.arange(5.0)[:, None]
    np.testing.assert_allclose(fit(Iris(scaling="minmax"), x).transform(x)[:, 0], np.arange(5) / 4)


def test_pictures_are_scaled_by_white_or_by_one_mean() -> None:
    full = data.load(Digits(), 0, [])
    assert full.scaler.factor == 1 / 16
    assert (full.x_train.min(), full.x_train.max()) == (0, 1)
    assert data.load(Digits(scaling="none"), 0, []).x_train.max() == 16
    standard = data.load(Digits(scaling="standard"), 0, [])
    assert standard.scaler.offset.shape == ()
    assert standard.x_train.mean() == pytest.approx(0, abs=1e-5)
    assert standard.x_train.std() == pytest.approx(1, abs=1e-5)
    white = Scaler(np.zeros(()), np.array(1 / 255)).transform(np.array([[0, 255]], np.uint8))
    assert white.tolist() == [[0, 1]]


# Previews


@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.__name__)
def test_a_preview_shows_some_of_every_class(kind: type[Data]) -> None:
    shown = data.preview(kind(), 0, [])
    assert len(shown.x) == len(shown.y) == len(shown.part) <= {"points": 2000, "table": 200, "images": 100}[kind.family]
    assert set(shown.y) == set(range(len(shown.facts.class_names))) or kind.task == "regression"
    assert set(shown.part) == {0, 1, 2}
    few = data.preview(kind(), 0, [], limit=3)
    assert len(few.x) == (30 if kind is Digits else 3)


def test_points_are_shown_where_they_lie() -> None:
    spec = Spirals(samples=20_000, scaling="standard", features=("x", "xy", "sin_y"))
    shown, loaded = data.preview(spec, 5, []), data.load(spec, 5, [])
    assert shown.x.shape == (2000, 2)
    seen = {tuple(point) for point in loaded.plane.astype(np.float32)}
    assert all((tuple(point) in seen) == (part == 0) for point, part in zip(shown.x, shown.part, strict=True))
    assert abs(np.mean(shown.part == 2) - 0.2) < 0.05


def test_pictures_are_shown_from_black_to_white_whatever_their_scaling() -> None:
    shown = data.preview(Digits(scaling="standard"), 0, [])
    assert shown.x.dtype == np.uint8
    assert (shown.x.min(), shown.x.max()) == (0, 255)


@pytest.mark.parametrize("kind", [Mnist, FashionMnist])
def test_without_a_random_share_every_seed_gives_the_same_examples(kind):
    spec = kind(validate_on="test")
    assert not spec.uses_seed
    assert kind().uses_seed
    if not mnist.find(kind, (REAL_DATA,)):
        pytest.skip("MNIST and Fashion-MNIST are not on this machine")
    first, second = (data.load(spec, seed, (REAL_DATA,)) for seed in (0, 7))
    np.testing.assert_array_equal(first.y_train, second.y_train)
    np.testing.assert_array_equal(first.x_train[::500], second.x_train[::500])
