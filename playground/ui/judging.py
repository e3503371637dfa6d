"""What a finished run is worth: scores, confusion matrix, ROC; for a regression predictions and residuals."""

import pandas as pd
import streamlit as st

from playground.displays import words
from playground.displays.matrix import ConfusionMatrix
from playground.displays.regression import PredictedVsTrue, Residuals
from playground.displays.roc import RocCurves
from playground.evaluation import Classification
from playground.lab import Lab
from playground.records import Run
from playground.ui import figure, navigation, state
from playground.ui.cards import run_name
from playground.ui.strip import short_id

SPLITS = {"test": "Test", "validation": "Validation"}


def choose_run_and_split(lab: Lab, watched: str | None) -> tuple[Run | None, str]:
    """What to judge, and on which examples."""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    with left:
        run = _choose_run(lab, watched)
    with right:
        return run, _choose_split(run) if run else ""


def _choose_run(lab: Lab, watched: str | None) -> Run | None:
    """The run to judge: the one that is watched, or another; None where there is none yet."""
    judged = [run for run in lab.runs() if run.scores]
    if watched and watched not in [run.id for run in judged]:
        run = lab.run(watched)
        if not run.status.is_over:
            st.info("This run is still training. Its scores appear here when it ends.", icon=":material/schedule:")
        else:
            st.info("This run ended before it could be judged. Resume it, or choose another.", icon=":material/info:")
        st.page_link(navigation.BUILD.page(), label="Watch it", icon=":material/layers:", query_params=state.address())
    if not judged:
        st.markdown("### Nothing to judge yet")
        st.markdown("Scores, the confusion matrix and the ROC curve of a trained network stand here.")
        st.page_link(navigation.BUILD.page(), label="Train a network", icon=":material/play_arrow:", query_params={})
        return None
    ids = [run.id for run in judged]
    names = {run.id: f"{run_name(run)} · {short_id(run.id)}" for run in judged}
    key = state.widget_key("evaluate", "run")

    def choose() -> None:
        if id := state.widget_choice(key, ids):
            state.watch(id)

    chosen = st.selectbox(
        "Run", ids, index=ids.index(watched) if watched in ids else None if watched else 0,
        format_func=names.__getitem__, key=key, placeholder="Choose a finished run", on_change=choose,
    )  # fmt: skip
    return next((run for run in judged if run.id == chosen), None)


def _choose_split(run: Run) -> str:
    """Which examples to judge on."""
    if run.experiment.data.validate_on == "test":
        st.caption("Validated on the test set itself, as the experiment says: there is only one split to judge.")
        return "test"
    splits = list(SPLITS) if run.experiment.data.validation_fraction else ["test"]
    split: str = st.segmented_control(
        "Examples", splits, default="test", required=True, format_func=SPLITS.__getitem__, key="evaluate_split",
        help="The test examples were kept aside all the time; the validation examples judged every epoch.",
    )  # fmt: skip
    return split


def _choose_threshold(run: Run) -> float:
    """From which probability on the second of two classes is predicted; 0.5 where there is nothing to choose."""
    if run.experiment.data.task != "binary" or run.experiment.training.loss.targets["binary"] != "binary":
        return 0.5
    threshold: float = st.slider(
        "Threshold", 0.0, 1.0, 0.5, 0.01, key="evaluate_threshold",
        help="From this score on an example counts as the second class. Lower it to find more of them, at the price of "
        "more mistakes.",
    )  # fmt: skip
    return threshold


def show_classification(lab: Lab, run: Run, split: str) -> None:
    """Scores above, matrix and ROC side by side, the threshold under both, classes below."""
    above = st.container()
    threshold = _choose_threshold(run)
    with above, st.spinner("Computing the scores"):
        result = lab.judging.classification(run.id, split, threshold)
    with above:
        _scores(result)
        _charts(result, threshold if result.roc_macro is None else None)
    st.markdown("##### Per class")
    st.dataframe(
        _per_class(result), hide_index=True, column_config=_COLUMNS, alt="Scores of each class", height="content"
    )


def _scores(result: Classification) -> None:
    average = result.macro
    with st.container(horizontal=True, key="numbers"):
        st.metric("Accuracy", words.score(result.accuracy, share=True))
        help = "Mean over the classes, each counting the same."
        st.metric("Precision", words.score(average.precision, share=True), help=help)
        st.metric("Recall", words.score(average.recall, share=True), help=help)
        st.metric("F1", words.score(average.f1, share=True), help=help)
        area = result.roc_macro.auc if result.roc_macro else result.roc[0].auc
        st.metric("AUC", f"{area:.4f}", help="Area under the ROC curve: 0.5 is guessing, 1 is perfect.")


def _charts(result: Classification, threshold: float | None) -> None:
    matrix, roc = ConfusionMatrix.from_classification(result), RocCurves.from_classification(result)
    left, right = st.columns(2, gap="medium")
    with left:
        figure.show(matrix.plot(), key="confusion")
    with right:
        st.markdown("##### ROC curve")
        alt = f"ROC curve. {roc.summary()}"
        figure.show_plotly(roc.plot(threshold), key="roc", alt=alt, summary=roc.summary())


_COLUMNS = {
    "Examples": st.column_config.NumberColumn("Examples", format="localized"),
} | {
    name: st.column_config.NumberColumn(name, format="%.1f%%", help=help)
    for name, help in (
        ("Precision", "Of those called this class, the share that is."),
        ("Recall", "Of those that are this class, the share that was found."),
        ("F1", "2 · precision · recall / (precision + recall)."),
    )
}


def _per_class(result: Classification) -> pd.DataFrame:
    rows = [*result.per_class, result.macro, result.weighted, result.micro]
    return pd.DataFrame(
        {
            "Class": [row.name for row in rows],
            "Precision": [100 * row.precision for row in rows],
            "Recall": [100 * row.recall for row in rows],
            "F1": [100 * row.f1 for row in rows],
            "Examples": [row.support for row in rows],
        }
    )


def show_regression(lab: Lab, run: Run, split: str) -> None:
    """Scores above, predictions and residuals side by side."""
    with st.spinner("Computing the scores"):
        result = lab.judging.regression(run.id, split)
    target_name = lab.facts(run.experiment.data).target_name
    with st.container(horizontal=True, key="numbers"):
        st.metric("Mean absolute error", words.score(result.mae), help=f"In the unit of {target_name}.")
        st.metric("Root mean squared error", words.score(result.rmse), help="Large errors count more.")
        st.metric("R²", words.score(result.r2), help="1 is perfect, 0 is as good as always saying the mean.")
    predicted = PredictedVsTrue(result.y_true, result.y_pred, target_name)
    residuals = Residuals(result.residuals, result.y_pred, target_name)
    left, right = st.columns(2, gap="medium")
    with left:
        figure.show(predicted.plot(), key="predicted")
    with right:
        figure.show(residuals.plot(), key="residuals")
