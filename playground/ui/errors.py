"""Errors as people see them: one sentence of what and one of what to do. A traceback goes to the log only."""

import functools
import logging
import secrets
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import streamlit as st

from playground.errors import EngineUnavailable, PlaygroundError

log = logging.getLogger("playground")
P = ParamSpec("P")
T = TypeVar("T")


def show_error(error: Exception) -> bool:
    """Show any error; True, so that Streamlit does not show it as well."""
    if isinstance(error, EngineUnavailable):
        st.info(str(error), icon=":material/hourglass_top:")
    elif isinstance(error, PlaygroundError):
        st.error(str(error), icon=":material/error:")
    else:
        code = secrets.token_hex(3)
        log.error("fault %s on a page", code, exc_info=error)
        st.error(
            f"Something went wrong on this page. Reload it; if it happens again, tell whoever runs this playground the "
            f"code {code}.",
            icon=":material/error:",
        )
    return True


def guarded(block: Callable[P, T]) -> Callable[P, T | None]:
    """A part of a page that fails alone: its error stands in its place, the rest of the page goes on."""

    @functools.wraps(block)
    def shown(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return block(*args, **kwargs)
        except Exception as error:  # the last stop before a person would see a traceback
            show_error(error)
            return None

    return shown
