"""Draws the picture of every data set."""

from playground import data
from playground.displays.preview import ImageGrid, TablePreview
from playground.displays.thumbnail import Thumbnail
from playground.settings import Settings
from playground.spec import DATASETS
from playground.spec.data import Data, FashionMnist, Mnist
from playground.ui.pictures import FOLDER
from playground.ui.pictures.strokes import CLOTHES, DIGITS, drawn


def draw(kind: type[Data]) -> Thumbnail:
    """The picture of a data set: from some of its examples, or, where they are not ours to copy, by pen."""
    label = kind.label
    if kind is Mnist:
        return drawn(DIGITS, f"Drawings in the manner of {label}", filled=False)
    if kind is FashionMnist:
        return drawn(CLOTHES, f"Drawings in the manner of {label}", filled=True)
    examples = data.preview(kind(), 0, Settings().data)
    facts = examples.facts
    if facts.family == "points":
        return Thumbnail.from_points(examples.x, examples.y, f"Points of {label}")
    if facts.family == "images":
        return Thumbnail.from_images(ImageGrid(examples.x, examples.y, facts.class_names), f"Pictures of {label}")
    table = TablePreview(examples.x, examples.y, facts.feature_names, facts.class_names, facts.target_name)
    return Thumbnail.from_table(table, f"Examples of {label}")


def main() -> None:
    """Write ``<kind>.svg`` for every data set."""
    for kind in DATASETS:
        name = kind.model_fields["kind"].default
        (FOLDER / f"{name}.svg").write_text(draw(kind).svg() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
