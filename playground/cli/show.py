"""Commands that only tell: ``recipes``, ``describe``, ``schema``."""

import argparse
import json
from dataclasses import asdict

from playground.cli.asked import describe_network, read_experiment
from playground.cli.output import hush, print_json, print_table
from playground.displays import words
from playground.jobs import InlineJobs
from playground.recipes import RECIPES
from playground.settings import Settings
from playground.spec import experiment_schema


def recipes(options: argparse.Namespace, settings: Settings) -> int:
    """List the ready experiments."""
    if options.json:
        print_json(
            [
                {
                    "name": recipe.name,
                    "title": recipe.title,
                    "summary": recipe.summary,
                    "takes": recipe.takes,
                    "experiment": recipe.experiment.model_dump(mode="json"),
                }
                for recipe in RECIPES.values()
            ]
        )
    else:
        print_table(
            ("recipe", "data", "takes", "what it teaches"),
            [(r.name, r.experiment.data.label, r.takes, r.summary) for r in RECIPES.values()],
        )
    return 0


def describe(options: argparse.Namespace, settings: Settings) -> int:
    """Show the network's layers as Keras builds them."""
    experiment = read_experiment(options)
    answers = hush(settings)
    description = describe_network(experiment, InlineJobs(settings))
    if options.json:
        print_json(asdict(description), answers)
        return 0
    rows = [
        (
            f"{row.id} ({row.kind})",
            words.shape(row.output_shape),
            words.count(row.parameters),
            words.size(row.bytes),
            words.count(row.flops),
        )
        for row in description.rows
    ]
    print_table(("layer", "output shape", "parameters", "output memory", "FLOPs"), rows, answers)
    print(
        f"\n{words.count(description.parameters)} parameters ({words.count(description.trainable)} trainable), "
        f"{words.size(description.memory)} while training, {words.count(description.flops)} FLOPs an example",
        file=answers,
    )
    return 0


def schema(options: argparse.Namespace, settings: Settings) -> int:
    """Print the JSON Schema of an experiment."""
    print(json.dumps(experiment_schema(), indent=2, ensure_ascii=False))
    return 0
