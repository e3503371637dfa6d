"""Streamlit building blocks. Pages read like the page; what a block needs to know comes from the lab."""
