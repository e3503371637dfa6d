"""A small picture of every data set, drawn once (from its examples where they may be copied) and kept beside
this file.

``python -m playground.ui.pictures`` draws them again: after a new data set, or another palette.
"""

from pathlib import Path

FOLDER = Path(__file__).parent


def picture(kind: str) -> str:
    """The SVG of a data set."""
    return (FOLDER / f"{kind}.svg").read_text(encoding="utf-8")
