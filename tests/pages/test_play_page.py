"""The playground's page: what its component is given, and what each of its commands does."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from playground.lab.play import PLAY
from playground.records import Event
from playground.spec import changed
from playground.spec.data import Moons
from playground.spec.orders import Rewind, SetBatchSize, SetRate, SetSpeed, SetWeight, Step
from playground.spec.saved import Saved
from playground.spec.start import Start
from tests.desk import experiment_of
from tests.runs import run_in
from tests.visit import button, errors, named, visit, whole


def given(at) -> tuple[dict[str, Any], bytes]:
    """Header and payloads of what the component is given."""
    data = at.get("bidi_component")[0].proto.bytes
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length]), data[4 + length :]


@pytest.fixture
def press(monkeypatch, lab):
    """Does what the component's callback does with a command, and draws the page anew; gives its header."""

    def press(at, do: str, **command: Any) -> dict[str, Any]:
        from playground.ui.play import commands, playing  # a page has told Streamlit of its components by now

        waiting = [{"do": do, **command}]
        with monkeypatch.context() as patch:
            patch.setattr(playing, "_play", lambda **_: waiting and commands.obey(lab, waiting.pop()))
            whole(at.run())
        return given(whole(at.run()))[0]

    return press


@pytest.fixture
def playing(store, press):
    """The page while its own run plays."""
    at = visit("play")
    press(at, "play")
    (run,) = store.runs()
    store.claim("a test", run_id=run.id)
    return at


def ordered(store) -> list[Any]:
    return [order.order for order in store.orders(store.runs()[0].id)]


class TestPicture:
    def test_it_shows_an_untrained_network_at_once(self, store) -> None:
        header, payloads = given(visit("play"))
        assert header["layers"] == [["dense_1", 8], ["dense_2", 8]]
        assert [one["name"] for one in header["features"] if one["on"]] == ["x", "y", "sin_x", "sin_y"]
        assert [one["label"] for one in header["features"]] == ["x", "y", "x²", "y²", "xy", "sin 5x", "sin 5y"]
        assert [one["kind"] for one in header["sets"]] == ["moons", "circles", "xor", "spirals", "gaussians"]
        assert (header["run"], header["url"], header["waiting"], header["problem"]) == ("", "", "", "")
        points = 10 * header["points"] + 3 * sum(one["count"] for one in header["sets"])
        assert len(payloads) == header["opening"] + header["frame"] + points
        assert store.runs() == []

    def test_its_points_are_the_examples(self, lab) -> None:
        header, payloads = given(visit("play"))
        examples, count, at = lab.preview(PLAY.data, PLAY.seed), header["points"], header["opening"]
        np.testing.assert_array_equal(np.frombuffer(payloads, "<f4", count, at), examples.x[:, 0])
        np.testing.assert_array_equal(np.frombuffer(payloads, "<f4", count, at + 4 * count), examples.x[:, 1])
        np.testing.assert_array_equal(np.frombuffer(payloads, "u1", count, at + 8 * count), examples.y)
        np.testing.assert_array_equal(np.frombuffer(payloads, "u1", count, at + 9 * count), examples.part)

    def test_while_the_engine_starts_it_says_so(self, desk) -> None:
        desk.now = type(desk.now)("starting", message="The engine is starting. Wait a few seconds.")
        header, _ = given(visit("play"))
        assert header["waiting"] == "The engine is starting. Wait a few seconds."
        assert header["opening"] == header["points"] == 0

    def test_a_link_shows_its_experiment_and_a_run_is_followed(self, store) -> None:
        shared = store.share(changed(PLAY, data=Moons(), name="Mine"))
        assert given(visit("play", experiment=shared))[0]["data"] == "moons"
        run = run_in(store, PLAY, owner="me")
        header, _ = given(visit("play", run=run.id))
        assert header["run"] == run.id
        assert header["url"].startswith(f"feed/{run.id}?token=")

    def test_what_does_not_lie_in_the_plane_says_so(self, store) -> None:
        at = visit("play", experiment=store.share(experiment_of("iris")))
        assert "Iris does not lie in one" in at.info[0].value
        whole(button(at, "Play with spirals").click().run())
        assert given(at)[0]["data"] == "spirals"
        assert store.draft(named(at, "draft")) == PLAY

    def test_without_a_socket_the_page_brings_the_frames(self, store, playing, press) -> None:
        header = press(playing, "fallback")
        assert header["url"] == ""
        _, payloads = given(playing)
        (length,) = struct.unpack_from("<I", payloads, header["opening"])
        frame = json.loads(payloads[header["opening"] + 4 : header["opening"] + 4 + length])
        assert frame["run"]["id"] == store.runs()[0].id


