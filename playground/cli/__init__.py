"""The playground from a terminal, ``python -m playground``: the same things as in the browser.

Answers go to standard output, everything else (progress, warnings, errors) to standard error. Exit codes: 0 done,
1 failed, 2 input that is refused, 130 stopped by Ctrl-C.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from playground.cli import doctor, engine, models, show, train
from playground.cli.output import trace_of_fault
from playground.errors import DataMissing, ModelRefused, NotFound, PlaygroundError, SpecError
from playground.settings import Settings

REFUSED = (SpecError, ModelRefused, DataMissing, NotFound)


class Parser(argparse.ArgumentParser):
    """An argument parser that complains in one sentence instead of a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{message[:1].upper()}{message[1:]}. See {self.prog} --help.\n")


def _parser() -> Parser:
    parser = Parser(prog="python -m playground", description="The Keras Playground from a terminal.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    recipes = commands.add_parser("recipes", help="list the ready experiments")
    recipes.set_defaults(command=show.recipes)

    training = commands.add_parser("train", help="train an experiment here and now")
    _add_experiment(training)
    training.set_defaults(command=train.train)

    describe = commands.add_parser("describe", help="show the network as Keras builds it")
    _add_experiment(describe)
    describe.set_defaults(command=show.describe)

    schema = commands.add_parser("schema", help="print the JSON Schema of an experiment")
    schema.set_defaults(command=show.schema)

    serve = commands.add_parser("engine", help="run the engine in the foreground, ask how it is, or end it")
    serve.add_argument("action", nargs="?", choices=list(engine.ACTIONS), default="run")
    serve.set_defaults(command=engine.engine)

    health = commands.add_parser("doctor", help="check this machine and say what to do where something is missing")
    health.set_defaults(command=doctor.doctor)

    for command in (recipes, training, describe, serve, health, *_add_models(commands)):
        command.add_argument("--json", action="store_true", help="print one JSON value instead of text")
    return parser


def _add_models(commands: Any) -> list[argparse.ArgumentParser]:
    """The commands about the library of models."""
    library = commands.add_parser("models", help="take a saved model in, list all models, or describe one")
    actions = library.add_subparsers(title="actions", metavar="ACTION", required=True)
    taking = actions.add_parser("import", help="take a .keras file into the library, or say why not")
    taking.add_argument("file", metavar="FILE.keras", help="a model that was saved with model.save")
    listing = actions.add_parser("list", help="list the models: runs that are over, and files that were taken in")
    describing = actions.add_parser("describe", help="show the card of one model")
    describing.add_argument("id", metavar="ID", help="of a model or of a run; see models list")
    for parser, command in ((taking, models.take_in), (listing, models.show_all), (describing, models.describe)):
        parser.set_defaults(command=command)
    return [taking, listing, describing]


def _add_experiment(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--recipe", metavar="NAME", help="a ready experiment; see the command recipes")
    which.add_argument(
        "file", nargs="?", metavar="EXPERIMENT.json", help="an experiment as JSON; - reads it from stdin"
    )
    # "append" keeps --set usable twice; each takes several settings.
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="PATH=VALUE", help="such as training.epochs=1"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.command(options, Settings())
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, REFUSED) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of a pipe, such as head, has enough
        sys.stderr.close()
        return 0
    except Exception as error:  # a fault of ours: the person gets a sentence, a file the traceback
        print(f"Something in the playground itself went wrong: {error}. {trace_of_fault()} says more.", file=sys.stderr)
        return 1
    return code
