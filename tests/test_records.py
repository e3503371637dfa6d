"""The states of a run: every state with every event."""

import pytest

from playground.errors import NotAllowed
from playground.records import Event, RunStatus, advance

TABLE = """
             claim    pause   continue  yield   finish  fail    lose         stop     resume
queued       running  -       -         -       -       -       -            stopped  -
running      -        paused  -         -       done    failed  interrupted  stopped  -
paused       -        -       running   queued  done    failed  interrupted  stopped  -
done         -        -       -         -       -       -       -            -        queued
failed       -        -       -         -       -       -       -            -        queued
interrupted  -        -       -         -       -       -       -            -        queued
stopped      -        -       -         -       -       -       -            -        queued
"""
EVENTS, *ROWS = (line.split() for line in TABLE.strip().splitlines())
CASES = [(status, event, after) for status, *row in ROWS for event, after in zip(EVENTS, row, strict=True)]


def test_the_table_names_every_state_and_event():
    assert sorted({status for status, _, _ in CASES}) == sorted(RunStatus)
    assert sorted(EVENTS) == sorted(Event)


@pytest.mark.parametrize(("status", "event", "after"), CASES)
def test_advance(status, event, after):
    if after == "-":
        with pytest.raises(NotAllowed, match=f"A run that is {status} cannot {event}"):
            advance(RunStatus(status), Event(event))
    else:
        assert advance(RunStatus(status), Event(event)) is RunStatus(after)


def test_a_run_waits_or_lives_or_is_over():
    assert [status for status in RunStatus if status.is_live] == [RunStatus.RUNNING, RunStatus.PAUSED]
    assert [status for status in RunStatus if not status.is_live and not status.is_over] == [RunStatus.QUEUED]
    assert not any(status.is_live and status.is_over for status in RunStatus)
