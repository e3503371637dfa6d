"""What a person sees on the page, for tests and benchmarks to look at."""

from playwright.sync_api import Locator, Page

# Each vertex of a drawn line is a move or a line command of its path.
POINTS = """chart => [...chart.querySelectorAll('.mark-line path')]
    .map(path => (path.getAttribute('d') || '').split(/(?=[ML])/).filter(part => part).length)
    .reduce((sum, points) => sum + points, 0)"""


def loss_chart(page: Page) -> Locator:
    """The live curve of the loss; its name for screen readers begins so."""
    return page.get_by_label("Loss over the epochs.")


def curve_points(page: Page) -> int:
    """How many points the loss chart draws now; 0 while there is no chart."""
    chart = loss_chart(page)
    return int(chart.first.evaluate(POINTS)) if chart.count() else 0


def wait_for_points(page: Page, more_than: int = 0, seconds: float = 60) -> int:
    """Wait until the loss chart draws more points than that; how many it draws then.

    Raises:
        playwright.sync_api.TimeoutError: it does not in time.
    """
    page.wait_for_function(
        f"""() => {{
            const chart = document.querySelector('[aria-label^="Loss over the epochs."]');
            return chart && ({POINTS})(chart) > {more_than};
        }}""",
        timeout=seconds * 1000,
        polling=20,
    )
    return curve_points(page)


def train(page: Page) -> None:
    """Press Train."""
    page.get_by_role("button", name="Train", exact=True).click()


def stop(page: Page) -> None:
    """Press Stop."""
    page.get_by_role("button", name="Stop", exact=True).click()
