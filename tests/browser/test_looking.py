"""A person looks into a network: gradients while it trains, then what its layers make of a drawn digit, and why."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.runs import end_runs, store_of
from playground.recipes import recipe
from playground.spec import with_settings
from tests.browser.looks import rest, status, stop, train, wait_for_points

pytestmark = pytest.mark.browser

LONG = with_settings(recipe("digits-cnn").experiment, ["training.epochs=2000"])
SHORT = with_settings(recipe("digits-cnn").experiment, ["training.epochs=6"])
THREE = [(0.3, 0.2), (0.6, 0.15), (0.68, 0.3), (0.45, 0.48), (0.7, 0.62), (0.62, 0.82), (0.3, 0.85)]
"""A stroke through these places of the pad, from its upper left corner."""


@pytest.fixture
def store(app):
    store = store_of(app)
    yield store
    end_runs(store)


def draw(page: Page, places: list[tuple[float, float]]) -> None:
    """One stroke on the drawing pad."""
    pad = page.get_by_label("Drawing pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    (x, y), *rest_of_stroke = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest_of_stroke:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()


def test_gradients_are_followed_while_it_trains(page, store):
    page.goto(f"/build?experiment={store.share(LONG)}")
    expect(page.get_by_text("Engine ready")).to_be_visible()
    train(page)
    wait_for_points(page)
    page.get_by_role("link", name="Gradients").first.click()
    ratios = page.get_by_label(re.compile("^Size of a step")).first
    expect(ratios).to_be_visible()
    before = ratios.get_attribute("aria-label")
    expect(ratios).not_to_have_attribute("aria-label", before)  # it moves: the run goes on
    expect(page.get_by_text(re.compile(r"Gradient on its way back"))).to_be_visible()
    stop(page)
    expect(status(page, "stopped")).to_be_visible()


def test_a_drawn_three_is_looked_at_layer_by_layer(page, store):
    page.goto(f"/build?experiment={store.share(SHORT)}")
    expect(page.get_by_text("Engine ready")).to_be_visible()
    train(page)
    expect(status(page, "done")).to_be_visible()
    page.get_by_role("link", name="Activations").first.click()
    page.get_by_role("radio", name="Draw").click()
    expect(page.get_by_label("Drawing pad")).to_be_visible()
    rest(page)
    draw(page, THREE)
    expect(page.get_by_text("What the network receives")).to_be_visible()
    expect(page.get_by_role("heading", name="Saliency and Grad-CAM")).to_be_visible()
    for label, digit in (("Class", "3"), ("Beside it", "8")):
        box = page.locator("[data-testid=stSelectbox]").filter(has_text=re.compile(f"^{label}")).get_by_role("combobox")
        box.fill(digit)  # by keyboard: the list may be drawn anew while it is open
        box.press("Enter")
        rest(page)
    for digit in ("3", "8"):
        expect(page.get_by_role("heading", name=digit, exact=True)).to_be_visible()
        expect(
            page.get_by_role("img", name=re.compile(f"What speaks for {digit} in|speaks for {digit}: try")).first
        ).to_be_visible()
