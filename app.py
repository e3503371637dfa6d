"""The app: ``streamlit run app.py``. Its pages are in ``pages/``, the script that routes to them is ``ui/main.py``."""

from pathlib import Path

import streamlit as st

from playground.ui.errors import show_error
from playground.ui.server import MIDDLEWARE, ROUTES, lifespan

app = st.App(
    Path(__file__).resolve().parent / "playground" / "ui" / "main.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=MIDDLEWARE,
    on_script_error=show_error,
)
