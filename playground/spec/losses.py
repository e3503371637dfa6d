"""The losses, under Keras's names, each with the tasks it fits and the form in which it wants its targets."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from playground.spec.base import Spec, option
from playground.spec.data import Task

Targets = Literal["index", "onehot", "binary", "real"]
"""Form of ``y``: int class index (n,), one-hot (n, classes), 0/1 (n, 1), or a real number (n, 1)."""


class Loss(Spec):
    """A loss of Keras. ``formula`` is LaTeX, y the target and p or ŷ the prediction."""

    targets: ClassVar[dict[Task, Targets]]
    """The tasks it fits, and the target form for each."""
    formula: ClassVar[str]
    activation: ClassVar[str | None] = None
    """The output activation that this loss wants where it differs from the task's own."""

    def targets_for(self, task: Task) -> Targets:
        """The form in which it wants the targets of a task, as it is set."""
        return self.targets[task]


_CLASSES: dict[Task, Targets] = {"multiclass": "onehot", "binary": "onehot"}
_ANY: dict[Task, Targets] = {"binary": "binary", "multiclass": "onehot", "regression": "real"}
_REAL: dict[Task, Targets] = {"regression": "real"}
_smoothing = option(
    0.0, "Label smoothing", "Moves targets towards 1/classes: y ← y·(1 − s) + s/classes.", ge=0, le=0.9, advanced=True
)


class SparseCategoricalCrossentropy(Loss):
    label: ClassVar[str] = "Sparse categorical cross-entropy"
    help: ClassVar[str] = "−log of the probability given to the true class; targets are class numbers."
    formula: ClassVar[str] = r"-\log p_{y}"
    targets: ClassVar[dict[Task, Targets]] = {"multiclass": "index", "binary": "index"}
    kind: Literal["sparse_categorical_crossentropy"] = "sparse_categorical_crossentropy"
    label_smoothing: float = option(
        0.0,
        "Label smoothing",
        "Moves targets towards 1/classes: y ← y·(1 − s) + s/classes, for which they become one-hot.",
        ge=0,
        le=0.9,
        advanced=True,
        later=True,
    )

    def targets_for(self, task: Task) -> Targets:
        """Class numbers cannot be smoothed; one-hot targets can."""
        return "onehot" if self.label_smoothing else self.targets[task]


class CategoricalCrossentropy(Loss):
    label: ClassVar[str] = "Categorical cross-entropy"
    help: ClassVar[str] = "−Σ y log p over the classes; targets are one-hot."
    formula: ClassVar[str] = r"-\sum_k y_k \log p_k"
    targets: ClassVar[dict[Task, Targets]] = _CLASSES
    kind: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    label_smoothing: float = _smoothing


class CategoricalFocalCrossentropy(Loss):
    label: ClassVar[str] = "Categorical focal cross-entropy"
    help: ClassVar[str] = "Cross-entropy that counts easy examples less (Lin et al., 2017)."
    formula: ClassVar[str] = r"-\sum_k \alpha (1-p_k)^{\gamma} y_k \log p_k"
    targets: ClassVar[dict[Task, Targets]] = _CLASSES
    kind: Literal["categorical_focal_crossentropy"] = "categorical_focal_crossentropy"
    alpha: float = option(0.25, "Alpha", "Weight of every class.", gt=0, le=1)
    gamma: float = option(2.0, "Gamma", "How strongly easy examples are played down.", ge=0, le=10)
    label_smoothing: float = _smoothing


class BinaryCrossentropy(Loss):
    label: ClassVar[str] = "Binary cross-entropy"
    help: ClassVar[str] = "−log of the probability given to what is true, for two classes."
    formula: ClassVar[str] = r"-y\log p-(1-y)\log(1-p)"
    targets: ClassVar[dict[Task, Targets]] = {"binary": "binary"}
    kind: Literal["binary_crossentropy"] = "binary_crossentropy"
    label_smoothing: float = _smoothing


class BinaryFocalCrossentropy(Loss):
    label: ClassVar[str] = "Binary focal cross-entropy"
    help: ClassVar[str] = "Binary cross-entropy that counts easy examples less (Lin et al., 2017)."
    formula: ClassVar[str] = r"-(1-p_t)^{\gamma}\log p_t"
    targets: ClassVar[dict[Task, Targets]] = {"binary": "binary"}
    kind: Literal["binary_focal_crossentropy"] = "binary_focal_crossentropy"
    gamma: float = option(2.0, "Gamma", "How strongly easy examples are played down.", ge=0, le=10)
    label_smoothing: float = _smoothing


class KLDivergence(Loss):
    label: ClassVar[str] = "Kullback–Leibler divergence"
    help: ClassVar[str] = "Σ y log(y / p): how far the predicted distribution is from the true one."
    formula: ClassVar[str] = r"\sum_k y_k \log (y_k/p_k)"
    targets: ClassVar[dict[Task, Targets]] = _CLASSES
    kind: Literal["kl_divergence"] = "kl_divergence"


class CategoricalHinge(Loss):
    label: ClassVar[str] = "Categorical hinge"
    help: ClassVar[str] = "Wants the true class ahead of the best wrong one by 1."
    formula: ClassVar[str] = r"\max(0,\ 1+\max_{k\ne y}\hat y_k-\hat y_y)"
    targets: ClassVar[dict[Task, Targets]] = _CLASSES
    activation: ClassVar[str | None] = "linear"
    kind: Literal["categorical_hinge"] = "categorical_hinge"


