"""Draws the picture of every data set."""

from playground import data
from playground.displays.preview import ImageGrid, TablePreview
from playground.displays.thumbnail import Thumbnail
from playground.settings import Settings
from playground.spec import DATASETS
from playground.ui.pictures import FOLDER


def draw(examples: data.Preview, label: str) -> Thumbnail:
    """The picture of a data set from some of its examples."""
    facts = examples.facts
    if facts.family == "points":
        return Thumbnail.from_points(examples.x, examples.y, f"Points of {label}")
    if facts.family == "images":
        return Thumbnail.from_images(ImageGrid(examples.x, examples.y, facts.class_names), f"Pictures of {label}")
    table = TablePreview(examples.x, examples.y, facts.feature_names, facts.class_names, facts.target_name)
    return Thumbnail.from_table(table, f"Examples of {label}")


def main() -> None:
    """Write ``<kind>.svg`` for every data set that is on this machine."""
    for kind in DATASETS:
        spec = kind()
        examples = data.preview(spec, 0, Settings().data)
        (FOLDER / f"{kind.model_fields['kind'].default}.svg").write_text(
            draw(examples, kind.label).svg() + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
