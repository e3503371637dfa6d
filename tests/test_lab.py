"""The lab over a real store, with a desk in place of the engine."""

import threading
from contextlib import closing

import numpy as np
import pytest

from playground.errors import EngineUnavailable, NotAllowed, NotFound, SpecError
from playground.lab import Lab, edits
from playground.lab.remember import Asking, Remember
from playground.records import Event, Point, Progress, RunStatus
from playground.spec import DATASETS, LAYERS, LOSSES, OPTIMIZERS, check, with_settings
from playground.store import open_store
from tests.desk import STARTING, Desk, experiment_of
from tests.runs import run_in

KINDS = [kind.model_fields["kind"].default for kind in DATASETS]


@pytest.fixture
def store(settings):
    """One backend is enough here: the contract of the store has tests of its own."""
    with closing(open_store(settings.database, settings.artifacts)) as store:
        yield store


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def lab(store, desk, settings, monkeypatch):
    monkeypatch.setattr("playground.lab.lab.PATIENCE", 60)  # tests wait for answers, pages do not
    return Lab(store, desk, settings)


class TestDescribe:
    def test_keras_is_asked_once_for_the_same_network(self, lab, desk):
        experiment = experiment_of("iris")
        first = lab.describe(experiment)
        assert [row.output_shape for row in first.rows] == [(64,), (3,)]
        assert first.rows[0].parameters == (4 + 1) * 64
        assert lab.describe(with_settings(experiment, ["training.epochs=99", "seed=7", "name=other"])) == first
        assert desk.asked == ["describe"]
        assert lab.describe(with_settings(experiment, ["model.layers.0.units=8"])) != first

    def test_what_needs_no_keras_is_said_without_it(self, lab, desk):
        digits = experiment_of("digits")
        said = lab.describe(edits.remove_layer(digits, digits.model.layers[0].id))
        assert "Flatten" in said.error
        assert said.error_index == 0
        assert desk.asked == []

    def test_errors_without_a_layer_say_where(self, lab):
        said = lab.describe(with_settings(experiment_of("iris"), ["training.batch_size=5000"]))
        assert said.error_index is None
        assert said.error_where == "training.batch_size"

    def test_no_engine_is_not_waited_for(self, lab, desk):
        desk.now = STARTING
        with pytest.raises(EngineUnavailable, match="starting"):
            lab.describe(experiment_of("iris"))


class TestRuns:
    def test_launch_checks_first(self, lab, store):
        with pytest.raises(SpecError, match="does not fit"):
            lab.launch(with_settings(experiment_of("iris"), ["training.loss=huber"]))
        assert store.runs() == []

    def test_launch_queues_while_the_engine_starts(self, lab, desk):
        desk.now = STARTING
        run = lab.launch(experiment_of("moons"), draft="d", owner="me")
        assert (run.status, run.draft, run.owner) == (RunStatus.QUEUED, "d", "me")
        assert lab.watch(run.id).position == 1

    def test_stop_resume_and_more_epochs(self, lab, store):
        run = run_in(store, experiment_of("moons"), Event.STOP)
        assert lab.resume(run.id).status is RunStatus.QUEUED
        assert lab.stop(run.id).status is RunStatus.STOPPED
        assert lab.resume(run.id, more_epochs=5).experiment.training.epochs == 15

    def test_more_epochs_are_refused_where_the_schedule_has_no_rate_for_them(self, lab, store):
        falls = with_settings(experiment_of("moons"), ['training.schedule={"kind": "polynomial", "decay_epochs": 10}'])
        run = run_in(store, falls, Event.FINISH)
        with pytest.raises(SpecError, match="falls to 0 at epoch 10 of 15"):
            lab.resume(run.id, more_epochs=5)
        assert store.run(run.id).status is RunStatus.DONE

    def test_more_epochs_than_there_may_be_are_refused(self, lab, store):
        run = run_in(store, with_settings(experiment_of("moons"), ["training.epochs=60000"]), Event.FINISH)
        with pytest.raises(SpecError, match="epochs"):
            lab.resume(run.id, more_epochs=60_000)
        assert store.run(run.id).status is RunStatus.DONE

    def test_delete(self, lab, store):
        live, over = run_in(store, experiment_of("moons")), run_in(store, experiment_of("moons"), Event.FINISH)
        with pytest.raises(NotAllowed):
            lab.delete(live.id)
        lab.delete(over.id)
        with pytest.raises(NotFound):
            lab.watch(over.id)

    def test_filters(self, lab, store):
        mine = run_in(store, experiment_of("moons"), owner="me")
        other = run_in(store, experiment_of("xor"), Event.STOP, owner="you")
        assert [run.id for run in lab.runs()] == [other.id, mine.id]
        assert [run.id for run in lab.runs(owner="me")] == [mine.id]
        assert [run.id for run in lab.runs(statuses=[RunStatus.STOPPED])] == [other.id]


