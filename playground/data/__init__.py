"""From a data spec to arrays: found, split, scaled. Knows NumPy and scikit-learn, and no Keras.

``describe`` says what is known without loading anything; ``load`` gives the arrays for training; ``preview`` a few
examples for a picture. A new data set is one class in ``spec/data.py``, one entry in :mod:`playground.data.facts` and
one loader in :data:`playground.data.loading.LOADERS`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from playground.data.dataset import Dataset, Preview
from playground.data.facts import describe
from playground.data.scaling import Scaler

if TYPE_CHECKING:
    from playground.data.loading import load, preview

__all__ = ["Dataset", "Preview", "Scaler", "describe", "load", "preview"]


def __getattr__(name: str) -> Any:
    # scikit-learn costs a second and 70 MB: it is imported when data is first loaded, not with the first page.
    if name in ("load", "preview"):
        return getattr(import_module("playground.data.loading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
