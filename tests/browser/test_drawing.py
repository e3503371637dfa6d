"""A person draws a digit with the mouse and sees what a trained network says of it."""

import re

import pytest
from playwright.sync_api import Page, expect

from playground.cli.chromium import find_chromium
from playground.recipes import recipe
from playground.settings import Settings
from playground.spec import with_settings
from tests.browser.app import running_app
from tests.browser.looks import THREE, draw, pad, rest
from tests.runs import trained

pytestmark = [pytest.mark.browser, pytest.mark.keras]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("trying")


@pytest.fixture(scope="module")
def run(home):
    """A network that knows the small digits."""
    if not find_chromium():
        pytest.skip("no Chromium on this machine; make test installs one")
    return trained(Settings(home=home), with_settings(recipe("digits-mlp").experiment, ["training.epochs=12"]))


@pytest.fixture(scope="module")
def app(home, run):
    with running_app(home) as app:
        yield app


def open_pad(page: Page, run) -> None:
    page.goto(f"/try_it?run={run.id}")
    expect(page.get_by_text("Engine ready")).to_be_visible()
    page.get_by_role("radio", name="Draw").click()
    expect(pad(page)).to_be_visible()
    rest(page)


def ink(page: Page) -> int:
    """How many pixels of the pad differ from what it shows without a drawing; its words are smaller than a stroke."""
    return pad(page).evaluate(
        """canvas => {
            const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
            let inked = 0;
            for (let k = 3; k < data.length; k += 4) inked += data[k] > 250;
            return inked;
        }"""
    )


def test_draw_a_three(page, run):
    open_pad(page, run)
    draw(page)
    expect(page.get_by_text(re.compile(r"^3 with .*, then \d with"))).to_be_visible()
    # The axis of the probabilities names each class with its share.
    labels = page.locator("[role=graphics-document] text").filter(has_text=re.compile(r"^\d · ")).all_text_contents()
    shares = [float(label.split("·")[1].strip(" %")) for label in labels]
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(100, abs=0.6)
    assert shares == sorted(shares, reverse=True)
    expect(page.get_by_role("heading", name="Nearest training examples")).to_be_visible()


def test_a_drawing_survives_what_is_drawn_anew_around_it(page, run):
    open_pad(page, run)
    draw(page)
    expect(page.get_by_text(re.compile(r"^3 with"))).to_be_visible()
    drawn = ink(page)
    pad(page).evaluate("canvas => { canvas.isTheSame = true; }")
    draw(page, [(0.1, 0.1), (0.2, 0.1)])  # an answer to it redraws everything around the pad
    rest(page)
    assert ink(page) > drawn
    assert pad(page).evaluate("canvas => canvas.isTheSame")
    # Another source of input takes the pad away; it comes back with its strokes.
    page.get_by_role("radio", name="An example").click()
    expect(pad(page)).to_have_count(0)
    page.get_by_role("radio", name="Draw").click()
    expect(pad(page)).to_be_visible()
    rest(page)
    page.get_by_role("button", name="Undo stroke").click()
    expect(page.get_by_text(re.compile(r"^3 with"))).to_be_visible()
    assert ink(page) == pytest.approx(drawn, rel=0.02)


def test_clear_and_keyboard(page, run):
    open_pad(page, run)
    draw(page)
    expect(page.get_by_text(re.compile(r"^3 with"))).to_be_visible()
    page.get_by_role("button", name="Clear", exact=True).press("Enter")
    expect(page.get_by_text(re.compile("as soon as it has an input"))).to_be_visible()
    pad(page).focus()
    for key in (" ", *["ArrowDown"] * 8, " "):
        page.keyboard.press(key)
    expect(page.get_by_text(re.compile(r"^\d with .*, then \d with"))).to_be_visible()


def test_a_finger_draws_and_does_not_scroll(app, browser, run):
    context = browser.new_context(
        base_url=app.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    open_pad(page, run)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    pad(page).scroll_into_view_if_needed()
    box = pad(page).bounding_box()
    touches = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in THREE]
    client = context.new_cdp_session(page)
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": touches[:1]})
    for touch in touches[1:]:
        client.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [touch]})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.get_by_text(re.compile(r"^\d with .*, then \d with"))).to_be_visible()
    assert pad(page).bounding_box()["y"] == pytest.approx(box["y"], abs=2)
    context.close()
