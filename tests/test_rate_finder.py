"""The learning-rate finder: smoothing, divergence and suggestion, the sweep itself, and how it is drawn."""

from contextlib import closing

import numpy as np
import pytest

from playground import data
from playground.displays.rate_finder import rate_figure
from playground.errors import SpecError
from playground.evaluation.rate_finder import RateSearch, has_diverged, smooth
from playground.lab.finding import Finding, is_of, is_search, sweep_of
from playground.lab.tuning import tuned
from playground.records import Event
from playground.spec import ReduceOnPlateau, changed, check, parse_experiment, with_settings
from playground.spec.saved import Saved
from playground.spec.schedules import CosineDecay, RangeTest
from playground.store import open_store
from tests.runs import trained

RATES = np.geomspace(1e-6, 10, 150)
EXPERIMENT = parse_experiment({"model": {"layers": [{"kind": "Dense", "units": 8}]}})


def falling(at: float = 0.01, noise: float = 0.01) -> np.ndarray:
    """A loss that falls from 0.7 to 0.1 around a rate and explodes a hundred times above."""
    wavers = noise * np.random.default_rng(0).normal(size=len(RATES))
    return 0.7 - 0.6 / (1 + (at / RATES) ** 2) + (RATES / (200 * at)) ** 2 + wavers


def search(losses: np.ndarray) -> RateSearch:
    """What a sweep that ends where it diverges finds."""
    tried = next((n for n in range(1, len(losses)) if has_diverged(losses[:n])), len(losses))
    return RateSearch.from_sweep(RATES[:tried], losses[:tried])


class TestSmoothing:
    def test_it_is_the_weighted_mean_by_its_definition(self):
        losses = np.random.default_rng(0).normal(size=40)
        for n in (1, 2, 17, 40):
            weights = 0.9 ** np.arange(n)[::-1]
            assert smooth(losses)[n - 1] == pytest.approx((weights * losses[:n]).sum() / weights.sum())

    def test_a_level_line_stays_where_it_is(self):
        np.testing.assert_allclose(smooth([3.0] * 20), 3.0)

    @pytest.mark.parametrize(
        ("losses", "diverged"),
        [
            ([], False),
            ([1.0], False),
            ([1.0] * 30, False),
            ([1.0] * 30 + [20.0], False),  # one bad batch
            ([1.0] * 30 + [20.0] * 3, True),
            ([1.0, 1.0, float("nan")], True),
            ([1.0, float("inf")], True),
            ([-1.0] * 30 + [0.0] * 30, False),
            ([-1.0] * 30 + [20.0] * 3, True),
        ],
    )
    def test_it_has_diverged_at_four_times_the_best(self, losses, diverged):
        assert has_diverged(losses) is diverged


class TestSuggestion:
    @pytest.mark.parametrize("at", [1e-4, 1e-3, 1e-2, 1e-1])
    def test_it_is_where_the_loss_falls_most_steeply(self, at):
        # 1/(1 + (a/r)²) over log r is steepest at r = a.
        found = search(falling(at))
        assert found.suggestion is not None
        assert abs(np.log10(found.suggestion / at)) < 0.3
        assert f"falls most steeply at a learning rate of {found.suggestion:g}" in found.says

    def test_a_loss_that_only_wavers_suggests_nothing(self):
        rng = np.random.default_rng(0)
        found = [RateSearch.from_sweep(RATES, 0.7 + 0.05 * rng.normal(size=150)) for _ in range(50)]
        assert [search.suggestion for search in found] == [None] * 50
        assert "never fell clearly" in found[0].says

    def test_neither_does_one_that_rises_or_a_sweep_that_ended_at_once(self):
        assert RateSearch.from_sweep(RATES, np.linspace(1, 2, 150)).suggestion is None
        assert RateSearch.from_sweep(RATES[:5], np.linspace(1, 0, 5)).suggestion is None
        assert RateSearch.from_sweep([], []).says == "The search ended before its first step."

    def test_a_last_loss_that_is_no_number_is_left_out(self):
        losses = falling()
        losses[-1] = np.nan
        found = RateSearch.from_sweep(RATES, losses)
        assert found.suggestion == pytest.approx(0.01, rel=0.8)
        assert np.isnan(found.smoothed[-1])

    def test_the_figure_keeps_its_specification(self):
        figures = [rate_figure(search(losses)) for losses in (falling(), np.linspace(1, 2, 150))]
        assert figures[0].spec == figures[1].spec
        assert figures[0].data["series"].to_pylist().count("suggested") == 1
        assert figures[1].data["series"].to_pylist().count("suggested") == 0
        assert "0.0" in figures[0].alt


