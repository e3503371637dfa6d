"""The commands ``models import``, ``models list``, ``models describe``: the library from a terminal."""

import argparse
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playground.cli.output import hush, print_json, print_table
from playground.displays import words
from playground.errors import ModelRefused
from playground.jobs import InlineJobs
from playground.lab import Lab
from playground.lab.library import architecture
from playground.records import SavedModel
from playground.settings import Settings
from playground.store import Store, open_store


def take_in(options: argparse.Namespace, settings: Settings) -> int:
    """Take a file into the library; a child of this process reads it.

    Raises:
        ModelRefused: with every reason; ``--json`` has printed them before.
    """
    answers = hush(settings)
    with closing(_open(settings)) as store:
        path = Path(options.file)
        try:
            card = _lab(store, settings).library.import_file(path, path.name, owner="terminal")
        except ModelRefused as refused:
            if options.json:
                print_json({"taken": False, "reasons": refused.reasons}, answers)
            raise
        if options.json:
            print_json({"taken": True, **_as_json(card)}, answers)
        else:
            print(f"{card.name} is in the library as {card.id}.", *([card.note] if card.note else []), file=answers)
    return 0


def show_all(options: argparse.Namespace, settings: Settings) -> int:
    """List all models, newest first."""
    with closing(_open(settings)) as store:
        cards = _lab(store, settings).library.models()
    if options.json:
        print_json([_as_json(card) for card in cards])
    elif cards:
        rows = [(c.id, c.name, c.origin, c.experiment.data.label, words.count(c.parameters)) for c in cards]
        print_table(("id", "name", "origin", "data", "parameters"), rows)
    else:
        print("No models yet. Train one, or take one in: python -m playground models import FILE.keras")
    return 0


def describe(options: argparse.Namespace, settings: Settings) -> int:
    """Show the card of a model or a run."""
    with closing(_open(settings)) as store:
        library = _lab(store, settings).library
        card = library.model(options.id)
        kept = library.kept_epochs(card)
    if options.json:
        print_json({**_as_json(card), "kept_epochs": kept})
        return 0
    rows = [
        ("id", card.id),
        ("name", card.name),
        ("network", architecture(card)),
        ("input", words.shape(card.facts.input_shape)),
        ("output", ", ".join(card.facts.class_names) or card.facts.target_name),
        ("data", card.experiment.data.label),
        ("parameters", words.count(card.parameters)),
        ("size", words.size(card.bytes)),
        ("origin", f"{card.origin} {card.source}"),
        *((name, f"{value:.4g}") for name, value in sorted(card.scores.items())),
        *([("kept epochs", ", ".join(map(str, kept)))] if kept else []),
        *([("note", card.note)] if card.note else []),
    ]
    print_table(("what", "value"), rows)
    return 0


def _open(settings: Settings) -> Store:
    return open_store(settings.database, settings.artifacts)


def _lab(store: Store, settings: Settings) -> Lab:
    return Lab(store, InlineJobs(settings), settings)


def _as_json(card: SavedModel) -> dict[str, Any]:
    parts = {"experiment": card.experiment.model_dump(mode="json"), "facts": card.facts.model_dump(mode="json")}
    # The specs inside are no dataclasses: asdict leaves them as they are.
    return {**asdict(card), **parts, "architecture": architecture(card)}
