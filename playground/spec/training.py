"""How a network learns: loss, optimizer, batches, epochs, and when it is enough."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from playground.spec.base import Spec, option
from playground.spec.losses import BinaryCrossentropy, LossSpec
from playground.spec.metrics import Metric
from playground.spec.optimizers import Adam, OptimizerSpec
from playground.spec.schedules import Constant, ReduceOnPlateau, ScheduleSpec
from playground.spec.stopping import StopRuleSpec

ClassWeights = Annotated[tuple[Annotated[float, Field(ge=0, le=1e6)], ...], Field(max_length=1000)]
"""One number a class."""


class Training(Spec):
    """How the network learns."""

    loss: LossSpec = Field(BinaryCrossentropy(), title="Loss", description="What training makes small.")
    optimizer: OptimizerSpec = Field(Adam(), title="Optimizer", description="How each step follows from the gradient.")
    schedule: ScheduleSpec = Field(
        Constant(),
        title="Schedule",
        description="How the learning rate changes over the training.",
        json_schema_extra={"later": True},
    )
    reduce_on_plateau: ReduceOnPlateau | None = Field(
        None,
        title="Reduce on plateau",
        description="Lowers the rate whenever a score stops getting better; empty: never.",
        json_schema_extra={"later": True},
    )
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
    stop_rules: tuple[StopRuleSpec, ...] = Field(
        (),
        title="Stop rules",
        description="When training is over before its last epoch; one of each kind.",
        max_length=8,
        json_schema_extra={"later": True},
    )
    class_weight: Literal["balanced"] | ClassWeights | None = Field(
        None,
        title="Class weights",
        description="How much an example of each class counts in the training loss; balanced: n / (classes · n_class), "
        "so that all classes count the same.",
        json_schema_extra={"later": True},
    )
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = option(
        "float32",
        "Precision",
        "mixed: layers compute in 16 bits while weights stay in 32, faster on a GPU and slower on a CPU; float16 "
        "scales the loss so that small gradients do not vanish.",
        advanced=True,
        later=True,
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

    @model_validator(mode="after")
    def _one_rule_of_each_kind(self) -> "Training":
        kinds = [rule.kind for rule in self.stop_rules]
        if len(set(kinds)) != len(kinds):
            raise ValueError(f"stop_rules {kinds} name one kind twice; keep one of them")
        return self
