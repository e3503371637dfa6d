"""The store among several processes: who opens it, who wins a run, who is killed, and what the database refuses."""

import multiprocessing
import pickle
import re
import sqlite3
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from playground.errors import StoreError
from playground.records import Event, Progress, RunStatus
from playground.spec import Experiment
from playground.store import LeaseWatch, Store, database, open_store
from playground.store.migrate import MIGRATIONS, upgrade
from playground.store.schema import HEAD, metadata

SPAWN = multiprocessing.get_context("spawn")  # as the engine starts its workers
ASSETS = Path(__file__).with_name("assets")


@pytest.fixture(autouse=True)
def _no_page_as_main(monkeypatch):
    """Streamlit's AppTest leaves a page behind as ``__main__``, and a process that is spawned would run it."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


def together(work, *args, processes: int = 3) -> list:
    """What ``work(*args)`` returns in several processes that begin at the same moment."""
    barrier, results = SPAWN.Barrier(processes), SPAWN.Queue()
    children = [SPAWN.Process(target=_child, args=(work, args, barrier, results)) for _ in range(processes)]
    for child in children:
        child.start()
    answers = [results.get(timeout=120) for _ in children]
    for child in children:
        child.join()
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers


def _child(work, args, barrier, results) -> None:
    barrier.wait()
    try:
        results.put(work(*args))
    except Exception as error:  # the parent shows it
        results.put(error)


def _claim(store, id):
    return store.claim("process", run_id=id) is not None


def _claim_all(store):
    taken = []
    while claimed := store.claim("process"):
        taken.append(claimed[0].id)
    return taken


def _open(url, artifacts):
    return open_store(url, artifacts).create_run(Experiment()).id


class Endless:
    """An array that is never written to its end."""

    def __init__(self, begun):
        self.begun = begun

    def __array__(self, dtype=None, copy=None):
        self.begun.set()
        time.sleep(600)


def _write_endlessly(store, id, begun):
    store.write_checkpoint(id, 2, {"w": np.ones(1000), "v": Endless(begun)}, {})


def test_of_several_processes_one_wins_a_run(shared_store):
    id = shared_store.create_run(Experiment()).id
    assert sorted(together(_claim, shared_store, id)) == [False, False, True]
    assert shared_store.run(id).attempt == 1


def test_several_processes_share_out_the_queue(shared_store):
    ids = [shared_store.create_run(Experiment()).id for _ in range(30)]
    taken = together(_claim_all, shared_store)
    assert sorted(id for each in taken for id in each) == sorted(ids)
    for each in taken:
        assert each == sorted(each, key=ids.index)


def test_several_processes_open_a_new_store_at_once(shared_url, settings):
    ids = together(_open, shared_url, settings.artifacts, processes=4)
    assert {run.id for run in open_store(shared_url, settings.artifacts).runs()} == set(ids)


def test_kill_9_while_a_checkpoint_is_written(shared_store):
    run = shared_store.create_run(Experiment())
    shared_store.write_checkpoint(run.id, 1, {"w": np.ones(3)}, {"epoch": 1})
    begun = SPAWN.Event()
    child = SPAWN.Process(target=_write_endlessly, args=(shared_store, run.id, begun))
    child.start()
    assert begun.wait(60)
    child.kill()
    child.join()
    folder = shared_store.artifacts / run.id
    assert [path.suffix for path in sorted(folder.iterdir(), key=lambda path: path.suffix)] == [".npz", ".tmp"]
    arrays, meta = shared_store.read_checkpoint(run.id)
    assert (arrays["w"].tolist(), meta) == ([1, 1, 1], {"epoch": 1, "step": 1})
    shared_store.write_checkpoint(run.id, 3, {"w": np.ones(3)}, {})
    assert [path.suffix for path in folder.iterdir()] == [".npz", ".npz"]  # what the dead left is gone


def test_a_store_travels_by_its_address(shared_store):
    copy = pickle.loads(pickle.dumps(shared_store))
    run, lease = shared_store.claim("worker", run_id=shared_store.create_run(Experiment()).id)
    copy.report(run.id, lease, Progress(step=5))
    assert shared_store.run(run.id).progress.step == 5
    assert LeaseWatch(copy, 0).lost() == {run.id: lease}
    copy.close()
    assert copy.run(run.id).status is RunStatus.RUNNING  # closed is not broken


# The schema


def test_the_migrations_make_what_the_tables_say(tmp_path):
    store = Store("sqlite://", tmp_path)
    with store._writing() as connection:
        upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == HEAD


def test_a_new_store_is_what_the_migrations_make(tmp_path):
    """A new store is made at once, without the migrations, which take ten times as long."""
    made, migrated = open_store("sqlite://", tmp_path), Store("sqlite://", tmp_path)
    with migrated._writing() as connection:
        upgrade(connection)
    whole = [_everything_in(store) for store in (made, migrated)]
    assert whole[0] == whole[1]
    assert len(whole[0]) > 10


def _everything_in(store: Store) -> list[str]:
    """Each table and index as SQL, without its spacing, and the revision."""
    with store._reading() as connection:
        found = connection.scalars(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
        return [
            *sorted(re.sub(r"\s*([(),]|\s)\s*", r"\1", sql) for sql in found),
            connection.scalar(text("SELECT * FROM alembic_version")),
        ]


def test_a_store_of_the_first_revision_is_upgraded(settings):
    old = sqlite3.connect(settings.home / "playground.db")
    old.executescript((ASSETS / "store-0001.sql").read_text())
    old.close()
    store = open_store(settings.database, settings.artifacts)
    (run,) = store.runs()
    assert (run.status, run.owner, run.scores["loss"]) == (RunStatus.DONE, "ada", 0.25)
    assert [point.step for point in store.points(run.id)[0]] == [16, 32]
    assert store.resume(run.id).experiment.name == "An old run"
    with store._reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_of_a_newer_version_is_refused(shared_store):
    with shared_store._writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="newer version"):
        open_store(shared_store.url, shared_store.artifacts)


# What goes wrong, in plain words


def test_a_lock_is_waited_for_and_then_told(settings, monkeypatch):
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    store = open_store(settings.database, settings.artifacts)
    draft = store.new_draft(Experiment())
    other = sqlite3.connect(settings.home / "playground.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="The store is busy"):
        store.create_run(Experiment())
    assert store.runs() == []  # readers do not wait, and nothing is half written
    assert store.draft(draft) == Experiment()
    other.execute("ROLLBACK")

    monkeypatch.setattr(database, "BUSY_SECONDS", 60)
    patient = open_store(settings.database, settings.artifacts)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    release.start()
    assert patient.create_run(Experiment()).status is RunStatus.QUEUED
    release.join()
    other.close()


def test_a_full_disk_is_told_and_leaves_the_store_whole(tmp_path):
    store = open_store("sqlite://", tmp_path)
    with store._reading() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")  # SQLite takes the size it has
    run, lease = store.claim("worker", run_id=store.create_run(Experiment()).id)
    with pytest.raises(StoreError, match="disk that holds the store is full"):
        store.report(run.id, lease, Progress(step=1), live={"surface": (1, bytes(1_000_000))})
    assert store.run(run.id) == run
    assert store.apply(run.id, lease, Event.STOP).status is RunStatus.STOPPED


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://user:secret@host/name", "SQLite or PostgreSQL"),
        ("postgresql+psycopg2://user:secret@host/name", "pip install"),
        ("sqlite:////proc/nowhere/playground.db", "cannot be made"),
    ],
)
def test_an_address_that_cannot_be(url, said, tmp_path):
    with pytest.raises(StoreError, match=said) as caught:
        open_store(url, tmp_path)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_store(settings):
    (settings.home / "playground.db").write_text("a letter to a friend, kept under an unlucky name\n" * 99)
    with pytest.raises(StoreError, match="is not a store"):
        open_store(settings.database, settings.artifacts)
