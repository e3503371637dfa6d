"""The Keras Playground: choose data, stack layers, train on the host and watch it learn.

The floors, from the ground up (``pyproject.toml`` holds them with import-linter)::

    settings, errors -> spec -> records, recipes -> data, evaluation, store
                     -> engine                          (everything that imports Keras)
                     -> displays, jobs -> lab -> ui, cli -> pages, app.py
"""

__version__ = "0.1.0"
