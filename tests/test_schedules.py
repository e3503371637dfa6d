"""Schedules against Keras's own classes, step by step; what is refused; and how they are drawn."""

import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from playground import data
from playground.displays.schedules import RateCurve
from playground.errors import SpecError
from playground.spec import (
    SCHEDULES,
    Experiment,
    ReduceOnPlateau,
    check,
    check_schedule,
    parse_experiment,
    schedules,
    scores_for,
    with_settings,
)
from playground.spec.saved import Saved
from playground.spec.schedules import (
    Constant,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    OneCycle,
    PolynomialDecay,
    RangeTest,
    StepDecay,
)
from playground.spec.tuning import tuned

PER_EPOCH, EPOCHS = 7, 30
STEPS = np.arange(PER_EPOCH * EPOCHS + 50)


def factors(schedule, steps=STEPS):
    return schedule.factors(steps, PER_EPOCH * EPOCHS, PER_EPOCH)


def experiment_with(schedule, **training) -> Experiment:
    layers = {"layers": [{"kind": "Dense"}]}
    return parse_experiment({"model": layers, "training": {"schedule": schedule, "epochs": EPOCHS, **training}})


def keras_rates(name: str, **arguments) -> np.ndarray:
    import keras

    schedule = getattr(keras.optimizers.schedules, name)(**arguments)
    return np.array([float(schedule(int(step))) for step in STEPS])


@pytest.mark.keras
class TestAgainstKeras:
    def same(self, schedule, name, **arguments):
        np.testing.assert_allclose(factors(schedule), keras_rates(name, **arguments), rtol=0, atol=1e-6)

    def test_exponential(self):
        self.same(
            ExponentialDecay(decay_epochs=3, decay_rate=0.7), "ExponentialDecay",
            initial_learning_rate=1.0, decay_steps=21, decay_rate=0.7,
        )  # fmt: skip

    def test_step_is_the_staircase(self):
        self.same(
            StepDecay(decay_epochs=3, decay_rate=0.7), "ExponentialDecay",
            initial_learning_rate=1.0, decay_steps=21, decay_rate=0.7, staircase=True,
        )  # fmt: skip

    def test_step_is_piecewise_constant(self):
        # Keras's boundaries belong to the piece before them.
        boundaries = list(range(20, int(STEPS[-1]) + 22, 21))
        values = [0.7**k for k in range(len(boundaries) + 1)]
        self.same(
            StepDecay(decay_epochs=3, decay_rate=0.7), "PiecewiseConstantDecay", boundaries=boundaries, values=values
        )

    @pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
    def test_polynomial(self, power):
        self.same(
            PolynomialDecay(decay_epochs=20, alpha=0.1, power=power), "PolynomialDecay",
            initial_learning_rate=1.0, decay_steps=140, end_learning_rate=0.1, power=power,
        )  # fmt: skip

    def test_cosine_to_the_end_of_training(self):
        self.same(
            CosineDecay(alpha=0.1), "CosineDecay", initial_learning_rate=1.0, decay_steps=PER_EPOCH * EPOCHS, alpha=0.1
        )

    def test_cosine_after_a_warm_up(self):
        # Ours leaves out the step at rate 0.
        self.same(
            CosineDecay(alpha=0.1, warmup_epochs=2), "CosineDecay", initial_learning_rate=1 / 15,
            warmup_target=1.0, warmup_steps=14, decay_steps=PER_EPOCH * EPOCHS - 14, alpha=0.1,
        )  # fmt: skip

    @pytest.mark.parametrize("t_mul", [1.0, 1.5, 2.0])
    @pytest.mark.parametrize("m_mul", [1.0, 0.6])
    def test_cosine_with_restarts(self, t_mul, m_mul):
        self.same(
            CosineDecayRestarts(first_decay_epochs=4, t_mul=t_mul, m_mul=m_mul, alpha=0.05), "CosineDecayRestarts",
            initial_learning_rate=1.0, first_decay_steps=28, t_mul=t_mul, m_mul=m_mul, alpha=0.05,
        )  # fmt: skip


@pytest.mark.keras
@pytest.mark.parametrize("execution", ["plain", "xla"])
def test_a_training_takes_the_steps_of_fit_with_keras_s_schedule(execution):
    import keras
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
    )

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 4)).astype("float32"), rng.normal(size=(50, 1)).astype("float32")

    def model(rate) -> keras.Model:
        dense = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(0))
        made = keras.Sequential([keras.Input((4,)), dense])
        made.compile(keras.optimizers.Adam(rate), "mse")
        return made

    # Five steps an epoch, the last one smaller: 30 steps, five of warm-up.
    theirs = keras.optimizers.schedules.CosineDecay(
        0.1 / 6, decay_steps=25, alpha=0.1, warmup_target=0.1, warmup_steps=5
    )
    reference, trained = model(theirs), model(0.1)
    reference.fit(x, y, batch_size=12, epochs=6, shuffle=False, verbose=0)
    schedule = Schedule(len(x), 12, 6)
    source = OnDevice((x, y), schedule, False, 0)
    build_all(trained, (x, y))
    program = Program(trained, source.sizes)
    loop = Loop(
        Learner(program, [tf.convert_to_tensor(v.value) for v in variables_of(trained)]),
        source,
        schedule=schedule,
        pilot=Pilot(program, execution),
        learning_rate=LearningRate(0.1, CosineDecay(alpha=0.1, warmup_epochs=1).factors),
    )
    loop.run()
    for ours, other in zip(trained.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-6)


