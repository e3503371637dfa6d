"""A person reloads a finished run, gives it other classes to learn, and sees before and after."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.runs import end_runs, store_of
from playground.recipes import recipe
from playground.spec import with_settings
from tests.browser.conftest import PATIENCE
from tests.browser.looks import rest, status, train

pytestmark = pytest.mark.browser

BASE = with_settings(
    recipe("digits-mlp").experiment,
    [
        "data.classes=[0, 1, 2, 3, 4]",
        "training.epochs=8",
        "training.optimizer.learning_rate=0.01",
        "name=Digits 0 to 4",
    ],
)


@pytest.fixture
def store(app):
    store = store_of(app)
    yield store
    end_runs(store)


def choose_classes(page: Page, classes: str) -> None:
    """Exactly these digits, and no moment with fewer than two."""
    for digit in "5678901234":
        pill = page.locator("[class*=st-key-form][class*=classes]").get_by_role("button", name=digit, exact=True)
        if (pill.get_attribute("aria-pressed") == "true") != (digit in classes):
            pill.click()
            rest(page)


def test_fine_tune_on_other_classes(page, store):
    page.goto(f"/build?experiment={store.share(BASE)}")
    expect(page.get_by_text("Engine ready")).to_be_visible()
    train(page)
    expect(status(page, "done")).to_be_visible()

    page.get_by_role("link", name="Fine-tune").first.click()
    expect(page.get_by_text(re.compile("classes 0, 1, 2, 3, 4"))).to_be_visible()
    expect(page.get_by_text("the output layer is kept with its weights")).to_be_visible()
    rest(page)
    choose_classes(page, "56789")
    expect(page.get_by_text("a new output layer replaces the old one")).to_be_visible()

    page.get_by_role("button", name="Fine-tune", exact=True).click()
    # Two runs, and both are judged on the old task as well.
    expect(page.get_by_role("heading", name="Before and after", level=4)).to_be_visible(timeout=2 * PATIENCE)
    expect(page.get_by_text("Fine-tuning beats the base model with a new output layer")).to_be_visible()
    expect(page.get_by_text(re.compile("The old task is"))).to_be_visible()
    expect(page.get_by_text(re.compile("training from scratch at the same budget"))).to_be_visible()
    expect(page.get_by_role("heading", name="What changed in the weights")).to_be_visible()

    page.reload()
    expect(page.get_by_text("Fine-tuning beats the base model with a new output layer")).to_be_visible()
    tuned = store.runs()[1]
    assert tuned.experiment.start.base.run == store.runs()[2].id
    assert tuned.scores["test_accuracy"] > 0.6
