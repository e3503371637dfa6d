"""Streamlit's own scripts, styles and fonts, each read and pressed once and then answered from memory.

A browser asks for sixty of them before it draws a page. Streamlit reads each piece by piece in threads, which wait for
their turn beside imports and other pages, and sends scripts as they are: 4 MB, that a class loads over one radio. With
a light press added, each browser cost the process 0.16 s of a core; answered from memory, 0.015 s.
"""

import functools
import gzip
import mimetypes
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.file_util import get_static_dir

PRESSED = {".js", ".css", ".svg", ".json"}
"""What gets smaller; fonts and pictures are pressed already."""
PRESSURE = 1  # a light press costs little, and takes two thirds away
FOR_GOOD = "public, immutable, max-age=31536000"
"""As Streamlit says: their names change with their contents."""

LATER = (
    "Html", "purify.es", "Button", "ButtonGroup", "WidgetLabel", "WidgetLabelHelpIconInline", "useBasicWidgetState",
    "styled-components",
)  # fmt: skip
"""Scripts that Streamlit asks for only when a page's first elements have come; here, every page has such elements."""


def link_to_later() -> str:
    """The header ``Link`` by which a browser fetches them beside the others; empty if Streamlit names them otherwise.

    See https://html.spec.whatwg.org/multipage/links.html#link-type-modulepreload.
    """
    scripts = Path(get_static_dir()) / "static" / "js"
    found = [file.name for name in LATER for file in sorted(scripts.glob(f"{name}.*.js"))]
    return ", ".join(f"<./static/js/{name}>; rel=modulepreload" for name in found)


class Assets:
    """Answers for files below ``/static`` that a browser takes pressed; all else is passed on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        folder = Path(get_static_dir())
        self._files = {f"/{file.relative_to(folder).as_posix()}": file for file in (folder / "static").glob("*/*")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass the request on."""
        file = self._files.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "GET" else None
        if file and "gzip" in Headers(scope=scope).get("accept-encoding", ""):
            content, headers = _pressed(file)
            await Response(content, headers=headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


@functools.cache
def _pressed(file: Path) -> tuple[bytes, dict[str, str]]:
    """What to send, and its headers."""
    headers = {
        "Content-Type": mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        "Cache-Control": FOR_GOOD,
        "Vary": "Accept-Encoding",
    }
    if file.suffix not in PRESSED:
        return file.read_bytes(), headers
    return gzip.compress(file.read_bytes(), PRESSURE), headers | {"Content-Encoding": "gzip"}
