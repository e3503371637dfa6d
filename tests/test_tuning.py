"""Runs that start from saved weights, in this process, against separate code."""

import keras
import numpy as np
import pytest

from playground import data
from playground.records import Run, RunStatus, SavedModel
from playground.settings import Settings
from playground.spec import Experiment, changed, parse_experiment, with_settings
from playground.spec.data import Digits
from playground.spec.saved import Saved
from playground.spec.start import Continue, EvaluateOnly, FromScratch, HeadOnly, HeadThenAll
from playground.spec.tuning import tuned
from playground.store import Store

pytestmark = pytest.mark.keras

CNN = parse_experiment(
    {
        "data": {"kind": "digits", "classes": [0, 1, 2, 3, 4], "examples": 200},
        "model": {
            "layers": [
                {"kind": "Conv2D", "filters": 4, "id": "conv"},
                {"kind": "BatchNormalization", "id": "norm"},
                {"kind": "Flatten"},
                {"kind": "Dropout", "rate": 0.3},
                {"kind": "Dense", "units": 12, "id": "dense"},
            ]
        },
        "training": {
            "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "epochs": 3, "execution": "plain",
            "optimizer": {"kind": "Adam", "learning_rate": 0.01},
        },
    }
)  # fmt: skip
OTHER = Digits(classes=(5, 6, 7, 8, 9), examples=150)
LAYERS = ("conv", "norm", "dense", "output")


@pytest.fixture
def store(shared_store: Store) -> Store:
    return shared_store


@pytest.fixture
def train(settings: Settings, store: Store):
    """Trains an experiment (or a queued run) as a worker does; gives the run as it ended."""
    from playground.engine.run import run_experiment

    def train(experiment: Experiment | None = None, run_id: str = "", **values: object) -> Run:
        run_id = run_id or store.create_run(experiment or CNN).id
        claimed = store.claim("test", run_id=run_id)
        assert claimed is not None
        run_experiment(store, settings.model_copy(update=values), run_id, claimed[1])
        return store.run(run_id)

    return train


def weights(store: Store, run: Run) -> dict[str, list[np.ndarray]]:
    """The newest weights of a run by layer."""
    from playground.engine.model.restore import restore

    model = restore(store, Saved(run=run.id)).model
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def same(ours: list[np.ndarray], theirs: list[np.ndarray]) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(ours, theirs, strict=True))


def checkpoint(store: Store, run: Run) -> dict[str, np.ndarray]:
    kept = store.read_checkpoint(run.id)
    assert kept is not None
    return kept[0]


def done(run: Run) -> Run:
    assert run.status is RunStatus.DONE, run.message
    return run


def test_predictions_after_saving_and_reloading_are_equal_to_the_last_bit(train, store, settings):
    from playground.engine.model.restore import restore

    run = done(train())
    restored = restore(store, Saved(run=run.id))
    loaded = data.load(CNN.data, CNN.seed, ())
    again = done(train(tuned(CNN, Saved(run=run.id), plan=EvaluateOnly())))
    before, after = (store.read_arrays(one.id, "predictions") for one in (run, again))
    assert before["y_score_test"].tobytes() == after["y_score_test"].tobytes()
    np.testing.assert_allclose(restored.scores(loaded.x_test), before["y_score_test"], rtol=1e-5, atol=1e-6)
    assert again.facts["epochs"] == 0
    assert again.scores["test_accuracy"] == run.scores["test_accuracy"]


@pytest.mark.parametrize("optimizer", [{"kind": "SGD", "learning_rate": 0.1, "momentum": 0.9}, {"kind": "Adam"}])
def test_continue_gives_the_weights_of_never_having_stopped(train, store, optimizer):
    base = parse_experiment(
        {**CNN.model_dump(mode="json"), "training": {**CNN.training.model_dump(mode="json"), "optimizer": optimizer}}
    )
    run = done(train(base))
    more = done(train(tuned(base, Saved(run=run.id), plan=Continue(), epochs=2)))
    whole = done(train(changed(base, training=changed(base.training, epochs=5))))
    ours, theirs = checkpoint(store, more), checkpoint(store, whole)
    assert ours.keys() == theirs.keys()
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)
    points = [point.epoch for point in store.points(more.id)[0] if point.kind == "epoch"]
    assert points == [4, 5]
    assert more.facts["stages"] == [
        {"name": "All layers", "from_epoch": 3, "rate": pytest.approx(base.training.optimizer.learning_rate),
         "trainable": list(LAYERS)}
    ]  # fmt: skip
    assert store.kept_epochs(more.id)[0] == 3


def test_what_is_frozen_moves_by_no_bit_and_the_rest_does(train, store):
    base = done(train())
    run = done(train(tuned(CNN, Saved(run=base.id), OTHER, HeadOnly(last=2))))
    before, after = weights(store, base), weights(store, run)
    for frozen in ("conv", "norm"):  # with the moving averages of the batch normalization
        assert same(before[frozen], after[frozen]), frozen
    for learned in ("dense", "output"):
        assert not same(before[learned], after[learned]), learned
    assert run.facts["head"] == "replaced"
    changes = {row["layer"]: row["relative"] for row in run.facts["weights_changed"]}
    assert changes["conv"] == changes["norm"] == 0
    flat = [np.concatenate([a.ravel() for a in side["dense"]]).astype(float) for side in (before, after)]
    assert changes["dense"] == pytest.approx(np.linalg.norm(flat[1] - flat[0]) / np.linalg.norm(flat[0]), rel=1e-5)


