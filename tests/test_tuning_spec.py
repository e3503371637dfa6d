"""Plans, the experiment that adapts a base, and what is refused before anything runs; no Keras."""

import re
from pathlib import Path

import pytest

import playground.spec.start as start_room
from playground import data
from playground.errors import LayerError, SpecError
from playground.recipes import recipe
from playground.spec import Experiment, changed, check, parse_experiment, with_settings
from playground.spec.data import Digits, FashionMnist, Iris, Mnist
from playground.spec.saved import Saved
from playground.spec.start import TUNING, Continue, EvaluateOnly, FromScratch, HeadOnly, HeadThenAll
from playground.spec.tuning import check_base, keeps_head, layers_with_weights, may_have_seen, stages, tuned

CNN = recipe("fashion-mnist-cnn").experiment
SAVED = Saved(run="base")
LEARNING = ("conv2d_1", "batchnormalization_1", "conv2d_2", "dense_1", "output")


def refused(experiment: Experiment, base: Experiment = CNN) -> SpecError:
    def check_all() -> None:
        facts, base_facts = data.describe(experiment.data), data.describe(base.data)
        check(experiment, facts)
        check_base(experiment, facts, base, base_facts)

    with pytest.raises(SpecError) as caught:
        check_all()
    return caught.value


def test_the_layers_that_can_learn_are_those_with_weights() -> None:
    assert layers_with_weights(CNN) == LEARNING


@pytest.mark.parametrize("plan", TUNING, ids=lambda plan: plan.__name__)
def test_every_plan_is_written_to_json_and_read_back(plan: type) -> None:
    experiment = tuned(CNN, SAVED, plan=plan())
    assert parse_experiment(experiment.dumps()) == experiment
    assert plan.label
    assert plan.help.endswith(".")


def test_the_stages_of_each_plan() -> None:
    def learning(plan: start_room.TuningPlan) -> list[tuple[str, ...]]:
        return [stage.layers for stage in stages(tuned(CNN, SAVED, plan=plan))]

    assert learning(HeadOnly()) == [("output",)]
    assert learning(HeadOnly(last=3)) == [LEARNING[-3:]]
    assert learning(HeadOnly(layers=("dense_1", "conv2d_1"))) == [("conv2d_1", "dense_1")]
    assert learning(HeadThenAll()) == [("output",), LEARNING]
    assert learning(Continue()) == learning(FromScratch()) == [LEARNING]
    assert learning(EvaluateOnly()) == [()]
    assert [stage.layers for stage in stages(CNN)] == [LEARNING]


def test_a_plan_is_one_class() -> None:
    """The example of CONTRIBUTING, as it stands there."""
    document = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = document.partition("## Add a fine-tuning plan")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names = dict(vars(start_room))
    exec(block, names)
    found = names["Gradual"](each=2).stages(("a", "b", "output"))
    assert [(stage.layers, stage.epochs) for stage in found] == [
        (("output",), 2), (("b", "output"), 2), (("a", "b", "output"), None),
    ]  # fmt: skip


def test_a_tuned_experiment_has_the_layers_of_its_base_and_an_output_for_its_data() -> None:
    wide = with_settings(CNN, ["model.output.units=12", "training.stop_at_loss=0.1"])
    experiment = tuned(wide, SAVED, Mnist(classes=(1, 2, 3)), seed=7, epochs=4, name="Three digits")
    assert experiment.model.layers == wide.model.layers
    assert experiment.model.output.units is None
    assert (experiment.seed, experiment.training.epochs, experiment.name) == (7, 4, "Three digits")
    assert experiment.training.stop_at_loss is None
    assert experiment.training.optimizer == wide.training.optimizer
    assert tuned(wide, SAVED, plan=Continue()).training == wide.training
    assert tuned(wide, SAVED).model == wide.model


