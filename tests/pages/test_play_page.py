"""The playground's page: what it shows, and what each command of its component does."""

import json
import struct

from tests.visit import visit


def shown(at) -> dict:
    """The header of what the component is given."""
    data = at.get("bidi_component")[0].proto.bytes
    (length,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + length])


def test_it_shows_an_untrained_network_at_once() -> None:
    header = shown(visit("play"))
    assert header["data"] == "spirals"
    assert header["layers"] == [["dense_1", 8], ["dense_2", 8]]
    assert [one["name"] for one in header["features"] if one["on"]] == ["x", "y", "sin_x", "sin_y"]
    assert [one["label"] for one in header["features"]] == ["x", "y", "x²", "y²", "xy", "sin 5x", "sin 5y"]
    assert [one["kind"] for one in header["sets"]] == ["moons", "circles", "xor", "spirals", "gaussians"]
    assert header["opening"] > 10_000
    assert header["points"] > 0
    assert (header["run"], header["waiting"], header["problem"]) == ("", "", "")


def test_while_the_engine_starts_it_says_so(desk) -> None:
    desk.now = type(desk.now)("starting", message="The engine is starting. Wait a few seconds.")
    assert "starting" in shown(visit("play"))["waiting"]
