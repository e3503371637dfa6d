"""What people change of a live run on Build & train, where Streamlit tells of one choice twice."""

from streamlit.testing.v1 import AppTest

from playground.spec.orders import Freeze, SetBatchSize
from tests.desk import experiment_of
from tests.visit import whole


def changes(run_id: str) -> None:
    """The changes that the popover shows, on a page of their own: AppTest opens no popover."""
    from playground.ui import resources, steering

    lab = resources.lab()
    steering._changes(lab, lab.run(run_id))


def test_a_choice_that_streamlit_tells_twice_is_one_order(store):
    run = store.create_run(experiment_of("moons"))
    store.claim("a test", run_id=run.id)
    at = whole(AppTest.from_function(changes, args=(run.id,), default_timeout=60).run())
    layer = at.multiselect[0].options[0]
    # What came of the first telling, which the page that is drawn has not heard of.
    store.order(run.id, Freeze(layers=(layer,)))
    whole(at.multiselect[0].select(layer).run())
    assert [one.order for one in store.orders(run.id)] == [Freeze(layers=(layer,))]
    whole(at.multiselect[0].unselect(layer).run())
    whole(at.selectbox[0].select(64).run())
    assert [one.order for one in store.orders(run.id)[1:]] == [Freeze(layers=()), SetBatchSize(batch_size=64)]