def test_a_loss_that_does_not_fit_the_task_is_replaced() -> None:
    points = recipe("two-moons").experiment
    assert tuned(points, SAVED, Iris()).training.loss.kind == "sparse_categorical_crossentropy"
    assert tuned(points, SAVED, Iris()).training.metrics == ("accuracy",)


def test_the_output_layer_is_kept_where_the_classes_are_the_same() -> None:
    digits, mnist, clothes = (data.describe(spec) for spec in (Digits(), Mnist(), FashionMnist()))
    auto, keep, replace = (tuned(CNN, SAVED, head=head).start for head in ("auto", "keep", "replace"))
    assert auto
    assert keep
    assert replace
    assert keeps_head(auto, digits, mnist)
    assert not keeps_head(auto, digits, clothes)
    assert keeps_head(keep, digits, clothes)
    assert not keeps_head(replace, digits, digits)


@pytest.mark.parametrize(
    ("experiment", "where", "said"),
    [
        (tuned(CNN, SAVED, Digits()), "data", "takes inputs of 28×28×1, Digits 8×8 has 8×8×1"),
        (tuned(CNN, SAVED, Iris()), "", "needs a picture, but receives a vector"),
        (tuned(CNN, SAVED, plan=HeadOnly(layers=("flatten_1",))), "start.plan.layers", "'flatten_1' has no weights"),
        (tuned(CNN, SAVED, plan=HeadOnly(layers=("nose",))), "start.plan.layers", "'nose' is none of this network's"),
        (tuned(CNN, SAVED, plan=HeadThenAll(head_epochs=5)), "start.plan", "Head only would take 5 of 5 epochs"),
        (tuned(CNN, SAVED, Mnist(), Continue()), "start.plan", "Continue needs the output layer as it is"),
        (tuned(CNN, SAVED, plan=Continue(), seed=1), "seed", r"seed of the base model \(0\), and this .* has 1"),
        (tuned(CNN, SAVED, Mnist(classes=(0, 1)), head="keep"), "start.head", "has 10 units, this data .* need 2"),
        (
            with_settings(tuned(CNN, SAVED, plan=Continue()), ["training.optimizer.beta_1=0.5"]),
            "training.optimizer",
            r"optimizer of the base model \(Adam\) and its settings",
        ),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_said_in_one_sentence(experiment: Experiment, where: str, said: str) -> None:
    error = refused(experiment)
    assert re.search(said, str(error)), str(error)
    assert error.where == where or isinstance(error, LayerError)


def test_layers_that_differ_are_named() -> None:
    wider = with_settings(tuned(CNN, SAVED), ["model.layers.3.filters=65"])
    assert "Layer 4 (conv2d_2) differs from the base model's" in str(refused(wider))
    shorter = changed(CNN, model=changed(CNN.model, layers=CNN.model.layers[:-1]))
    assert "has 7 layers before its output, the base model 8" in str(refused(tuned(shorter, SAVED)))


def test_a_base_may_have_seen_test_examples_only_where_the_same_data_is_split_anew() -> None:
    def seen(ours: Experiment, theirs: Experiment) -> bool:
        return may_have_seen(ours, data.describe(ours.data), theirs, data.describe(theirs.data))

    digits = recipe("digits-cnn").experiment
    low, high, all_but_one = (
        changed(digits, data=Digits(classes=classes)) for classes in ((0, 1), (5, 6), tuple(range(1, 10)))
    )
    assert not seen(digits, digits)
    assert not seen(changed(high, seed=1), low)
    assert seen(digits, low)
    assert seen(low, all_but_one)
    assert seen(changed(digits, seed=1), digits)
    assert not seen(changed(digits, data=Digits(examples=300)), digits)
    assert not seen(changed(CNN, seed=1), CNN)


def test_an_experiment_without_a_start_keeps_its_fingerprint() -> None:
    assert Experiment().fingerprint() == "1318817a3c5f4ad4"
    assert tuned(CNN, SAVED).fingerprint() != CNN.fingerprint()
