"""Importing much at once."""

import gc

import pytest

from playground.imports import importing


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    gc.enable()
    gc.unfreeze()


def test_no_garbage_is_looked_for_inside_and_none_later_among_what_is_alive():
    known = gc.get_freeze_count()
    with importing():
        assert not gc.isenabled()
        alive = [[] for _ in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= known + len(alive)


def test_garbage_is_looked_for_again_after_an_import_that_failed():
    with pytest.raises(ImportError), importing():
        raise ImportError
    assert gc.isenabled()
