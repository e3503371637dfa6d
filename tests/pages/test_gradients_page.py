"""The page Gradients through AppTest, its figures, and the probe that CONTRIBUTING adds without touching a page."""

import re
import textwrap
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from playground.displays import probes as displayed
from playground.displays.gradient_flow import GradientFlow
from playground.displays.health import CELLS, HealthCurves, HistogramMap
from playground.evaluation.health import Health
from playground.evaluation.histogram import BINS
from playground.records import Event, Progress
from playground.store import open_store
from tests.desk import PROBES, STARTING, experiment_of
from tests.runs import run_in
from tests.test_verdicts import MOMENTS, series
from tests.visit import button, text, visit, whole


def with_histograms(health: Health) -> Health:
    counts = np.zeros((3, 4, 3, BINS), np.uint16)
    counts[..., 10:30] = 5
    edges = np.tile(np.array([-1, 1], np.float32), (3, 4, 3, 1))
    return replace(health, histogram_epoch=np.array([0.0, 5, 9.5]), counts=counts, edges=edges)


def page(store, ended: Event | None = Event.FINISH, *, health: Health | None = None, kind: str = "moons"):
    run = run_in(store, experiment_of(kind), ended)
    store.keep_epoch(run.id, 0, {"v0": np.zeros(1)})
    if health is not None:
        store.write_arrays(run.id, "health", with_histograms(health).to_arrays())
    return visit("gradients", run=run.id)


def shown(at) -> str:
    return "\n".join([text(at), *(one.value for one in [*at.success, *at.warning])])


def pick(at, label: str):
    return next(box for box in at.selectbox if box.label == label)


def late(box, label: str):
    """Choose what the list was called before it changed, as a browser does that has not heard of the change."""
    box.options = [label]
    return box.set_value(label)


class TestPage:
    def test_a_healthy_run_says_so_and_shows_its_curves(self, store):
        at = page(store, health=series())
        assert not at.error, at.error[0].value
        assert "**Healthy.** The gradient reaches every layer" in shown(at)
        assert "all layers are inside it now" in shown(at)
        assert "The loss of these examples is 0.7." in shown(at)

    def test_a_run_that_ends_is_called_as_before(self, store):
        """A page that has not heard of the end yet names by the old label what it shows: it must still be known."""
        run, lease = store.claim("a test", run_id=store.create_run(experiment_of("moons")).id)
        store.report(run.id, lease, Progress(step=10, total_steps=20, epoch=1, phase="training"))
        store.keep_epoch(run.id, 0, {"v0": np.zeros(1)})
        at = visit("gradients", run=run.id)
        called = pick(at, "Network").options
        store.apply(run.id, lease, Event.FINISH)
        at.run()
        assert pick(at, "Network").options == called

    def test_a_name_that_is_no_longer_known_changes_nothing(self, store):
        at = page(store, health=series())
        late(pick(at, "Network"), "The name before").run()
        assert not at.error, at.error[0].value
        assert "**Healthy.**" in shown(at)

    def test_what_is_wrong_stands_on_top_with_its_remedy(self, store):
        at = page(store, health=series(layer_gradient=[1, 1e-5, 0.1, 1]))
        assert "**Vanishing gradient at first.** Of the gradient at the last hidden layer only 1.0e-04" in shown(at)
        assert "Use relu instead of sigmoid" in shown(at)

    def test_a_live_run_is_followed(self, store):
        run = store.create_run(experiment_of("moons"))
        _, lease = store.claim("a test", run_id=run.id)
        store.keep_epoch(run.id, 0, {"v0": np.zeros(1)})
        at = visit("gradients", run=run.id)
        assert "No gradients were collected of this run. They grow here as soon as it trains." in shown(at)
        store.report(
            run.id, lease, replace(run.progress, step=7), live={"health": (7, with_histograms(series()).pack())}
        )
        whole(at.run())
        assert "**Healthy.**" in shown(at)

    def test_a_run_from_before_gradients_were_collected_is_no_error(self, store):
        at = page(store)
        assert not at.error
        assert "It was trained before they were." in shown(at)
        assert "Gradient on its way back" in shown(at)

    def test_distributions_of_another_variable(self, store):
        at = page(store, health=series())
        pick(at, "Variable").set_value("second/kernel")
        whole(at.run())
        assert not at.error

    def test_the_gradient_is_checked_when_somebody_presses_check(self, store):
        at = page(store, health=series())
        at.session_state["gradient_check"] = True
        whole(at.run())
        whole(button(at, "Check").click().run())
        assert any(metric.label == "Largest relative error" and metric.value == "1.0e-09" for metric in at.metric)
        assert "They agree." in shown(at)

    def test_an_engine_that_starts_leaves_the_curves(self, store, desk):
        desk.now = STARTING
        at = page(store, health=series())
        assert not at.error
        assert "**Healthy.**" in shown(at)


