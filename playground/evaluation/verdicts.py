"""What is wrong with a training, in words: from the series of its :class:`Health` to a layer, numbers and a remedy.

The measures are the literature's. How a gradient fares on its way back is judged by the root mean square of the loss's
gradient by the layers' outputs (Glorot & Bengio, 2010, fig. 7); the size of a step by log10 of mean |update| over mean
|weight|, healthy about −3, trouble above −2 or below −4 (the training page of Deeplearning4j).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from playground.evaluation.health import Floats, Health

Kind = Literal["vanishing", "exploding", "dead", "saturated", "rate too high", "rate too low", "healthy"]

HEALTHY_RATIO = -3.0
RATIO_TOO_HIGH, RATIO_TOO_LOW = -2.0, -4.0
LOST = 1e-3
"""A gradient that arrives at less than a thousandth, or more than a thousandfold, has lost its way: no learning rate
suits both ends of the network. Healthy networks of the recipes stay between 1/30 and 30."""
DEAD = 0.75
"""Share of a layer's units from which on it is sick. Half of them idle is common in deep relu networks that learn well
(on the few examples of the probe batch a unit that fires rarely counts as dead)."""
FLAT = 0.5
"""Share of a layer's outputs in the flat parts of its activation from which on it is sick."""
EARLY = 0.1
"""Share of a training that counts as its beginning. Later, saturation may be what the network has learned: a unit that
draws a sharp border is flat nearly everywhere."""
LEARNED = 0.5
"""Of the first loss: below that the network has learned something, and neither a large nor a small step has hurt."""


@dataclass(frozen=True)
class Verdict:
    """One thing that is wrong, or that nothing is."""

    kind: Kind
    layer: str
    """Id of the layer at fault; "" where it is the whole network."""
    sentence: str
    """What was found, with the numbers that led to it."""
    remedy: str
    """What to do about it; "" where there is nothing to do."""


def judge(health: Health) -> list[Verdict]:
    """What is wrong with a training, the cause before what follows from it; one ``healthy`` where nothing is.

    An exploding gradient kills units, units that are dead or flat stop the gradient, and a gradient that is lost makes
    wrong steps: so the first kind of trouble that is found explains the others, and only it is named.
    """
    if not len(health):
        return []
    checks: tuple[Callable[[Health], Verdict | None], ...] = (exploding, dead, saturated, vanishing, rate)
    found = next((verdict for check in checks if (verdict := check(health)) is not None), None)
    return [found or _healthy(health)]


def dead(health: Health) -> Verdict | None:
    """Units that answer no example any more: with relu they get no gradient, so they stay so."""
    worst = _worst(health.of_layers("dead")[-1])
    if worst is None or worst[1] < DEAD:
        return None
    index, share = worst
    return Verdict(
        "dead", health.names.layers[index],
        f"{share:.0%} of the units of {health.names.layers[index]} are 0 for every example: they are dead, get no "
        "gradient and cannot come back.",
        "Lower the learning rate, or use leaky_relu, whose slope is nowhere 0.",
    )  # fmt: skip


def saturated(health: Health) -> Verdict | None:
    """Outputs where the activation is flat, in hidden layers from the beginning, or later while nothing is learned.

    The output layer is no part of it: there, a flat sigmoid means that the network is sure.
    """
    shares = health.of_layers("saturated")[:, :-1]
    early = _worst(_median(shares[_is_early(health)]))
    late = None if has_learned(health) else _worst(shares[-1])
    worst = max((found for found in (early, late) if found is not None), key=lambda found: found[1], default=None)
    if worst is None or worst[1] < FLAT:
        return None
    index, share = worst
    return Verdict(
        "saturated", health.names.layers[index],
        f"{share:.0%} of the outputs of {health.names.layers[index]} lie where {health.names.activations[index]} is "
        "flat: they are saturated and let hardly any gradient through.",
        "Scale the data, or start from smaller weights (glorot_uniform).",
    )  # fmt: skip


def exploding(health: Health) -> Verdict | None:
    """A gradient that grows on its way back, or numbers that are none any more."""
    gains = backward_gains(health)
    if not gains.size:
        return None
    index, gain = int(np.argmax(gains)), float(gains.max())
    layer = health.names.layers[index]
    remedy = "Start from smaller weights (glorot_uniform, he_normal), or normalize between the layers."
    if gain > 1 / LOST:
        sentence = (
            f"On its way back from the last hidden layer to {layer} the gradient grows {gain:,.0f} times: it explodes."
        )
        return Verdict("exploding", layer, sentence, remedy)
    if not np.isfinite(health.loss).all() or not np.isfinite(health.of_variables("gradient")).all():
        sentence = f"The loss or a gradient is no longer a finite number; the gradient is largest at {layer}."
        return Verdict("exploding", layer, sentence, "Lower the learning rate, or clip the gradient.")
    return None


