"""The Fine-tune page and what it asks the lab, over runs that were put into a store without training."""

import numpy as np
import pytest

from playground.errors import SpecError
from playground.lab import Lab
from playground.lab.outcomes import marks
from playground.recipes import RECIPES
from playground.records import Event, Progress, SavedModel
from playground.spec import changed, with_settings
from playground.spec.data import Digits, Mnist
from playground.spec.saved import Saved
from playground.spec.start import Continue, EvaluateOnly, FromScratch, HeadOnly, HeadThenAll
from playground.spec.tuning import tuned
from tests.desk import STARTING, experiment_of
from tests.runs import points_of, run_in
from tests.visit import button, errors, named, text, visit, whole

LOW, HIGH = Digits(classes=(0, 1, 2, 3, 4)), Digits(classes=(5, 6, 7, 8, 9))


@pytest.fixture
def base(store):
    """A finished run on the digits 0 to 4."""
    run = run_in(store, changed(experiment_of("digits"), data=LOW), Event.FINISH)
    return store.run(run.id)


def adapted(store, base, plan, *, seed=0, right=0.9, owner="", data=HIGH):
    """A finished run that adapts the base, and gets this share of the test examples right."""
    experiment = tuned(base.experiment, Saved(run=base.id), data, plan, seed=seed)
    run = store.create_run(experiment, owner=owner)
    _, lease = store.claim("a test", run_id=run.id)
    store.report(run.id, lease, Progress(step=60, total_steps=60, epoch=6), points=points_of(6))
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 5, 180)
    for name, share in (("predictions", right), ("predictions_before", 0.2)):
        predicted = np.where(np.arange(180) < share * 180, y_true, (y_true + 1) % 5)
        arrays = {"y_true_test": y_true, "y_score_test": np.eye(5)[predicted]}
        store.write_arrays(run.id, name, arrays, lease=lease)
    facts = {
        "before": {"test_accuracy": 0.2, "test_loss": 3.0},
        "old_task": {"before": {"test_accuracy": 0.95}, "after": {"test_accuracy": 0.40}},
        "weights_changed": [{"layer": "dense_1", "relative": 0.0}, {"layer": "output", "relative": 0.8}],
    }
    return store.apply(run.id, lease, Event.FINISH, scores={"test_accuracy": right, "test_loss": 0.3}, facts=facts)


def opened(at):
    """The page with the layers one by one."""
    at.session_state["tuning_layers"] = True
    return whole(at.run())


