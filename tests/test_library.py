"""The library of models: in the store, in the laboratory, in the terminal and on its page."""

import dataclasses
import io
import json
import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from playground import data
from playground.cli import main
from playground.displays import words
from playground.errors import EngineUnavailable, ModelRefused, NotAllowed, NotFound, SpecError, StoreError
from playground.lab import Lab
from playground.lab import library as lab_library
from playground.lab.library import architecture
from playground.records import Event, RunStatus, SavedModel
from playground.spec import changed
from playground.spec.saved import Saved
from playground.spec.start import Start
from playground.store import open_store
from playground.ui import library as page
from tests.desk import Desk, experiment_of
from tests.model_files import keras_file
from tests.runs import run_in
from tests.visit import errors, named, text, visit

ARRAYS = {"v0": np.arange(6, dtype=np.float32).reshape(2, 3), "v1": np.arange(3, dtype=np.uint32)}


def card(**values: object) -> SavedModel:
    experiment = experiment_of("digits")
    known = {
        "id": "", "name": "A model", "created": 0.0, "origin": "upload", "source": "model.keras",
        "experiment": experiment, "facts": data.describe(experiment.data), "parameters": 9, "bytes": 36, "owner": "me",
    }  # fmt: skip
    return SavedModel(**{**known, **values})


def starting_from(saved: Saved, name: str = "A tuning"):
    return changed(experiment_of("digits"), name=name, start=Start(base=saved))


class Importing(Desk):
    """A desk that takes every file in, without looking at it."""

    def __init__(self, store) -> None:
        super().__init__()
        self.store = store
        self.content = b""
        self.refuse: Exception | None = None

    def ask(self, name, *args, timeout=20.0):
        if name != "import_model":
            return super().ask(name, *args, timeout=timeout)
        path, called, owner = args
        self.content = Path(path).read_bytes()
        if self.refuse:
            raise self.refuse
        return self.store.add_model(card(name=called, owner=owner, note="It was looked at."), ARRAYS).id


# The store: on all backends


def test_a_model_comes_back_as_it_went(store):
    kept = store.add_model(card(scores={"accuracy": 0.5}, note="x", epoch=1.5), ARRAYS)
    assert dataclasses.replace(kept, id="", created=0.0) == card(scores={"accuracy": 0.5}, note="x", epoch=1.5)
    assert store.model(kept.id) == kept
    other = store.add_model(card(name="Another"), ARRAYS)
    assert store.models() == [other, kept]
    back = store.model_arrays(kept.id)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(back[name], array, strict=True)


def test_a_model_is_renamed_and_deleted(store):
    kept = store.add_model(card(), ARRAYS)
    assert store.rename_model(kept.id, "New").name == "New"
    store.delete_model(kept.id)
    assert store.models() == []
    assert list((store.artifacts.parent / "models").iterdir()) == []


@pytest.mark.parametrize("id", ["", "nobody", "../../etc/passwd", "%2e%2e", "x;y#z?"])
def test_no_such_model(store, id):
    for ask in (store.model, store.model_arrays, store.delete_model, lambda id: store.rename_model(id, "x")):
        with pytest.raises(NotFound, match="no model"):
            ask(id)


@pytest.mark.parametrize("damage", [lambda content: content[:-9], lambda content: b"", None])
def test_damaged_weights_are_not_read(store, damage):
    kept = store.add_model(card(), ARRAYS)
    (file,) = (store.artifacts.parent / "models").iterdir()
    if damage:
        file.write_bytes(damage(file.read_bytes()))
    else:
        file.unlink()
    with pytest.raises(StoreError, match="damaged or gone"):
        store.model_arrays(kept.id)
    store.delete_model(kept.id)


def test_what_a_run_starts_from_is_not_deleted(store):
    model = store.add_model(card(), ARRAYS)
    base = run_in(store, experiment_of("digits"), Event.FINISH)
    queued = store.create_run(starting_from(Saved(model=model.id)))
    live = run_in(store, starting_from(Saved(run=base.id), "Another tuning"))
    with pytest.raises(NotAllowed, match="'A tuning' starts from this and is queued"):
        store.delete_model(model.id)
    with pytest.raises(NotAllowed, match="'Another tuning' starts from this and is running"):
        store.delete_run(base.id)
    store.request(queued.id, stop=True)
    store.lose(live.id, None, "")
    store.delete_model(model.id)
    store.delete_run(base.id)
    assert store.models() == []


# The laboratory


@pytest.fixture
def shelf(settings):
    with closing(open_store(settings.database, settings.artifacts)) as store:
        yield store


@pytest.fixture
def desk(shelf):
    return Importing(shelf)


@pytest.fixture
def lab(shelf, desk, settings):
    return Lab(shelf, desk, settings)


def test_runs_that_are_over_and_files_are_models(lab, shelf):
    run = run_in(shelf, experiment_of("moons"), Event.FINISH)
    run_in(shelf, experiment_of("moons"))
    shelf.create_run(experiment_of("moons"))
    model = shelf.add_model(card(), ARRAYS)
    first, second = lab.library.models()
    assert first == model == lab.library.model(model.id)
    assert second == lab.library.model(run.id)
    assert (second.origin, second.saved, first.saved) == ("run", Saved(run=run.id), Saved(model=model.id))
    assert (second.parameters, second.scores, second.epoch) == (337, run.scores, 6)
    with pytest.raises(NotFound, match="no model"):
        lab.library.model("x")


