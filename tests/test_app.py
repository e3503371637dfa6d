"""The app as a server: its settings, its headers, its health, and what it keeps out of the web process."""

import asyncio
import gzip
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.types import Message
from streamlit.file_util import get_static_dir
from streamlit.testing.v1 import AppTest

from playground.errors import StoreError
from playground.jobs import EngineStatus
from playground.ui import assets, navigation, resources
from playground.ui.cookie import OWNER_COOKIE
from playground.ui.server import MIDDLEWARE, ROUTES
from tests.visit import SCRIPT

ROOT = Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
PAGES = [place.name for place in navigation.PLACES]

OPEN_EVERY_PAGE = """
import sys
from streamlit.testing.v1 import AppTest
from playground.jobs import dask
dask.REVIVE_SECONDS = 10_000  # this process is no app: it must not start an engine
at = AppTest.from_file("playground/ui/main.py", default_timeout=60)
for page in sys.argv[1:]:
    at.switch_page(f"../../pages/{page}.py").run()
    assert not at.exception, at.exception
    print(page, *sorted({name.split(".")[0] for name in sys.modules}))
"""


def test_settings_that_pages_rely_on():
    """As Streamlit itself reads them: a renamed option would be silently ignored."""
    options = {
        "runner.postScriptGC": False,
        "runner.magicEnabled": False,
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "viewer",
    }
    code = f"from streamlit import config; print({{name: config.get_option(name) for name in {list(options)}}})"
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == repr(options)
    assert "not a valid config option" not in outcome.stderr


def test_only_this_machine_is_served_unless_somebody_says_so():
    assert set(CONFIG["server"]["allowedHosts"]) == {"localhost", "127.0.0.1", "[::1]"}
    assert CONFIG["server"]["address"] == "localhost"


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_themes_can_be_read(mode):
    theme = CONFIG["theme"][mode]
    paper = theme["backgroundColor"]
    assert contrast(theme["textColor"], paper) > 7
    assert contrast(theme["linkColor"], paper) > 4.5
    assert contrast("#ffffff", theme["primaryColor"]) > 4.5  # the label of the one primary button


def contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2 defines it: 1 to 21."""

    def luminance(color: str) -> float:
        shares = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_no_page_imports_tensorflow(tmp_path, monkeypatch):
    """Nor scikit-learn and SciPy, which come with the first scores."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    outcome = subprocess.run(
        [sys.executable, "-c", OPEN_EVERY_PAGE, *PAGES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    loaded = {page: set(modules) for page, *modules in map(str.split, outcome.stdout.splitlines())}
    assert list(loaded) == PAGES
    heavy = {"keras", "tensorflow", "sklearn", "scipy"}
    assert {page: modules & heavy for page, modules in loaded.items() if modules & heavy} == {}


def test_a_setting_that_cannot_be_read_is_told_in_words_everywhere(tmp_path, monkeypatch):
    """On every page, to whoever asks for its health, and in the terminal: never as a traceback."""
    monkeypatch.setenv("PLAYGROUND_HOME", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_TRAIN_WORKERS", "many")
    resources.lab.cache_clear()
    status, _, body = get("/healthz")
    assert status == 503
    assert "PLAYGROUND_TRAIN_WORKERS: Input should be a valid integer" in json.loads(body)["message"]
    at = AppTest.from_file(SCRIPT, default_timeout=30).run()
    assert not at.exception
    assert [error.value for error in at.error] == [json.loads(body)["message"]]
    outcome = subprocess.run(
        [sys.executable, "-c", "from playground.ui import warming as w; w.FIRST = w.LATER = (); w._warm_up()"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "PLAYGROUND_TRAIN_WORKERS" in outcome.stderr
    assert "Traceback" not in outcome.stderr


class Desk:
    """Enough of a lab for the health route."""

    def engine_status(self):
        return EngineStatus("starting")


async def page(request: Request) -> HTMLResponse:
    return HTMLResponse("<html>" + "x" * 5_000)


async def data(request: Request) -> JSONResponse:
    return JSONResponse({})


SERVER = Starlette(routes=[*ROUTES, Route("/", page), Route("/data", data)], middleware=MIDDLEWARE)


def get(path: str, **headers: str) -> tuple[int, Headers, bytes]:
    """Status, headers and body of an answer, without a network."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": raw, "app": SERVER}
    asyncio.run(SERVER(scope, receive, send))
    start, *body = sent
    return start["status"], Headers(raw=start["headers"]), b"".join(message["body"] for message in body)


def test_health(monkeypatch):
    monkeypatch.setattr(resources, "lab", Desk)
    status, _, body = get("/healthz")
    assert status == 200
    assert json.loads(body)["engine"] == "starting"


def test_health_without_a_store(monkeypatch):
    def fail():
        raise StoreError("The disk is full. Make room.")

    monkeypatch.setattr(resources, "lab", fail)
    status, _, body = get("/healthz")
    assert status == 503
    assert json.loads(body)["message"] == "The disk is full. Make room."


@pytest.mark.parametrize("path", ["/", "/data", "/nothing"])
def test_every_answer_has_the_security_headers(path):
    _, headers, _ = get(path)
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_pages_are_compressed():
    _, headers, body = get("/", **{"accept-encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"
    assert len(body) < 500


STATIC = Path(get_static_dir())


@pytest.mark.parametrize("pattern", ["js/index.*.js", "css/index.*.css", "media/SourceSans*.woff2"])
def test_streamlits_own_files_are_answered_as_they_are(pattern):
    file = next((STATIC / "static").glob(pattern))
    status, headers, body = get(f"/static/{file.parent.name}/{file.name}", **{"accept-encoding": "gzip, br"})
    is_pressed = headers.get("content-encoding") == "gzip"
    assert (status, is_pressed) == (200, file.suffix != ".woff2")
    assert (gzip.decompress(body) if is_pressed else body) == file.read_bytes()
    assert headers["content-type"].split(";")[0] in {"text/javascript", "text/css", "font/woff2"}
    assert "immutable" in headers["cache-control"]
    assert "default-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/static/js/nothing.js", "/static/../index.html", "/static/js/../../index.html"])
def test_other_files_are_passed_on(path):
    assert get(path, **{"accept-encoding": "gzip"})[0] == 404


def test_who_takes_nothing_pressed_is_passed_on():
    file = next((STATIC / "static").glob("js/index.*.js"))
    assert get(f"/static/js/{file.name}")[0] == 404  # this server has no files of its own: Streamlit answers


def test_a_page_names_the_scripts_that_its_elements_need():
    """Held to this Streamlit: named otherwise, they would be asked for one after the other again."""
    links = get("/")[1]["link"].split(", ")
    names = [link.partition(">")[0].removeprefix("<./") for link in links]
    assert all((STATIC / name).is_file() for name in names)
    assert {name.removeprefix("static/js/").split(".")[0] for name in names} == {
        name.split(".")[0] for name in assets.LATER
    }
    assert "link" not in get("/data")[1]


def test_a_new_browser_gets_a_name_once():
    cookie = get("/")[1]["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    name, _, value = cookie.partition(";")[0].partition("=")
    assert (name, len(value) > 16) == (OWNER_COOKIE, True)
    assert "set-cookie" not in get("/", cookie=f"{name}={value}")[1]


def test_only_pages_name_browsers():
    assert "set-cookie" not in get("/data")[1]


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for Windows")
def test_the_server_does_not_hold_small_messages_back():
    """As uvicorn chooses by itself: Python's own loop lets each of them wait 40 ms for the one before."""
    loop = uvicorn.Config("app:app").get_loop_factory()
    assert loop is not None
    assert loop.__module__.startswith("uvloop")


def test_the_app_is_what_streamlit_finds():
    code = "import app; print(type(app.app).__name__, app.app.script_path.name)"
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout.split() == ["App", "main.py"]
