"""Stop rules and care on the page Build & train."""

import pytest

from playground.spec import LAYERS, OPTIMIZERS, with_settings
from playground.spec.optimizers import CARE
from playground.spec.stopping import STOP_RULES, EarlyStopping, StopAtScore
from tests.desk import experiment_of
from tests.visit import text, visit, whole


def control(at, kind: str, label: str):
    return next(box for box in getattr(at, kind) if box.label == label)


def labels(at) -> set[str]:
    return {box.label for kind in ("selectbox", "number_input", "toggle", "select_slider") for box in getattr(at, kind)}


@pytest.fixture
def draft(store) -> str:
    return store.new_draft(experiment_of("iris"))


def opened(draft: str, part: str):
    at = visit("build", draft=draft)
    at.session_state[part] = True
    return whole(at.run())


@pytest.mark.parametrize("rule", STOP_RULES, ids=lambda rule: rule.__name__)
def test_every_rule_is_switched_on_shows_its_fields_and_goes(rule, draft, store):
    at = opened(draft, "stop_rules")
    whole(control(at, "toggle", rule.label).set_value(True).run())
    (kept,) = store.draft(draft).training.stop_rules
    assert type(kept) is rule
    titles = {field.title for name, field in rule.model_fields.items() if name not in ("kind", "monitor")}
    assert titles <= labels(at)
    whole(control(at, "toggle", rule.label).set_value(False).run())
    assert store.draft(draft).training.stop_rules == ()


def test_a_rule_watches_what_the_training_reports(draft, store):
    at = opened(draft, "stop_rules")
    whole(control(at, "toggle", "Early stopping").set_value(True).run())
    watched = control(at, "selectbox", "Watched score")
    assert watched.options == ["Validation loss", "Validation accuracy", "Loss", "Accuracy"]
    whole(watched.set_value("val_accuracy").run())
    whole(control(at, "number_input", "Patience").set_value(3).run())
    assert store.draft(draft).training.stop_rules == (EarlyStopping(monitor="val_accuracy", patience=3),)


def test_without_an_accuracy_a_threshold_is_one_of_the_loss(store):
    draft = store.new_draft(with_settings(experiment_of("iris"), ["training.metrics=[]"]))
    at = opened(draft, "stop_rules")
    whole(control(at, "toggle", "Stop at score").set_value(True).run())
    assert store.draft(draft).training.stop_rules == (StopAtScore(monitor="val_loss", threshold=0.1),)


def test_one_way_of_clipping_is_chosen_at_a_time(draft, store):
    at = opened(draft, "care")
    whole(control(at, "selectbox", "Gradient clipping").set_value("clipnorm").run())
    whole(control(at, "number_input", "Clip each norm").set_value(0.5).run())
    assert store.draft(draft).training.optimizer.clipnorm == 0.5
    whole(control(at, "selectbox", "Gradient clipping").set_value("global_clipnorm").run())
    optimizer = store.draft(draft).training.optimizer
    assert (optimizer.clipnorm, optimizer.global_clipnorm) == (None, 1.0)
    whole(control(at, "selectbox", "Gradient clipping").set_value("").run())
    assert store.draft(draft).training.optimizer.global_clipnorm is None


def test_classes_are_balanced_or_given_numbers(draft, store):
    at = opened(draft, "care")
    whole(control(at, "selectbox", "Class weights").set_value("balanced").run())
    assert store.draft(draft).training.class_weight == "balanced"
    assert "The training loss is weighted" in text(at)
    whole(control(at, "selectbox", "Class weights").set_value("own numbers").run())
    whole(control(at, "number_input", "Weight of versicolor").set_value(2.5).run())
    assert store.draft(draft).training.class_weight == (1.0, 2.5, 1.0)
    whole(control(at, "selectbox", "Class weights").set_value("none").run())
    assert store.draft(draft).training.class_weight is None


def test_averages_smoothing_precision_and_starting_weights_are_set(draft, store):
    at = opened(draft, "care")
    whole(control(at, "toggle", "Average the weights").set_value(True).run())
    whole(control(at, "number_input", "Momentum of the average").set_value(0.9).run())
    whole(control(at, "number_input", "Label smoothing").set_value(0.1).run())
    whole(control(at, "selectbox", "Precision").set_value("mixed_float16").run())
    assert "16 bits are usually slower" in text(at)
    whole(control(at, "select_slider", "Starting weights ×").set_value(2.0).run())
    experiment = store.draft(draft)
    training = experiment.training
    assert (training.optimizer.use_ema, training.optimizer.ema_momentum) == (True, 0.9)
    assert (training.loss.label_smoothing, training.precision) == (0.1, "mixed_float16")
    assert experiment.model.weight_scale == 2.0


def test_a_regression_has_no_class_weights(store):
    at = opened(store.new_draft(experiment_of("diabetes")), "care")
    assert "Class weights" not in labels(at)
    assert "Gradient clipping" in labels(at)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.__name__)
def test_no_control_stands_twice(optimizer, store):
    kind = optimizer.model_fields["kind"].default
    at = visit(
        "build", draft=store.new_draft(with_settings(experiment_of("iris"), [f"training.optimizer.kind={kind}"]))
    )
    for part in ("care", "training_more", "stop_rules"):
        at.session_state[part] = True
    whole(at.run())
    boxes = [box.label for name in ("selectbox", "number_input", "toggle") for box in getattr(at, name)]
    for name in CARE:
        title = optimizer.model_fields[name].title
        assert boxes.count(title) <= 1, title


def test_the_kernel_of_every_layer_that_has_one_has_its_care():
    care = {"kernel_gain", "l1", "l2"}
    for layer in LAYERS:
        assert ("kernel_initializer" in layer.model_fields) == (care <= set(layer.model_fields))
