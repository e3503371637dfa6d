"""The experiment that a command is about: read, and refused where it cannot be trained."""

import argparse
import sys
from pathlib import Path

from playground import data
from playground.errors import LayerError, SpecError
from playground.jobs import Jobs
from playground.recipes import recipe
from playground.records import Description, LayerRow
from playground.spec import Experiment, changed, check, parse_experiment, with_settings


def read_experiment(options: argparse.Namespace) -> Experiment:
    """The experiment that ``--recipe NAME`` or a file names, with every ``--set`` applied.

    Raises:
        SpecError: no such recipe, an unreadable file, content that is no experiment, or parts that do not fit.
    """
    if options.recipe is not None:
        experiment = recipe(options.recipe).experiment
    else:
        experiment = parse_experiment(_read(options.file))
    experiment = with_settings(experiment, options.set)
    check(experiment, data.describe(experiment.data))
    return experiment


def read_base(options: argparse.Namespace) -> Experiment | None:
    """What the recipe of the command trains first, from the seed that is asked for; None for everything else."""
    base = recipe(options.recipe).base if options.recipe is not None else None
    return base and changed(base, seed=read_experiment(options).seed)


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise SpecError(f"{name} cannot be read: {error.strerror}. Name a JSON file with an experiment.") from None


def describe_network(experiment: Experiment, jobs: Jobs) -> Description:
    """What Keras says of the network.

    Raises:
        LayerError: a layer does not fit where it stands.
        SpecError: the network is too large, or cannot be built for another reason.
    """
    answer = jobs.ask("describe", experiment.dumps())
    if answer["error_index"] is not None:
        raise LayerError(answer["error"], answer["error_index"])
    if answer["error"]:
        raise SpecError(answer["error"], answer["error_where"])
    return Description(**{**answer, "rows": tuple(LayerRow(**row) for row in answer["rows"])})
