"""The optimizers, under Keras's names and argument names, with Keras's defaults."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from playground.spec.base import Spec, option
from playground.spec.losses import from_name


def _rate(default: float) -> Any:
    return option(default, "Learning rate", "How far each step goes: θ ← θ − α · direction.", gt=0, le=100, scale="log")


def _epsilon(default: float) -> Any:
    return option(
        default, "Epsilon", "Added so that nothing is divided by zero.", gt=0, le=1, advanced=True, scale="log"
    )


def _beta(default: float, name: str, what: str) -> Any:
    return option(default, name, f"How slowly the running mean of {what} forgets.", ge=0, lt=1, advanced=True)


def _clip(name: str, help: str) -> Any:
    return option(None, name, help, gt=0, le=1e6, advanced=True, later=True)


class Optimizer(Spec):
    """What all optimizers have: a rate, and Keras's care for gradients and weights (:data:`CARE`).

    With ``use_ema`` the averaged weights are those that are judged and kept: validation, pictures, kept epochs, scores
    and predictions are theirs, while the training itself goes on from the weights as they are. (Keras averages in the
    same way, but validates with the weights as they are and puts the averages in their place at the end of ``fit``.)
    """

    learning_rate: float = _rate(0.001)
    weight_decay: float | None = option(
        None,
        "Weight decay",
        "Shrinks every weight a little at every step: θ ← θ − α·λ·θ, apart from the gradient.",
        ge=0,
        le=1,
        advanced=True,
        later=True,
    )
    clipvalue: float | None = _clip("Clip each value", "Each entry of a gradient is held within ±c.")
    clipnorm: float | None = _clip(
        "Clip each norm", "The gradient of each variable is shortened to c where it is longer: g ← g · min(1, c/‖g‖)."
    )
    global_clipnorm: float | None = _clip(
        "Clip the global norm",
        "All gradients together are shortened to c: their direction stays (Pascanu et al., 2013).",
    )
    use_ema: bool = option(
        False,
        "Average the weights",
        "Judge and keep a moving average of the weights, θ̄ ← m·θ̄ + (1 − m)·θ, which is smoother than the weights.",
        advanced=True,
        later=True,
    )
    ema_momentum: float = option(
        0.99,
        "Momentum of the average",
        "m: 0.99 looks back about 100 steps.",
        ge=0,
        le=0.99999,
        advanced=True,
        later=True,
    )

    @model_validator(mode="after")
    def _clips_once(self) -> "Optimizer":
        clips = [name for name in CLIPPING if getattr(self, name) is not None]
        if len(clips) > 1:
            raise ValueError(f"{' and '.join(clips)} are both set; keep one way of clipping")
        return self


CLIPPING = ("clipvalue", "clipnorm", "global_clipnorm")
"""Three ways of clipping gradients, of which an optimizer takes one."""
CARE = ("weight_decay", *CLIPPING, "use_ema", "ema_momentum")
"""Fields that every optimizer has for the care of gradients and weights."""


class SGD(Optimizer):
    label: ClassVar[str] = "SGD"
    help: ClassVar[str] = "Plain (stochastic) gradient descent, θ ← θ − α∇θ, with momentum if you like."
    kind: Literal["SGD"] = "SGD"
    learning_rate: float = _rate(0.01)
    momentum: float = option(0.0, "Momentum", "Share of the last step that is taken again: v ← μv − α∇θ.", ge=0, lt=1)
    nesterov: bool = option(False, "Nesterov", "Look at the gradient after the momentum step (Nesterov, 1983).")


class RMSprop(Optimizer):
    label: ClassVar[str] = "RMSprop"
    help: ClassVar[str] = "Divides the gradient by a running root mean square of itself (Hinton, 2012)."
    kind: Literal["RMSprop"] = "RMSprop"
    rho: float = _beta(0.9, "Rho", "squared gradients")
    momentum: float = option(0.0, "Momentum", "Share of the last step that is taken again.", ge=0, lt=1, advanced=True)
    epsilon: float = _epsilon(1e-7)
    centered: bool = option(False, "Centered", "Subtract the squared mean: divide by the variance.", advanced=True)


class Adagrad(Optimizer):
    label: ClassVar[str] = "Adagrad"
    help: ClassVar[str] = "A rate per weight that shrinks with its past gradients (Duchi et al., 2011)."
    kind: Literal["Adagrad"] = "Adagrad"
    initial_accumulator_value: float = option(
        0.1, "Initial accumulator", "Where the sum of squares starts.", ge=0, le=100, advanced=True
    )
    epsilon: float = _epsilon(1e-7)


class Adadelta(Optimizer):
    label: ClassVar[str] = "Adadelta"
    help: ClassVar[str] = "Adagrad that forgets (Zeiler, 2012); a rate of 1 matches the paper."
    kind: Literal["Adadelta"] = "Adadelta"
    rho: float = _beta(0.95, "Rho", "squared gradients")
    epsilon: float = _epsilon(1e-7)


class Adam(Optimizer):
    label: ClassVar[str] = "Adam"
    help: ClassVar[str] = "Running means of the gradient and its square (Kingma & Ba, 2015)."
    kind: Literal["Adam"] = "Adam"
    beta_1: float = _beta(0.9, "Beta 1", "gradients")
    beta_2: float = _beta(0.999, "Beta 2", "squared gradients")
    epsilon: float = _epsilon(1e-7)
    amsgrad: bool = option(False, "AMSGrad", "Keep the largest second moment (Reddi et al., 2018).", advanced=True)


class AdamW(Adam):
    label: ClassVar[str] = "AdamW"
    help: ClassVar[str] = "Adam with weight decay apart from the gradient (Loshchilov & Hutter, 2019)."
    kind: Literal["AdamW"] = "AdamW"  # type: ignore[assignment]
    weight_decay: float = option(  # type: ignore[assignment]  # there is none without it
        0.004, "Weight decay", "θ ← θ − α·λ·θ at every step.", ge=0, le=1
    )


class Nadam(Optimizer):
    label: ClassVar[str] = "Nadam"
    help: ClassVar[str] = "Adam with Nesterov momentum (Dozat, 2016)."
    kind: Literal["Nadam"] = "Nadam"
    beta_1: float = _beta(0.9, "Beta 1", "gradients")
    beta_2: float = _beta(0.999, "Beta 2", "squared gradients")
    epsilon: float = _epsilon(1e-7)


class Adamax(Optimizer):
    label: ClassVar[str] = "Adamax"
    help: ClassVar[str] = "Adam with the largest past gradient in place of the mean square (Kingma & Ba, 2015)."
    kind: Literal["Adamax"] = "Adamax"
    beta_1: float = _beta(0.9, "Beta 1", "gradients")
    beta_2: float = _beta(0.999, "Beta 2", "largest gradients")
    epsilon: float = _epsilon(1e-7)


class Lion(Optimizer):
    label: ClassVar[str] = "Lion"
    help: ClassVar[str] = "Only the sign of a mixed momentum (Chen et al., 2023); use a rate 3–10× below Adam's."
    kind: Literal["Lion"] = "Lion"
    beta_1: float = _beta(0.9, "Beta 1", "gradients, in the step")
    beta_2: float = _beta(0.99, "Beta 2", "gradients, in the memory")


class Ftrl(Optimizer):
    label: ClassVar[str] = "Ftrl"
    help: ClassVar[str] = "Follow the regularized leader (McMahan et al., 2013), made for sparse linear models."
    kind: Literal["Ftrl"] = "Ftrl"
    learning_rate_power: float = option(
        -0.5, "Rate power", "How the rate falls over time; 0 keeps it.", ge=-2, le=0, advanced=True
    )
    initial_accumulator_value: float = option(
        0.1, "Initial accumulator", "Where the sum of squares starts.", ge=0, le=100, advanced=True
    )
    l1_regularization_strength: float = option(0.0, "L1", "Pulls weights to exactly 0.", ge=0, le=100, advanced=True)
    l2_regularization_strength: float = option(0.0, "L2", "Keeps weights small.", ge=0, le=100, advanced=True)
    beta: float = option(0.0, "Beta", "Beta of the paper.", ge=0, le=100, advanced=True)


OPTIMIZERS: tuple[type[Optimizer], ...] = (
    Adam, SGD, RMSprop, AdamW, Nadam, Adamax, Adagrad, Adadelta, Lion, Ftrl,
)  # fmt: skip
"""Every optimizer there is, in the order in which forms list them."""

OptimizerSpec = Annotated[
    Adam | SGD | RMSprop | AdamW | Nadam | Adamax | Adagrad | Adadelta | Lion | Ftrl,
    Field(discriminator="kind"),
    BeforeValidator(from_name),
]