def vanishing(health: Health) -> Verdict | None:
    """A gradient that fades on its way back, so that the first layers hardly learn."""
    gains = backward_gains(health)
    if not gains.size or gains.min() >= LOST:
        return None
    index, gain = int(np.argmin(gains)), float(gains.min())
    return Verdict(
        "vanishing", health.names.layers[index],
        f"Of the gradient at the last hidden layer only {gain:.1e} arrives at {health.names.layers[index]}: it "
        "vanishes, and the first layers hardly learn.",
        "Use relu instead of sigmoid or tanh, fewer layers, or batch normalization between them.",
    )  # fmt: skip


def rate(health: Health) -> Verdict | None:
    """Steps too large or too small for the weights, in the later half of a training that has not learned."""
    kernels = list(health.names.kernels)
    ratios = health.of_variables("ratio")[len(health) // 2 :, kernels]
    middle = _median(np.where(np.isfinite(ratios), ratios, np.nan))
    known = np.flatnonzero(np.isfinite(middle))
    if has_learned(health) or not len(known):
        return None
    typical = float(np.median(middle[known]))
    if RATIO_TOO_LOW <= typical <= RATIO_TOO_HIGH:
        return None
    is_high = typical > RATIO_TOO_HIGH
    at = known[np.argmax(middle[known]) if is_high else np.argmin(middle[known])]
    layer = health.names.layer_of(kernels[at])
    said = (
        f"A step changes the weights of {layer} by {_share(middle[at])} of their size, where about "
        f"{_share(HEALTHY_RATIO)} is healthy, and the loss went from {health.loss[0]:.3g} to {health.loss[-1]:.3g} "
        "only: the learning rate is "
    )
    if is_high:
        return Verdict("rate too high", layer, f"{said}too high.", "Divide the learning rate by ten.")
    return Verdict("rate too low", layer, f"{said}too low.", "Multiply the learning rate by ten.")


def _healthy(health: Health) -> Verdict:
    kernels = list(health.names.kernels)
    ratios = health.of_variables("ratio")[-1, kernels] if kernels else np.empty(0)
    ratios = ratios[np.isfinite(ratios)]
    steps = f" A step changes the weights by {_share(float(np.median(ratios)))} of their size." if len(ratios) else ""
    return Verdict(
        "healthy", "",
        f"The gradient reaches every layer, and units answer.{steps}",
        "",
    )  # fmt: skip


def has_learned(health: Health) -> bool:
    """Whether the loss of the probe batch is well below the first one; False where it is no number."""
    return bool(health.loss[-1] < LEARNED * health.loss[0])


def backward_gains(health: Health) -> Floats:
    """How much of the gradient at the last hidden layer arrives at each hidden layer: (layers − 1,), medians over time.

    The gradient by a layer's outputs, root mean square over outputs and examples, divided by that at the last layer
    before the output layer. Layers without an activation only rearrange (Flatten, pooling) and count as 1, as does
    everything where there is no gradient at all.
    """
    slopes = health.of_layers("gradient")[:, :-1].astype(np.float64)
    counted = [bool(activation) for activation in health.names.activations[:-1]]
    if not any(counted):
        return np.empty(0)
    last = slopes[:, max(np.flatnonzero(counted))]
    usable = np.isfinite(slopes).all(axis=1) & (last > 0)
    if not usable.any():
        return np.ones(len(counted))
    return np.where(counted, np.median(slopes[usable] / last[usable, None], axis=0), 1.0)


def _is_early(health: Health) -> NDArray[np.bool_]:
    end = health.epoch[0] + EARLY * (health.epoch[-1] - health.epoch[0])
    return np.asarray(health.epoch <= end)


def _share(ratio: float) -> str:
    """A ratio on log10 for people: −3 is "0.1%"."""
    return f"{100 * 10**ratio:.2g}%"


def _median(values: Floats) -> Floats:
    """Medians of columns (n, k) without their NaN; NaN where there is nothing else."""
    return np.array([np.median(c[~np.isnan(c)]) if (~np.isnan(c)).any() else np.nan for c in values.T])


def _worst(shares: Floats) -> tuple[int, float] | None:
    """The layer with the largest share (k,), and the share; None where no layer has one."""
    return None if np.isnan(shares).all() else (int(np.nanargmax(shares)), float(np.nanmax(shares)))
