"""A run's curves in a real browser: they grow by themselves, stay in place, and come back when the socket is gone."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.runs import ENDLESS
from tests.browser.looks import points, rest, status, train, wait_for_points

pytestmark = pytest.mark.browser

SHADOW = """[...document.querySelectorAll('.st-key-live_curves *')].map(place => place.shadowRoot).find(root => root)"""

COUNT_MOUNTS = f"""() => {{
    window.added = 0;
    const root = {SHADOW};
    const count = changes => changes.forEach(change => {{
        for (const node of change.addedNodes) {{
            if (node.matches?.('.live, canvas') || node.querySelector?.('.plot canvas')) window.added += 1;
        }}
    }});
    new MutationObserver(count).observe(root, {{subtree: true, childList: true}});
    const place = document.querySelector('.st-key-live_curves');
    new MutationObserver(count).observe(place, {{subtree: true, childList: true}});
    root.querySelectorAll('.plot canvas').forEach(canvas => canvas.wasHere = true);
}}"""

STILL_THERE = f"() => [...({SHADOW}).querySelectorAll('.plot canvas')].every(canvas => canvas.wasHere)"

# Sockets to the feed are kept where a test can reach them.
KEEP_SOCKETS = """() => {
    const Socket = window.WebSocket;
    window.feeds = [];
    window.isRefused = false;
    window.WebSocket = class extends Socket {
        constructor(url, ...rest) {
            super(window.isRefused ? String(url).replace('token=', 'token=not') : url, ...rest);
            if (String(url).includes('/feed/')) window.feeds.push(this);
        }
    };
}"""


@pytest.fixture
def training(page: Page, store) -> Page:
    """A page that watches a run move."""
    page.add_init_script(f"({KEEP_SOCKETS})()")
    page.goto(f"/build?experiment={store.share(ENDLESS)}")
    expect(page.get_by_text("Engine ready")).to_be_visible()
    page.get_by_text("while training").wait_for()
    rest(page)
    train(page)
    wait_for_points(page)
    expect(status(page, "running")).to_be_visible()
    return page


def chart(page: Page):
    return page.get_by_role("img", name=re.compile(r"^Loss over the epochs\."))


def test_grows_in_place_through_one_socket(training):
    training.evaluate(COUNT_MOUNTS)
    before = points(training)
    training.wait_for_timeout(5_000)
    assert points(training) > before + 3
    assert training.evaluate("window.added") == 0
    assert training.evaluate(STILL_THERE)
    assert training.evaluate("window.feeds.length") == 1  # for all parts of the page, and never renewed


def test_zoom_survives_news(training):
    wait_for_points(training, more_than=15)
    canvas = chart(training)
    box = canvas.bounding_box()
    training.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    training.mouse.down()
    training.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.5 * box["height"], steps=3)
    training.mouse.up()
    training.mouse.move(box["x"] + 5, box["y"] + box["height"] + 60)  # what is pointed at would be drawn too
    zoomed = training.evaluate(f"() => ({SHADOW}).querySelector('canvas').dataset.domain")
    wait_for_points(training, more_than=points(training) + 3)
    assert training.evaluate(f"() => ({SHADOW}).querySelector('canvas').dataset.domain") == zoomed
    canvas.dblclick()
    wait_for_points(training, more_than=points(training) + 1)
    assert training.evaluate(f"() => ({SHADOW}).querySelector('canvas').dataset.domain") != zoomed


def test_values_are_read_by_pointer_and_by_key(training):
    canvas = chart(training)
    canvas.press("End")
    said = training.locator(".st-key-live_curves output").first
    expect(said).to_have_text(re.compile(r"(between epochs|training|validation): \S+ · epoch \S+ · step [\d,]+"))
    canvas.press("Escape")


def test_the_badge_follows_who_steers_from_elsewhere(training, store):
    run = store.runs(limit=1)[0]
    store.request(run.id, pause=True)
    expect(status(training, "paused")).to_be_visible()
    expect(training.get_by_role("button", name="Go on", exact=True)).to_be_visible()
    store.request(run.id, pause=False)
    expect(status(training, "running")).to_be_visible()
    store.request(run.id, stop=True)
    expect(status(training, "stopped")).to_be_visible()
    expect(training.get_by_role("button", name="Resume")).to_be_visible()


def test_a_socket_that_breaks_is_opened_again(training):
    training.evaluate("window.feeds.at(-1).close()")
    before = points(training)
    wait_for_points(training, more_than=before + 3)
    assert training.evaluate("window.feeds.length") == 2


def test_without_a_socket_the_page_brings_the_frames(training):
    training.evaluate("() => { window.isRefused = true; window.feeds.at(-1).close(); }")
    training.evaluate(COUNT_MOUNTS)
    before = points(training)
    wait_for_points(training, more_than=before + 3)
    assert training.evaluate("window.feeds.at(-1).readyState") != 1
    # And back, as soon as there is one: the next attempt may be ten seconds away.
    training.evaluate("window.isRefused = false")
    training.wait_for_function("window.feeds.at(-1).readyState === 1", timeout=30_000)
    wait_for_points(training, more_than=points(training) + 3)
    assert training.evaluate("window.added") == 0
    assert training.evaluate(STILL_THERE)


def test_a_hidden_page_falls_silent(training):
    hide = "is => { Object.defineProperty(document, 'hidden', {value: is, configurable: true}); " \
        "document.dispatchEvent(new Event('visibilitychange')); }"  # fmt: skip
    training.evaluate(hide, True)
    training.wait_for_function("window.feeds.every(feed => feed.readyState >= 2)")
    drawn = [points(training)]
    while len(drawn) < 2 or drawn[-1] != drawn[-2]:  # what had arrived may still have to be drawn
        assert len(drawn) < 5, drawn
        training.wait_for_timeout(1_500)
        drawn.append(points(training))
    training.evaluate(hide, False)
    wait_for_points(training, more_than=drawn[-1])


def test_the_end_of_a_run_is_seen_on_other_pages(training, store):
    run = store.runs(limit=1)[0]
    training.goto(f"/gradients?run={run.id}")
    stop = training.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_enabled()
    store.request(run.id, stop=True)
    expect(stop).to_be_disabled()
    expect(status(training, "stopped")).to_be_visible()