class TestWatch:
    def test_forty_viewers_cost_one_read(self, lab, store, monkeypatch):
        run = run_in(store, experiment_of("moons"))
        reads = []
        monkeypatch.setattr("playground.lab.watching.FRESH", 60)
        points = type(store).points
        monkeypatch.setattr(type(store), "points", lambda *a, **k: reads.append(1) or points(*a, **k))
        threads = [threading.Thread(target=lab.watch, args=(run.id,)) for _ in range(40)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert lab.watch(run.id) is lab.watch(run.id)
        assert len(reads) <= 2  # a new attempt is read from its beginning

    def test_new_points_are_added(self, lab, store, monkeypatch):
        monkeypatch.setattr("playground.lab.watching.FRESH", 0)
        run = store.create_run(experiment_of("moons"))
        _, lease = store.claim("a test", run_id=run.id)
        for step in (1, 2, 3):
            store.report(run.id, lease, Progress(step=step), points=[Point(step, step, "epoch", {"loss": 1 / step})])
            assert len(lab.curves(run.id).train["loss"][0]) == step

    def test_a_run_that_went_back_forgets_what_it_passes_again(self, lab, store, monkeypatch):
        monkeypatch.setattr("playground.lab.watching.FRESH", 0)
        run = store.create_run(experiment_of("moons"))
        _, lease = store.claim("a test", run_id=run.id)
        store.report(run.id, lease, Progress(), points=[Point(k, k, "epoch", {"loss": float(k)}) for k in (1, 2, 3)])
        lab.watch(run.id)
        store.rewind(run.id, lease, 1)
        store.report(run.id, lease, Progress(), points=[Point(2, 2, "epoch", {"loss": 9.0})])
        assert lab.curves(run.id).train["loss"][1].tolist() == [1.0, 9.0]

    def test_surface_lies_over_the_examples(self, lab, store):
        run = run_in(store, experiment_of("moons"))
        watch = lab.watch(run.id)
        surface = lab.surface(run.experiment, watch)
        assert surface.probabilities.shape == (20, 20, 2)
        assert surface is lab.surface(run.experiment, watch)
        assert lab.surface(run.experiment, None).agreement is None


class TestJudge:
    def test_classes(self, lab, store):
        run = run_in(store, experiment_of("iris"), Event.FINISH)
        result = lab.judging.classification(run.id, "test")
        assert result.confusion.shape == (3, 3)
        assert result.accuracy > 0.7

    def test_threshold(self, lab, store):
        run = run_in(store, experiment_of("breast_cancer"), Event.FINISH)
        eager, strict = (lab.judging.classification(run.id, "validation", threshold) for threshold in (0.1, 0.9))
        assert eager.confusion[:, 1].sum() > strict.confusion[:, 1].sum()

    def test_numbers(self, lab, store):
        run = run_in(store, experiment_of("diabetes"), Event.FINISH)
        assert 0.5 < lab.judging.regression(run.id, "test").r2 < 1

    def test_nothing_to_judge_yet(self, lab, store):
        with pytest.raises(NotFound):
            lab.judging.classification(run_in(store, experiment_of("iris")).id, "test")

    def test_a_resumed_run_is_read_again(self, lab, store):
        run = run_in(store, experiment_of("iris"), Event.FINISH)
        before, _ = lab.judging.predictions(run.id, "test")
        lab.resume(run.id)
        _, lease = store.claim("a test", run_id=run.id)
        arrays = {"y_true_test": before[::-1], "y_score_test": np.zeros((len(before), 3))}
        store.write_arrays(run.id, "predictions", arrays, lease=lease)
        store.apply(run.id, lease, Event.FINISH, scores={"test_loss": 1.0})
        assert (lab.judging.predictions(run.id, "test")[1] == 0).all()
        with pytest.raises(NotFound, match="no validation examples"):
            lab.judging.predictions(run.id, "validation")


class TestEdits:
    @pytest.mark.parametrize("before", KINDS)
    @pytest.mark.parametrize("after", KINDS)
    def test_another_data_set_always_trains(self, lab, before, after):
        edited = edits.with_data_kind(experiment_of(before), after)
        check(edited, lab.facts(edited.data))
        assert edited.training.metrics

    @pytest.mark.parametrize("kind", [loss.model_fields["kind"].default for loss in LOSSES])
    def test_another_loss_keeps_fitting_metrics(self, lab, kind):
        edited = edits.with_loss_kind(experiment_of("iris"), kind)
        assert edited.training.loss.kind == kind
        if "multiclass" in edited.training.loss.targets:
            check(edited, lab.facts(edited.data))

    @pytest.mark.parametrize("kind", [optimizer.model_fields["kind"].default for optimizer in OPTIMIZERS])
    def test_another_optimizer_brings_its_own_rate(self, kind):
        edited = edits.with_optimizer_kind(experiment_of("iris"), kind)
        optimizer = edited.training.optimizer
        assert optimizer.kind == kind
        assert kind == "Adam" or optimizer == type(optimizer)()

    def test_what_needs_a_picture_goes_before_flatten(self):
        edited = edits.add_layer(experiment_of("digits"), "Conv2D")
        assert [layer.kind for layer in edited.model.layers] == ["Conv2D", "Flatten", "Dense"]

    @pytest.mark.parametrize("kind", [layer.model_fields["kind"].default for layer in LAYERS])
    def test_a_layer_comes_and_goes(self, kind):
        before = experiment_of("digits")
        added = edits.add_layer(before, kind)
        (new,) = {layer.id for layer in added.model.layers} - {layer.id for layer in before.model.layers}
        assert edits.remove_layer(added, new) == before

    def test_moving_keeps_the_ids(self):
        stack = edits.add_layer(edits.add_layer(experiment_of("iris"), "Dropout"), "Dense")
        first, *_ = (layer.id for layer in stack.model.layers)
        moved = edits.move_layer(stack, first, 1)
        assert [layer.id for layer in moved.model.layers][1] == first
        assert edits.move_layer(moved, first, -1) == stack
        assert edits.move_layer(stack, first, -1) == stack

    def test_values_of_layers_and_of_the_output(self):
        experiment = experiment_of("iris")
        layer_id = experiment.model.layers[0].id
        assert edits.change_layer(experiment, layer_id, units=5).model.layers[0].units == 5
        assert edits.change_output(experiment, activation="linear").model.output.activation == "linear"

    def test_a_smaller_data_set_gets_a_smaller_batch(self):
        large = with_settings(experiment_of("mnist"), ["training.batch_size=1024"])
        assert edits.with_data_kind(large, "iris").training.batch_size == 64


class TestRemember:
    def test_newest_answers_are_kept(self):
        memory, asked = Remember(2), []
        for key in ("a", "b", "a", "c", "a", "b"):
            memory.get(key, lambda key=key: asked.append(key))
        assert asked == ["a", "b", "c", "b"]

    def test_what_was_raised_is_not(self):
        memory = Remember(2)
        with pytest.raises(KeyError):
            memory.get("a", lambda: {}["a"])
        assert memory.get("a", lambda: 1) == 1

    def test_a_page_does_not_wait_for_a_slow_answer(self):
        memory, may_answer = Asking(2, patience=0.01), threading.Event()

        def answer():
            may_answer.wait(20)
            return 1

        with pytest.raises(EngineUnavailable, match="in a moment"):
            memory.get("a", answer)
        may_answer.set()
        memory.patience = 20
        assert memory.get("a", answer) == 1

    def test_what_was_begun_is_not_asked_again(self):
        memory, asked = Asking(2, patience=20), []
        memory.begin("a", lambda: asked.append("a"))
        memory.get("a", lambda: asked.append("b"))
        assert asked == ["a"]

    def test_what_was_begun_and_failed_is_asked_again(self):
        memory = Asking(2, patience=20)
        with pytest.raises(SpecError):
            memory.begin("a", lambda: (_ for _ in ()).throw(SpecError("no"))).result(20)
        assert memory.get("a", lambda: 1) == 1

    def test_what_a_question_raises_reaches_who_asked(self):
        with pytest.raises(SpecError, match="no"):
            Asking(2, patience=20).get("a", lambda: (_ for _ in ()).throw(SpecError("no")))