def test_chosen_layers_learn_alone(train, store):
    base = done(train())
    run = done(train(tuned(CNN, Saved(run=base.id), plan=HeadOnly(layers=("conv",)))))
    before, after = weights(store, base), weights(store, run)
    assert {name for name in LAYERS if not same(before[name], after[name])} == {"conv"}
    assert run.facts["head"] == "kept"
    assert run.facts["before"]["test_accuracy"] == base.scores["test_accuracy"]


def test_batch_statistics_stay_while_their_layer_is_frozen_and_move_once_it_learns(train, store):
    base = done(train())
    run = done(train(tuned(CNN, Saved(run=base.id), OTHER, HeadThenAll(head_epochs=2), epochs=4)))
    before, after = weights(store, base), weights(store, run)
    norm = [store.read_epoch(run.id, epoch) for epoch in store.kept_epochs(run.id)]
    assert len(norm) >= 2
    assert not same(before["norm"], after["norm"])
    points = [point for point in store.points(run.id)[0] if point.kind == "epoch"]
    assert [point.epoch for point in points] == [1, 2, 3, 4]
    assert run.facts["stages"] == [
        {"name": "Head only", "from_epoch": 0, "rate": pytest.approx(0.01), "trainable": ["output"]},
        {"name": "All layers", "from_epoch": 2, "rate": pytest.approx(0.001), "trainable": list(LAYERS)},
    ]


def test_two_stages_are_those_of_keras(train, store):
    """The same by hand: Keras's own fit, frozen, then compiled anew with everything; plain SGD has no state to lose."""
    base_experiment = parse_experiment(
        {
            "data": CNN.data.model_dump(mode="json"),
            "model": {"layers": [{"kind": "Flatten"}, {"kind": "Dense", "units": 8, "id": "dense"}]},
            "training": {
                "loss": "sparse_categorical_crossentropy", "epochs": 2, "execution": "plain", "shuffle": False,
                "batch_size": "full", "optimizer": {"kind": "SGD", "learning_rate": 0.5},
            },
        }
    )  # fmt: skip
    base = done(train(base_experiment))
    plan = HeadThenAll(head_epochs=3, rate_factor=0.25)
    experiment = tuned(base_experiment, Saved(run=base.id), OTHER, plan, epochs=7)
    run = done(train(experiment))

    from playground.engine.model import build_model

    loaded = data.load(experiment.data, experiment.seed, ())
    model = build_model(experiment, loaded.facts)
    model.get_layer("dense").set_weights(weights(store, base)["dense"])
    for rate, epochs, trainable in ((0.5, 3, False), (0.125, 4, True)):
        model.get_layer("dense").trainable = trainable
        model.compile(keras.optimizers.SGD(rate), "sparse_categorical_crossentropy")
        model.fit(loaded.x_train, loaded.y_train, batch_size=1000, epochs=epochs, shuffle=False, verbose=0)
    for name, ours in weights(store, run).items():
        for a, b in zip(ours, model.get_layer(name).get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("interrupted_at", [1, 2, 3])
def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(train, store, monkeypatch, interrupted_at):
    from playground.engine.training import Loop
    from playground.engine.training.callbacks import KeepEpochs

    base = done(train())
    experiment = tuned(CNN, Saved(run=base.id), OTHER, HeadThenAll(head_epochs=2), epochs=4)
    whole = done(train(experiment))

    class StopAt(KeepEpochs):
        def on_decision(self, loop: Loop) -> None:
            super().on_decision(loop)
            loop.stop_training = loop.stop_training or loop.epoch == interrupted_at

    with monkeypatch.context() as patched:
        patched.setattr("playground.engine.assembly.KeepEpochs", StopAt)
        stopped = train(experiment)
    assert stopped.status is RunStatus.STOPPED
    assert stopped.facts["epochs"] == interrupted_at
    store.resume(stopped.id)
    resumed = done(train(run_id=stopped.id))
    ours, theirs = checkpoint(store, resumed), checkpoint(store, whole)
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in theirs)
    for fact in ("before", "old_task", "weights_changed", "stages"):
        assert resumed.facts[fact] == whole.facts[fact], fact


def test_forgetting_is_what_keras_measures_of_the_tuned_body_under_the_old_head(train, store):
    base = done(train())
    run = done(train(tuned(CNN, Saved(run=base.id), OTHER, HeadThenAll(head_epochs=1), epochs=5)))

    from playground.engine.model.restore import restore

    loaded = data.load(CNN.data, CNN.seed, ())
    model = restore(store, Saved(run=base.id)).model
    found = []
    for body in (base, run):
        for name, arrays in weights(store, body).items():
            if name != "output":
                model.get_layer(name).set_weights(arrays)
        model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        loss, accuracy = model.evaluate(loaded.x_test, loaded.y_test, verbose=0)
        found.append({"test_loss": pytest.approx(loss, rel=1e-5), "test_accuracy": pytest.approx(accuracy, abs=1e-6)})
    assert run.facts["old_task"] == {"before": found[0], "after": found[1]}
    assert run.facts["old_task"]["before"]["test_accuracy"] == pytest.approx(base.scores["test_accuracy"])


