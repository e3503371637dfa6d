"""The page Try it through AppTest: every family of data, every source of an input, and what is wrong with one."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from playground import data
from playground.records import Event
from playground.spec import Experiment
from playground.ui import navigation
from tests.desk import STARTING, Desk, experiment_of
from tests.runs import run_in
from tests.visit import text, visit, whole

THREE = [[[300, 250], [450, 150], [620, 200], [480, 470], [660, 550], [680, 750], [500, 870], [300, 780]]]


def try_page(store, kind: str) -> tuple[AppTest, Experiment]:
    run = run_in(store, experiment_of(kind), Event.FINISH)
    return visit("try_it", run=run.id), run.experiment


def source(at: AppTest, name: str) -> AppTest:
    """The page with another source of input."""
    control = next(group for group in at.get("button_group") if group.proto.label == "Input")
    return whole(control.set_value(name).run())


def metrics(at: AppTest) -> dict[str, str]:
    assert not at.error, at.error[0].value
    return {metric.label: str(metric.value) for metric in at.metric}


@pytest.mark.parametrize("kind", ["digits", "moons", "iris", "breast_cancer", "diabetes"])
def test_an_example_is_told_and_compared(store, kind):
    at, experiment = try_page(store, kind)
    if kind != "digits":
        at = source(at, "An example")
    facts = data.describe(experiment.data)
    target = data.load(experiment.data, experiment.seed, ()).y_test[0]
    said = metrics(at)
    if facts.class_names:
        assert said["Prediction"] in facts.class_names
        assert said["Truth"].startswith(facts.class_names[int(target)])
        assert said["Truth"].endswith("right") == (said["Prediction"] == facts.class_names[int(target)])
    else:
        assert float(said["Prediction"]) - float(said["Truth"]) == pytest.approx(float(said["Error"]), abs=1)
    assert "Nearest training examples" in text(at)


@pytest.mark.parametrize("kind", ["moons", "iris", "diabetes"])
def test_sliders_stand_at_an_example_and_move_the_prediction(store, kind):
    at, experiment = try_page(store, kind)
    facts = data.describe(experiment.data)
    sliders = [slider for slider in at.slider if slider.label in facts.feature_names]
    assert [slider.label for slider in sliders] == list(facts.feature_names)
    before = metrics(at)
    for slider in sliders:
        slider.set_value(slider.max)
    assert metrics(whole(at.run())) != before


def test_a_drawing_is_told(store):
    at, _ = try_page(store, "digits")
    at = source(at, "Draw")
    assert "as soon as it has an input" in text(at)
    pad = at.get("bidi_component")[0]
    assert pad.proto.component_name == "playground.pad"
    at.session_state["input.digits.pad"] = {"strokes": THREE}
    said = metrics(whole(at.run()))
    assert said["Prediction"] == "3"
    assert "Truth" not in said


def test_a_drawing_that_is_none_is_refused_in_words(store):
    at, _ = try_page(store, "digits")
    at = source(at, "Draw")
    at.session_state["input.digits.pad"] = {"strokes": [["somewhere"]]}
    assert "Clear the pad" in whole(at.run()).error[0].value


def test_a_drawing_is_still_there_after_another_page(store):
    at, _ = try_page(store, "digits")
    at = source(at, "Draw")
    at.session_state["input.digits.pad"] = {"strokes": THREE}
    at.run()
    whole(at.switch_page("../../pages/home.py").run())
    at = whole(at.switch_page("../../pages/try_it.py").run())
    assert metrics(at)["Prediction"] == "3"


def test_an_upload_is_told_and_a_broken_one_refused(store):
    at, _ = try_page(store, "digits")
    at = source(at, "Upload")
    paper = np.full((90, 60), 250, np.uint8)
    paper[10:80, 25:35] = 5
    buffer = io.BytesIO()
    Image.fromarray(paper).save(buffer, "PNG")
    at = whole(at.file_uploader[0].upload("one.png", buffer.getvalue(), "image/png").run())
    assert "Prediction" in metrics(at)
    assert "turned to its negative" in text(at)
    at = whole(at.file_uploader[0].upload("cut.png", buffer.getvalue()[:60], "image/png").run())
    assert "damaged" in at.error[0].value


def test_one_network_alone_has_no_chooser(store):
    run = run_in(store, experiment_of("iris"), Event.FINISH)
    alone = visit("try_it", run=run.id)
    assert "Choose another network" in text(alone)
    assert not [box for box in alone.selectbox if box.label == "Network"]
    chooser = visit("try_it")
    assert [box for box in chooser.selectbox if box.label == "Network"]


def test_an_engine_that_starts_is_waited_for(store, lab):
    run = run_in(store, experiment_of("iris"), Event.FINISH)
    lab._jobs.now = STARTING
    at = visit("try_it", run=run.id)
    assert "The engine is starting" in text(at)
    lab._jobs.now = Desk().now
    assert "Prediction" in metrics(whole(at.run()))


def test_the_input_goes_along_to_the_activations(store):
    run = run_in(store, experiment_of("digits"), Event.FINISH)
    link = next(link for link in visit("try_it", run=run.id).get("page_link") if "Activations" in link.proto.label)
    assert link.proto.page == navigation.ACTIVATIONS.name
    assert f"run={run.id}" in link.proto.query_string