class TestRun:
    def test_it_depends_on_what_the_loss_depends_on_and_on_nothing_else(self):
        wanted = sweep_of(EXPERIMENT).fingerprint()
        training = EXPERIMENT.training
        same = changed(
            training, schedule=CosineDecay(), epochs=77, reduce_on_plateau=ReduceOnPlateau(), stop_at_loss=0.1,
            optimizer=changed(training.optimizer, learning_rate=0.5),
        )  # fmt: skip
        assert sweep_of(changed(EXPERIMENT, training=same, name="another")).fingerprint() == wanted
        other = with_settings(EXPERIMENT, ["training.batch_size=16"])
        assert sweep_of(other).fingerprint() != wanted

    @pytest.mark.parametrize("batch_size", [1, 32, "full"])
    def test_it_can_be_trained_for_as_many_steps_as_there_are_rates(self, batch_size):
        sweep = sweep_of(changed(EXPERIMENT, training=changed(EXPERIMENT.training, batch_size=batch_size)))
        facts = data.describe(sweep.data)
        check(sweep, facts)
        size = facts.train if batch_size == "full" else batch_size
        assert -(-facts.train // size) * sweep.training.epochs >= RangeTest().steps

    def test_what_it_found_is_read_from_its_run(self, store):
        finding = Finding(store, lambda experiment, **who: store.create_run(experiment, **who))
        run = finding.start(EXPERIMENT, owner="me")
        assert is_search(run)
        assert is_of(run, EXPERIMENT)
        assert run.experiment.name == "Learning-rate search of Two moons"
        assert finding.result(run.id) is None
        _, lease = store.claim("a test", run_id=run.id)
        store.write_arrays(run.id, "sweep", {"rates": RATES, "losses": falling()}, lease=lease)
        store.apply(run.id, lease, Event.FINISH)
        assert finding.result(run.id).suggestion == RateSearch.from_sweep(RATES, falling()).suggestion

    def test_saved_weights_are_not_swept(self, store):
        finding = Finding(store, lambda experiment, **who: store.create_run(experiment, **who))
        with pytest.raises(SpecError, match="starts from saved ones"):
            finding.start(tuned(EXPERIMENT, Saved(run="0" * 12)))


@pytest.mark.keras
class TestSweep:
    def sweep(self, span: float = 1e4, steps: int = 60, **options):
        """A loop with its sweep over a small network, and what the sweep wrote."""
        import tensorflow as tf

        from playground.engine.training import (
            Learner,
            LearningRate,
            Loop,
            OnDevice,
            Pilot,
            Program,
            Schedule,
            build_all,
            variables_of,
        )  # fmt: skip
        from playground.engine.training.sweep import Sweep

        model, x, y = network(**options)
        asked, low, written = RangeTest(span=span, steps=steps), 1e-3, {}
        schedule = Schedule(len(x), 16, 30)
        source = OnDevice((x, y), schedule, True, 0)
        build_all(model, (x, y))
        program = Program(model, source.sizes)
        callback = Sweep(asked, low, written.update)
        loop = Loop(
            Learner(program, [tf.convert_to_tensor(v.value) for v in variables_of(model)]), source, schedule=schedule,
            pilot=Pilot(program, "plain"), callbacks=[callback], learning_rate=LearningRate(low, asked.factors),
        )  # fmt: skip
        loop.run()
        return loop, callback, written

    def test_its_losses_are_those_of_single_steps_in_keras(self):
        from playground.engine.training import Schedule

        loop, callback, written = self.sweep()
        model, x, y = network()
        orders = [order for epoch in range(30) for order in Schedule(len(x), 16, 30).orders(epoch, 0, True)[:1]]
        losses = []
        for step, rate in enumerate(written["rates"]):
            chosen = orders[step // 4][step % 4 * 16 : step % 4 * 16 + 16]
            model.optimizer.learning_rate = rate
            model.reset_metrics()
            losses.append(float(model.train_on_batch(x[chosen], y[chosen])))
        np.testing.assert_allclose(written["losses"], losses, rtol=1e-4)
        assert loop.step == len(losses)
        assert callback.reason

    def test_it_ends_where_the_loss_diverges(self):
        loop, callback, written = self.sweep(span=1e6)
        assert loop.step < 60
        assert "The loss diverged at a learning rate of" in callback.reason
        assert len(written["losses"]) == len(written["rates"])
        assert has_diverged(written["losses"])
        assert not has_diverged(written["losses"][:-1])

    def test_a_loss_that_is_no_number_is_an_answer_and_no_failure(self):
        loop, callback, written = self.sweep(span=1e9, steps=10, loss="mean_squared_error", scale=1e15)
        assert not loop.failure
        assert callback.reason
        assert not np.isfinite(written["losses"][-1]) or has_diverged(written["losses"])

    def test_an_interrupted_sweep_knows_what_it_tried(self):
        from playground.engine.training.sweep import Sweep

        _, callback, written = self.sweep(steps=20, span=10)
        assert "All 20 rates were tried." in callback.reason
        again: dict = {}
        resumed = Sweep(RangeTest(span=10, steps=20), 1e-3, again.update)
        resumed.restore(callback.state())
        resumed.on_train_end(None)
        np.testing.assert_array_equal(again["losses"], written["losses"])
        np.testing.assert_array_equal(again["rates"], written["rates"])


def network(loss: str = "mean_squared_error", scale: float = 1.0):
    """A small regression of 64 examples: compiled, with the same weights every time."""
    import keras

    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 3)).astype("float32")
    y = (scale * x @ np.ones((3, 1))).astype("float32")
    dense = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(0))
    model = keras.Sequential([keras.Input((3,)), dense])
    model.compile(keras.optimizers.SGD(0.001), loss)
    return model, x, y


@pytest.mark.keras
def test_a_search_is_judged_by_nobody_and_keeps_no_weights_of_epochs(settings):
    run = trained(settings, sweep_of(EXPERIMENT))
    assert run.scores == {}
    assert run.message
    with closing(open_store(settings.database, settings.artifacts)) as store:
        assert store.kept_epochs(run.id) == []
        found = Finding(store, store.create_run).result(run.id)
    assert len(found.losses) == run.progress.step
    np.testing.assert_allclose(found.rates, RATES[: len(found.rates)])
