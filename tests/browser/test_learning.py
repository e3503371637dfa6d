"""A person opens the app, builds a network, trains it, watches, stops, and sees how good it is."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.runs import ENDLESS
from playground.recipes import recipe
from playground.spec import with_settings
from playground.ui.navigation import PLACES
from tests.browser.looks import status, stop, train, wait_for_points

pytestmark = pytest.mark.browser


def open_experiment(page: Page, store, experiment) -> None:
    """By a shared link, as a teacher gives it out."""
    page.goto(f"/build?experiment={store.share(experiment)}")
    expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
    expect(page.get_by_text("Engine ready")).to_be_visible()


@pytest.mark.parametrize("path", ["/", *(f"/{place.name}" for place in PLACES[1:])])
def test_nothing_is_cut_off_on_a_phone(path, page):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(path)
    page.locator("[data-test-script-state=notRunning]").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_build_a_network(page, store):
    open_experiment(page, store, recipe("digits-mlp").experiment)
    parameters = page.get_by_text(re.compile(r"· [\d,]+ parameters$")).first
    before = parameters.inner_text()
    page.get_by_role("button", name="Add a layer").click()
    page.get_by_role("button", name="Dense", exact=True).click()
    expect(parameters).not_to_have_text(before)
    with_layer = parameters.inner_text()
    units = page.get_by_label("Units").last
    units.fill("48")
    units.press("Enter")
    expect(parameters).not_to_have_text(with_layer)
    expect(page.get_by_text(re.compile("→ 48 ·")).first).to_be_visible()
    # The first edit forked a draft of one's own: it survives a refresh.
    expect(page).to_have_url(re.compile(r"draft="))
    page.reload()
    expect(page.get_by_text(re.compile("→ 48 ·")).first).to_be_visible()


def test_an_impossible_layer_is_named(page, store):
    open_experiment(page, store, with_settings(recipe("iris").experiment, ["training.epochs=3"]))
    page.get_by_role("button", name="Add a layer").click()
    page.get_by_role("button", name="Conv2D", exact=True).click()
    expect(page.get_by_text(re.compile(r"Conv2D\) needs a picture")).first).to_be_visible()


def test_train_watch_refresh_and_stop(page, store):
    open_experiment(page, store, ENDLESS)
    train(page)
    first = wait_for_points(page)
    grown = wait_for_points(page, more_than=first)
    expect(page).to_have_url(re.compile(r"run="))
    page.reload()
    wait_for_points(page, more_than=min(grown, 100))
    expect(status(page, "running")).to_be_visible()
    stop(page)
    expect(status(page, "stopped")).to_be_visible()
    page.reload()
    wait_for_points(page)


def test_judge_what_was_learned(page, store):
    open_experiment(page, store, with_settings(recipe("digits-mlp").experiment, ["training.epochs=5"]))
    train(page)
    expect(status(page, "done")).to_be_visible()
    page.get_by_role("link", name="Evaluate").last.click()
    expect(page.get_by_role("heading", name="Confusion matrix")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("ROC"))).to_be_visible()
    expect(page.get_by_text(re.compile("AUC")).first).to_be_visible()


def test_a_run_is_seen_from_another_browser(app, browser, page, store):
    open_experiment(page, store, ENDLESS)
    train(page)
    wait_for_points(page)
    run_id = re.search(r"run=(\w+)", page.url).group(1)
    elsewhere = browser.new_context(base_url=app.url).new_page()
    elsewhere.goto(f"/build?run={run_id}")
    wait_for_points(elsewhere)
    expect(elsewhere.get_by_role("button", name="Stop", exact=True)).to_be_disabled()
    elsewhere.context.close()
    stop(page)
    expect(status(page, "stopped")).to_be_visible()