def test_before_is_the_base_on_the_new_data(train, store):
    wide = changed(CNN, data=Digits(classes=(5, 6, 7, 8, 9), examples=200))
    base = done(train())
    run = done(train(tuned(CNN, Saved(run=base.id), wide.data, EvaluateOnly(), head="keep")))

    from playground.engine.model.restore import restore

    loaded = data.load(wide.data, wide.seed, ())
    scores = restore(store, Saved(run=base.id)).scores(loaded.x_test)
    before = store.read_arrays(run.id, "predictions_before")
    np.testing.assert_allclose(before["y_score_test"], scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(before["y_true_test"], loaded.y_test)
    accuracy = np.mean(scores.argmax(axis=1) == loaded.y_test)
    assert run.facts["before"]["test_accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert "old_task" not in run.facts


def test_from_scratch_is_a_run_without_a_start(train, store):
    base = done(train())
    experiment = tuned(CNN, Saved(run=base.id), OTHER, FromScratch(), seed=3)
    control, plain = done(train(experiment)), done(train(changed(experiment, start=None)))
    ours, theirs = weights(store, control), weights(store, plain)
    assert all(same(ours[name], theirs[name]) for name in LAYERS)
    assert "old_task" not in control.facts


def test_a_base_of_an_earlier_epoch_gives_the_weights_of_that_epoch(train, store):
    base = done(train())
    run = done(train(tuned(CNN, Saved(run=base.id, epoch=0), plan=EvaluateOnly())))
    kept = store.read_epoch(base.id, 0)
    found = store.read_epoch(run.id, 0)
    assert found["v0"].tobytes() == kept["v0"].tobytes()
    assert run.facts["before"]["test_accuracy"] < base.scores["test_accuracy"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": Digits(), "plan": Continue()}, "Continue needs the output layer as it is"),
        ({"data": OTHER, "plan": EvaluateOnly()}, "Evaluate only needs the output layer as it is"),
        ({"plan": Continue(), "seed": 1}, r"seed of the base model \(0\), and this experiment has 1"),
        ({"saved": {"epoch": 0}, "plan": Continue()}, "the state of the optimizer, which only a run's newest weights"),
        ({"saved": {"epoch": 77}, "plan": HeadOnly()}, "kept no weights of epoch 77. Choose one of the kept epochs"),
        ({"data": Digits(), "head": "keep", "plan": HeadOnly()}, "has 5 units, this data and loss need 10"),
    ],
)
def test_what_does_not_fit_the_base_fails_with_one_sentence(train, store, change, said):
    base = done(train(changed(CNN, training=changed(CNN.training, epochs=1))))
    saved = Saved(run=base.id, **change.pop("saved", {}))
    run = train(tuned(CNN, saved, **{"epochs": 2, **change}))
    assert run.status is RunStatus.FAILED
    import re

    assert re.search(said, run.message), run.message
    assert "code" not in run.message


def test_a_stage_goes_on_in_the_compiled_variant_as_in_the_plain_one(train, store):
    base = parse_experiment(
        {
            "data": CNN.data.model_dump(mode="json"),
            "model": {"layers": [{"kind": "Flatten"}, {"kind": "Dense", "units": 8, "id": "dense"}]},
            "training": {"loss": "sparse_categorical_crossentropy", "epochs": 2, "execution": "plain"},
        }
    )
    first = done(train(base))
    plain = tuned(base, Saved(run=first.id), OTHER, HeadThenAll(head_epochs=2), epochs=4)
    runs = [done(train(with_settings(plain, [f"training.execution={kind}"]))) for kind in ("plain", "xla")]
    assert [run.plan for run in runs] == [((0, "plain"),), ((0, "xla"),)]
    ours, theirs = (weights(store, run) for run in runs)
    for name in ours:
        for a, b in zip(ours[name], theirs[name], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_model_of_the_library_is_a_base_as_good_as_its_run(train, store):
    base = done(train())
    kept, facts = checkpoint(store, base), data.describe(CNN.data)
    card = store.add_model(SavedModel("m1", "Five digits", 0.0, "run", base.id, CNN, facts, epoch=3.0), kept)
    of_run, of_model = (
        done(train(tuned(CNN, saved, OTHER, HeadOnly()))) for saved in (Saved(run=base.id), Saved(model=card.id))
    )
    ours, theirs = weights(store, of_run), weights(store, of_model)
    assert all(same(ours[name], theirs[name]) for name in LAYERS)
    assert of_model.facts["old_task"] == of_run.facts["old_task"]
    refused = train(tuned(CNN, Saved(model=card.id), plan=Continue()))
    assert "the state of the optimizer, which only a run's newest weights have" in refused.message