class TestCurves:
    @pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule.__name__)
    def test_untouched_it_can_be_trained_and_goes_on_beyond_the_end(self, schedule):
        found = factors(schedule())
        assert found.shape == STEPS.shape
        assert found.dtype == np.float64
        assert np.isfinite(found).all()
        assert (found[: PER_EPOCH * EPOCHS] > 0).all()
        experiment = experiment_with(schedule())
        check(experiment, data.describe(experiment.data))

    @pytest.mark.parametrize("schedule", [*SCHEDULES, RangeTest], ids=lambda schedule: schedule.__name__)
    def test_a_warm_up_stands_before_any_of_them(self, schedule):
        found = factors(schedule(warmup_epochs=2))
        start = factors(schedule(), np.array([0]))[0]
        np.testing.assert_allclose(found[:14], start * np.arange(1, 15) / 15)
        assert found[14] == pytest.approx(start)

    def test_every_restart_begins_at_its_full_height(self):
        # In double precision: starts after 1, 1 + t, 1 + t + t², … lengths of the first fall.
        for t_mul in (1.0, 2.0, 3.0):
            schedule = CosineDecayRestarts(first_decay_epochs=1, t_mul=t_mul, m_mul=0.5)
            starts = np.cumsum([10 * t_mul**n for n in range(7)]).astype(int)
            starts = starts[starts < 10_000]
            found = schedule.factors(starts, 10_000, 10)
            np.testing.assert_allclose(found, 0.5 ** np.arange(1, len(starts) + 1), rtol=1e-6)

    def test_one_cycle_rises_to_the_rate_and_ends_far_below_its_start(self):
        found = factors(OneCycle(pct_start=0.3, div_factor=25, final_div_factor=100))
        assert found[0] == pytest.approx(1 / 25)
        assert found[63] == pytest.approx(1)  # 30 % of 210 steps
        assert found[210] == pytest.approx(1 / 2500)
        assert (np.diff(found[:64]) > 0).all()
        assert (np.diff(found[63:211]) < 0).all()
        linear = factors(OneCycle(pct_start=0.3, anneal_strategy="linear"))
        np.testing.assert_allclose(np.diff(linear[:64]), (1 - 1 / 25) / 63)

    def test_a_range_test_is_evenly_spaced_on_a_log_scale(self):
        found = RangeTest(span=1e6, steps=61).factors(np.arange(61), 1000, 10)
        np.testing.assert_allclose(np.diff(np.log10(found)), 0.1)
        assert found[-1] == pytest.approx(1e6)


class TestRefused:
    @pytest.mark.parametrize(
        ("schedule", "said"),
        [
            (CosineDecay(decay_epochs=5), "falls to 0 at epoch 5 of 30"),
            (PolynomialDecay(decay_epochs=5), "falls to 0 at epoch 5 of 30"),
            (StepDecay(decay_epochs=0.5, decay_rate=1e-5), "falls to 0"),
            (ExponentialDecay(decay_epochs=0.1, decay_rate=10), "grows beyond all numbers"),
            (StepDecay(warmup_epochs=30), "warm-up of 30 epochs takes the whole training"),
        ],
    )
    def test_a_rate_at_which_nothing_is_learnt(self, schedule, said):
        experiment = experiment_with(schedule)
        with pytest.raises(SpecError, match=said) as refused:
            check(experiment, data.describe(experiment.data))
        assert refused.value.where == "training.schedule"

    @pytest.mark.parametrize("schedule", [CosineDecay(), PolynomialDecay(), PolynomialDecay(power=10)])
    def test_a_floor_of_0_at_the_end_is_none(self, schedule):
        experiment = experiment_with(schedule)
        check_schedule(experiment, data.describe(experiment.data))

    def test_a_plateau_of_a_score_that_nobody_knows(self):
        experiment = experiment_with(Constant(), reduce_on_plateau=ReduceOnPlateau(monitor="val_auc"))
        facts = data.describe(experiment.data)
        assert scores_for(experiment, facts) == ["val_loss", "loss"]
        with pytest.raises(SpecError, match=r"watches val_auc.*Choose one of: val_loss, loss"):
            check(experiment, facts)

    def test_what_the_spec_itself_refuses(self):
        for wrong in ({"decay_rate": 0}, {"decay_rate": float("nan")}, {"decay_epochs": -1}):
            with pytest.raises(ValidationError):
                StepDecay(**wrong)


