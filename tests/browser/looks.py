"""What a person sees on the page, for tests and benchmarks to look at."""

import re
from collections.abc import Sequence

from playwright.sync_api import Locator, Page

# The charts tell how many points they draw. They stand in the shadow of a component, where no selector reaches.
POINTS = """() => {
    const places = [...document.querySelectorAll('.st-key-live_curves *')];
    const charts = places.flatMap(place => [...place.shadowRoot?.querySelectorAll('canvas[data-points]') ?? []]);
    const chart = charts.find(chart => chart.getAttribute('aria-label').startsWith('Loss over the epochs.'));
    return +(chart?.dataset.points ?? 0);
}"""


def points(page: Page) -> int:
    """How many points the live chart of the loss draws now."""
    return int(page.evaluate(POINTS))


def wait_for_points(page: Page, more_than: int = 0, seconds: float = 60) -> int:
    """Wait until the live chart of the loss draws more points than that; how many it draws then.

    Raises:
        playwright.sync_api.TimeoutError: it does not in time.
    """
    look = f"() => {{ const points = ({POINTS})(); return points > {more_than} && points; }}"
    return int(page.wait_for_function(look, timeout=seconds * 1000, polling=20).json_value())


def rest(page: Page, seconds: float = 0.4) -> None:
    """Wait until nothing on the page has changed for so long: what is loaded is drawn, and a press is taken at once."""
    page.evaluate(
        """quiet => new Promise(done => {
            let timer;
            const restart = () => { clearTimeout(timer); timer = setTimeout(done, quiet); };
            new MutationObserver(restart).observe(document.body, {subtree: true, childList: true, attributes: true});
            restart();
        })""",
        seconds * 1000,
    )


def status(page: Page, name: str) -> Locator:
    """The badge in the experiment strip, where it says this state."""
    return page.locator(".st-key-strip").get_by_text(re.compile(rf"\b{name}$"))


def train(page: Page) -> None:
    """Press Train."""
    page.get_by_role("button", name="Train", exact=True).click()


def stop(page: Page) -> None:
    """Press Stop."""
    page.get_by_role("button", name="Stop", exact=True).click()


THREE = [(0.3, 0.25), (0.45, 0.15), (0.62, 0.2), (0.65, 0.35), (0.48, 0.47), (0.66, 0.55), (0.68, 0.75), (0.5, 0.87),
         (0.3, 0.78)]  # fmt: skip
"""A stroke through these places of the drawing pad, from its upper left corner."""


def pad(page: Page) -> Locator:
    """The drawing pad."""
    return page.get_by_role("img", name="Drawing pad")


def draw(page: Page, places: Sequence[tuple[float, float]] = THREE) -> None:
    """One stroke on the drawing pad."""
    pad(page).scroll_into_view_if_needed()
    box = pad(page).bounding_box() or {"x": 0.0, "y": 0.0, "width": 0.0, "height": 0.0}
    (x, y), *others = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in places]
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in others:
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
