"""The whole way of a person in one sitting: train, watch gradients, draw a digit, see why, adapt to other digits."""

import re

import pytest
from playwright.sync_api import Page, expect

from playground.recipes import recipe
from playground.spec import with_settings
from tests.browser.conftest import PATIENCE
from tests.browser.looks import draw, pad, rest, status, train, wait_for_points

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

KNOWN, OTHERS = "01348", "25679"
BASE = with_settings(
    recipe("digits-cnn").experiment,
    [f"data.classes={[int(digit) for digit in KNOWN]}", "training.epochs=120", "name=Five digits"],
)


def test_train_look_inside_and_fine_tune(page, store):
    train_and_follow_gradients(page, store.share(BASE))
    look_at_a_drawn_three(page)
    adapt_to_other_digits(page)
    tuned = store.runs()[1]
    assert tuned.experiment.start.base.run == store.runs()[2].id
    assert tuned.scores["test_accuracy"] > 0.6


def train_and_follow_gradients(page: Page, experiment: str) -> None:
    page.goto(f"/build?experiment={experiment}")
    expect(page.get_by_text("Engine ready")).to_be_visible()
    rest(page)
    train(page)
    wait_for_points(page)
    page.get_by_role("link", name="Gradients").first.click()
    ratios = page.get_by_label(re.compile("^Size of a step")).first
    expect(ratios).to_be_visible()
    before = ratios.get_attribute("aria-label")
    expect(ratios).not_to_have_attribute("aria-label", before)  # it moves: the run goes on
    expect(page.get_by_text(re.compile(r"Gradient on its way back"))).to_be_visible()
    expect(status(page, "done")).to_be_visible(timeout=3 * PATIENCE)


def look_at_a_drawn_three(page: Page) -> None:
    """Every layer's feature maps, and which places of the picture speak for 3 and for 8."""
    page.get_by_role("link", name="Activations").first.click()
    page.get_by_role("radio", name="Draw").click()
    expect(pad(page)).to_be_visible()
    rest(page)
    draw(page)
    expect(page.get_by_text("What the network receives")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^Conv2D conv2d_1 .*values")).first).to_be_visible()
    expect(page.get_by_role("heading", name="Saliency and Grad-CAM")).to_be_visible()
    rest(page, seconds=2)  # all that a drawing changes has been drawn anew
    for label, digit in (("Class", "3"), ("Beside it", "8")):
        box = page.locator("[data-testid=stSelectbox]").filter(has_text=re.compile(f"^{label}")).get_by_role("combobox")
        for _ in range(3):  # an answer that comes late draws the box anew, and takes away what was typed
            box.press_sequentially(digit)  # not filled at once: the list opens with a key
            box.press("Enter")
            rest(page)
            box.blur()  # what was typed and not chosen is gone with that
            if box.input_value() == digit:
                break
        expect(box).to_have_value(digit)
    for digit in "38":
        expect(page.get_by_role("heading", name=digit, exact=True)).to_be_visible()
        expect(page.get_by_role("img", name=re.compile(f"What speaks for {digit} in")).first).to_be_visible()


def adapt_to_other_digits(page: Page) -> None:
    """A new head for digits that the network has never seen; before and after, and the answer in words."""
    page.get_by_role("link", name="Fine-tune").first.click()
    expect(page.get_by_text(re.compile(f"classes {', '.join(KNOWN)}"))).to_be_visible()
    expect(page.get_by_text("the output layer is kept with its weights")).to_be_visible()
    rest(page)
    choose_classes(page, OTHERS)
    expect(page.get_by_text("a new output layer replaces the old one")).to_be_visible()
    page.get_by_role("button", name="Fine-tune", exact=True).click()
    # Two runs, and both are judged on the old task as well.
    expect(page.get_by_role("heading", name="Before and after", level=4)).to_be_visible(timeout=2 * PATIENCE)
    answer = page.get_by_text("Fine-tuning beats the base model with a new output layer")
    expect(answer).to_be_visible()
    expect(page.get_by_text(re.compile("The old task is"))).to_be_visible()
    expect(page.get_by_text(re.compile("training from scratch at the same budget"))).to_be_visible()
    expect(page.get_by_role("heading", name="What changed in the weights")).to_be_visible()
    page.reload()
    expect(answer).to_be_visible()


def choose_classes(page: Page, classes: str) -> None:
    """Exactly these digits, and no moment with fewer than two."""
    others = [digit for digit in "0123456789" if digit not in classes]
    for digit in [*classes, *others]:
        pill = page.locator("[class*=st-key-form][class*=classes]").get_by_role("button", name=digit, exact=True)
        if (pill.get_attribute("aria-pressed") == "true") != (digit in classes):
            pill.click()
            rest(page)
