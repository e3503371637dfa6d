"""A person plays, pauses, changes a weight, steps and rewinds; the screen agrees with the store each time."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.lab.play import PLAY
from playground.records import RunStatus
from playground.spec import parse_experiment
from playground.spec.orders import SetWeight

pytestmark = pytest.mark.browser

# The component stands in a shadow root, where no selector reaches its data.
SHOWN = """() => {
    const places = [...document.querySelectorAll('*')].filter(place => place.shadowRoot);
    const play = places.map(place => place.shadowRoot.querySelector('.play')).find(Boolean);
    return play ? {...play.dataset} : {};
}"""


# The large picture's own colours, at 400 places.
COLORS = """() => {
    const places = [...document.querySelectorAll('*')].filter(place => place.shadowRoot);
    const canvas = places.map(place => place.shadowRoot.querySelector('.surface')).find(Boolean);
    const {width, height} = canvas, {data} = canvas.getContext('2d').getImageData(0, 0, width, height);
    return Array.from({length: 400}, (_, k) => {
        const row = Math.floor((Math.floor(k / 20) + 0.5) * height / 20);
        const column = Math.floor((k % 20 + 0.5) * width / 20);
        const at = 4 * (row * width + column);
        return [...data.subarray(at, at + 3)];
    });
}"""


def shown(page: Page) -> dict[str, str]:
    """What the picture says of itself."""
    found: dict[str, str] = page.evaluate(SHOWN)
    return found


def wait_until(page: Page, holds: Callable[[dict[str, str]], Any], seconds: float = 60) -> dict[str, str]:
    """What is shown as soon as there is something and it holds."""
    until = time.monotonic() + seconds
    while not (now := shown(page)) or not holds(now):
        assert time.monotonic() < until, now
        page.wait_for_timeout(50)
    return now


def open_page(page: Page) -> dict[str, str]:
    page.goto("/play")
    return wait_until(page, lambda now: now.get("drawn"))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def agrees(page: Page, store, run_id: str) -> None:
    """Status, step and losses on screen are those of the store."""
    run = store.run(run_id)
    now = wait_until(
        page,
        lambda now: (
            (now["status"], now["step"]) == (run.status.value, str(run.progress.step))
            and now["pictured"] == now["step"]
        ),
    )
    assert float(now["epoch"]) == pytest.approx(run.progress.epoch, abs=1e-3)
    step, _ = store.live(run_id, "network")
    assert step == run.progress.step


def weight(page: Page, neuron: str, name: str) -> float:
    """A weight as the neuron's card shows it."""
    press(page, neuron)
    box = page.get_by_label(name, exact=True)
    expect(box).to_be_visible()
    value = float(box.get_attribute("data-value") or "nan")
    page.keyboard.press("Escape")
    return value


