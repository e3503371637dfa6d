"""What the app's server does beside pages: health, the feed, compression, headers, warming up.

It imports little: whatever comes with this module is imported before the server answers at all.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground import __version__
from playground.errors import PlaygroundError
from playground.ui import delivery, feed, warming
from playground.ui.assets import Assets, link_to_later
from playground.ui.cookie import OWNER_COOKIE

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit's own page starts with an inline script; Vega compiles expressions.
        "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' ws: wss:",
        "worker-src 'self' blob:",
        "frame-src 'self' blob: data:",
        "frame-ancestors 'self'",
        "base-uri 'self'",
        "form-action 'self'",
        "object-src 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # the address holds the id of a draft: nobody else's business
    "X-Frame-Options": "SAMEORIGIN",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
YEAR = 365 * 86_400


class Headers:
    """Adds the security headers to every answer; to pages, what browsers will ask for, and a name for a new one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._link = link_to_later()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_new = OWNER_COOKIE not in Request(scope).cookies

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if headers.get("content-type", "").startswith("text/html"):
                    headers["Link"] = self._link
                    if is_new:
                        name = secrets.token_urlsafe(16)
                        cookie = f"{OWNER_COOKIE}={name}; Path=/; Max-Age={YEAR}; HttpOnly; SameSite=Lax"
                        headers.append("Set-Cookie", cookie)
            await send(message)

        await self._app(scope, receive, send_with_headers)


async def health(request: Request) -> JSONResponse:
    """``/healthz``: 200 with the version and the state of store and engine; 503 when the store cannot be used."""
    await asyncio.to_thread(warming.WARM.wait)
    resources = import_module("playground.ui.resources")
    try:
        lab = await asyncio.to_thread(resources.lab)
        status = await asyncio.to_thread(lab.engine_status)
    except PlaygroundError as error:
        return JSONResponse({"status": "unavailable", "version": __version__, "message": str(error)}, 503)
    return JSONResponse({"status": "ok", "version": __version__, "engine": status.state, "workers": status.workers})


@asynccontextmanager
async def lifespan(app: Any) -> AsyncIterator[None]:
    """Warm up, and start the engine beside the app, while the server answers already."""
    delivery.keep_whole_runs()
    delivery.remember_theme()
    warming.begin()
    yield


ROUTES = [Route("/healthz", health), feed.ROUTE]
MIDDLEWARE = [Middleware(Headers), Middleware(Assets), Middleware(GZipMiddleware, minimum_size=1000, compresslevel=1)]