class TestCommands:
    def test_play_pause_and_play_on(self, store, press) -> None:
        at = visit("play")
        header = press(at, "play")
        (run,) = store.runs()
        assert run.experiment == PLAY
        assert (header["run"], named(at, "run")) == (run.id, run.id)
        assert ordered(store) == [SetSpeed(epochs_per_second=10)]
        press(at, "pause")
        assert store.run(run.id).controls.pause
        press(at, "play")
        assert not store.run(run.id).controls.pause
        assert len(store.runs()) == 1

    @pytest.mark.parametrize("unit", ["batch", "epoch"])
    def test_a_step_before_the_first_play_holds_the_run(self, store, press, unit) -> None:
        press(visit("play"), f"step-{unit}")
        assert store.runs()[0].controls.pause
        assert ordered(store)[-1] == Step(unit=unit)

    def test_a_step_pauses_a_run_that_plays(self, store, playing, press) -> None:
        press(playing, "step-epoch")
        assert store.runs()[0].controls.pause
        assert ordered(store)[-1] == Step(unit="epoch")

    def test_rewind_pauses_and_goes_back_to_the_same_weights(self, store, playing, press) -> None:
        header = press(playing, "rewind")
        assert store.runs()[0].controls.pause
        assert ordered(store)[-1] == Rewind(epoch=0)
        assert header["run"] == store.runs()[0].id

    def test_a_weight_is_set_before_the_first_play_and_after(self, store, press) -> None:
        at = visit("play")
        press(at, "weight", layer="dense_1", variable="kernel", index=[0, 3], value=1.5)
        assert store.runs()[0].controls.pause
        press(at, "weight", layer="output", variable="bias", index=[0], value=-2)
        assert ordered(store)[1:] == [
            SetWeight(layer="dense_1", variable="kernel", index=(0, 3), value=1.5),
            SetWeight(layer="output", variable="bias", index=(0,), value=-2),
        ]

    @pytest.mark.parametrize(
        ("do", "command", "says"),
        [
            ("layers", {"layers": [["dense_1", 9], ["dense_2", 8], ["", 4]]}, [9, 8, 4]),
            ("features", {"features": ["xy", "x"]}, ("x", "xy")),
            ("data", {"kind": "circles"}, "circles"),
            ("seed", {}, None),
        ],
    )
    def test_another_network_is_shown_untrained(self, store, playing, press, do, command, says) -> None:
        header = press(playing, do, **command)
        assert header["run"] == ""
        assert store.runs()[0].controls.stop  # nobody watches it any more
        experiment = store.draft(named(playing, "draft"))
        found = {
            "layers": [layer.units for layer in experiment.model.layers], "features": experiment.data.features,
            "data": experiment.data.kind, "seed": None,
        }[do]  # fmt: skip
        assert found == says
        assert experiment != PLAY
        if do == "data":
            assert experiment.data.features == PLAY.data.features
        assert press(playing, "play")["problem"] == ""
        assert store.runs()[0].experiment == experiment

    @pytest.mark.parametrize(
        ("command", "says"),
        [
            ({"do": "layers", "layers": [["", 4]] * 9}, "up to 8 hidden layers"),
            ({"do": "layers", "layers": [["dense_1", 17]]}, "up to 16 neurons"),
            ({"do": "layers", "layers": []}, "Keep one"),
            ({"do": "layers", "layers": 3}, "not understood"),
            ({"do": "features", "features": ["z"]}, "cannot be 'z'"),
            ({"do": "data", "kind": "iris"}, "does not lie in the plane"),
            ({"do": "weight", "layer": "dense_1", "variable": "kernel", "index": [0, 0], "value": 1e9}, "value"),
            ({"do": "dance"}, "not understood"),
        ],
    )
    def test_nonsense_is_refused_in_words(self, store, press, command, says) -> None:
        header = press(visit("play"), **command)
        assert says in header["problem"]
        assert store.runs() == []

    def test_play_goes_on_with_a_run_that_is_over(self, store, press) -> None:
        run = run_in(store, PLAY, Event.STOP, owner="me")
        press(visit("play", run=run.id), "play")
        assert [one.id for one in store.runs()] == [run.id]
        assert not store.run(run.id).status.is_over

    def test_somebody_elses_run_is_left_alone(self, store, press) -> None:
        theirs = run_in(store, PLAY, owner="somebody")
        at = visit("play", run=theirs.id)
        for do in ("pause", "rewind", "seed"):
            press(at, do)
        assert not store.run(theirs.id).controls.pause
        assert not store.run(theirs.id).controls.stop
        press(at, "play")
        assert store.runs()[0].owner == "me"


class TestSettings:
    def choose(self, at, label: str, value: Any) -> None:
        whole(next(box for box in at.selectbox if box.label == label).set_value(value).run())

    def test_rate_batch_and_speed_reach_the_live_run(self, store, playing) -> None:
        self.choose(playing, "Learning rate", 0.1)
        self.choose(playing, "Batch size", 16)
        self.choose(playing, "Speed", 0.0)
        assert ordered(store)[1:] == [SetRate(learning_rate=0.1), SetBatchSize(batch_size=16), SetSpeed()]
        assert given(playing)[0]["run"] == store.runs()[0].id
        training = store.draft(named(playing, "draft")).training
        assert (training.optimizer.learning_rate, training.batch_size) == (0.1, 16)

    def test_what_layers_are_makes_another_network(self, store, playing) -> None:
        self.choose(playing, "Activation", "relu")
        self.choose(playing, "Regularization", (0.0, 0.01))
        layers = store.draft(named(playing, "draft")).model.layers
        assert {(layer.activation, layer.l1, layer.l2) for layer in layers} == {("relu", 0.0, 0.01)}
        assert given(playing)[0]["run"] == ""

    def test_noise_and_test_share_make_new_points(self, store) -> None:
        at = visit("play")
        noise, share = (next(one for one in at.slider if one.label == label) for label in ("Noise", "Test share"))
        whole(noise.set_value(0.2).run())
        share = next(one for one in at.slider if one.label == "Test share")
        whole(share.set_value(50).run())
        data = store.draft(named(at, "draft")).data
        assert (data.noise, data.test_fraction) == (0.2, 0.5)

    def test_every_setting_has_help(self) -> None:
        at = visit("play")
        assert not errors(at)
        assert all(one.help for one in [*at.selectbox, *at.slider])


def test_a_network_that_goes_on_from_saved_weights_says_why_it_is_not_drawn(store) -> None:
    run = run_in(store, PLAY, Event.FINISH)
    tuned = changed(PLAY, start=Start(base=Saved(run=run.id)))
    assert tuned.start is not None
    header, _ = given(visit("play", experiment=store.share(tuned)))
    assert header["data"] == "spirals"