def test_kept_epochs_belong_to_runs(lab, shelf):
    run = run_in(shelf, experiment_of("moons"), Event.FINISH)
    shelf.keep_epoch(run.id, 3, ARRAYS)
    assert lab.library.kept_epochs(lab.library.model(run.id)) == [3]
    assert lab.library.kept_epochs(shelf.add_model(card(), ARRAYS)) == []


def test_an_upload_is_spooled_and_gone_afterwards(lab, desk, settings):
    taken = lab.library.import_file(io.BytesIO(b"abc"), "x.keras", owner="ada")
    assert (taken.name, taken.owner, desk.content) == ("x.keras", "ada", b"abc")
    for error in (ModelRefused(["A reason."]), EngineUnavailable("Later.")):
        desk.refuse = error
        with pytest.raises(type(error)):
            lab.library.import_file(io.BytesIO(b"abc"), "x.keras")
    assert list((settings.home / "uploads").iterdir()) == []


def test_an_upload_has_a_limit(lab, settings, monkeypatch):
    monkeypatch.setattr(lab_library, "MAX_FILE", 2_000_000)
    with pytest.raises(ModelRefused, match="more than 2 MB"):
        lab.library.import_file(io.BytesIO(bytes(2_000_001)), "x.keras")
    assert list((settings.home / "uploads").iterdir()) == []


def test_what_killed_processes_left_is_swept_away(lab, settings):
    folder = settings.home / "uploads"
    for place in (folder / "room-old", folder / "room-new"):
        place.mkdir(parents=True)
        (place / "model.weights.h5").write_bytes(b"x")
    (folder / "old.keras").write_bytes(b"x")
    for name in ("room-old", "old.keras"):
        os.utime(folder / name, (0, 0))
    lab.library.import_file(io.BytesIO(b"abc"), "x.keras")
    assert [path.name for path in folder.iterdir()] == ["room-new"]


def test_one_file_at_a_time(lab, desk, monkeypatch):
    monkeypatch.setattr(lab_library, "LINE_SECONDS", 0.01)
    with lab.library._one_at_a_time, pytest.raises(EngineUnavailable, match="Other files"):
        lab.library.import_file(io.BytesIO(b"x"), "x.keras")


def test_names(lab, shelf):
    run, model = run_in(shelf, experiment_of("moons"), Event.FINISH), shelf.add_model(card(), ARRAYS)
    for id in (run.id, model.id):
        lab.library.rename(lab.library.model(id), "  A new \n name ")
        assert lab.library.model(id).name == "A new name"
        for name in ("", "   ", "x" * 81):
            with pytest.raises(SpecError, match="1 to 80"):
                lab.library.rename(lab.library.model(id), name)
    assert shelf.run(run.id).experiment.fingerprint() == run.experiment.fingerprint()
    for id in (run.id, model.id):
        lab.library.delete(lab.library.model(id))
    assert lab.library.models() == []


def test_two_files_of_one_name_are_told_apart(lab, shelf, monkeypatch):
    """A choice goes by its label."""
    monkeypatch.setattr("playground.ui.resources.lab", lambda: lab)
    models = [shelf.add_model(card(), ARRAYS) for _ in range(2)]
    at = visit("gradients", model=models[0].id)
    (network,) = (box for box in at.selectbox if box.label == "Network")
    assert len(set(network.options)) == 2
    for model in models:
        network.set_value(model.id).run()
        assert named(at, "model") == model.id


def test_architecture_in_a_line():
    assert architecture(card()) == "Flatten → Dense 64 → Dense 10"


# The terminal


@pytest.fixture
def home(settings, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(settings.home))
    return settings.home


