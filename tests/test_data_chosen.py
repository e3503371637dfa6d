"""Chosen classes and a number of labelled examples, against NumPy on the sets as their sources give them."""

from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets as sklearn_datasets

from playground import data
from playground.data.facts import KNOWN
from playground.data.split import split
from playground.errors import DataMissing, SpecError
from playground.spec import changed, parse_experiment
from playground.spec.data import BreastCancer, Data, Diabetes, Digits, FashionMnist, Iris, Mnist, Wine

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
HERE = {Digits: "digits", Iris: "iris", Wine: "wine", BreastCancer: "breast_cancer"}


@pytest.mark.parametrize("kind", HERE, ids=lambda kind: kind.__name__)
def test_the_known_counts_are_those_of_the_data(kind: type[Data]) -> None:
    target = getattr(sklearn_datasets, f"load_{HERE[kind]}")().target
    assert KNOWN[kind].counts == tuple(np.bincount(target))


@pytest.mark.parametrize("kind", [Mnist, FashionMnist], ids=lambda kind: kind.__name__)
def test_the_known_counts_are_those_of_the_files(kind: type[Data]) -> None:
    try:
        loaded = data.load(kind(validate_on="test"), 0, [REAL_DATA])
    except DataMissing:
        pytest.skip("the data set is not on this machine")
    assert KNOWN[kind].counts == tuple(np.bincount(loaded.y_train))
    assert KNOWN[kind].test_counts == tuple(np.bincount(loaded.y_test))


def test_chosen_classes_are_numbered_anew_in_their_order() -> None:
    spec = Digits(classes=("9", 5, "7"), scaling="none")
    loaded, bunch = data.load(spec, 3, []), sklearn_datasets.load_digits()
    assert loaded.facts.class_names == ("9", "5", "7")
    found = np.concatenate([getattr(loaded, f"x_{part}") for part in ("train", "validation", "test")])
    names = np.concatenate([getattr(loaded, f"y_{part}") for part in ("train", "validation", "test")])
    for number, digit in enumerate((9, 5, 7)):
        ours = found[names == number][..., 0]
        theirs = bunch.images[bunch.target == digit]
        assert sorted(map(bytes, ours.astype(np.uint8))) == sorted(map(bytes, theirs.astype(np.uint8)))
    for part in ("train", "validation", "test"):
        assert len(getattr(loaded, f"x_{part}")) == getattr(loaded.facts, part)


def test_two_of_ten_classes_stay_a_multiclass_task() -> None:
    facts = data.describe(Digits(classes=(0, 1)))
    assert (facts.task, facts.class_names) == ("multiclass", ("0", "1"))
    assert facts.train + facts.validation + facts.test == 178 + 182


def test_the_test_set_of_a_set_that_has_one_is_restricted_as_well() -> None:
    if not (REAL_DATA / "mnist.npz").exists():
        pytest.skip("MNIST is not on this machine")
    loaded = data.load(Mnist(classes=(5, 6), examples=1000), 0, [REAL_DATA])
    assert (loaded.facts.train, loaded.facts.validation, loaded.facts.test) == (900, 100, 892 + 958)
    assert tuple(np.bincount(loaded.y_test)) == (892, 958)
    with np.load(REAL_DATA / "mnist.npz") as files:
        fives = files["x_test"][files["y_test"] == 5]
    np.testing.assert_array_equal(np.round(loaded.x_test[loaded.y_test == 0][..., 0] * 255), fives)


@pytest.mark.parametrize("examples", [3, 50, 99, 120])
def test_a_draw_keeps_the_share_of_each_class_and_the_test_examples(examples: int) -> None:
    spec = Wine(validation_fraction=0, examples=examples)
    y = sklearn_datasets.load_wine().target
    drawn, whole = split(spec, y, 1), split(changed(spec, examples=None), y, 1)
    np.testing.assert_array_equal(drawn.test, whole.test)
    assert set(drawn.train) <= set(whole.train)
    assert len(drawn.train) == examples
    shares = np.bincount(y[whole.train]) / len(whole.train) * examples
    assert np.abs(np.bincount(y[drawn.train], minlength=3) - shares).max() <= 1


def test_a_smaller_draw_is_part_of_a_larger_one_and_another_seed_draws_others() -> None:
    y = sklearn_datasets.load_digits().target
    few, more = (split(Digits(validation_fraction=0, examples=n), y, 0).train for n in (100, 300))
    assert set(few) < set(more)
    # The test examples depend on the seed as well, so the draws are compared where both could have fallen.
    assert set(few) != set(split(Digits(validation_fraction=0, examples=100), y, 1).train)


def test_a_draw_is_no_longer_the_same_for_every_seed() -> None:
    assert not Mnist(validate_on="test").uses_seed
    assert Mnist(validate_on="test", examples=500).uses_seed


def test_a_preview_shows_what_was_chosen_and_drawn() -> None:
    shown = data.preview(Digits(classes=(8, 3), examples=20), 0, [])
    assert shown.facts.class_names == ("8", "3")
    assert set(shown.y) == {0, 1}
    labelled = data.preview(Iris(examples=30, validation_fraction=0), 0, [])
    assert (labelled.part == 0).sum() == 30
    assert (labelled.part == 2).sum() == 30


def test_examples_were_once_called_limit() -> None:
    old = parse_experiment({"data": {"kind": "mnist", "limit": 5000}, "model": {"layers": [{"kind": "Flatten"}]}})
    assert old.data == Mnist(examples=5000)


def test_classes_can_be_written_as_a_text() -> None:
    assert Digits(classes="5, 6,7").classes == (5, 6, 7)
    assert FashionMnist(classes="Coat, Bag").classes == ("Coat", "Bag")
    assert Iris(classes=" ").classes is None


@pytest.mark.parametrize(
    ("spec", "where", "said"),
    [
        (Iris(classes=("setosa", "rose")), "data.classes", "Iris has no class 'rose'. Choose from: setosa"),
        (Iris(classes=(0, 3)), "data.classes", "Iris has no class 3.*or from 0 to 2"),
        (Digits(classes=(1, "1")), "data.classes", "The class 1 is chosen twice"),
        (Iris(examples=121), "data.examples", "121 labelled examples are more than the 120"),
        (Digits(classes=(0, 1), examples=300), "data.examples", "300 labelled examples are more than the 288"),
        (Digits(examples=9, validation_fraction=0), "data.examples", "9 training examples are too few"),
        (Diabetes(examples=400), "data.examples", "400 labelled examples are more than the 354"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_one_sentence(spec: Data, where: str, said: str) -> None:
    with pytest.raises(SpecError, match=said) as caught:
        data.describe(spec)
    assert caught.value.where == where


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(SpecError, match=r"data\.classes"):
        parse_experiment({"data": {"kind": "digits", "classes": [1]}})
