"""Probes whose answer is one figure. The page of gradients offers all of them, with a form made from their spec."""

from collections.abc import Callable, Mapping
from typing import Any

from playground.displays.figure import Figure
from playground.displays.singular_values import singular_values
from playground.spec.probes import Probe, SingularValues

FIGURES: dict[type[Probe], Callable[[Mapping[str, Any]], Figure]] = {
    SingularValues: singular_values,
}
"""Every such probe and what draws its answer."""
