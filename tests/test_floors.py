"""The floors of CONTRIBUTING.md: held by import-linter inside ``playground``, and here for what lies beside it."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.settings import Settings

ROOT = Path(__file__).parents[1]
SCRIPTS = [path for path in (ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))) if path.exists()]

HEAVY = {"keras", "tensorflow", "tf_keras"}


def imported(path: Path) -> Iterator[str]:
    """The dotted name of every module that a file imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_import_linter_keeps_every_contract():
    lint = Path(sys.executable).with_name("lint-imports")
    outcome = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout


def test_there_are_pages():
    assert len(SCRIPTS) > 4


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_stay_on_the_web_side(path):
    names = list(imported(path))
    assert not [name for name in names if name.split(".")[0] in HEAVY or name.startswith("playground.engine")]


@pytest.mark.parametrize("module", ["playground.ui", "playground.lab", "playground.cli", "playground.jobs"])
def test_the_web_wing_loads_without_tensorflow(module):
    """import-linter reads the code; this runs it, so an import by name shows too."""
    code = f"import sys, {module}; print(sorted({HEAVY!r} & set(sys.modules)))"
    outcome = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"


def test_imports_inside_functions_are_listed():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^ *\| `(playground/\S+\.py)`", text, re.MULTILINE))
    sources = (ROOT / "playground").rglob("*.py")
    assert listed == {str(path.relative_to(ROOT)) for path in sources if "noqa: PLC0415" in path.read_text("utf-8")}


def test_every_make_target_in_the_documents_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {line.partition(":")[0] for line in makefile.splitlines() if line[:1].isalpha() and ":" in line}
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets


def test_the_readme_lists_every_setting():
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `PLAYGROUND_(\w+)`", table, re.MULTILINE))
    assert listed == {name.upper() for name in Settings.model_fields}
