"""Data sets that Keras knows how to download, kept as plain npz files that ``data/`` reads without Keras."""

import os
import tempfile
from pathlib import Path

import keras
import numpy as np

from playground.errors import DataMissing, SpecError

DOWNLOADABLE = {"mnist": keras.datasets.mnist, "fashion_mnist": keras.datasets.fashion_mnist}


def download(name: str, folder: Path) -> Path:
    """Download a data set into ``folder`` as ``<name>.npz``; arrays as Keras gives them, written whole or not at all.

    Raises:
        SpecError: Keras has no such data set.
        DataMissing: there is no network, or the download broke.
    """
    if name not in DOWNLOADABLE:
        raise SpecError(f"Keras has no data set {name!r} to download. Known: {', '.join(DOWNLOADABLE)}.", "data.kind")
    target = folder / f"{name}.npz"
    try:
        (x_train, y_train), (x_test, y_test) = DOWNLOADABLE[name].load_data()
    except Exception as error:
        # Keras passes on whatever the network raises, as plain Exception; all of it means: not downloaded.
        raise DataMissing(
            f"{name} could not be downloaded (no network?). Put {target.name} into {folder}, or into a folder that "
            "PLAYGROUND_DATA names, and try again."
        ) from error
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        np.savez_compressed(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    os.replace(file.name, target)
    return target
