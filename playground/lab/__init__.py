"""Everything a page may ask for: describe, launch, control, watch, judge. No Streamlit, no Keras."""

from playground.lab.lab import Lab
from playground.lab.watching import Watch

__all__ = ["Lab", "Watch"]
