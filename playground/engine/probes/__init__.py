"""Questions to a model, answered with plain arrays."""
