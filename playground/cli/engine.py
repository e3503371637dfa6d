"""The command ``engine``: run it in the foreground, ask how it is, end it."""

import argparse
from collections.abc import Callable
from dataclasses import asdict

from playground import jobs
from playground.cli.output import print_json
from playground.settings import Settings


def engine(options: argparse.Namespace, settings: Settings) -> int:
    """Do what ``options.action`` says."""
    return ACTIONS[options.action](options, settings)


def _run(options: argparse.Namespace, settings: Settings) -> int:
    jobs.serve(settings)
    return 0


def _status(options: argparse.Namespace, settings: Settings) -> int:
    client = jobs.DaskJobs(settings)
    try:
        status = client.status()
    finally:
        client.close()
    if options.json:
        print_json(asdict(status))
    else:
        print(f"{status.state}: {status.message or f'{status.workers} workers on {status.device}'}")
    return 0


def _stop(options: argparse.Namespace, settings: Settings) -> int:
    jobs.stop_engine(settings)
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace, Settings], int]] = {"run": _run, "status": _status, "stop": _stop}
