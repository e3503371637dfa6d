"""Numbers for people: separated thousands, few significant digits, units."""

import math
import re
from collections.abc import Container, Sequence


def count(value: float) -> str:
    """``101770`` as "101,770"."""
    return f"{value:,.0f}"


def plural(number: float, noun: str) -> str:
    """ "1 time", "1,234 times"."""
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def short_count(value: float) -> str:
    """Four significant digits at most, with k or M: "1.25 M"."""
    for limit, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if abs(value) >= limit:
            return f"{value / (limit if limit > 1e4 else 1e3):.3g}{unit}"
    return count(value)


def score(value: float | None, *, share: bool = False) -> str:
    """A loss or score with four significant digits; as a percentage if it is a share. "–" where there is none."""
    if value is None:
        return "–"
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    if share:
        return f"{value:.1%}" if value < 0.9995 else f"{value:.2%}"
    return f"{value:.3g}" if abs(value) < 1000 else count(value)


def duration(seconds: float | None) -> str:
    """ "1.2 s", "0:42", "1:02:03"; "–" where nothing is known."""
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours = whole // 60 % 60, whole // 3600
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def size(number_of_bytes: float) -> str:
    """ "34 MB"."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number_of_bytes >= limit:
            return f"{number_of_bytes / limit:.3g} {unit}"
    return f"{number_of_bytes:.0f} bytes"


def ago(seconds: float) -> str:
    """How long ago something was, coarsely."""
    for limit, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= limit:
            number = int(seconds // limit)
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return "just now"


def shape(sizes: tuple[int, ...]) -> str:
    """``(28, 28, 1)`` as "28 × 28 × 1"."""
    return " × ".join(f"{n:,}" for n in sizes)


SHARES = {"accuracy", "precision", "recall", "auc", "top_3_accuracy"}
"""Scores between 0 and 1 that people read as percentages."""


def metric_name(name: str) -> str:
    """``val_top_3_accuracy`` as "Validation top 3 accuracy"."""
    for prefix, word in (("val_", "validation "), ("test_", "test ")):
        if name.startswith(prefix):
            return (word + metric_name(name.removeprefix(prefix)).lower()).capitalize()
    return {"auc": "AUC", "r2_score": "R²"}.get(name, name.replace("_", " ").capitalize())


def epochs_label(label: str, kept: Container[int], best: int | None) -> str:
    """What stands over a list of kept epochs, with the best of them: "After epoch (the best: 24)"."""
    return f"{label} (the best: {best})" if best in kept else label


def execution(plan: Sequence[tuple[int, str]]) -> str:
    """The variants of the loop by the steps they began at: "plain from step 0, xla from step 900".

    A trial changes between two up to eight times; it is told in one breath: "plain and fused in turn, fused from step
    2,000".
    """
    told = [f"{variant} from step {step:,}" for step, variant in plan]
    if len(plan) > 2:
        told[:-1] = [f"{' and '.join(dict.fromkeys(variant for _, variant in plan))} in turn"]
    return ", ".join(told)


def plain(text: str) -> str:
    """A text from a person as Markdown shows it: letter by letter, without links, pictures, icons and formulas."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))
