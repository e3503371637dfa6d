"""The seam between the wings: calls by name, the address, and jobs without an engine."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import playground
from playground.address import Address, Lock, Place, edition
from playground.calls import call
from playground.engine.service.cluster import Worker, visible_gpus
from playground.engine.service.slots import DRAIN, RECYCLE_BYTES, RECYCLE_RUNS, Slots
from playground.errors import EngineUnavailable, NotFound, PlaygroundError, StoreError
from playground.jobs import CALLS, DaskJobs, InlineJobs, Jobs
from playground.settings import Settings


def refuse(what: str) -> None:
    raise NotFound(f"No {what} here. Look elsewhere.")


def echo(*args: object) -> list[object]:
    return [*args, Settings().home]


# Calls


def test_a_call_goes_by_name() -> None:
    assert call("math:prod", [2, 3]) == 6


def test_an_error_for_people_passes() -> None:
    with pytest.raises(NotFound, match="No run here"):
        call(f"{__name__}:refuse", "run")


def test_any_other_error_becomes_a_sentence_whose_code_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(PlaygroundError, match="ZeroDivisionError") as caught:
        call("operator:truediv", 1, 0)
    code = str(caught.value).partition("code ")[2][:6]
    assert code in caplog.text
    assert "Traceback" in caplog.text


# Jobs


def test_inline_jobs_keep_the_contract(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_HOME", "elsewhere")
    for name in settings.environ():
        monkeypatch.setenv(name, "")
    jobs: Jobs = InlineJobs(settings, calls={"echo": f"{__name__}:echo", "refuse": f"{__name__}:refuse"})
    assert jobs.ask("echo", 1, "two") == [1, "two", settings.home]
    assert jobs.status().state == "ready"
    with pytest.raises(NotFound):
        jobs.ask("refuse", "draft")
    jobs.close()


def test_without_an_engine_questions_wait_and_nothing_starts(settings: Settings) -> None:
    jobs = DaskJobs(settings)
    assert jobs.status().state == "none"
    with pytest.raises(EngineUnavailable, match="No engine is running"):
        jobs.ask("describe", "{}")
    jobs.close()


def test_an_engine_that_starts_says_so(settings: Settings) -> None:
    place = Place(settings)
    assert place.lock.acquire()
    jobs = DaskJobs(settings)
    assert jobs.status().state == "starting"
    with pytest.raises(EngineUnavailable, match="is starting"):
        jobs.ask("describe", "{}")
    place.lock.release()


def test_a_remote_engine_refuses_a_store_that_is_a_file(settings: Settings) -> None:
    remote = settings.model_copy(update={"engine": "tls://gpu-host:8786"})
    with pytest.raises(StoreError, match="SQLite"):
        DaskJobs(remote)


def test_every_call_is_a_function_of_the_worker_module() -> None:
    source = (Path(playground.__file__).parent / "engine" / "worker.py").read_text(encoding="utf-8")
    functions = {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
    assert {target.partition(":")[2] for target in CALLS.values()} <= functions


def test_jobs_are_light() -> None:
    code = "import sys, playground.jobs; print({'distributed', 'tensorflow', 'keras', 'numpy'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


# The address


ADDRESS = Address(1, "nonce", "0.1", 1.5, "tls://127.0.0.1:1", "certificate", "key")


def test_the_address_is_private_and_whole(settings: Settings) -> None:
    place = Place(settings)
    assert place.read() is None
    place.write(ADDRESS)
    assert place.read() == ADDRESS
    if sys.platform != "win32":
        assert (place.folder / "address.json").stat().st_mode & 0o777 == 0o600
    (place.folder / "address.json").write_text(json.dumps({"pid": 1}))
    assert place.read() is None


def test_only_its_engine_takes_the_address_back(settings: Settings) -> None:
    place = Place(settings)
    place.write(ADDRESS)
    place.clear("another nonce")
    assert place.read() == ADDRESS
    place.clear("nonce")
    assert place.read() is None


def test_a_request_to_leave_is_for_one_engine(settings: Settings) -> None:
    place = Place(settings)
    assert place.asked_to_leave("nonce") is None
    place.ask_to_leave("nonce", "finish")
    assert place.asked_to_leave("nonce") == "finish"
    assert place.asked_to_leave("another nonce") is None


def test_one_lock_for_all(tmp_path: Path) -> None:
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_the_edition_follows_the_settings(settings: Settings) -> None:
    assert edition(settings) == edition(settings)
    assert edition(settings) != edition(settings.model_copy(update={"small_runs": 3}))


def test_settings_travel_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, data=(tmp_path / "a", tmp_path / "b"), engine_ca=tmp_path / "ca.pem")
    for name, value in settings.environ().items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings


# Slots


def up(*names: str, memory: int = 0, life: int = 0) -> list[Worker]:
    return [Worker(name, f"tls://{name}:{life}", memory) for name in names]


def warm(slots: Slots, *workers: Worker) -> None:
    """These workers are up, and have warmed up."""
    for trainer in slots.update(workers):
        trainer.warm = True


def test_a_new_worker_gets_nothing_until_it_is_warm() -> None:
    slots = Slots(2)
    (trainer,) = slots.update(up("a"))
    assert slots.wanted() == "none"
    trainer.warm = True
    assert slots.wanted() == "any"


def test_a_worker_holds_a_large_run_and_small_ones_beside_it() -> None:
    slots = Slots(2)
    warm(slots, *up("a"))
    only = slots.take(small=False)
    assert slots.wanted() == "small"
    assert [slots.take(small=True), slots.take(small=True)] == [only, only]
    assert slots.wanted() == "none"
    slots.give_back(only, small=False)
    assert slots.wanted() == "large"
    slots.give_back(only, small=True)
    assert slots.wanted() == "any"


def test_runs_go_where_they_disturb_least() -> None:
    slots = Slots(2)
    warm(slots, *up("a", "b"))
    large = slots.take(small=False)
    small = slots.take(small=True)
    assert small is not large
    assert slots.take(small=True) is small
    assert slots.take(small=True) is large
    assert slots.take(small=False) is small


def test_a_restarted_worker_is_a_new_one() -> None:
    slots = Slots(2)
    warm(slots, *up("a", "b"))
    slots.take(small=False)
    slots.take(small=False)
    assert [(trainer.worker.name, trainer.is_idle) for trainer in slots.update(up("a", life=1))] == [("a", True)]
    assert list(slots.trainers) == ["a"]


@pytest.mark.parametrize("memory", [0, RECYCLE_BYTES])
def test_an_idle_worker_is_recycled_after_many_runs_or_much_growth(memory: int) -> None:
    slots = Slots(2)
    warm(slots, *up("a"))
    for _ in range(1 if memory else RECYCLE_RUNS):
        trainer = slots.take(small=False)
        slots.give_back(trainer, small=False)
    slots.update(up("a", memory=memory))
    assert slots.worn() == [trainer]
    slots.take(small=True)
    assert slots.worn() == []
    assert slots.wanted() == "any"


def test_small_runs_wear_a_worker_as_their_shares_do() -> None:
    slots = Slots(2)
    warm(slots, *up("a"))
    for _ in range(RECYCLE_RUNS):
        slots.give_back(slots.take(small=True), small=True)
    assert slots.worn() == []


def test_a_worker_that_never_idles_takes_no_more_when_it_has_grown_too_large() -> None:
    slots = Slots(2)
    warm(slots, *up("a"))
    slots.take(small=True)
    slots.update(up("a", memory=DRAIN * RECYCLE_BYTES))
    assert slots.wanted() == "none"


def test_gpus_are_found_by_the_variable_that_chooses_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, 3")
    assert visible_gpus() == ["2", "3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert visible_gpus() == []
