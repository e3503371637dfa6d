"""Probes in general: weights that were kept, the table of probes, inputs that do not fit."""

from pathlib import Path

import numpy as np
import pytest

from playground.errors import NotFound, SpecError
from playground.settings import Settings
from playground.spec import changed, parse_experiment
from playground.spec.probes import PROBES, Predictions
from playground.spec.saved import Saved
from playground.store import Store
from tests.runs import trained

pytestmark = pytest.mark.keras

IRIS = parse_experiment(
    {
        "data": {"kind": "iris", "scaling": "standard"},
        "model": {"layers": [{"kind": "Dense", "units": 8}, {"kind": "Dropout", "rate": 0.1}]},
        "training": {
            "loss": {"kind": "sparse_categorical_crossentropy"}, "epochs": 5, "metrics": ["accuracy"],
            "execution": "plain",
        },
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("probes")


@pytest.fixture(scope="module")
def run(home: Path):
    return trained(Settings(home=home), IRIS)


@pytest.fixture
def store(home: Path) -> Store:
    from playground.store import open_store

    settings = Settings(home=home)
    return open_store(settings.database, settings.artifacts)


def test_every_probe_has_its_function():
    from playground.engine import probes

    assert set(probes.PROBES) == set(PROBES)


def test_the_first_and_the_last_epoch_are_kept(store, run):
    kept = store.kept_epochs(run.id)
    assert (kept[0], kept[-1]) == (0, 5)


def test_restored_weights_predict_what_the_run_predicted(store, run):
    from playground.engine.model.restore import restore

    arrays = store.read_arrays(run.id, "predictions")
    subject = restore(store, Saved(run=run.id))
    from playground.data import load

    data = load(IRIS.data, IRIS.seed, ())
    assert subject.epoch == 5
    np.testing.assert_array_equal(subject.scores(data.x_test), arrays["y_score_test"])
    last = restore(store, Saved(run=run.id, epoch=5))
    for a, b in zip(subject.model.get_weights(), last.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_an_epoch_that_was_not_kept_names_those_that_were(store, run):
    from playground.engine.model.restore import restore

    with pytest.raises(NotFound, match=r"epoch 77\. Choose one of the kept epochs: 0, "):
        restore(store, Saved(run=run.id, epoch=77))


def test_neighbours_are_the_nearest_training_examples(home, store, run):
    from sklearn.neighbors import NearestNeighbors

    from playground.data import load
    from playground.engine.probes import answer

    data = load(IRIS.data, IRIS.seed, ())
    raw = load(changed(IRIS.data, scaling="none"), IRIS.seed, ())
    found = answer(store, Settings(home=home), Saved(run=run.id), Predictions(neighbours=3), raw.x_test[:4])
    distances, rows = NearestNeighbors(n_neighbors=3).fit(data.x_train).kneighbors(data.x_test[:4])
    np.testing.assert_allclose(found["distances"], distances, atol=1e-3)
    np.testing.assert_array_equal(found["neighbour_targets"], data.y_train[rows])


@pytest.mark.parametrize("bad", [np.zeros((1, 5), "float32"), np.full((1, 4), np.nan, "float32")])
def test_an_input_that_does_not_fit_is_refused_in_words(home, store, run, bad):
    from playground.engine.probes import answer

    with pytest.raises(SpecError, match=r"Give it an input of that size|Replace what is missing"):
        answer(store, Settings(home=home), Saved(run=run.id), Predictions(), bad)
