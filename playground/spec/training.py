"""How a network learns: loss, optimizer, batches, epochs, and when it is enough."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from playground.spec.base import Spec, option
from playground.spec.losses import BinaryCrossentropy, LossSpec
from playground.spec.optimizers import Adam, OptimizerSpec

Metric = Literal[
    "accuracy", "precision", "recall", "auc", "top_3_accuracy",
    "mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score",
]  # fmt: skip


class Training(Spec):
    """How the network learns."""

    loss: LossSpec = Field(BinaryCrossentropy(), title="Loss", description="What training makes small.")
    optimizer: OptimizerSpec = Field(Adam(), title="Optimizer", description="How each step follows from the gradient.")
    batch_size: Annotated[int, Field(ge=1, le=65_536)] | Literal["full"] = Field(
        32,
        title="Batch size",
        description="Examples per step; full: all of them, one step an epoch (gradient descent proper).",
    )
    epochs: int = option(10, "Epochs", "How many times the network sees every training example.", ge=1, le=100_000)
    metrics: tuple[Metric, ...] = Field(
        (), title="Metrics", description="Scores that Keras reports while training.", max_length=9
    )
    shuffle: bool = option(
        True, "Shuffle", "A new order of the examples in every epoch (from the seed).", advanced=True
    )
    stop_at_loss: float | None = option(
        None, "Stop at loss", "End training once the training loss of an epoch falls below this.", ge=0, le=1e6
    )
    execution: Literal["auto", "plain", "xla"] = option(
        "auto",
        "Execution",
        "auto: measure and keep the faster; plain: TensorFlow's own kernels; xla: compiled for this network. The "
        "numbers of the two drift apart in the last digits.",
        advanced=True,
    )

    @model_validator(mode="after")
    def _metrics_once(self) -> "Training":
        if len(set(self.metrics)) != len(self.metrics):
            raise ValueError(f"metrics {list(self.metrics)} name one twice; name each once")
        return self