class TestPreview:
    def figure(self, schedule, **training):
        curve = RateCurve.from_training(experiment_with(schedule, **training).training, PER_EPOCH)
        return curve.plot()

    @pytest.mark.parametrize(
        ("schedule", "said"),
        [
            (Constant(), "Stays at 0.001 to epoch 30."),
            (Constant(warmup_epochs=1), "Rises to 0.001 over 1 epoch, then stays at 0.001 to epoch 30."),
            (
                CosineDecay(warmup_epochs=2, alpha=0.01),
                "Rises to 0.001 over 2 epochs, then falls along a cosine to 1e-05 at epoch 30.",
            ),
            (PolynomialDecay(power=2), "Starts at 0.001, falls with power 2 to nearly 0 at epoch 30."),
            (StepDecay(), "Starts at 0.001, is multiplied by 0.5 every 5 epochs, to 3.1e-05 at epoch 30."),
            (ExponentialDecay(decay_rate=2), "Starts at 0.001, grows exponentially to 0.063 at epoch 30."),
            (ExponentialDecay(decay_epochs=0.1, decay_rate=1e-9), "exponentially to 0 at epoch 30."),
            (ExponentialDecay(decay_epochs=0.1, decay_rate=10), "exponentially to infinity at epoch 30."),
            (OneCycle(), "Starts at 4e-05, rises to its peak for 30% of the training, then falls to nearly 0"),
        ],
    )
    def test_it_says_what_the_rate_does(self, schedule, said):
        figure = self.figure(schedule)
        assert said in figure.summary
        assert figure.alt.startswith("Learning rate over the epochs. ")

    def test_what_is_drawn_is_what_is_trained(self):
        figure = self.figure(CosineDecay(warmup_epochs=3))
        steps = (np.array(figure.data["epoch"]) * PER_EPOCH).round().astype(int)
        np.testing.assert_array_equal(steps, np.arange(PER_EPOCH * EPOCHS))
        np.testing.assert_allclose(figure.data["rate"], 0.001 * factors(CosineDecay(warmup_epochs=3), steps), rtol=1e-6)

    def test_a_long_training_is_drawn_with_few_points(self):
        assert len(self.figure(CosineDecay(), epochs=100_000).data) <= 2000

    def test_what_is_refused_is_drawn_as_far_as_it_can_be(self):
        for rate in (10, 1e-9):
            figure = self.figure(ExponentialDecay(decay_epochs=0.1, decay_rate=rate))
            drawn = np.array(figure.data["rate"])
            assert 0 < len(drawn) < PER_EPOCH * EPOCHS
            assert np.isfinite(drawn).all()
            assert (drawn > 0).all()

    def test_the_axis_is_logarithmic_where_a_linear_one_would_hide_the_curve(self):
        def axis(schedule) -> str:
            return self.figure(schedule).spec["encoding"]["y"]["scale"].get("type", "linear")

        assert [axis(made()) for made in SCHEDULES] == ["linear"] * len(SCHEDULES)
        assert axis(ExponentialDecay(decay_epochs=3, decay_rate=0.1)) == "log"
        assert axis(CosineDecay(decay_epochs=5)) == "linear"

    def test_it_tells_of_a_reduction_on_plateau(self):
        figure = self.figure(Constant(), reduce_on_plateau=ReduceOnPlateau(factor=0.2))
        assert figure.summary.endswith("multiplied by 0.2 whenever val_loss stops getting better.")


@pytest.mark.keras
def test_the_schedule_of_the_contributing_guide_is_keras_s():
    text = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    block = re.search(r"## Add a schedule.*?```python\n(.*?)```", text, re.DOTALL).group(1)
    room = dict(vars(schedules))
    exec(block, room)
    wanted = keras_rates("InverseTimeDecay", initial_learning_rate=1.0, decay_steps=7, decay_rate=0.5)
    np.testing.assert_allclose(factors(room["InverseTimeDecay"]()), wanted, rtol=0, atol=1e-6)


def test_fine_tuning_leaves_the_schedule_of_the_base_behind():
    assert tuned(experiment_with("cosine"), Saved(run="0" * 12)).training.schedule == Constant()


def test_one_setting_of_the_terminal_turns_a_reduction_on_plateau_on():
    training = with_settings(Experiment(), ["training.reduce_on_plateau.patience=3"]).training
    assert training.reduce_on_plateau == ReduceOnPlateau(patience=3)


def test_a_schedule_is_asked_for_by_its_name_and_an_old_experiment_keeps_its_fingerprint():
    assert experiment_with("cosine").training.schedule == CosineDecay()
    plain = parse_experiment({})
    assert plain.fingerprint() == Experiment().fingerprint()
    assert experiment_with("cosine").fingerprint() != experiment_with("constant").fingerprint()
