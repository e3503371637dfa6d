"""The learning rate on the page Build & train: schedule, preview, plateau, and the search for a rate."""

import numpy as np
import pytest

from playground.lab.finding import sweep_of
from playground.records import Event, Progress
from playground.spec import SCHEDULES, changed
from playground.spec.schedules import Constant, CosineDecay
from tests.desk import experiment_of
from tests.visit import button, errors, text, visit, whole


def choice(at, label):
    return next(box for box in at.selectbox if box.label == label)


def field(at, label):
    return next(box for box in at.number_input if box.label == label)


def swept(store, run, suggests: bool = True):
    """The run as a worker leaves it: a loss that falls around 0.01, or one that only wavers."""
    _, lease = store.claim("a test", run_id=run.id)
    rates = np.geomspace(1e-6, 10, 150)
    losses = 0.7 - 0.6 * suggests / (1 + (0.01 / rates) ** 2) + 0.001 * np.sin(np.arange(150))
    store.report(run.id, lease, Progress(step=150, total_steps=150, epoch=10.0))
    store.write_arrays(run.id, "sweep", {"rates": rates, "losses": losses}, lease=lease)
    return store.apply(run.id, lease, Event.FINISH, message="All 150 rates were tried.")


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.__name__)
def test_every_schedule_is_chosen_drawn_and_kept(schedule, store):
    draft = store.new_draft(experiment_of("iris"))
    at = visit("build", draft=draft)
    whole(choice(at, "Schedule").set_value(schedule.model_fields["kind"].default).run())
    assert store.draft(draft).training.schedule == schedule()
    assert len(at.get("vega_lite_chart")) >= (schedule is not Constant)
    assert not at.error


def test_the_preview_says_what_the_rate_does(store):
    experiment = experiment_of("iris")
    training = changed(experiment.training, schedule=CosineDecay(warmup_epochs=2, alpha=0.01))
    at = visit("build", draft=store.new_draft(changed(experiment, training=training)))
    assert "Rises to 0.001 over 2 epochs, then falls along a cosine to " in text(at)
    assert "at epoch 10." in text(at)


def test_a_schedule_that_reaches_zero_is_drawn_and_refused(store):
    draft = store.new_draft(experiment_of("iris"))
    at = visit("build", draft=draft)
    whole(choice(at, "Schedule").set_value("cosine").run())
    whole(field(at, "Shortened to (epochs)").set_value(5.0).run())
    assert "The learning rate falls to 0 at epoch 5 of 10." in text(at)
    assert "falls along a cosine" in text(at)
    whole(button(at, "Train").click().run())
    assert store.runs() == []
    assert "falls to 0" in text(at) + errors(at)


def test_reduce_on_plateau_is_switched_on_and_changed(store):
    draft = store.new_draft(experiment_of("iris"))
    at = visit("build", draft=draft)
    at.session_state["plateau"] = True
    whole(at.run())
    toggle = next(toggle for toggle in at.toggle if toggle.label == "Reduce on plateau")
    whole(toggle.set_value(True).run())
    assert store.draft(draft).training.reduce_on_plateau.monitor == "val_loss"
    whole(choice(at, "Monitor").set_value("val_accuracy").run())
    whole(field(at, "Patience").set_value(3).run())
    plateau = store.draft(draft).training.reduce_on_plateau
    assert (plateau.monitor, plateau.patience) == ("val_accuracy", 3)


class TestSearch:
    def test_it_is_a_run_of_its_own_that_the_page_does_not_watch(self, store):
        experiment = experiment_of("iris")
        at = visit("build", draft=store.new_draft(experiment))
        whole(button(at, "Find rate").click().run())
        (run,) = store.runs()
        assert run.experiment == sweep_of(experiment)
        assert run.experiment.name == "Learning-rate search of My iris"
        assert "run" not in at.query_params
        at = whole(at.run())
        assert "Waiting for its turn." in text(at)
        assert button(at, "Find rate").disabled

    def test_what_it_suggests_is_used_with_one_press(self, store):
        draft = store.new_draft(experiment_of("iris"))
        at = visit("build", draft=draft)
        whole(button(at, "Find rate").click().run())
        swept(store, store.runs()[0])
        at = whole(at.run())
        assert "falls most steeply at a learning rate of" in text(at)
        use = next(button for button in at.button if button.label.startswith("Use "))
        whole(use.click().run())
        rate = store.draft(draft).training.optimizer.learning_rate
        assert 0.003 < rate < 0.03
        assert use.label == f"Use {rate:g}"
        at = whole(at.run())
        assert button(at, use.label).disabled

    def test_no_suggestion_is_said(self, store):
        at = visit("build", draft=store.new_draft(experiment_of("iris")))
        whole(button(at, "Find rate").click().run())
        swept(store, store.runs()[0], suggests=False)
        at = whole(at.run())
        assert "never fell clearly" in text(at)
        assert not [button for button in at.button if button.label.startswith("Use ")]

    def test_another_network_makes_its_result_disappear(self, store):
        at = visit("build", draft=store.new_draft(experiment_of("iris")))
        whole(button(at, "Find rate").click().run())
        swept(store, store.runs()[0])
        at = whole(at.run())
        assert "falls most steeply" in text(at)
        whole(field(at, "Units").set_value(7).run())
        at = whole(at.run())
        assert "falls most steeply" not in text(at)

    def test_one_that_ended_before_it_began_says_so(self, store):
        at = visit("build", draft=store.new_draft(experiment_of("iris")))
        whole(button(at, "Find rate").click().run())
        run, lease = store.claim("a test", run_id=store.runs()[0].id)
        store.apply(run.id, lease, Event.FAIL, message="The memory was not enough.")
        assert "The search ended without a result. The memory was not enough." in text(whole(at.run()))

    def test_its_weights_are_offered_nowhere(self, store, lab):
        at = visit("build", draft=store.new_draft(experiment_of("iris")))
        whole(button(at, "Find rate").click().run())
        swept(store, store.runs()[0])
        assert lab.library.models() == []
        assert lab.tuning.bases() == []
        assert "Nothing to look into yet" in text(visit("gradients"))
        assert "Learning-rate search of My iris" in visit("runs").dataframe[0].value["Name"].tolist()
