"""``python -m playground``: what it prints where, and its exit codes."""

import json
import signal
import subprocess
import sys
import time

import pytest

from playground.cli import main
from playground.recipes import RECIPES
from playground.records import RunStatus
from playground.settings import Settings
from playground.spec import parse_experiment
from playground.store import open_store


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("PLAYGROUND_DATA", "")
    return tmp_path / "home"


def playground(*arguments, **options):
    """The command in a process of its own."""
    command = [sys.executable, "-m", "playground", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False, **options)


def write(folder, content):
    path = folder / "experiment.json"
    path.write_text(content, encoding="utf-8")
    return str(path)


def test_recipes_lists_each_once(capsys):
    assert main(["recipes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [recipe["name"] for recipe in listed] == list(RECIPES)
    assert all(parse_experiment(recipe["experiment"]) for recipe in listed)


def test_recipes_for_people(capsys):
    assert main(["recipes"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in RECIPES)


def test_schema_is_a_json_schema(capsys):
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["type"] == "object"
    assert "training" in schema["properties"]


REFUSED = {
    "malformed JSON": ('{"data": ', "JSON"),
    "not an object": ("[1, 2]", "object"),
    "an unknown key": ('{"trainnig": {}}', "training"),
    "an unknown data set": ('{"data": {"kind": "mniist"}}', "mnist"),
    "no layers": ("{}", "layer"),
    "epochs 0": ('{"training": {"epochs": 0}}', "training.epochs"),
    "epochs 10⁹": ('{"training": {"epochs": 1000000000}}', "training.epochs"),
    "learning rate NaN": ('{"training": {"optimizer": {"kind": "Adam", "learning_rate": NaN}}}', "learning_rate"),
    "learning rate 0": ('{"training": {"optimizer": {"kind": "Adam", "learning_rate": 0}}}', "learning_rate"),
    "negative units": ('{"model": {"layers": [{"kind": "Dense", "units": -1}]}}', "units"),
    "a batch larger than the data": (
        '{"model": {"layers": [{"kind": "Dense", "units": 2}]}, "training": {"batch_size": 5000}}',
        "5,000",
    ),
    "Flatten missing": (
        '{"data": {"kind": "digits"}, "model": {"layers": [{"kind": "Dense", "units": 2}]},'
        ' "training": {"loss": "sparse_categorical_crossentropy"}}',
        "Flatten",
    ),
}


@pytest.mark.parametrize(("content", "said"), REFUSED.values(), ids=REFUSED)
def test_input_is_refused_in_one_sentence_before_a_run_exists(content, said, home, tmp_path, capfd):
    assert main(["train", write(tmp_path, content), "--json"]) == 2
    out, error = capfd.readouterr()
    assert out == ""
    assert said in error
    assert len(error.strip().splitlines()) == 1
    settings = Settings()
    assert open_store(settings.database, settings.artifacts).runs() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--recipe", "mnist-mlp-182"], "mnist-mlp-128"),
        (["train", "--recipe", "iris", "--set", "training.epohcs=1"], "epochs"),
        (["train", "--recipe", "iris", "--set", "epochs"], "path=value"),
        (["train", "nowhere.json"], "nowhere.json"),
        (["describe", "--recipe", "nothing-like-it"], "nothing-like-it"),
    ],
)
def test_names_that_do_not_exist(arguments, said, home, capfd):
    assert main(arguments) == 2
    out, error = capfd.readouterr()
    assert (out, len(error.strip().splitlines())) == ("", 1)
    assert said in error


@pytest.mark.parametrize("arguments", [[], ["trian"], ["train"], ["train", "a.json", "--recipe", "iris"]])
def test_usage_errors_are_one_sentence_too(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_wrong_setting_is_named(monkeypatch, capsys):
    monkeypatch.setenv("PLAYGROUND_TRAIN_WORKERS", "many")
    assert main(["recipes"]) == 2
    assert "PLAYGROUND_TRAIN_WORKERS" in capsys.readouterr().err


@pytest.mark.keras
def test_doctor_answers_without_tensorflow_in_its_process(home):
    code = "import sys; from playground.cli import main; main(['doctor', '--json']); print('tensorflow' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=True)
    findings, has_tensorflow = answer.stdout.strip().splitlines()
    rows = {row["what"]: row for row in json.loads(findings)}
    assert {"Python", "tensorflow", "streamlit", "GPU", "engine", "MNIST", "disk", "browser"} <= rows.keys()
    assert all(row["remedy"] for row in rows.values() if row["state"] == "missing")
    assert has_tensorflow == "False"


@pytest.mark.keras
def test_train_prints_exactly_one_object(home):
    outcome = playground("train", "--recipe", "iris", "--set", "training.epochs=3", "seed=4", "--json")
    assert outcome.returncode == 0, outcome.stderr
    summary = json.loads(outcome.stdout)
    assert summary.keys() == {"run_id", "status", "epochs", "metrics", "examples_per_second", "seconds"}
    assert (summary["status"], summary["epochs"]) == ("done", 3)
    assert {"loss", "accuracy", "val_accuracy", "test_accuracy"} <= summary["metrics"].keys()
    assert {"load", "build", "first_metric", "train"} <= summary["seconds"].keys()
    assert summary["examples_per_second"] > 0
    assert "epoch 3/3" in outcome.stderr
    settings = Settings()
    run = open_store(settings.database, settings.artifacts).run(summary["run_id"])
    assert (run.status, run.experiment.seed) == (RunStatus.DONE, 4)


@pytest.mark.keras
def test_a_recipe_that_fine_tunes_trains_its_base_first(home):
    outcome = playground("train", "--recipe", "digits-0-4-to-5-9", "--set", "training.epochs=2", "seed=1", "--json")
    assert outcome.returncode == 0, outcome.stderr
    (summary,) = map(json.loads, outcome.stdout.splitlines())
    assert (summary["base"]["status"], summary["base"]["epochs"]) == ("done", 30)
    assert (summary["status"], summary["epochs"]) == ("done", 2)
    assert set(summary["old_task"]) == {"before", "after"}
    assert summary["old_task"]["before"]["test_accuracy"] == pytest.approx(summary["base"]["metrics"]["test_accuracy"])


@pytest.mark.keras
def test_train_reads_standard_input_and_prints_a_table(home):
    content = json.dumps({"model": {"layers": [{"kind": "Dense", "units": 2}]}, "training": {"epochs": 1}})
    outcome = playground("train", "-", input=content)
    assert outcome.returncode == 0, outcome.stderr
    assert "test_loss" in outcome.stdout


@pytest.mark.keras
def test_a_loss_that_is_no_number_fails_with_advice(home):
    settings = ["training.optimizer.kind=SGD", "training.optimizer.learning_rate=100", "training.epochs=50"]
    outcome = playground("train", "--recipe", "diabetes", "--json", "--set", *settings)
    assert outcome.returncode == 1
    assert json.loads(outcome.stdout)["status"] == "failed"
    assert "learning rate" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.keras
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_stops_and_keeps_the_weights(home):
    command = [sys.executable, "-m", "playground", "train", "--recipe", "digits-mlp", "--set", "training.epochs=100000"]
    process = subprocess.Popen([*command, "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    settings = Settings()
    store = open_store(settings.database, settings.artifacts)
    while process.poll() is None and not any(store.points(run.id)[0] for run in store.runs()):
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    summary = json.loads(out)
    assert (process.returncode, summary["status"]) == (130, "stopped")
    assert store.read_checkpoint(summary["run_id"]) is not None


@pytest.mark.keras
def test_describe_as_json(home):
    description = json.loads(playground("describe", "--recipe", "digits-cnn", "--json").stdout)
    assert [row["kind"] for row in description["rows"]][-1] == "Dense"
    assert description["parameters"] == sum(row["parameters"] for row in description["rows"])


@pytest.mark.keras
def test_describe_for_people(home):
    table = playground("describe", "--recipe", "iris").stdout
    assert "output (Dense)" in table
    assert "parameters (" in table


@pytest.mark.keras
def test_a_network_over_the_memory_limit_is_refused_with_its_size(home):
    content = json.dumps({"model": {"layers": [{"kind": "Dense", "units": 60_000}] * 2}})
    outcome = playground("train", "-", input=content)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "GB" in outcome.stderr


@pytest.mark.keras
def test_missing_data_without_a_network_says_which_file_to_put_where(home, monkeypatch):
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    outcome = playground("train", "--recipe", "mnist-mlp-128", "--json")
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert "mnist.npz" in outcome.stderr
    assert "Traceback" not in outcome.stderr