class Hinge(Loss):
    label: ClassVar[str] = "Hinge"
    help: ClassVar[str] = "max(0, 1 − y·ŷ) with y = ±1: the support vector machine's loss."
    formula: ClassVar[str] = r"\max(0,\ 1-y\hat y)"
    targets: ClassVar[dict[Task, Targets]] = {"binary": "binary"}
    activation: ClassVar[str | None] = "tanh"
    kind: Literal["hinge"] = "hinge"


class SquaredHinge(Loss):
    label: ClassVar[str] = "Squared hinge"
    help: ClassVar[str] = "The square of the hinge loss."
    formula: ClassVar[str] = r"\max(0,\ 1-y\hat y)^2"
    targets: ClassVar[dict[Task, Targets]] = {"binary": "binary"}
    activation: ClassVar[str | None] = "tanh"
    kind: Literal["squared_hinge"] = "squared_hinge"


class MeanSquaredError(Loss):
    label: ClassVar[str] = "Mean squared error"
    help: ClassVar[str] = "The mean of (y − ŷ)²."
    formula: ClassVar[str] = r"\tfrac1n\sum (y-\hat y)^2"
    targets: ClassVar[dict[Task, Targets]] = _ANY
    kind: Literal["mean_squared_error"] = "mean_squared_error"


class MeanAbsoluteError(Loss):
    label: ClassVar[str] = "Mean absolute error"
    help: ClassVar[str] = "The mean of |y − ŷ|: outliers count less than with squares."
    formula: ClassVar[str] = r"\tfrac1n\sum |y-\hat y|"
    targets: ClassVar[dict[Task, Targets]] = _ANY
    kind: Literal["mean_absolute_error"] = "mean_absolute_error"


class MeanAbsolutePercentageError(Loss):
    label: ClassVar[str] = "Mean absolute percentage error"
    help: ClassVar[str] = "100 · the mean of |y − ŷ| / |y|; wants targets away from 0."
    formula: ClassVar[str] = r"\tfrac{100}n\sum |y-\hat y|/|y|"
    targets: ClassVar[dict[Task, Targets]] = _REAL
    kind: Literal["mean_absolute_percentage_error"] = "mean_absolute_percentage_error"


class MeanSquaredLogarithmicError(Loss):
    label: ClassVar[str] = "Mean squared logarithmic error"
    help: ClassVar[str] = "The mean of (log(1 + y) − log(1 + ŷ))²; for targets above 0 that span magnitudes."
    formula: ClassVar[str] = r"\tfrac1n\sum (\log(1+y)-\log(1+\hat y))^2"
    targets: ClassVar[dict[Task, Targets]] = _REAL
    kind: Literal["mean_squared_logarithmic_error"] = "mean_squared_logarithmic_error"


class Huber(Loss):
    label: ClassVar[str] = "Huber"
    help: ClassVar[str] = "Squared for small errors, absolute for errors above delta."
    formula: ClassVar[str] = r"\tfrac12 e^2 \text{ if } |e|\le\delta \text{ else } \delta|e|-\tfrac12\delta^2"
    targets: ClassVar[dict[Task, Targets]] = _REAL
    kind: Literal["huber"] = "huber"
    delta: float = option(1.0, "Delta", "Where the loss turns from square to straight.", gt=0, le=1e6)


class LogCosh(Loss):
    label: ClassVar[str] = "Log-cosh"
    help: ClassVar[str] = "log(cosh(ŷ − y)): like squares near 0, like absolute values far away."
    formula: ClassVar[str] = r"\tfrac1n\sum \log\cosh(\hat y-y)"
    targets: ClassVar[dict[Task, Targets]] = _REAL
    kind: Literal["log_cosh"] = "log_cosh"


class Poisson(Loss):
    label: ClassVar[str] = "Poisson"
    help: ClassVar[str] = "ŷ − y·log ŷ, for counts; predictions must stay above 0."
    formula: ClassVar[str] = r"\tfrac1n\sum (\hat y-y\log\hat y)"
    targets: ClassVar[dict[Task, Targets]] = _REAL
    activation: ClassVar[str | None] = "exponential"
    kind: Literal["poisson"] = "poisson"


LOSSES: tuple[type[Loss], ...] = (
    SparseCategoricalCrossentropy, CategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError, MeanAbsoluteError,
    Huber, LogCosh, MeanAbsolutePercentageError, MeanSquaredLogarithmicError, Poisson, CategoricalFocalCrossentropy,
    BinaryFocalCrossentropy, KLDivergence, Hinge, SquaredHinge, CategoricalHinge,
)  # fmt: skip
"""Every loss there is, in the order in which forms list them."""


def losses_for(task: Task) -> list[type[Loss]]:
    """The losses that fit a task."""
    return [loss for loss in LOSSES if task in loss.targets]


def from_name(value: Any) -> Any:
    """``"huber"`` stands for ``{"kind": "huber"}``: the short form for a terminal."""
    return {"kind": value} if isinstance(value, str) else value


LossSpec = Annotated[
    SparseCategoricalCrossentropy | CategoricalCrossentropy | BinaryCrossentropy | MeanSquaredError | MeanAbsoluteError
    | Huber | LogCosh | MeanAbsolutePercentageError | MeanSquaredLogarithmicError | Poisson
    | CategoricalFocalCrossentropy | BinaryFocalCrossentropy | KLDivergence | Hinge | SquaredHinge | CategoricalHinge,
    Field(discriminator="kind"),
    BeforeValidator(from_name),
]  # fmt: skip
