"""The engine as a process: its queue, its workers, its door. Its workers' functions are those of ``fake_worker``."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from distributed import Client, Security

from playground.address import Address, Place
from playground.errors import EngineUnavailable, LayerError, PlaygroundError
from playground.jobs import CALLS, DaskJobs, start_engine, stop_engine
from playground.records import Run, RunStatus
from playground.settings import Settings
from playground.spec import Experiment
from playground.spec.data import Digits
from playground.store import Store, open_store

pytestmark = [pytest.mark.engine, pytest.mark.skipif(sys.platform == "win32", reason="these tests send signals")]

WORKER = "fake_worker"
FAKE_CALLS = {name: target.replace("playground.engine.worker", WORKER) for name, target in CALLS.items()}
T = TypeVar("T")


def eventually(look: Callable[[], T], seconds: float = 60) -> T:
    """What ``look`` gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return seen


class Home:
    """A home folder, its engine, and what tests ask of them."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(home=folder, lease_seconds=5)
        self.place = Place(self.settings)
        self.store: Store = open_store(self.settings.database, self.settings.artifacts)
        self.jobs = DaskJobs(self.settings, calls=FAKE_CALLS)

    def start(self) -> Address:
        start_engine(self.settings, WORKER)
        return self.ready()

    def ready(self, besides: str = "") -> Address:
        """The address of an engine that answers, and is not the one with the nonce ``besides``."""

        def look() -> Address | None:
            address = self.place.read()
            return address if address and address.workers and address.nonce != besides else None

        try:
            return eventually(look)
        except AssertionError:
            raise AssertionError(self.place.log.read_text()) from None

    def launch(self, name: str, *, large: bool = False) -> Run:
        experiment = Experiment(name=name, data=Digits()) if large else Experiment(name=name)
        return self.store.create_run(experiment)

    def reaches(self, run: Run, status: RunStatus, seconds: float = 60) -> Run:
        eventually(lambda: self.store.run(run.id).status is status, seconds)
        return self.store.run(run.id)

    def moves(self, run: Run) -> Run:
        eventually(lambda: self.store.run(run.id).progress.epoch > 0)
        return self.store.run(run.id)

    def trained(self) -> list[str]:
        """Ids of the runs in the order in which their training began, once for each time."""
        return (self.settings.home / "trained.txt").read_text().split()

    def processes(self) -> list[psutil.Process]:
        engine = psutil.Process(self.place.read().pid)  # type: ignore[union-attr]
        return [engine, *engine.children(recursive=True)]

    def train_worker(self) -> psutil.Process:
        """The process of the train worker: the only one that is nice."""
        return next(process for process in self.processes() if process.nice() == 5)

    def close(self) -> None:
        self.jobs.close()
        assert stop_engine(self.settings)
        self.store.close()


@pytest.fixture(scope="module")
def workers_path() -> Iterator[None]:
    """Engines find ``fake_worker`` beside this file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("SOME_API_TOKEN", "not for workers")
        yield


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, workers_path: None) -> Iterator[Home]:
    """A home whose engine runs for all tests of this file that leave it in good order."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.start()
    yield home
    home.close()


@pytest.fixture
def home(tmp_path: Path, workers_path: None) -> Iterator[Home]:
    """A home without an engine yet."""
    home = Home(tmp_path)
    yield home
    home.close()


# The queue


def test_five_runs_survive_the_process_that_launched_them(running: Home) -> None:
    script = (
        "import os, signal\n"
        "from playground.settings import Settings\n"
        "from playground.spec import Experiment\n"
        "from playground.spec.data import Digits\n"
        "from playground.store import open_store\n"
        "settings = Settings()\n"
        "store = open_store(settings.database, settings.artifacts)\n"
        "for _ in range(5): print(store.create_run(Experiment(name='0.2', data=Digits())).id, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, **running.settings.environ()}
    client = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert client.returncode == -signal.SIGKILL
    launched = client.stdout.split()
    ended = [running.reaches(running.store.run(id), RunStatus.DONE) for id in launched]
    assert [id for id in running.trained() if id in launched] == launched
    assert all(run.attempt == 1 for run in ended)
    assert all(before.facts["ended"] <= after.facts["began"] for before, after in pairwise(ended))


def test_a_class_of_eight_trains_at_once_and_a_large_run_beside_it(running: Home) -> None:
    launched = [*(running.launch("2") for _ in range(8)), running.launch("0.1", large=True)]
    *class_, alone = [running.reaches(run, RunStatus.DONE) for run in launched]
    last_to_begin = max(run.facts["began"] for run in class_)
    assert last_to_begin < min(run.facts["ended"] for run in class_)
    assert alone.facts["began"] < min(run.facts["ended"] for run in class_)


def test_questions_are_answered_while_a_run_trains(running: Home) -> None:
    run = running.launch("30", large=True)
    pid = eventually(lambda: running.store.run(run.id).progress.epoch > 0) and running.train_worker().pid
    assert running.jobs.ask("describe", "x")["pid"] != pid
    running.store.request(run.id, stop=True)
    running.reaches(run, RunStatus.STOPPED)


@pytest.mark.parametrize(("name", "status"), [("raise", RunStatus.FAILED), ("vanish", RunStatus.INTERRUPTED)])
def test_a_run_whose_function_misbehaves_still_ends(running: Home, name: str, status: RunStatus) -> None:
    run = running.reaches(running.launch(name), status)
    assert run.message
    assert "Traceback" not in run.message


def test_training_is_nice(running: Home) -> None:
    run = running.reaches(running.launch("0"), RunStatus.DONE)
    assert run.facts["nice"] == 5


# Questions


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel does not group by sessions")
def test_training_is_nice_among_sessions_too(running: Home) -> None:
    """Linux shares out its cores among sessions first: pages are in another one than the engine."""
    trains = running.train_worker()
    others = [process for process in running.processes() if process.pid != trains.pid]
    assert _autogroup(trains).endswith("nice 5")
    assert _autogroup(trains) not in map(_autogroup, others)
    assert all(_autogroup(process).endswith("nice 0") for process in others)


def _autogroup(process: psutil.Process) -> str:
    """Name and niceness of the group of sessions that Linux counts a process to."""
    return Path(f"/proc/{process.pid}/autogroup").read_text().strip()


def test_forty_questions_from_ten_threads(running: Home) -> None:
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda n: running.jobs.ask("describe", str(n)), range(40)))
    assert [answer["said"] for answer in answers] == [str(n) for n in range(40)]


def test_errors_come_back_as_themselves(running: Home) -> None:
    with pytest.raises(LayerError, match="Flatten is missing") as caught:
        running.jobs.ask("preview", "layer")
    assert caught.value.index == 3


def test_a_fault_comes_back_as_a_sentence_with_a_code(running: Home) -> None:
    with pytest.raises(PlaygroundError, match="RuntimeError, code") as caught:
        running.jobs.ask("preview", "fault")
    code = str(caught.value).partition("code ")[2][:6]
    assert code in eventually(lambda: code in (text := running.place.log.read_text()) and text)


def test_an_answer_that_takes_too_long(running: Home) -> None:
    with pytest.raises(EngineUnavailable, match="did not answer"):
        running.jobs.ask("preview", "1", timeout=0.1)
    assert running.jobs.ask("preview", "0") == "0"


def test_a_question_that_kills_its_worker(running: Home) -> None:
    with pytest.raises(EngineUnavailable, match="does not answer"):
        running.jobs.ask("preview", "exit")
    assert running.jobs.ask("describe", "again")["said"] == "again"


def test_status(running: Home) -> None:
    status = eventually(lambda: (now := running.jobs.status()).device and now)
    assert (status.state, status.workers, status.device, status.message) == ("ready", 1, "fake device, warm", "")


def test_workers_see_no_secrets(running: Home) -> None:
    environment = running.jobs.ask("fetch", "")
    assert "PLAYGROUND_HOME" in environment
    assert "not for workers" not in environment


# The door


def _ports(home: Home) -> set[int]:
    connections = [connection for process in home.processes() for connection in process.net_connections("inet")]
    listening = [connection for connection in connections if connection.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
    return {connection.laddr.port for connection in listening}


def test_no_port_answers_without_a_certificate(running: Home) -> None:
    ports = _ports(running)
    assert len(ports) >= 5  # scheduler, two workers and their nannies
    for port in ports:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            try:
                answer = connection.recv(1000)
            except ConnectionError:
                answer = b""
        assert not answer.startswith(b"HTTP")


def test_plain_and_foreign_clients_are_refused(running: Home) -> None:
    address = running.place.read()
    assert address is not None
    with pytest.raises(OSError, match=r"Timed out|closed"):
        Client(address.scheduler.replace("tls", "tcp"), timeout=1, set_as_default=False)
    with pytest.raises(OSError, match="TLS certificate does not match"):
        Client(address.scheduler, security=Security.temporary(), timeout=1, set_as_default=False)


def test_the_key_is_for_this_user_only(running: Home) -> None:
    assert (running.place.folder / "address.json").stat().st_mode & 0o777 == 0o600
    assert running.place.folder.stat().st_mode & 0o777 == 0o700


# Losses


def test_a_killed_train_worker_interrupts_its_run_and_the_next_one_starts(running: Home) -> None:
    run = running.moves(running.launch("60", large=True))
    following = running.launch("0.1", large=True)
    running.train_worker().kill()
    interrupted = running.reaches(run, RunStatus.INTERRUPTED, seconds=15)
    assert "resume continues from the last checkpoint" in interrupted.message
    assert interrupted.progress.epoch > 0
    running.reaches(following, RunStatus.DONE)


def test_a_run_whose_first_word_comes_late_is_not_taken_from_a_worker_that_lives(running: Home) -> None:
    """Its lease is five seconds."""
    run = running.reaches(running.launch("silent 8"), RunStatus.DONE)
    assert run.attempt == 1


def test_a_frozen_train_worker_interrupts_its_run(running: Home) -> None:
    run = running.launch("stop itself", large=True)
    running.reaches(run, RunStatus.INTERRUPTED)
    frozen = next(process for process in running.processes() if process.status() == psutil.STATUS_STOPPED)
    frozen.send_signal(signal.SIGCONT)


def test_a_killed_engine_leaves_no_process_and_its_run_is_interrupted_by_the_next(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.jobs.dask.REVIVE_SECONDS", 3)
    app = DaskJobs(home.settings, revive=True, calls=FAKE_CALLS, worker=WORKER)
    home.start()
    run = home.moves(home.launch("60", large=True))
    processes = home.processes()
    processes[0].kill()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
    assert home.jobs.status().state == "lost"
    eventually(lambda: app.status().state == "ready")
    home.reaches(run, RunStatus.INTERRUPTED)
    assert app.ask("describe", "hello")["said"] == "hello"
    app.close()


@pytest.mark.parametrize(("waiting", "device"), [(1, "fake device"), (2, "fake device, warm")])
def test_one_run_that_waits_for_a_new_worker_goes_before_its_warming_up(home: Home, waiting: int, device: str) -> None:
    runs = [home.launch("0") for _ in range(waiting)]
    home.start()
    for run in runs:
        home.reaches(run, RunStatus.DONE)
    assert eventually(lambda: home.jobs.status().device) == device


def test_an_engine_that_is_terminated_interrupts_its_runs_and_leaves_in_order(home: Home) -> None:
    home.start()
    run = home.moves(home.launch("60", large=True))
    processes = home.processes()
    processes[0].terminate()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive
    assert home.store.run(run.id).status is RunStatus.INTERRUPTED
    assert home.place.read() is None
    assert not home.place.occupied()


# Life


def test_whoever_loses_the_race_to_start_leaves_it_to_the_winner(home: Home) -> None:
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: start_engine(home.settings, WORKER), range(3)))
    address = home.ready()
    start_engine(home.settings, WORKER)

    def engines() -> list[int]:
        return [
            process.pid
            for process in psutil.process_iter(["cmdline", "environ"])
            if WORKER in (process.info["cmdline"] or ())
            and (process.info["environ"] or {}).get("PLAYGROUND_HOME") == str(home.settings.home)
        ]

    eventually(lambda: engines() == [address.pid])


def test_an_engine_of_another_edition_finishes_its_runs_and_is_replaced(home: Home) -> None:
    first = home.start()
    run = home.moves(home.launch("3", large=True))
    changed = home.settings.model_copy(update={"small_runs": 4})
    start_engine(changed, WORKER)
    second = home.ready(besides=first.nonce)
    assert second.edition != first.edition
    assert home.jobs.ask("describe", "new")["said"] == "new"
    home.reaches(run, RunStatus.DONE)
    eventually(lambda: not psutil.pid_exists(first.pid))
    # The address is written again once the engine knows its device: the nonce says whose it is.
    left = home.place.read()
    assert left is not None
    assert left.nonce == second.nonce


def test_an_engine_that_nobody_needs_leaves(home: Home) -> None:
    brief = home.settings.model_copy(update={"idle_minutes": 0.02})
    start_engine(brief, WORKER)
    home.ready()
    eventually(lambda: not home.place.occupied())
    assert home.jobs.status().state == "none"


# Elsewhere


def test_a_remote_scheduler_trains_and_answers(home: Home, tmp_path: Path) -> None:
    security = Security.temporary()
    pem = tmp_path / "all.pem"
    pem.write_text(security.tls_client_cert + security.tls_client_key)
    door = ["--tls-ca-file", pem, "--tls-cert", pem, "--tls-key", pem, "--host", "127.0.0.1"]
    address = tmp_path / "scheduler.json"
    dask = [sys.executable, "-m", "dask"]
    scheduler = [*dask, "scheduler", *door, "--scheduler-file", address, "--port", "0", "--no-dashboard"]
    worker = [*dask, "worker", *door, "--scheduler-file", address, "--nthreads", "4", "--no-dashboard", "--no-nanny"]
    settings = home.settings.model_copy(
        update={"engine_ca": pem, "engine_cert": pem, "engine_key": pem, "small_runs": 2}
    )
    environment = {**os.environ, **settings.environ()}
    processes = [
        subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        for command in (scheduler, [*worker, "--resources", "slot=3 question=2 fetch=1"])
    ]
    try:
        eventually(address.exists)
        settings = settings.model_copy(update={"engine": json.loads(address.read_text())["address"]})
        engine = [sys.executable, "-m", "playground.engine.service", WORKER]
        processes.append(subprocess.Popen(engine, env={**environment, **settings.environ()}))
        home.reaches(home.launch("0.1"), RunStatus.DONE)
        # The store of this test is a file all the same: everything is on this machine.
        jobs = DaskJobs(settings.model_copy(update={"store_url": "postgresql://host/name"}), calls=FAKE_CALLS)
        assert jobs.ask("describe", "far")["said"] == "far"
        assert (jobs.status().state, jobs.status().workers) == ("ready", 1)
        jobs.close()
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(timeout=20)
