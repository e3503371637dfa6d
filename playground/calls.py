"""Calls across the process line: a function goes by its name, its arguments are plain, its errors are for people."""

import logging
import secrets
from pkgutil import resolve_name
from typing import Any

from playground.errors import PlaygroundError

log = logging.getLogger(__name__)


def call(target: str, *args: Any) -> Any:
    """Import and call the function ``target``, such as ``"playground.engine.worker:describe"``.

    Raises:
        PlaygroundError: the one that the function raised; for any other error, one with a short code under which the
            log of this process has the traceback.
    """
    try:
        return resolve_name(target)(*args)
    except PlaygroundError:
        raise
    except Exception as error:  # a fault of ours; it may not even survive pickling, so it stays here
        code = secrets.token_hex(3)
        log.exception("fault %s in %s", code, target)
        raise PlaygroundError(
            f"Something in the playground itself went wrong ({type(error).__name__}, code {code}). "
            "The engine's log says more under this code."
        ) from None
