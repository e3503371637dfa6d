"""The layers of a network, under Keras's own names and argument names.

A new layer is one class here, its name in :data:`LAYERS` and :data:`LayerSpec`, and one line in
``engine/model/build.py``. A test holds every field against Keras's signature.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from playground.spec.base import Spec, option

Activation_ = Literal[
    "linear", "relu", "leaky_relu", "relu6", "elu", "selu", "gelu", "silu", "mish", "tanh", "sigmoid", "hard_sigmoid",
    "softmax", "softplus", "softsign", "exponential",
]  # fmt: skip
Initializer = Literal[
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "random_normal", "random_uniform", "truncated_normal", "orthogonal", "identity", "zeros", "ones",
]  # fmt: skip
Padding = Literal["valid", "same"]
Pair = Annotated[int, Field(ge=1, le=64)]

ACTIVATION_HELP = "The function applied to each output, for instance relu(x) = max(0, x)."
INITIALIZER_HELP = "The distribution from which the starting weights are drawn (glorot_uniform is Keras's default)."

KERNEL_GAIN: Any = option(
    1.0, "Kernel gain", "Factor on the kernel's starting values, such as orthogonal's gain; √2 keeps relu's size.",
    gt=0, le=1000, advanced=True, later=True,
)  # fmt: skip
L1: Any = option(
    0.0, "L1", "Adds λ·Σ|w| over the kernel to the loss: pulls weights to exactly 0.", ge=0, le=100, advanced=True,
    later=True,
)  # fmt: skip
L2: Any = option(
    0.0, "L2", "Adds λ·Σw² over the kernel to the loss: keeps weights small.", ge=0, le=100, advanced=True, later=True
)


class Layer(Spec):
    """One layer of the stack. ``id`` names it in Keras and seeds its randomness, so moving it does not change it."""

    icon: ClassVar[str] = "layers"
    """A Material symbol."""
    main: ClassVar[tuple[str, ...]] = ()
    """The fields that a form shows first."""
    learns: ClassVar[bool] = False
    """Whether the layer has weights."""

    id: str = Field("", title="Id", description="A name of its own in the stack.", pattern=r"^[a-z0-9_]{0,40}$")


class Dense(Layer):
    label: ClassVar[str] = "Dense"
    help: ClassVar[str] = "Every output sees every input: activation(x · kernel + bias)."
    icon: ClassVar[str] = "lan"
    main: ClassVar[tuple[str, ...]] = ("units", "activation")
    learns: ClassVar[bool] = True
    kind: Literal["Dense"] = "Dense"
    units: int = option(64, "Units", "How many outputs (neurons) the layer has.", ge=1, le=65_536)
    activation: Activation_ = option("relu", "Activation", ACTIVATION_HELP)
    use_bias: bool = option(True, "Bias", "Add a learned constant to each output.", advanced=True)
    kernel_initializer: Initializer = option("glorot_uniform", "Kernel initializer", INITIALIZER_HELP, advanced=True)
    kernel_gain: float = KERNEL_GAIN
    bias_initializer: Initializer = option("zeros", "Bias initializer", INITIALIZER_HELP, advanced=True)
    l1: float = L1
    l2: float = L2


class Conv2D(Layer):
    label: ClassVar[str] = "Conv2D"
    help: ClassVar[str] = "Slides small learned filters over a picture: the same weights at every place."
    icon: ClassVar[str] = "filter_center_focus"
    main: ClassVar[tuple[str, ...]] = ("filters", "kernel_size")
    learns: ClassVar[bool] = True
    kind: Literal["Conv2D"] = "Conv2D"
    filters: int = option(32, "Filters", "How many filters, so how many output channels.", ge=1, le=4096)
    kernel_size: Pair = option(3, "Kernel size", "Height and width of each filter in pixels.", ge=1, le=64)
    strides: Pair = option(1, "Strides", "How many pixels the filter moves at a time.", ge=1, le=64, advanced=True)
    padding: Padding = option(
        "valid", "Padding", "valid: only whole windows, so the picture shrinks; same: pad with zeros.", advanced=True
    )
    dilation_rate: Pair = option(
        1, "Dilation", "Distance between the pixels that a filter looks at.", ge=1, le=64, advanced=True
    )
    activation: Activation_ = option("relu", "Activation", ACTIVATION_HELP)
    use_bias: bool = option(True, "Bias", "Add a learned constant to each channel.", advanced=True)
    kernel_initializer: Initializer = option("glorot_uniform", "Kernel initializer", INITIALIZER_HELP, advanced=True)
    kernel_gain: float = KERNEL_GAIN
    bias_initializer: Initializer = option("zeros", "Bias initializer", INITIALIZER_HELP, advanced=True)
    l1: float = L1
    l2: float = L2


class Pooling(Layer):
    icon: ClassVar[str] = "compress"
    main: ClassVar[tuple[str, ...]] = ("pool_size", "strides")
    pool_size: Pair = option(2, "Pool size", "Height and width of the window in pixels.", ge=1, le=64)
    strides: Pair | None = option(None, "Strides", "How far the window moves; empty: the pool size.", ge=1, le=64)
    padding: Padding = option("valid", "Padding", "same pads the border instead of dropping it.", advanced=True)


class MaxPooling2D(Pooling):
    label: ClassVar[str] = "MaxPooling2D"
    help: ClassVar[str] = "Keeps the largest value of each window: smaller, and less exact about where."
    kind: Literal["MaxPooling2D"] = "MaxPooling2D"


class AveragePooling2D(Pooling):
    label: ClassVar[str] = "AveragePooling2D"
    help: ClassVar[str] = "Keeps the mean of each window."
    kind: Literal["AveragePooling2D"] = "AveragePooling2D"


class GlobalAveragePooling2D(Layer):
    label: ClassVar[str] = "GlobalAveragePooling2D"
    help: ClassVar[str] = "The mean of each channel over the whole picture: a vector with one number a channel."
    icon: ClassVar[str] = "compress"
    kind: Literal["GlobalAveragePooling2D"] = "GlobalAveragePooling2D"


class Flatten(Layer):
    label: ClassVar[str] = "Flatten"
    help: ClassVar[str] = "Lays a picture out as one long vector, so that Dense layers can follow."
    icon: ClassVar[str] = "reorder"
    kind: Literal["Flatten"] = "Flatten"


class Dropout(Layer):
    label: ClassVar[str] = "Dropout"
    help: ClassVar[str] = "While training, sets a random share of its inputs to zero and scales up the rest."
    icon: ClassVar[str] = "blur_on"
    main: ClassVar[tuple[str, ...]] = ("rate",)
    kind: Literal["Dropout"] = "Dropout"
    rate: float = option(0.2, "Rate", "Share of inputs set to zero; the rest is divided by 1 − rate.", ge=0, le=0.95)


class BatchNormalization(Layer):
    label: ClassVar[str] = "BatchNormalization"
    help: ClassVar[str] = "Shifts and scales each channel to mean 0 and variance 1 of the batch, then learns its own."
    icon: ClassVar[str] = "equalizer"
    main: ClassVar[tuple[str, ...]] = ("momentum",)
    learns: ClassVar[bool] = True
    kind: Literal["BatchNormalization"] = "BatchNormalization"
    momentum: float = option(0.99, "Momentum", "How slowly the moving averages follow the batches.", ge=0, le=0.9999)
    epsilon: float = option(
        0.001, "Epsilon", "Added to the variance so that nothing is divided by zero.", gt=0, le=1, advanced=True
    )
    center: bool = option(True, "Center", "Learn an offset β.", advanced=True)
    scale: bool = option(True, "Scale", "Learn a factor γ.", advanced=True)


class Activation(Layer):
    label: ClassVar[str] = "Activation"
    help: ClassVar[str] = "Applies a function to every value."
    icon: ClassVar[str] = "show_chart"
    main: ClassVar[tuple[str, ...]] = ("activation",)
    kind: Literal["Activation"] = "Activation"
    activation: Activation_ = option("relu", "Activation", ACTIVATION_HELP)


LAYERS: tuple[type[Layer], ...] = (
    Dense, Conv2D, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, Flatten, Dropout, BatchNormalization,
    Activation,
)  # fmt: skip
"""Every layer there is, in the order in which forms list them."""

LayerSpec = Annotated[
    Dense | Conv2D | MaxPooling2D | AveragePooling2D | GlobalAveragePooling2D | Flatten | Dropout | BatchNormalization
    | Activation,
    Field(discriminator="kind"),
]  # fmt: skip
