"""The best epoch's weights: kept while others come and go, and put back at the end where that is asked."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from playground.engine.training.callback import Callback
from playground.engine.training.loop import Loop
from playground.engine.training.stopping import Best, in_words
from playground.errors import NotFound, StoreError
from playground.spec import Training
from playground.spec.metrics import score_in_words
from playground.spec.stopping import EarlyStopping
from playground.store import Store

logger = logging.getLogger(__name__)

NAME = "best"
"""Of the arrays in the store: ``v0``, ``v1`` … and ``epoch``."""


class KeepBest(Callback):
    """Keeps the weights of the best epoch, and at the end of the training puts them back where early stopping asks it.

    Best is what early stopping watches, else the validation loss, else the training loss. The weights lie in memory and
    are written when a checkpoint is (:meth:`state`), so that both always tell of the same moment; at the end they join
    the kept epochs.

    Args:
        store: keeps them.
        run_id: whose they are.
        lease: of the run.
        training: says what is best, and whether it is restored.
        has_validation: whether there are validation examples.
        is_over: whether the training has come to its end: one that was only stopped goes on with its last weights.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        lease: str,
        training: Training,
        has_validation: bool,
        is_over: Callable[[Loop], bool],
    ) -> None:
        rule = next((rule for rule in training.stop_rules if isinstance(rule, EarlyStopping)), None)
        self._rule = rule or EarlyStopping(monitor="val_loss" if has_validation else "loss", restore_best_weights=False)
        self._store, self._run_id, self._lease, self._is_over = store, run_id, lease, is_over
        self._best = Best.of(self._rule)
        self._weights: dict[str, Any] | None = None
        self._written: float | None = None
        self.scores: dict[str, float] = {}
        """All scores at the best epoch."""
        self.restored = False
        """Whether the weights at the end are those of the best epoch."""

    @property
    def facts(self) -> dict[str, object]:
        """What is known of the best epoch, JSON; empty where none is kept."""
        if self._weights is None:
            return {}
        best = self._best
        return {
            "epoch": round(best.epoch), "monitor": best.monitor, "value": best.value, "restored": self.restored
        }  # fmt: skip

    @property
    def says(self) -> str:
        """One sentence where weights were put back."""
        if not self.restored:
            return ""
        score = f"{score_in_words(self._best.monitor)} {self._best.value:.4g}"
        return f"The weights of epoch {in_words(self._best.epoch)} ({score}) are restored."

    def on_decision(self, loop: Loop) -> None:
        point = loop.history[-1]
        if self._best.improves(point.values[self._rule.monitor], point.epoch):
            self.scores = dict(point.values)
            with loop.learner.seat() as program:
                self._weights = {f"v{place}": value for place, value in enumerate(program.weights())}

    def on_jump(self, loop: Loop) -> None:
        if self._best.epoch > loop.epoch:
            self._forget()

    def on_train_end(self, loop: Loop) -> None:
        if self._weights is None:
            return
        epoch = round(self._best.epoch)
        if epoch not in self._store.kept_epochs(self._run_id):
            with self._surviving_a_full_disk():
                self._store.keep_epoch(self._run_id, epoch, self._arrays(), lease=self._lease)
        if self._rule.restore_best_weights and self._is_over(loop) and not loop.failure:
            with loop.learner.seat() as program:
                for variable, value in zip(program.model.variables, self._weights.values(), strict=True):
                    variable.assign(value)
                program.averages.follow()
            self.restored = True

    def state(self) -> dict[str, Any]:
        if self._weights is not None and self._written != self._best.epoch:
            arrays = {**self._arrays(), "epoch": np.array(self._best.epoch)}
            with self._surviving_a_full_disk():
                self._store.write_arrays(self._run_id, NAME, arrays, lease=self._lease)
                self._written = self._best.epoch
        return {"best": self._best.state(), "scores": self.scores}

    def restore(self, state: Mapping[str, Any]) -> None:
        try:
            arrays = self._store.read_arrays(self._run_id, NAME)
        except NotFound:
            return
        # After a crash between the two writes they tell of another moment than the checkpoint: it comes again.
        if float(arrays.pop("epoch")) == state["best"]["epoch"]:
            self._best.restore(state["best"])
            self._weights, self._written, self.scores = arrays, self._best.epoch, dict(state["scores"])

    def _forget(self) -> None:
        self._best, self._weights, self._written, self.scores = Best.of(self._rule), None, None, {}

    @contextmanager
    def _surviving_a_full_disk(self) -> Iterator[None]:
        """What was kept before is whole; the training must not end for it."""
        try:
            yield
        except StoreError as error:
            logger.warning("best weights of run %s: %s", self._run_id, error)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {name: np.asarray(value) for name, value in (self._weights or {}).items()}
