"""The live view of a run: what its component is given, and what stays Streamlit around it."""

from collections import defaultdict

import pytest

from playground.errors import StoreError
from playground.records import Event, Point
from playground.spec import changed
from playground.ui import feed
from tests.desk import experiment_of
from tests.runs import run_in
from tests.visit import button, errors, shown_live, visit, whole

PARTS = ["head", "curves"]


@pytest.mark.parametrize("part", PARTS)
def test_the_same_places_before_there_is_a_run(part):
    page, frame = shown_live(visit("build"), part)
    assert (page["run"], page["url"], frame) == ("", "", None)
    assert [metric["label"] for metric in page["metrics"]] == ["Loss", "Accuracy"]
    assert page["hint"] == "Press Train: the curves grow here."


@pytest.mark.parametrize("part", PARTS)
def test_the_first_picture_is_there_before_any_socket(part, store):
    run = run_in(store, experiment_of("iris"))
    page, frame = shown_live(visit("build", run=run.id), part)
    assert page["url"].startswith(f"feed/{run.id}?token=")
    assert feed.is_valid(page["url"].partition("token=")[2], run.id)
    assert frame["whole"]
    assert [point[0] for point in frame["points"]] == [10, 20, 30, 40, 50, 60]
    assert frame["summaries"]["loss"].startswith("Loss")


def test_shares_are_told_from_other_scores(store):
    run = run_in(store, experiment_of("diabetes"))
    page, _ = shown_live(visit("build", run=run.id), "curves")
    assert not any(metric["isShare"] for metric in page["metrics"])


def test_a_loss_that_is_no_number_never_breaks_the_page(store):
    run = store.create_run(experiment_of("iris"))
    _, lease = store.claim("a test", run_id=run.id)
    values = {"loss": float("nan"), "val_loss": float("inf")}
    store.report(run.id, lease, run.progress, points=[Point(1, 0.1, "chunk", values)])
    _, frame = shown_live(visit("build", run=run.id), "curves")
    assert frame["points"] == [[1, 0.1, "chunk", {"loss": None, "val_loss": None}]]


@pytest.fixture
def paces(monkeypatch) -> dict[str, list[float | None]]:
    """Every pace that the parts of the live view are drawn with, by their names."""
    visit("build")
    from playground.ui import live  # its component is only known once an app runs

    fragment, found = live.st.fragment, defaultdict(list)

    def noted(func, *, run_every=None, key=None):
        found[key].append(run_every)
        return fragment(func, run_every=run_every, key=key)

    monkeypatch.setattr(live.st, "fragment", noted)
    return found


def test_while_the_browser_has_no_socket_the_page_brings_the_frames(store, paces):
    from playground.ui import live

    run = run_in(store, experiment_of("iris"))
    at = visit("build", run=run.id)
    assert paces["live_head_part"] == paces["live_curves_part"] == [None]
    at.session_state[f"kept.{live.SOCKET}"] = False
    at.session_state["live_curves"] = {"socket": False}
    whole(at.run())
    assert 0.9 * live.PACE <= paces["live_head_part"][-1] <= live.PACE
    assert paces["live_curves_part"][-1] == paces["live_head_part"][-1]


def test_tabs_look_at_moments_of_their_own(store, paces):
    """All together, each of forty would wait for all others; none looks more rarely than it says."""
    from playground.ui import live

    run, found = run_in(store, experiment_of("moons")), paces["live_surface_part"]
    found.clear()
    tabs = [visit("build", run=run.id) for _ in range(3)]
    assert len(set(found)) == 3
    assert all(0.9 * live.PACE <= pace <= live.PACE for pace in found)
    tabs[0].run()
    assert found[3] == found[0]  # a tab keeps its own


def test_a_run_that_is_over_offers_what_one_does_with_it(store):
    at = visit("build", run=run_in(store, experiment_of("iris"), Event.FINISH).id)
    assert button(at, "10 more epochs")
    assert any(expander.label == "Details" for expander in at.expander)


def test_an_experiment_without_scores(store):
    experiment = experiment_of("iris")
    run = run_in(store, changed(experiment, training=changed(experiment.training, metrics=())))
    page, _ = shown_live(visit("build", run=run.id), "curves")
    assert [metric["name"] for metric in page["metrics"]] == ["loss"]


def test_a_fault_of_one_part_leaves_the_others(store, lab, monkeypatch):
    run = run_in(store, experiment_of("moons"))

    def fail(*args):
        raise StoreError("The disk is full. Make room.")

    monkeypatch.setattr(lab, "surface", fail)
    at = visit("build", run=run.id)
    assert "The disk is full." in errors(at)
    assert shown_live(at, "curves")[1]
