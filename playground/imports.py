"""Importing much at once."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Look for no garbage inside, and never again among what is alive at the end.

    Imports make hundreds of thousands of objects and hardly any garbage. Searching them again and again took a quarter
    of the time that TensorFlow needs to be imported, and every later search stopped all threads for 0.15 s or more.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
