"""The scores that Keras reports while training, by the names under which it reports them."""

from typing import Literal

Metric = Literal[
    "accuracy", "precision", "recall", "auc", "top_3_accuracy",
    "mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score",
]  # fmt: skip
Score = Literal[
    "loss", "accuracy", "precision", "recall", "auc", "top_3_accuracy",
    "mean_absolute_error", "mean_squared_error", "root_mean_squared_error", "r2_score",
    "val_loss", "val_accuracy", "val_precision", "val_recall", "val_auc", "val_top_3_accuracy",
    "val_mean_absolute_error", "val_mean_squared_error", "val_root_mean_squared_error", "val_r2_score",
]  # fmt: skip
"""Loss and metrics on the training examples, and on the validation examples with ``val_`` before it."""

_RISING = ("accuracy", "precision", "recall", "auc", "top_3_accuracy", "r2_score")


def rises(score: str) -> bool:
    """Whether more of a score is better: of accuracies yes, of losses and errors no."""
    return score.removeprefix("val_") in _RISING


def score_in_words(score: str) -> str:
    """``val_top_3_accuracy`` as "validation top 3 accuracy", for the middle of a sentence."""
    words = score.removeprefix("val_").replace("_", " ").replace("auc", "AUC").replace("r2 score", "R²")
    return f"validation {words}" if score.startswith("val_") else words
