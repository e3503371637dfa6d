"""The contract of the store, its files: every test runs on all backends."""

import math

import numpy as np
import pytest

from playground.errors import LeaseLost, NotFound, StoreError
from playground.spec import Experiment
from playground.store import files


def test_arrays_come_back_as_they_went(store):
    run = store.create_run(Experiment())
    arrays = {
        "y_true": np.arange(5, dtype=np.int32),
        "y_score": np.array([[0.5, np.nan]], np.float16),
        "model/dense/kernel": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "empty": np.zeros((0, 3)),
        "scalar": np.float32(3),
        "names": np.array(["ä", "b"]),
        "file": np.array([True]),
    }
    store.write_arrays(run.id, "predictions", arrays)
    back = store.read_arrays(run.id, "predictions")
    assert list(back) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array, strict=True)
    store.write_arrays(run.id, "predictions", {"y": np.ones(1)})
    assert list(store.read_arrays(run.id, "predictions")) == ["y"]
    with pytest.raises(NotFound):
        store.read_arrays(run.id, "surface")


@pytest.mark.parametrize("name", ["", "..", "../x", "a/b", "A", "a.b", "a" * 65, "*"])
def test_arrays_have_plain_names(store, name):
    with pytest.raises(StoreError, match="name"):
        store.write_arrays(store.create_run(Experiment()).id, name, {"x": np.ones(1)})


def test_no_pickles(store):
    run = store.create_run(Experiment())
    with pytest.raises(ValueError, match="Object arrays"):
        store.write_arrays(run.id, "predictions", {"x": np.array([object()])})
    assert list((store.artifacts / run.id).iterdir()) == []


def test_damaged_arrays_are_not_read(store):
    run = store.create_run(Experiment())
    store.write_arrays(run.id, "predictions", {"y": np.zeros(9)})
    next((store.artifacts / run.id).iterdir()).write_bytes(b"PK")
    with pytest.raises(StoreError, match="damaged"):
        store.read_arrays(run.id, "predictions")


def test_the_last_two_checkpoints_are_kept(store):
    run = store.create_run(Experiment())
    assert store.read_checkpoint(run.id) is None
    for step in (100, 200, 300, 250):
        store.write_checkpoint(run.id, step, {"w": np.full(3, step)}, {"epoch": 1, "loss": math.nan})
    arrays, meta = store.read_checkpoint(run.id)  # the newest, not the one with most steps
    assert arrays.keys() == {"w"}
    assert arrays["w"].tolist() == [250, 250, 250]
    assert (meta["step"], meta["epoch"], math.isnan(meta["loss"])) == (250, 1, True)
    assert len(list((store.artifacts / run.id).iterdir())) == 2


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: data[:-9] + b"otherdata", None])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(store, damage):
    run = store.create_run(Experiment())
    folder = store.artifacts / run.id
    store.write_checkpoint(run.id, 1, {"w": np.ones(100)}, {})
    first = set(folder.iterdir())
    store.write_checkpoint(run.id, 2, {"w": np.full(100, 2.0)}, {})
    (newest,) = set(folder.iterdir()) - first
    if damage:
        newest.write_bytes(damage(newest.read_bytes()))
    else:
        newest.unlink()
    assert store.read_checkpoint(run.id)[1]["step"] == 1
    first.pop().unlink()
    assert store.read_checkpoint(run.id) is None


def test_a_full_disk_leaves_the_last_checkpoint(store, monkeypatch):
    run = store.create_run(Experiment())
    store.write_checkpoint(run.id, 1, {"w": np.ones(3)}, {})
    before = set((store.artifacts / run.id).iterdir())

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(StoreError, match=r"No space left on device\. Free some space"):
        store.write_checkpoint(run.id, 2, {"w": np.ones(3)}, {})
    assert set((store.artifacts / run.id).iterdir()) == before
    assert store.read_checkpoint(run.id)[1]["step"] == 1


# Weights of epochs


def test_weights_of_epochs_are_kept_until_they_are_dropped(store):
    run = store.create_run(Experiment())
    assert store.kept_epochs(run.id) == []
    for epoch in (10, 0, 2):
        store.keep_epoch(run.id, epoch, {"v0": np.full(3, epoch)})
    store.write_arrays(run.id, "epochs", {"x": np.ones(1)})  # of another name
    assert store.kept_epochs(run.id) == [0, 2, 10]
    assert store.read_epoch(run.id, 10)["v0"].tolist() == [10, 10, 10]
    store.drop_epochs(run.id, [0, 2, 7])
    assert store.kept_epochs(run.id) == [10]
    with pytest.raises(NotFound):
        store.read_epoch(run.id, 2)
    assert len(list((store.artifacts / run.id).glob("epoch-*"))) == 1


def test_an_epoch_kept_again_is_the_newer_one(store):
    run = store.create_run(Experiment())
    for value in (1, 2, 3):
        store.keep_epoch(run.id, 5, {"v0": np.full(1, value)})
    assert store.kept_epochs(run.id) == [5]
    assert store.read_epoch(run.id, 5)["v0"].tolist() == [3]


def test_epochs_are_kept_under_the_lease(store):
    run = store.create_run(Experiment())
    _, lease = store.claim("a test", run_id=run.id)
    store.keep_epoch(run.id, 1, {"v0": np.ones(1)}, lease=lease)
    for write in (store.keep_epoch, store.drop_epochs):
        arguments = (2, {"v0": np.ones(1)}) if write == store.keep_epoch else ([1],)
        with pytest.raises(LeaseLost):
            write(run.id, *arguments, lease="another")
    assert store.kept_epochs(run.id) == [1]


def test_epochs_of_no_run(store):
    for ask in (store.kept_epochs, lambda id: store.read_epoch(id, 1), lambda id: store.drop_epochs(id, [1])):
        with pytest.raises(NotFound):
            ask("nobody")
    with pytest.raises(NotFound):
        store.keep_epoch("../x", 1, {"v0": np.ones(1)})