def test_play_pause_change_step_rewind(page, store):
    before = open_page(page)
    first = weight(page, "Neuron 1 of layer 2", "Weight from neuron 3 of layer 1 to neuron 1 of layer 2")

    press(page, "Play")
    wait_until(page, lambda now: int(now["step"]) > 0 and int(now["pictured"]) > 0)
    press(page, "Pause")
    paused = wait_until(page, lambda now: now["status"] == "paused")
    run = store.runs()[0]
    assert (run.id, run.status, run.experiment) == (paused["run"], RunStatus.PAUSED, PLAY)
    agrees(page, store, run.id)
    assert float(shown(page)["train"]) < float(before["train"])

    press(page, "Neuron 1 of layer 2")
    box = page.get_by_label("Weight from neuron 3 of layer 1 to neuron 1 of layer 2", exact=True)
    box.fill("2.5")
    box.press("Enter")
    expect(box).to_have_attribute("data-value", "2.5")
    page.keyboard.press("Escape")
    (order,) = [one for one in store.orders(run.id) if isinstance(one.order, SetWeight)]
    assert (order.order.layer, order.order.index, order.order.value) == ("dense_2", (2, 0), 2.5)
    assert (order.step, order.refusal) == (run.progress.step, "")
    assert np.isclose(picture_weight(store, run.id), 2.5)

    step = store.run(run.id).progress.step
    press(page, "Step a batch")
    wait_until(page, lambda now: now["step"] == str(step + 1))
    agrees(page, store, run.id)
    press(page, "Step an epoch")
    per_epoch = -(-700 // 32)
    wait_until(page, lambda now: now["step"] == str((step + 1) // per_epoch * per_epoch + per_epoch))
    agrees(page, store, run.id)

    press(page, "Rewind")
    wait_until(page, lambda now: now["step"] == now["pictured"] == "0")
    agrees(page, store, run.id)
    assert float(shown(page)["train"]) == pytest.approx(float(before["train"]), rel=1e-6)
    assert weight(page, "Neuron 1 of layer 2", "Weight from neuron 3 of layer 1 to neuron 1 of layer 2") == first
    assert store.runs()[0].id == run.id


def picture_weight(store, run_id: str) -> float:
    """The weight from neuron 3 of layer 1 to neuron 1 of layer 2 in the picture that the store keeps."""
    _, picture = store.live(run_id, "network")
    weights = np.frombuffer(picture[-4 * 121 :], "<f4")  # 4·8 + 8, 8·8 + 8, 8·1 + 1
    return float(weights[40 + 2 * 8])


def test_keys_play_step_and_rewind(page, store):
    open_page(page)
    page.keyboard.press("ArrowRight")
    run = wait_until(page, lambda now: (now["status"], now["step"]) == ("paused", "1"))["run"]
    page.keyboard.press("Space")
    wait_until(page, lambda now: int(now["step"]) > 1)
    page.keyboard.press("Space")
    wait_until(page, lambda now: now["status"] == "paused")
    page.keyboard.press("r")
    now = wait_until(page, lambda now: now["step"] == now["pictured"] == "0")
    assert now["run"] == run == store.runs()[0].id


def test_another_network_is_shown_at_once_and_the_run_before_ends(page, store):
    open_page(page)
    press(page, "Play")
    wait_until(page, lambda now: int(now["step"]) > 0)
    press(page, "Add a neuron to layer 1")
    expect(page.get_by_role("button", name="Neuron 9 of layer 1")).to_be_visible()
    wait_until(page, lambda now: now["run"] == "")
    expect(page).not_to_have_url(re.compile("run="))
    until = time.monotonic() + 30
    while not store.runs()[0].status.is_over:
        assert time.monotonic() < until
        page.wait_for_timeout(100)
    press(page, "y²")
    expect(page.get_by_role("button", name="Feature y²")).to_be_visible()


def test_what_is_not_a_number_is_grey_and_told(page, store):
    """Eight layers of very large weights: float32 ends at 3·10³⁸."""
    layers = [{"kind": "Dense", "units": 8, "activation": "relu", "kernel_gain": 1000.0}] * 8
    design = json.loads(PLAY.model_dump_json())
    design["model"] |= {"layers": layers, "weight_scale": 1000.0}
    page.goto(f"/play?experiment={store.share(parse_experiment(json.dumps(design)))}")
    wait_until(page, lambda now: now.get("train") == "NaN")
    expect(page.locator(".no-number")).to_be_visible()
    assert [138, 143, 152] in page.evaluate(COLORS)  # palette.ZERO

    page.goto("/play")
    wait_until(page, lambda now: float(now.get("train", "nan")) < 2)
    expect(page.locator(".no-number")).to_be_hidden()
    assert [138, 143, 152] not in page.evaluate(COLORS)


def test_the_picture_stays_where_it_is(page, store):
    """Frames, pauses and settings change what is drawn, never the elements: nothing flickers."""
    open_page(page)
    mark = SHOWN.replace("return play", "play.kept = (play.kept ?? 0) + 1; return {kept: play.kept}; return play")
    page.evaluate(mark)
    press(page, "Play")
    wait_until(page, lambda now: int(now["pictured"]) > 0)
    press(page, "Pause")
    wait_until(page, lambda now: now["status"] == "paused")
    assert page.evaluate(mark) == {"kept": 2}


def test_home_plays_at_one_press(page, store):
    page.goto("/")
    expect(page).to_have_title(re.compile("Keras"))
    press(page, "Play")
    wait_until(page, lambda now: int(now.get("pictured", 0)) > 0)
    assert store.runs()[0].experiment == PLAY
