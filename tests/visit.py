"""Pages through AppTest as a new browser tab shows them, and what is written on them."""

import functools
import html
import json
import struct
from pathlib import Path
from typing import Any

from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.scriptrunner import script_runner
from streamlit.testing.v1 import AppTest

from playground.ui import resources

SCRIPT = str(Path(resources.__file__).with_name("main.py"))

# What Streamlit does around a page's own work, and would take longer here than the page: to look through all installed
# packages for components whenever a page is opened, and, where another test has loaded Keras, to collect all garbage.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
script_runner._clean_problem_modules = lambda: None


def visit(page: str, **query: str) -> AppTest:
    """The page as a new browser tab shows it."""
    at = AppTest.from_file(SCRIPT, default_timeout=60)
    for name, value in query.items():
        at.query_params[name] = value
    return whole(at.switch_page(f"../../pages/{page}.py").run())


def whole(at: AppTest) -> AppTest:
    """The page, which shows no traceback."""
    assert not at.exception, at.exception[0].message
    return at


def text(at: AppTest) -> str:
    """Everything that is written on the page."""
    parts = [*at.markdown, *at.caption, *at.error, *at.info, *at.warning, *at.button, *at.get("page_link")]
    parts += at.get("progress")
    said = [str(getattr(part, "value", None) or getattr(part, "label", "") or "") for part in parts]
    said += [html.unescape(part.proto.body) for part in at.get("html")]
    said += [metric.label + " " + str(metric.value) for metric in at.metric]
    said += [part.proto.text for part in at.get("progress")]
    return "\n".join(said)


def shown_live(at: AppTest, part: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """What the live view's part ("head" or "curves") is given: about the page, and the header of its frame."""
    given = [
        bytes(one.proto.bytes) for one in at.get("bidi_component") if one.proto.component_name == "playground.live"
    ]
    for data in given:
        page, rest = _headed(data)
        if page["part"] == part:
            return page, _headed(rest)[0] if rest else None
    raise AssertionError(f"no live view has the part {part}")


def _headed(data: bytes) -> tuple[dict[str, Any], bytes]:
    """JSON behind its length (uint32, little-endian), and what follows it."""
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def named(at: AppTest, name: str) -> str:
    """What the address says under a name."""
    value = at.query_params[name]
    return value[0] if isinstance(value, list) else value


def button(at: AppTest, label: str):
    """The button with this label."""
    return next(button for button in at.button if button.label == label)


def errors(at: AppTest) -> str:
    return "\n".join(error.value for error in at.error)
