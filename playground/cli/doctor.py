"""The command ``doctor``: what this machine has, what is missing, and what to do about it."""

import argparse
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

import playground
from playground.cli.chromium import find_chromium
from playground.cli.output import print_json, print_table
from playground.data import mnist
from playground.displays import words
from playground.errors import PlaygroundError
from playground.jobs import DaskJobs
from playground.settings import Settings

NEEDED_SPACE = 2_000_000_000
"""Bytes that a semester of runs may take."""

GPU_SECONDS = 90
"""A cold disk takes long to read TensorFlow."""

ASK_FOR_DEVICES = """
import json, tensorflow as tf
devices = [tf.config.experimental.get_device_details(gpu) for gpu in tf.config.list_physical_devices("GPU")]
print(json.dumps([device.get("device_name", "GPU") for device in devices]))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    what: str
    state: Literal["ok", "note", "missing"]
    """``note`` is fine for most people; ``missing`` has to be put right."""
    found: str
    remedy: str = ""


def doctor(options: argparse.Namespace, settings: Settings) -> int:
    """Print every finding; exit code 1 when something that is needed is missing."""
    findings = [*_python(), *_packages(), _gpu(), _engine(settings), *_data_sets(settings), _disk(settings), _browser()]
    if options.json:
        print_json([asdict(finding) for finding in findings])
    else:
        print_table(("what", "state", "found", "what to do"), [(f.what, f.state, f.found, f.remedy) for f in findings])
    return int(any(finding.state == "missing" for finding in findings))


def _python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info < (3, 14)
    yield Finding(
        "Python",
        "ok" if fits else "missing",
        version,
        "" if fits else "Use Python 3.11 to 3.13: make PYTHON=python3.12",
    )


def _packages() -> Iterator[Finding]:
    """One row for each package that the project asks for: the installed version against range and tested version."""
    tested = _tested_versions()
    for text in importlib.metadata.requires("playground") or ():
        requirement = Requirement(text)
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(
                requirement.name, "missing", "not installed", f'pip install -c constraints.txt "{requirement}"'
            )
            continue
        if version not in requirement.specifier:
            yield Finding(requirement.name, "missing", version, f'pip install -c constraints.txt "{requirement}"')
        elif version != (expected := tested.get(requirement.name.lower(), version)):
            yield Finding(requirement.name, "note", version, f"Tested with {expected}: make setup installs it")
        else:
            yield Finding(requirement.name, "ok", version)


def _tested_versions() -> dict[str, str]:
    """The pins of ``constraints.txt``, which lies beside an installation that can be edited; else none."""
    constraints = Path(playground.__file__).parents[1] / "constraints.txt"
    if not constraints.is_file():
        return {}
    pins = (line.partition("==") for line in constraints.read_text(encoding="utf-8").splitlines() if "==" in line)
    return {name.strip().lower(): version.strip() for name, _, version in pins}


def _gpu() -> Finding:
    """Asked in a process of its own: TensorFlow is not imported here."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        answer = subprocess.run(
            [sys.executable, "-c", ASK_FOR_DEVICES],
            capture_output=True, text=True, timeout=GPU_SECONDS, env=environment, check=True,
        )  # fmt: skip
        names = json.loads(answer.stdout.splitlines()[-1])
    except (subprocess.SubprocessError, ValueError, IndexError):
        return Finding("GPU", "missing", "TensorFlow does not start", "Install again: make clean run")
    if names:
        return Finding("GPU", "ok", ", ".join(names))
    if shutil.which("nvidia-smi"):
        return Finding("GPU", "note", "one that TensorFlow cannot use", "make gpu installs the CUDA libraries")
    return Finding("GPU", "note", "none", "Training runs on the CPU; small networks lose nothing")


def _engine(settings: Settings) -> Finding:
    """Whether one answers now; the app starts its own when it needs one."""
    try:
        jobs = DaskJobs(settings)
        status = jobs.status()
        jobs.close()
    except PlaygroundError as error:
        return Finding("engine", "note", str(error), "The app starts one by itself")
    if status.state == "ready":
        return Finding("engine", "ok", f"ready on {status.device}")
    return Finding("engine", "note", status.message or status.state, "The app starts one by itself")


def _data_sets(settings: Settings) -> Iterator[Finding]:
    """Data sets that are files; the others are generated, or come with scikit-learn."""
    for kind in mnist.SOURCES:
        if path := mnist.find(kind, settings.data_folders):
            yield Finding(kind.label, "ok", str(path))
        else:
            yield Finding(
                kind.label,
                "note",
                "not on this machine",
                "Keras downloads it, or put it into a folder of PLAYGROUND_DATA",
            )


def _disk(settings: Settings) -> Finding:
    folder = next(parent for parent in (settings.home, *settings.home.parents) if parent.exists())
    free = shutil.disk_usage(folder).free
    found = f"{words.size(free)} free in {folder}"
    if not os.access(folder, os.W_OK):
        return Finding("disk", "missing", f"{folder} cannot be written", "Set PLAYGROUND_HOME to a folder of your own")
    if free < NEEDED_SPACE:
        return Finding("disk", "missing", found, "Make room, or set PLAYGROUND_HOME to a larger disk")
    return Finding("disk", "ok", found)


def _browser() -> Finding:
    if path := find_chromium():
        return Finding("browser", "ok", str(path))
    return Finding("browser", "note", "no Chromium", "Any browser opens the app; make test installs one for the tests")
