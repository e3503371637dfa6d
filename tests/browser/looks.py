"""What a person sees on the page, for tests and benchmarks to look at."""

import re

from playwright.sync_api import Locator, Page

# Each vertex of a drawn line is a move or a line command of its path.
POINTS = """chart => [...chart.querySelectorAll('.mark-line path')]
    .map(path => (path.getAttribute('d') || '').split(/(?=[ML])/).filter(part => part).length)
    .reduce((sum, points) => sum + points, 0)"""


def wait_for_points(page: Page, more_than: int = 0, seconds: float = 60) -> int:
    """Wait until the live chart of the loss draws more points than that; how many it draws then.

    Raises:
        playwright.sync_api.TimeoutError: it does not in time.
    """
    # The chart's name for screen readers begins with what it shows.
    look = f"""() => {{
        const chart = document.querySelector('[aria-label^="Loss over the epochs."]');
        const points = chart ? ({POINTS})(chart) : 0;
        return points > {more_than} && points;
    }}"""
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
