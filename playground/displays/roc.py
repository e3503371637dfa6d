"""ROC curves: how many are found, against how many are taken by mistake, at every threshold."""

from dataclasses import dataclass

import plotly.graph_objects as go

from playground.displays import palette, words
from playground.evaluation import Classification, RocCurve

MANY = 6
"""From so many classes on only the averages and the weakest classes start visible; the legend shows the rest."""


@dataclass(frozen=True, eq=False)
class RocCurves:
    """A curve a class, and their averages.

    Args:
        curves: false and true positive rates, thresholds and area, one a class.
        micro: over all decisions together; None for two classes.
        macro: the mean of the classes' curves; None for two classes.
    """

    curves: tuple[RocCurve, ...]
    micro: RocCurve | None = None
    macro: RocCurve | None = None

    @classmethod
    def from_classification(cls, result: Classification) -> "RocCurves":
        """The curves of a judged run."""
        return cls(tuple(result.roc), result.roc_micro, result.roc_macro)

    def plot(self, threshold: float | None = None) -> go.Figure:
        """The curves over the diagonal of guessing; ``threshold`` marks its point on the curve of two classes."""
        figure = go.Figure()
        figure.add_scatter(
            x=[0, 1], y=[0, 1], mode="lines", name="guessing", hoverinfo="skip", showlegend=False,
            line={"color": palette.ZERO, "width": 1, "dash": "dot"},
        )  # fmt: skip
        averages = [(self.micro, palette.TRAINING, "solid"), (self.macro, palette.VALIDATION, "dash")]
        for curve, color, dash in averages:
            if curve is not None and not curve.reason:
                _add(figure, curve, color, dash, 3, True)
        drawn = [(k, curve) for k, curve in enumerate(self.curves) if not curve.reason]
        weakest = sorted(drawn, key=lambda pair: pair[1].auc)[:3]
        for k, curve in drawn:
            visible = len(drawn) < MANY or (k, curve) in weakest or "legendonly"
            color = palette.class_color(1 if len(self.curves) == 1 else k)
            _add(figure, curve, color, "solid", 1.8, visible)
        if threshold is not None and len(drawn) == 1:
            _mark(figure, drawn[0][1], threshold)
        figure.update_layout(
            height=430, margin={"l": 10, "r": 10, "t": 10, "b": 10}, hovermode="closest",
            # Tied to the foot of the figure: as a share of the plot it would reach into the axis title on a phone.
            legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "font": {"size": 12}},
            xaxis={"title": "False positive rate", "range": [-0.01, 1.01], "tickformat": ".0%", "zeroline": False},
            yaxis={"title": "True positive rate", "range": [-0.01, 1.01], "tickformat": ".0%", "zeroline": False},
        )  # fmt: skip
        return figure

    def summary(self) -> str:
        """The areas under the curves."""
        drawn = [curve for curve in self.curves if not curve.reason]
        if not drawn:
            return self.curves[0].reason if self.curves else "There is no curve to draw."
        if len(self.curves) == 1:
            return f"AUC {drawn[0].auc:.4f} for {drawn[0].name}: 0.5 is guessing, 1 is perfect."
        weakest = min(drawn, key=lambda curve: curve.auc)
        macro = f"AUC {self.macro.auc:.4f} on average over the classes; " if self.macro else ""
        said = f"{macro}the weakest is {weakest.name} with {weakest.auc:.4f}."
        return said[0].upper() + said[1:]


def _add(figure: go.Figure, curve: RocCurve, color: str, dash: str, width: float, visible: bool | str) -> None:
    has_thresholds = len(curve.thresholds) == len(curve.fpr)  # an average over classes has none
    from_score = "<br>from score %{customdata:.3f} on" if has_thresholds else ""
    figure.add_scatter(
        x=curve.fpr, y=curve.tpr, mode="lines", visible=visible,
        name=f"{curve.name} · AUC {curve.auc:.4f}", customdata=curve.thresholds if has_thresholds else None,
        line={"color": color, "width": width, "dash": dash},
        hovertemplate=f"%{{y:.1%}} found, %{{x:.1%}} by mistake{from_score}<extra>{curve.name}</extra>",
    )  # fmt: skip


def _mark(figure: go.Figure, curve: RocCurve, threshold: float) -> None:
    """The curve's point with the smallest threshold that still is at least this one."""
    at = max((k for k, value in enumerate(curve.thresholds) if value >= threshold), default=0)
    figure.add_scatter(
        x=[curve.fpr[at]], y=[curve.tpr[at]], mode="markers", name=f"threshold {words.score(threshold)}",
        marker={"size": 12, "symbol": "diamond-open", "color": palette.VALIDATION, "line": {"width": 2.5}},
        hovertemplate="%{y:.1%} found, %{x:.1%} by mistake<extra></extra>",
    )  # fmt: skip
