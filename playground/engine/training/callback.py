"""What a training tells others, and when. The moments are named as Keras names them, where Keras has them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.engine.training.loop import Loop


class Callback:
    """Does one thing at one moment of a training."""

    def on_train_begin(self, loop: "Loop") -> None:
        """Before the first step."""

    def on_stretch_end(self, loop: "Loop") -> None:
        """A few times a second: read controls, refresh pictures. Must change nothing that is computed."""

    def on_decision(self, loop: "Loop") -> None:
        """At fixed steps, after validation: ``loop.history[-1]`` has the scores. Stop rules belong here."""

    def on_rest(self, loop: "Loop") -> None:
        """After all the others, and once before the first step: here people pause a training, and change it."""

    def on_pause(self, loop: "Loop") -> None:
        """Nothing will happen for a while: show where the training stands."""

    def on_jump(self, loop: "Loop") -> None:
        """The training has gone back to ``loop.step``: forget what came after."""

    def on_train_end(self, loop: "Loop") -> None:
        """After the last step, also when stopped or failed."""

    def state(self) -> dict[str, Any]:
        """What an interrupted training has to know again; JSON."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from :meth:`state`."""