def test_models_in_the_terminal(home, shelf, capsys):
    assert main(["models", "list"]) == 0
    assert "No models yet" in capsys.readouterr().out
    model = shelf.add_model(card(note="A note."), ARRAYS)
    run = run_in(shelf, experiment_of("moons"), Event.FINISH)
    shelf.keep_epoch(run.id, 3, ARRAYS)
    assert main(["models", "list"]) == 0
    assert model.id in (listed := capsys.readouterr().out)
    assert run.id in listed
    assert main(["models", "list", "--json"]) == 0
    assert {one["id"] for one in json.loads(capsys.readouterr().out)} == {model.id, run.id}
    assert main(["models", "describe", model.id]) == 0
    shown = capsys.readouterr().out
    assert all(part in shown for part in ("Flatten → Dense 64", "8 × 8 × 1", "A note.", "model.keras"))
    assert main(["models", "describe", run.id, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["kept_epochs"], told["experiment"]["data"]["kind"]) == ([3], "moons")
    assert main(["models", "describe", "x"]) == 2
    assert "There is no model 'x'" in capsys.readouterr().err


@pytest.mark.keras
def test_a_file_is_taken_in_or_refused_from_the_terminal(home, tmp_path):
    from tests.test_cli import playground

    good = keras_file(tmp_path / "good.keras")
    done = playground("models", "import", str(good), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["taken"], told["name"], told["experiment"]["data"]["kind"]) == (True, "good", "iris")
    good.write_bytes(good.read_bytes()[:-2000])
    done = playground("models", "import", str(good), "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert (told["taken"], len(told["reasons"])) == (False, 1)
    assert done.stderr.strip() == told["reasons"][0]
    done = playground("models", "import", str(tmp_path / "nothing"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a file" in done.stderr


# The page


@pytest.fixture
def on_page(lab, monkeypatch):
    monkeypatch.setattr("playground.ui.resources.lab", lambda: lab)
    monkeypatch.setattr("playground.ui.state.owner", lambda: "me")


def test_cards(on_page, shelf):
    nasty = "[x](javascript:alert(1)) **b** :material/x: <img onerror=1>"
    model = shelf.add_model(card(name=nasty, note="A note."), ARRAYS)
    run_in(shelf, experiment_of("moons"), Event.FINISH)
    foreign = shelf.add_model(card(name="Of another", owner="you"), ARRAYS)
    at = visit("models")
    assert not errors(at)
    shown = text(at)
    assert "Flatten → Dense 64 → Dense 10" in shown
    assert "A note." in shown
    assert "test accuracy **90.0%**" in shown
    assert nasty in [one.value for one in at.text]
    assert nasty not in shown
    keys = [one.key for one in at.button]
    assert f"delete_{model.id}" in keys
    assert f"delete_{foreign.id}" not in keys
    links = [link.proto for link in at.get("page_link")]
    assert any(link.label == "Fine-tune" and model.id in link.query_string for link in links)
    at.text_input(key="models_search").input("moons").run()
    assert [one.value for one in at.text] == ["My moons"]
    at.text_input(key="models_search").input("nothing like it").run()
    assert "No model passes" in text(at)


@pytest.mark.parametrize("place", ["activations", "gradients"])
def test_a_model_is_looked_into_like_a_run(place, on_page, shelf, monkeypatch):
    monkeypatch.setattr("playground.lab.lab.PATIENCE", 60)
    run = run_in(shelf, experiment_of("moons"), Event.FINISH)
    shelf.keep_epoch(run.id, 3, ARRAYS)
    model = shelf.add_model(card(name="From afar"), ARRAYS)
    at = visit(place, model=model.id)
    assert not errors(at)
    chooser = next(box for box in at.selectbox if box.label == "Network")
    assert chooser.value == model.id
    assert at.query_params["model"] == model.id
    chooser.set_value(run.id).run()
    assert at.query_params["run"] == run.id
    assert "model" not in at.query_params


def test_a_model_is_renamed_on_its_card(on_page, shelf):
    model = shelf.add_model(card(), ARRAYS)
    at = visit("models")
    at.button(key=f"rename_{model.id}").click().run()
    at.text_input(key=f"name_{model.id}").set_value("Better")
    next(button for button in at.button if button.proto.is_form_submitter).click().run()
    assert shelf.model(model.id).name == "Better"


def test_a_model_is_deleted_after_a_question(on_page, shelf):
    model = shelf.add_model(card(), ARRAYS)
    run = shelf.create_run(starting_from(Saved(model=model.id)))
    at = visit("models")
    at.button(key=f"delete_{model.id}").click().run()
    at.button(key="confirm_delete_model").click().run()
    assert "starts from this" in errors(at)
    shelf.request(run.id, stop=True)
    assert shelf.run(run.id).status is RunStatus.STOPPED
    at = visit("models")
    at.button(key=f"delete_{model.id}").click().run()
    assert shelf.models()
    at.button(key="confirm_delete_model").click().run()
    assert shelf.models() == []


def test_many_models(on_page, shelf, monkeypatch):
    monkeypatch.setattr(page, "SHOWN", 2)
    for number in range(3):
        shelf.add_model(card(name=f"Number {number}"), ARRAYS)
    at = visit("models")
    assert "The newest 2 of 3 models" in text(at)


@pytest.mark.parametrize("file", [b"x", b""])
def test_a_file_is_uploaded(file, on_page, shelf, desk):
    at = visit("models")
    at.file_uploader[0].set_value([("model.keras", file, "application/zip")]).run()
    assert shelf.models()[0].name == "model.keras"
    assert "in the library" in "".join(one.value for one in at.success)
    desk.refuse = ModelRefused(["The first reason.", "The second reason."])
    at.file_uploader[0].set_value([("model.keras", file, "application/zip")]).run()
    assert "2 reasons" in errors(at)
    assert "The second reason." in errors(at)
    assert words.count(len(shelf.models())) == "1"


def test_a_file_waits_for_the_engine(on_page, shelf, desk):
    at = visit("models")
    desk.refuse = EngineUnavailable("The engine is starting. Wait a few seconds.")
    at.file_uploader[0].set_value([("model.keras", b"x", "application/zip")]).run()
    assert "The engine is starting" in text(at)
    desk.refuse = None
    at.button(key="models_again").click().run()
    assert shelf.models()[0].name == "model.keras"
