"""Everything that imports Keras, and nothing else does."""