class TestFigures:
    def test_a_line_a_kernel_and_no_bias(self):
        table = HealthCurves(series()).ratios().data
        assert table.num_rows == MOMENTS * 3
        assert set(table["layer"].to_pylist()) == {"first", "second", "output"}

    def test_layers_outside_the_band_are_named(self):
        assert "outside it now: second." in HealthCurves(series(ratio=[-3, -9, -5, -3])).ratios().summary

    def test_nothing_yet_has_axes_and_a_sentence(self):
        empty = series().until(-1)
        assert HealthCurves(empty).gradients().data.num_rows == 1
        assert "grows here" in HealthCurves(empty).ratios().summary
        assert HistogramMap.from_health(empty, "first/kernel", "weight").plot().summary.startswith("Columns are added")

    def test_a_map_keeps_the_shares_of_a_histogram(self):
        shown = HistogramMap.from_health(with_histograms(series()), "first/kernel", "gradient").plot()
        shares = np.array(shown.data["share"].to_pylist())
        epochs = np.array(shown.data["epoch"].to_pylist())
        assert shares[epochs == 0].sum() == pytest.approx(1)
        assert 20 <= (epochs == 0).sum() <= CELLS
        assert shown.summary == "From -1 to 1 at epoch 0.0 to -1 to 1 at epoch 9.5."

    def test_shrinking_gradients_have_an_axis_with_a_few_powers_of_ten_on_both_sides(self):
        health = with_histograms(series())
        health.edges[:] *= np.array([0.05, 0.003, 2e-4], np.float32)[:, None, None, None]
        plot = HistogramMap.from_health(health, "first/kernel", "gradient").plot()
        assert plot.spec["encoding"]["y"]["axis"]["values"] == pytest.approx([-1e-2, -1e-3, -1e-4, 0, 1e-4, 1e-3, 1e-2])

    def test_the_flow_names_layers_without_weights_and_without_gradient(self):
        found = {
            "loss": 1.0, "input": 0.0, "layers": ["flat", "dense", "output"], "outputs": np.array([0.0, 1e-3, 1.0]),
            "variables": ["dense/kernel", "dense/bias", "output/kernel"], "weights": np.array([3.0, 4.0, 1.0]),
        }  # fmt: skip
        flow = GradientFlow.from_answer(found)
        assert flow.weights[2] == 5
        assert "Without weights, and so without a gradient by them: flat." in flow.summary()
        assert "No gradient at all reaches input, flat." in flow.summary()
        assert flow.plot().data.num_rows == 4


class TestContributing:
    """The example of CONTRIBUTING, as it stands there."""

    @pytest.fixture
    def blocks(self) -> list[str]:
        document = (Path(__file__).parents[2] / "CONTRIBUTING.md").read_text(encoding="utf-8")
        section = document.partition("## Add a probe")[2].partition("\n## ")[0]
        assert section.count("\n") <= 60
        return [textwrap.dedent(block) for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL)]

    def test_the_page_offers_the_new_probe(self, blocks, store, monkeypatch):
        import playground.displays.singular_values as display_room
        import playground.spec.probes as spec_room

        spec, _, display = blocks
        names = dict(vars(spec_room))
        exec(spec, names)
        probe = names["WeightSizes"]
        drawing = {**vars(display_room), "np": np}
        exec(display, drawing)
        monkeypatch.setitem(displayed.FIGURES, probe, drawing["weight_sizes_figure"])
        answer = {"variables": ["a/kernel", "b/kernel"], "norms": np.array([1.0, 2.0])}
        monkeypatch.setitem(PROBES, "weight_sizes", lambda *_: answer)
        monkeypatch.setattr("tests.desk.ProbeSpec", probe | spec_room.ProbeSpec)

        at = page(store, health=series())
        at.session_state["more_probes"] = True
        whole(at.run())
        whole(pick(at, "Probe").set_value("weight_sizes").run())
        assert not at.error, at.error[0].value
        assert "The largest weights are those of b/kernel." in shown(at)

    @pytest.mark.keras
    def test_its_answer_is_right(self, blocks, settings):
        import keras

        import playground.spec.probes as spec_room
        from playground.engine import probes
        from playground.recipes import recipe
        from playground.spec import with_settings
        from playground.spec.saved import Saved
        from tests.runs import trained

        names = dict(vars(spec_room))
        exec(blocks[0], names)
        room = import_module("playground.engine.probes.gradients")  # its name in the package is that of a function
        engine = {**vars(room), "WeightSizes": names["WeightSizes"]}
        exec(blocks[1], engine)
        run = trained(settings, with_settings(recipe("iris").experiment, ["training.epochs=1"]))
        with closing(open_store(settings.database, settings.artifacts)) as store, pytest.MonkeyPatch.context() as patch:
            patch.setitem(probes.PROBES, names["WeightSizes"], engine["weight_sizes"])
            found = probes.answer(store, settings, Saved(run=run.id), names["WeightSizes"]())
            arrays = store.read_epoch(run.id, 1)
        assert found["variables"] == ["dense_1/kernel", "dense_1/bias", "output/kernel", "output/bias"]
        weights = [arrays[f"v{place}"] for place in range(4)]  # the state of the optimizer follows
        norms = [float(keras.ops.norm(keras.ops.reshape(array, -1))) for array in weights]
        np.testing.assert_allclose(found["norms"], norms, rtol=1e-5)
