"""The library of models for pages and terminal: every run that is over, and every file that was taken in."""

import contextlib
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from playground import data
from playground.errors import EngineUnavailable, ModelRefused, NotFound, SpecError
from playground.jobs import Jobs
from playground.lab.finding import is_search
from playground.records import Run, SavedModel
from playground.settings import Settings
from playground.spec.saved import MAX_FILE
from playground.store import Store

RECENT = 100
"""How many runs are looked through."""
IMPORT_SECONDS = 60.0
"""The child that reads a file may take 9; the rest is for a machine that is busy."""
LINE_SECONDS = 60.0
STRAY_SECONDS = 3600.0
"""Nothing that is still needed is as old."""
MAX_NAME = 80

_PIECE = 1_000_000


class Library:
    """What the page Models and the command ``models`` ask for. May be shared between threads.

    Args:
        store: where runs and models are kept.
        jobs: where files are taken in.
        settings: the home folder, in which an upload lies for a moment.
        delete_run: forgets a run.
    """

    def __init__(self, store: Store, jobs: Jobs, settings: Settings, delete_run: Callable[[str], None]) -> None:
        self._store, self._jobs = store, jobs
        self._folder = settings.home / "uploads"
        self._delete_run = delete_run
        self._one_at_a_time = threading.Lock()

    def models(self) -> list[SavedModel]:
        """All cards, newest first: files taken in, and the newest runs that are over and have weights."""
        over = [run for run in self._store.runs(limit=RECENT) if run.status.is_over and run.progress.step]
        runs = [run for run in over if not is_search(run)]
        cards = [*self.uploads(), *map(_card_of, runs)]
        return sorted(cards, key=lambda card: card.created, reverse=True)

    def uploads(self) -> list[SavedModel]:
        """The cards of files taken in, newest first."""
        return self._store.models()

    def model(self, id: str) -> SavedModel:
        """The card under the id of a model or of a run.

        Raises:
            NotFound: there is neither.
        """
        try:
            return self._store.model(id)
        except NotFound:
            with contextlib.suppress(NotFound):
                return _card_of(self._store.run(id))
            raise

    def kept_epochs(self, card: SavedModel) -> list[int]:
        """The epochs whose weights are kept, ascending; a file has none to choose from."""
        return self._store.kept_epochs(card.source) if card.origin == "run" else []

    def import_file(self, file: Path | IO[bytes], name: str, *, owner: str = "") -> SavedModel:
        """Take a ``.keras`` file into the library; see ``engine/reuse`` for what is looked at.

        Args:
            file: where it is, or an upload; what is uploaded lies in the home folder until it has been read.
            name: what it is called, for people; never part of a path.
            owner: whose model it becomes.

        Raises:
            ModelRefused: with every reason.
            EngineUnavailable: nobody can read it at the moment; it was not taken in.
            StoreError: the disk cannot be written.
        """
        if not self._one_at_a_time.acquire(timeout=LINE_SECONDS):
            raise EngineUnavailable("Other files are being taken in. Try again in a minute.")
        try:
            self._sweep()
            if isinstance(file, Path):
                return self._take_in(file, name, owner)
            spooled = self._folder / f"{secrets.token_hex(16)}.keras"
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                _spool(file, spooled)
                return self._take_in(spooled, name, owner)
            finally:
                spooled.unlink(missing_ok=True)
        finally:
            self._one_at_a_time.release()

    def _sweep(self) -> None:
        """Remove what processes that were killed have left: uploads, and rooms of the child that reads them."""
        for stray in self._folder.glob("*"):
            with contextlib.suppress(OSError):  # Windows: somebody has it open; next time then
                if time.time() - stray.stat().st_mtime > STRAY_SECONDS:
                    shutil.rmtree(stray) if stray.is_dir() else stray.unlink()

    def _take_in(self, path: Path, name: str, owner: str) -> SavedModel:
        if not path.is_file():
            raise SpecError(f"{path} is not a file. Name a model that was saved as .keras.")
        return self._store.model(self._jobs.ask("import_model", str(path), name, owner, timeout=IMPORT_SECONDS))

    def rename(self, card: SavedModel, name: str) -> None:
        """Call a model otherwise; for a run, its experiment.

        Raises:
            SpecError: an empty name, or a longer one than 80 characters.
            NotFound: it is gone.
        """
        name = " ".join(name.split())
        if not 1 <= len(name) <= MAX_NAME:
            raise SpecError(f"A name has 1 to {MAX_NAME} characters; this one has {len(name)}. Choose another.", "name")
        if card.origin == "run":
            self._store.rename_run(card.source, name)
        else:
            self._store.rename_model(card.id, name)

    def delete(self, card: SavedModel) -> None:
        """Forget a model, or a run with all that it has.

        Raises:
            NotAllowed: a run that is not over starts from it; the message names the run.
            NotFound: it is gone.
        """
        if card.origin == "run":
            self._delete_run(card.source)
        else:
            self._store.delete_model(card.id)


def architecture(card: SavedModel) -> str:
    """The network in one line: ``Conv2D 32 → Flatten → Dense 10 softmax``."""
    parts = []
    for layer in card.experiment.model.layers:
        size = getattr(layer, layer.main[0]) if layer.main else None
        parts.append(f"{layer.kind} {size}" if isinstance(size, int | str) else layer.kind)
    output = card.experiment.model.output
    units = output.units or max(1, len(card.facts.class_names) if card.facts.task == "multiclass" else 1)
    return " → ".join([*parts, f"Dense {units} {output.activation or ''}".rstrip()])


def _card_of(run: Run) -> SavedModel:
    parameters = run.facts.get("parameters")
    known = parameters if isinstance(parameters, int) else 0
    return SavedModel(
        id=run.id,
        name=run.experiment.name or run.experiment.data.label,
        created=run.ended or run.created,
        origin="run",
        source=run.id,
        experiment=run.experiment,
        facts=data.describe(run.experiment.data),
        epoch=run.progress.epoch,
        parameters=known,
        bytes=4 * known,
        scores=run.scores,
        owner=run.owner,
    )


def _spool(file: IO[bytes], path: Path) -> None:
    """Write an upload to the disk, as far as the limit.

    Raises:
        ModelRefused: it is larger.
    """
    size = 0
    with path.open("xb") as target:
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > MAX_FILE:
                raise ModelRefused([f"The file has more than {MAX_FILE // 10**6} MB. Save a smaller model."])
            target.write(piece)