class TestChoosing:
    def test_runs_that_are_over_are_bases(self, lab: Lab, store, base):
        run_in(store, experiment_of("iris"))
        (found,) = lab.tuning.bases()
        assert found.saved == Saved(run=base.id)
        assert found.facts.class_names == tuple("01234")

    def test_the_proposal_can_be_trained(self, lab: Lab, store):
        for kind in ("moons", "iris", "diabetes", "digits"):
            short = with_settings(experiment_of(kind), ["training.epochs=1"])
            run_in(store, short, Event.FINISH)
            proposed = lab.tuning.propose(lab.tuning.bases()[0])
            assert "kept with its weights" in lab.tuning.fits(proposed)[0]

    def test_other_classes_replace_the_head(self, lab: Lab, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        (said,) = lab.tuning.fits(lab.tuning.with_data(proposed, HIGH))
        assert "knows 0, 1, 2, 3, 4; this data has 5, 6, 7, 8, 9: a new output layer" in said

    def test_other_sizes_are_named(self, lab: Lab, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        with pytest.raises(SpecError, match="inputs of 8×8×1, MNIST has 28×28×1"):
            lab.tuning.fits(lab.tuning.with_data(proposed, Mnist()))

    def test_examples_that_the_base_may_have_seen_are_said(self, lab: Lab, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        assert len(lab.tuning.fits(proposed)) == 1
        assert "may be among those" in lab.tuning.fits(changed(proposed, seed=1))[-1]
        assert len(lab.tuning.fits(changed(lab.tuning.with_data(proposed, HIGH), seed=1))) == 1

    def test_continue_goes_on_with_seed_and_optimizer_of_the_base(self, lab: Lab, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        other = with_settings(proposed, ["seed=5", "training.optimizer.learning_rate=0.5"])
        followed = lab.tuning.with_plan(other, Continue())
        assert followed.seed == base.experiment.seed
        assert followed.training.optimizer == base.experiment.training.optimizer
        lab.tuning.fits(followed)

    def test_continue_needs_the_newest_weights(self, lab: Lab, base):
        early = lab.tuning.propose(lab.tuning.base(Saved(run=base.id, epoch=1)))
        with pytest.raises(SpecError, match="only the newest weights"):
            lab.tuning.fits(lab.tuning.with_plan(early, Continue()))

    def test_models_of_the_library_are_bases(self, lab: Lab, store, base):
        card = SavedModel("", "My model", 0, "upload", "my.keras", base.experiment, lab.facts(base.experiment.data))
        model = store.add_model(card, {"v0": np.zeros(3)})
        found = lab.tuning.bases()[-1]
        assert found == lab.tuning.base(Saved(model=model.id))
        assert "kept with its weights" in lab.tuning.fits(lab.tuning.propose(found))[0]
        at = visit("fine_tune", model=model.id)
        assert "My model" in at.selectbox[0].format_func(at.selectbox[0].value)

    def test_two_stages_share_the_epochs(self, lab: Lab, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        few = with_settings(proposed, ["training.epochs=2"])
        assert lab.tuning.with_plan(few, HeadThenAll()).start.plan.head_epochs == 1

    def test_a_smaller_data_set_gets_a_smaller_batch(self, lab: Lab, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        small = lab.tuning.with_data(proposed, changed(HIGH, examples=30))
        assert small.training.batch_size == 16
        lab.tuning.fits(small)


class TestLaunching:
    def test_every_seed_and_its_control(self, lab: Lab, store, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        first = lab.tuning.launch(proposed, seeds=3, owner="me")
        runs = list(reversed(store.runs(owner="me")))
        assert runs[0] == first
        assert [run.experiment.seed for run in runs] == [0, 0, 1, 1, 2, 2]
        assert [run.experiment.start.plan.kind for run in runs] == ["head_then_all", "from_scratch"] * 3
        family = lab.outcomes.family(first)
        assert (len(family.seeds), len(family.controls), family.waiting) == (3, 3, 6)

    @pytest.mark.parametrize("plan", [EvaluateOnly(), FromScratch()])
    def test_what_needs_no_control_has_none(self, plan, lab: Lab, store, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        lab.tuning.launch(lab.tuning.with_plan(proposed, plan), owner="me")
        assert len(store.runs(owner="me")) == 1

    def test_what_does_not_fit_queues_nothing(self, lab: Lab, store, base):
        proposed = lab.tuning.propose(lab.tuning.base(Saved(run=base.id)))
        with pytest.raises(SpecError):
            lab.tuning.launch(lab.tuning.with_data(proposed, Mnist()), owner="me")
        assert store.runs(owner="me") == []


class TestOutcomes:
    def test_a_family_has_one_base_one_data_and_one_budget(self, lab: Lab, store, base):
        run = adapted(store, base, HeadThenAll())
        seed, control = adapted(store, base, HeadThenAll(), seed=1), adapted(store, base, FromScratch())
        other = adapted(store, base, HeadOnly())
        adapted(store, base, HeadThenAll(), data=changed(HIGH, examples=100))
        adapted(store, base, HeadThenAll(), owner="somebody else")
        family = lab.outcomes.family(run)
        assert [found.id for found in family.seeds] == [run.id, seed.id]
        assert [found.id for found in family.controls] == [control.id]
        assert [found.id for found in family.others] == [other.id]
        assert family.waiting == 0

    def test_a_family_is_followed_without_looking_for_it_again(self, lab: Lab, store, base):
        first = lab.tuning.launch(lab.tuning.propose(lab.tuning.base(Saved(run=base.id))), owner="me")
        family = lab.outcomes.family(first)
        store.request(first.id, stop=True)
        assert lab.outcomes.renewed(family).waiting == 1

    def test_one_seed_is_compared_over_test_examples(self, lab: Lab, store, base):
        run = adapted(store, base, HeadThenAll(), right=0.9)
        adapted(store, base, FromScratch(), right=0.6)
        answer = lab.outcomes.answer(lab.outcomes.family(run))
        assert (answer.before.before, answer.before.after) == pytest.approx((0.2, 0.9))
        assert (answer.scratch.before, answer.scratch.pairs) == (pytest.approx(0.6), 180)
        assert answer.scratch.helped

    def test_several_seeds_are_compared_over_seeds(self, lab: Lab, store, base):
        runs = [adapted(store, base, HeadThenAll(), seed=seed, right=0.9 + seed / 45) for seed in range(3)]
        for seed in range(3):
            adapted(store, base, FromScratch(), seed=seed, right=0.6)
        answer = lab.outcomes.answer(lab.outcomes.family(runs[1]))
        assert (answer.scratch.pairs, answer.scratch.over) == (3, "seeds")
        assert answer.scratch.after == pytest.approx(0.9 + 1 / 45)
        assert answer.scratch.helped

    def test_a_run_without_predictions_has_no_answer(self, lab: Lab, store, base):
        experiment = tuned(base.experiment, Saved(run=base.id), HIGH)
        run = run_in(store, experiment, Event.STOP)
        assert lab.outcomes.answer(lab.outcomes.family(run)).before is None

    def test_scores_of_the_new_and_the_old_task(self, lab: Lab, store, base):
        run = adapted(store, base, HeadThenAll())
        adapted(store, base, FromScratch(), right=0.6)
        assert lab.outcomes.scores(lab.outcomes.family(run), "accuracy") == {
            "New task": {"before": [0.2], "fine-tuned": [0.9], "from scratch": [0.6]},
            "Old task": {"before": [0.95], "fine-tuned": [0.4]},
        }

    def test_scores_are_named_by_what_the_plan_does(self, lab: Lab, store, base):
        scratch, judged = adapted(store, base, FromScratch(), right=0.6), adapted(store, base, EvaluateOnly(), data=LOW)
        assert lab.outcomes.scores(lab.outcomes.family(scratch), "accuracy")["New task"] == {
            "before": [0.2], "from scratch": [0.6],
        }  # fmt: skip
        assert "fine-tuned" not in lab.outcomes.scores(lab.outcomes.family(judged), "accuracy")["New task"]
        assert not visit("fine_tune", run=scratch.id).error
        assert not visit("fine_tune", run=judged.id).error

    def test_stages_are_marked_where_they_begin(self, base):
        two = tuned(base.experiment, Saved(run=base.id), plan=HeadThenAll(head_epochs=3))
        assert marks(two) == ((0.0, "Head only"), (3.0, "All layers"))
        assert marks(tuned(base.experiment, Saved(run=base.id), plan=Continue())) == ()


class TestPage:
    def test_without_runs_it_says_what_will_be_here(self):
        assert "Nothing to start from yet" in text(visit("fine_tune"))

    def test_the_watched_run_is_the_base(self, store, base):
        run_in(store, experiment_of("iris"), Event.FINISH)
        at = visit("fine_tune", run=base.id)
        assert "classes 0, 1, 2, 3, 4" in text(at)
        assert "output layer is kept" in text(at)
        assert not at.error

    def test_fine_tune_queues_a_run_and_its_control(self, store, base):
        at = visit("fine_tune", run=base.id)
        whole(button(at, "Fine-tune").click().run())
        control, run = store.runs(owner="me")
        assert run.experiment.start.base.run == base.id
        assert isinstance(control.experiment.start.plan, FromScratch)
        assert named(at, "run") == run.id
        assert "Head, then all" in text(at)
        whole(button(at, "Stop").click().run())
        assert all(run.status == "stopped" for run in store.runs(owner="me"))

    def test_other_classes_by_pills(self, store, base):
        at = visit("fine_tune", run=base.id)
        classes = next(group for group in at.get("button_group") if group.proto.label == "Classes")
        whole(classes.set_value(["5", "6", "7"]).run())
        assert "a new output layer" in text(at)
        assert store.draft(named(at, "draft")).data.classes == ("5", "6", "7")
        assert store.run(base.id).experiment.start is None

    @pytest.mark.parametrize("engine", ["ready", "starting"])
    def test_layers_are_marked_frozen_or_learning(self, engine, desk, base):
        if engine == "starting":
            desk.now = STARTING
        table = opened(visit("fine_tune", run=base.id)).dataframe[0].value
        assert table["Layer"].tolist() == ["flatten_1", "dense_1", "output"]
        assert table["Head only"].tolist() == ["–", "frozen", "learns"]
        assert table["All layers"].tolist() == ["–", "learns", "learns"]
        assert table["Parameters"].tolist() == (["0", "4,160", "325"] if engine == "ready" else ["–"] * 3)

    def test_chosen_layers_are_a_plan_of_their_own(self, store, base):
        at = opened(visit("fine_tune", run=base.id))
        layers = next(group for group in at.get("button_group") if group.proto.label == "Layers that learn")
        whole(layers.set_value(["dense_1"]).run())
        assert store.draft(named(at, "draft")).start.plan == HeadOnly(layers=("dense_1",))

    def test_data_that_does_not_fit_disables_the_button(self, store, base):
        at = visit("fine_tune", run=base.id)
        whole(next(box for box in at.selectbox if box.label == "Data set").set_value("mnist").run())
        assert "8×8×1" in errors(at)
        assert button(at, "Fine-tune").disabled

    @pytest.mark.parametrize("plan", ["head_only", "head_then_all", "continue", "from_scratch", "evaluate_only"])
    def test_every_plan_is_one_click(self, plan, store, base):
        at = visit("fine_tune", run=base.id)
        whole(at.radio[0].set_value(plan).run())
        assert not at.error
        whole(button(at, "Fine-tune").click().run())
        assert plan in [run.experiment.start.plan.kind for run in store.runs(owner="me")]

    def test_before_and_after(self, store, base):
        run = adapted(store, base, HeadThenAll())
        adapted(store, base, FromScratch(), right=0.6)
        adapted(store, base, HeadOnly(), right=0.7)
        at = visit("fine_tune", run=run.id)
        said = text(at)
        assert not at.error
        assert "**Fine-tuning beats the base model**: accuracy 90.0% against 20.0%" in said
        assert "**Fine-tuning beats training from scratch at the same budget**: accuracy 90.0% against 60.0%" in said
        assert "**The old task is partly forgotten**: test accuracy 95.0% before, 40.0% after." in said
        assert "output moved most, by 80.0% of its size. 1 layer stayed exactly as before." in said
        assert "Head only · test accuracy 70.0%" in said

    @pytest.mark.parametrize("is_trained", [True, False])
    def test_a_recipe_brings_its_base(self, is_trained, store):
        recipe = RECIPES["digits-0-4-to-5-9"]
        if is_trained:
            run_in(store, recipe.base, Event.FINISH)
        at = visit("home")
        whole(at.pills(key="subject").set_value("Learning from what was learned").run())
        whole(at.button(key="tune_digits-0-4-to-5-9").click().run())
        (base,) = store.runs()
        assert base.experiment == recipe.base
        assert store.draft(named(at, "draft")) == recipe.after(Saved(run=base.id))
        assert button(at, "Fine-tune").disabled is not is_trained
        assert ("The base model is trained first" in "".join(info.value for info in at.info)) is not is_trained

    def test_a_run_that_was_stopped_has_no_answer(self, store, base):
        run = run_in(store, tuned(base.experiment, Saved(run=base.id), HIGH), Event.STOP)
        at = visit("fine_tune", run=run.id)
        assert not at.error
        assert "ended before it could be judged" in text(at)

    def test_the_base_of_a_run_that_is_gone_is_said(self, store, base):
        run = adapted(store, base, HeadThenAll())
        store.delete_run(base.id)
        at = visit("fine_tune", run=run.id)
        assert at.error
