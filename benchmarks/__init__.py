"""Measurements of the whole product with public tools only: ``python -m benchmarks`` runs them all."""
