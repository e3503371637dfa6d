"""Examples, ranges and neighbours of a run's data: in the units of its source, whatever the network receives."""

from contextlib import closing

import numpy as np
import pytest

from playground.data import load
from playground.errors import SpecError
from playground.settings import Settings
from playground.spec import changed, parse_experiment
from playground.spec.probes import Example, Predictions, Ranges
from playground.spec.saved import Saved
from playground.store import open_store
from tests.runs import trained

pytestmark = pytest.mark.keras

TRAINING = {"loss": {"kind": "sparse_categorical_crossentropy"}, "epochs": 1, "execution": "plain"}
IRIS = parse_experiment(
    {
        "data": {"kind": "iris", "scaling": "standard"},
        "model": {"layers": [{"kind": "Dense", "units": 4}]},
        "training": TRAINING,
    }
)
DIGITS = parse_experiment(
    {"data": {"kind": "digits"}, "model": {"layers": [{"kind": "Flatten"}]}, "training": TRAINING}
)


@pytest.fixture(scope="module", params=[IRIS, DIGITS], ids=["iris", "digits"])
def asked(request, tmp_path_factory):
    """A question to a run, and its data as the source has it."""
    from playground.engine.probes import answer

    settings = Settings(home=tmp_path_factory.mktemp("examples"))
    run = trained(settings, request.param)
    raw = load(changed(request.param.data, scaling="none"), request.param.seed, ())
    with closing(open_store(settings.database, settings.artifacts)) as store:
        yield lambda probe, x=None: answer(store, settings, Saved(run=run.id), probe, x), raw


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_an_example_is_as_its_source_has_it(asked, part):
    ask, raw = asked
    x, y = getattr(raw, f"x_{part}"), getattr(raw, f"y_{part}")
    found = ask(Example(part=part, index=7))
    np.testing.assert_allclose(found["x"], x[7:8], rtol=1e-5)
    assert (found["y"], found["count"]) == (y[7], len(y))
    if raw.facts.family == "images":
        assert found["x"].dtype == np.uint8
        np.testing.assert_array_equal(found["x"], x[7:8])


def test_an_example_beyond_the_last_is_refused_in_words(asked):
    ask, raw = asked
    with pytest.raises(SpecError, match=f"Choose one from 0 to {len(raw.y_test) - 1}"):
        ask(Example(index=len(raw.y_test)))


def test_ranges_span_the_training_examples_and_begin_at_one_of_them(asked):
    ask, raw = asked
    found = ask(Ranges())
    np.testing.assert_allclose(found["low"], raw.x_train.min(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found["high"], raw.x_train.max(axis=0), rtol=1e-5)
    assert np.isclose(raw.x_train, found["typical"], rtol=1e-5).reshape(len(raw.x_train), -1).all(axis=1).any()


def test_the_nearest_neighbour_of_a_training_example_is_itself(asked):
    ask, raw = asked
    found = ask(Predictions(neighbours=2), raw.x_train[4:5])
    np.testing.assert_allclose(found["neighbours"][0, 0], raw.x_train[4], rtol=1e-5)
    assert found["neighbour_targets"][0, 0] == raw.y_train[4]
    assert found["distances"][0, 0] == pytest.approx(0, abs=2e-3)
