"""Every page through AppTest, over a real store: empty, and with runs in every state."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import AttributeDictionary

from playground.errors import NotFound
from playground.lab import edits
from playground.lab.play import PLAY
from playground.recipes import RECIPES, SECTIONS
from playground.records import Event, RunStatus
from playground.spec import LAYERS, with_settings
from playground.ui import navigation
from tests.desk import STARTING, experiment_of
from tests.runs import run_in
from tests.visit import button, errors, named, shown_live, text, visit, whole

PAGES = [place.name for place in navigation.PLACES]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("engine", ["ready", "starting"])
def test_an_empty_store_is_no_error(page, engine, desk):
    if engine == "starting":
        desk.now = STARTING
    at = visit(page)
    assert not at.error
    assert f"Engine {engine}" in text(at)


STATES = (None, Event.FINISH, Event.STOP, Event.FAIL, Event.LOSE)


@pytest.mark.parametrize("page", PAGES)
def test_runs_in_every_state(page, store):
    runs = [run_in(store, experiment_of(kind), ended) for ended in STATES for kind in ("moons", "diabetes", "digits")]
    at = visit(page, run=runs[0].id)
    assert not at.error


@pytest.mark.parametrize("ended", STATES)
@pytest.mark.parametrize("kind", ["moons", "diabetes", "digits"])
def test_a_run_is_shown_as_it_is(kind, ended, store):
    run = run_in(store, experiment_of(kind), ended)
    at = visit("build", run=run.id)
    assert not at.error
    assert run.status.value in text(at)
    _, frame = shown_live(at, "head")
    assert (frame["run"]["epoch"], frame["run"]["epochs"]) == (6, 10)


class TestHome:
    def test_every_recipe_has_a_card_under_its_subject(self):
        at = visit("home")
        for subject, recipes in SECTIONS.items():
            whole(at.pills(key="subject").set_value(subject).run())
            shown = {name for name in RECIPES if any(one.key in {f"train_{name}", f"tune_{name}"} for one in at.button)}
            assert shown == {recipe.name for recipe in recipes}
            assert all(recipe.title in text(at) for recipe in recipes)

    def test_without_a_subject_every_recipe_is_shown(self):
        at = visit("home")
        whole(at.pills(key="subject").set_value(None).run())
        assert all(recipe.title in text(at) for recipe in RECIPES.values())

    def test_play_starts_a_run_at_once(self, store):
        at = visit("home")
        whole(button(at, "Play").click().run())
        (run,) = store.runs()
        assert run.experiment == PLAY
        assert named(at, "run") == run.id
        assert named(at, "draft") == run.draft
        assert at.get("bidi_component")

    def test_open_puts_a_recipe_on_the_bench(self, store):
        at = visit("home")
        whole(at.pills(key="subject").set_value("Small data, no download").run())
        whole(at.button(key="open_iris").click().run())
        assert store.runs() == []
        assert store.draft(named(at, "draft")) == RECIPES["iris"].experiment

    def test_recent_runs_have_a_card(self, store):
        run_in(store, experiment_of("iris"), Event.FINISH)
        at = visit("home")
        assert "Recent runs" in text(at)
        assert "test accuracy 90.0%" in text(at)


class TestBuild:
    def test_shapes_stand_beside_the_layers(self, store):
        at = visit("build", draft=store.new_draft(experiment_of("iris")))
        assert "**Dense** :gray[:small[→ 64 · 320 parameters]]" in text(at)
        assert "**515** parameters" in text(at)

    def test_edits_are_kept_and_taken_back(self, store):
        draft = store.new_draft(experiment_of("iris"))
        at = visit("build", draft=draft)
        whole(units(at).set_value(7).run())
        assert store.draft(draft).model.layers[0].units == 7
        assert "→ 7 · 35 parameters" in text(at)
        whole(button(at.run(), "Undo").click().run())
        whole(at.run())
        assert store.draft(draft).model.layers[0].units == 64
        assert units(at).value == 64

    def test_a_shared_experiment_forks_at_the_first_edit(self, store):
        shared = store.share(experiment_of("iris"))
        at = visit("build", experiment=shared)
        assert "draft" not in at.query_params
        whole(units(at).set_value(7).run())
        assert "experiment" not in at.query_params
        assert store.shared(shared).model.layers[0].units == 64
        assert store.draft(named(at, "draft")).model.layers[0].units == 7

    def test_a_run_of_others_can_be_watched_and_forks_too(self, store):
        run = run_in(store, experiment_of("iris"), owner="teacher", draft=store.new_draft(experiment_of("iris")))
        at = visit("build", run=run.id)
        assert button(at, "Stop").disabled
        whole(units(at).set_value(7).run())
        assert named(at, "draft") != run.draft
        assert store.draft(run.draft).model.layers[0].units == 64

    def test_another_session_sees_the_same_draft(self, store):
        draft = store.new_draft(experiment_of("iris"))
        whole(units(visit("build", draft=draft)).set_value(7).run())
        assert units(visit("build", draft=draft)).value == 7

    @pytest.mark.parametrize("name", ["draft", "experiment", "run"])
    def test_a_dead_link_is_said(self, name):
        at = visit("build", **{name: "nothing"})
        assert at.warning
        assert not at.error

    def test_another_data_set_brings_what_fits(self, store):
        draft = store.new_draft(experiment_of("moons"))
        at = visit("build", draft=draft)
        whole(choice(at, "Data set").set_value("digits").run())
        edited = store.draft(draft)
        assert [layer.kind for layer in edited.model.layers] == ["Flatten", "Dense"]
        assert edited.training.loss.kind == "sparse_categorical_crossentropy"
        assert at.get("image")

    @pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.__name__)
    def test_every_layer_can_be_added(self, layer, store):
        draft = store.new_draft(experiment_of("moons"))
        at = visit("build", draft=draft)
        whole(button(at, layer.label).click().run())
        assert [one.kind for one in store.draft(draft).model.layers].count(layer.__name__) >= 1

    def test_layers_move_and_go(self, store):
        draft = store.new_draft(edits.add_layer(experiment_of("moons"), "Dropout"))
        at = visit("build", draft=draft)
        whole(button(at, "Move down Dense").click().run())
        assert [layer.kind for layer in store.draft(draft).model.layers] == ["Dropout", "Dense"]
        whole(button(at, "Remove Dropout").click().run())
        assert [layer.kind for layer in store.draft(draft).model.layers] == ["Dense"]

    def test_an_error_stands_under_its_layer(self, store):
        digits = experiment_of("digits")
        at = visit("build", draft=store.new_draft(edits.remove_layer(digits, digits.model.layers[0].id)))
        assert "Layer 1 (Dense) receives a picture. Add a Flatten layer before it." in errors(at)
        whole(button(at, "Train").click().run())
        assert errors(at).count("Add a Flatten layer") == 2  # and once beside the button
        assert store.runs() == []

    def test_what_the_spec_refuses_is_said_in_place(self, store):
        draft = store.new_draft(edits.with_optimizer_kind(experiment_of("iris"), "SGD"))
        at = visit("build", draft=draft)
        momentum = next(field for field in at.number_input if field.label == "Momentum")
        whole(momentum.set_value(1.0).run())
        assert "less than 1; it is 1.0." in text(at)
        assert store.draft(draft).training.optimizer.momentum == 0

    def test_a_batch_larger_than_the_data(self, store):
        at = visit("build", draft=store.new_draft(experiment_of("iris")))
        whole(choice(at, "Batch size").set_value("1024").run())
        assert "larger than the 96 training examples" in errors(at)

    def test_folded_options_appear_when_opened(self, store):
        draft = store.new_draft(experiment_of("moons"))
        at = visit("build", draft=draft)
        at.session_state["data_more"] = at.session_state["training_more"] = True
        whole(at.run())
        noise = next(field for field in at.number_input if field.label == "Noise")
        whole(noise.set_value(0.3).run())
        assert store.draft(draft).data.noise == 0.3
        samples = next(field for field in at.number_input if field.label == "Samples")
        whole(samples.set_value(30).run())
        assert store.draft(draft).training.batch_size == 16  # the batch follows the data
        assert choice(at, "Batch size").value == 16
        execution = next(box for box in at.selectbox if box.label == "Execution")
        whole(execution.set_value("plain").run())
        assert store.draft(draft).training.execution == "plain"

    def test_no_layers(self, store):
        at = visit("build", draft=store.new_draft(edits.with_layers(experiment_of("iris"), [])))
        assert "The network has no layers." in errors(at)

    def test_loss_and_optimizer(self, store):
        draft = store.new_draft(experiment_of("iris"))
        at = visit("build", draft=draft)
        whole(choice(at, "Optimizer").set_value("SGD").run())
        assert store.draft(draft).training.optimizer.learning_rate == 0.01
        whole(choice(at.run(), "Loss").set_value("categorical_crossentropy").run())
        metrics = next(group for group in at.run().get("button_group") if group.proto.label == "Metrics")
        whole(metrics.set_value(["recall"]).run())
        assert store.draft(draft).training.metrics == ("recall",)

    def test_train_stop_and_start_again(self, store):
        at = visit("build", draft=store.new_draft(experiment_of("iris")))
        whole(button(at, "Train").click().run())
        (run,) = store.runs()
        assert named(at, "run") == run.id
        whole(button(at, "Stop").click().run())
        assert store.run(run.id).status is RunStatus.STOPPED
        assert button(at, "Stop").disabled
        whole(button(at, "Resume").click().run())
        assert store.run(run.id).status is RunStatus.QUEUED

    def test_an_interrupted_run_says_where(self, store):
        run = run_in(store, experiment_of("iris"), Event.LOSE)
        at = visit("build", run=run.id)
        says = shown_live(at, "head")[1]["run"]["says"]
        assert says.startswith("Interrupted at epoch 6 of 10. Its worker is gone.")
        assert button(at, "Resume")

    def test_a_finished_run_goes_on(self, store):
        run = run_in(store, experiment_of("iris"), Event.FINISH)
        at = visit("build", run=run.id)
        whole(button(at, "10 more epochs").click().run())
        assert store.run(run.id).experiment.training.epochs == 20

    def test_the_engine_may_come_later(self, desk, store):
        ready, desk.now = desk.now, STARTING
        at = visit("build", draft=store.new_draft(experiment_of("digits")))
        assert "Shapes and parameters appear when it is ready." in text(at)
        desk.now = ready
        assert "→ 64 ·" in text(whole(at.run()))

    def test_an_unknown_fault_shows_a_code_and_no_traceback(self, desk, caplog):
        desk.ask = lambda *args, **kwargs: 1 / 0
        at = visit("build")
        assert re.search(r"the code [0-9a-f]{6}\.", errors(at))
        assert "division" not in text(at)
        assert "ZeroDivisionError" in caplog.text


class TestEvaluate:
    def test_classes(self, store):
        at = visit("evaluate", run=run_in(store, experiment_of("iris"), Event.FINISH).id)
        assert {metric.label for metric in at.metric} == {"Accuracy", "Precision", "Recall", "F1", "AUC"}
        assert at.get("plotly_chart")
        assert at.get("vega_lite_chart")
        assert len(at.dataframe[0].value) == 3 + 3

    def test_threshold(self, store):
        at = visit("evaluate", run=run_in(store, experiment_of("breast_cancer"), Event.FINISH).id)
        recalls = []
        for threshold in (0.05, 0.95):
            whole(at.slider[0].set_value(threshold).run())
            recalls.append(at.dataframe[0].value["Recall"][1])
        assert recalls[0] > recalls[1]

    def test_splits(self, store):
        at = visit("evaluate", run=run_in(store, experiment_of("iris"), Event.FINISH).id)
        assert at.dataframe[0].value["Examples"].iloc[-1] == 30
        whole(at.get("button_group")[0].set_value("validation").run())
        assert at.dataframe[0].value["Examples"].iloc[-1] == 24

    def test_numbers(self, store):
        at = visit("evaluate", run=run_in(store, experiment_of("diabetes"), Event.FINISH).id)
        assert {metric.label for metric in at.metric} == {"Mean absolute error", "Root mean squared error", "R²"}

    def test_another_run_can_be_chosen(self, store):
        first = run_in(store, experiment_of("iris"), Event.FINISH)
        second = run_in(store, experiment_of("wine"), Event.FINISH)
        at = visit("evaluate", run=first.id)
        whole(choice(at, "Run").set_value(second.id).run())
        assert named(at, "run") == second.id
        assert "grower 1" in list(at.dataframe[0].value["Class"])

    def test_a_live_run_says_when(self, store):
        at = visit("evaluate", run=run_in(store, experiment_of("iris")).id)
        assert "still training" in text(at)


class TestRuns:
    def chosen(self, at, *rows):
        at.session_state["runs_table"] = AttributeDictionary(
            {"selection": AttributeDictionary({"rows": list(rows), "columns": [], "cells": []})}
        )
        return whole(at.run())

    def test_the_table(self, store):
        run_in(store, experiment_of("iris"), Event.FINISH)
        run_in(store, experiment_of("moons"))
        table = visit("runs").dataframe[0].value
        assert list(table["State"]) == ["running", "done"]
        assert list(table["Score"]) == ["", "test accuracy 90.0%"]
        assert len(table["Loss"][0]) == 6

    def test_filters(self, store):
        run_in(store, experiment_of("iris"), Event.FINISH)
        run_in(store, experiment_of("moons"))
        at = visit("runs")
        whole(at.get("button_group")[0].set_value([RunStatus.DONE]).run())
        assert list(at.dataframe[0].value["Name"]) == ["My iris"]
        whole(at.text_input[0].set_value("wine").run())
        assert "No run passes these filters." in text(at)

    def test_start_again(self, store):
        run = run_in(store, experiment_of("iris"), Event.FINISH)
        at = self.chosen(visit("runs"), 0)
        whole(button(at, "Start again").click().run())
        again = store.runs()[0]
        assert (again.id != run.id, again.experiment, again.status) == (True, run.experiment, RunStatus.QUEUED)

    def test_delete_asks_first(self, store):
        run = run_in(store, experiment_of("iris"), Event.FINISH)
        at = self.chosen(visit("runs"), 0)
        whole(button(at, "Delete").click().run())
        assert store.run(run.id)
        whole(at.button(key="confirm_delete").click().run())
        with pytest.raises(NotFound):
            store.run(run.id)

    def test_what_runs_cannot_be_deleted(self, store):
        run_in(store, experiment_of("iris"))
        at = self.chosen(visit("runs"), 0)
        assert button(at, "Delete").disabled

    def test_fifty_runs(self, store):
        for _ in range(50):
            run_in(store, with_settings(experiment_of("iris"), ["name=one of many"]), Event.FINISH)
        assert len(visit("runs").dataframe[0].value) == 50


def units(at: AppTest):
    """The field for the units of the first Dense layer."""
    return next(field for field in at.number_input if field.label == "Units")


def choice(at: AppTest, label: str):
    """A selectbox by its label."""
    return next(box for box in at.selectbox if box.label == label)
