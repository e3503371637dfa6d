"""A few test examples and what a network says of them, as the browser reads it."""

import json
import math
import struct

import numpy as np
import pytest

from playground import data
from playground.data.dataset import Dataset
from playground.engine.training.samples import SHOWN, SIDE, Samples
from tests.desk import experiment_of

pytestmark = pytest.mark.keras


def loaded(kind: str) -> tuple[Dataset, data.Preview, Samples]:
    spec = experiment_of(kind).data
    found = data.load(spec, 0, ())
    return found, data.preview(spec, 0, (), limit=60), Samples(found, spec)


def unpacked(payload: bytes) -> tuple[dict, bytes]:
    (length,) = struct.unpack_from("<I", payload)
    return json.loads(payload[4 : 4 + length], parse_constant=pytest.fail), payload[4 + length :]


def test_pictures():
    found, _, samples = loaded("digits")
    scores = np.eye(10, dtype=np.float32)[np.arange(SHOWN)] * 0.6 + 0.04
    header, pixels = unpacked(samples.pack(scores))
    assert header["size"] == [8, 8, 1]
    assert [example["top"] for example in header["examples"]] == [[k, pytest.approx(0.64)] for k in range(SHOWN)]
    assert [example["true"] for example in header["examples"]] == list(range(SHOWN))  # one of each class
    shown = np.frombuffer(pixels, np.uint8).reshape(SHOWN, 8, 8, 1)
    first = found.x_test[found.y_test == 0][0]
    assert shown[0].max() > 200
    assert np.corrcoef(shown[0].ravel(), first.ravel())[0, 1] > 0.999


def test_large_pictures_lose_rows_and_columns():
    found, _, _ = loaded("digits")
    large = np.kron(found.x_test, np.ones((1, 20, 20, 1), np.float32))
    samples = Samples(Dataset(**{**vars(found), "x_test": large}), experiment_of("digits").data)
    height, width, _ = unpacked(samples.pack(np.full((SHOWN, 10), 0.1)))[0]["size"]
    assert max(height, width) <= SIDE


def test_two_classes():
    _, _, samples = loaded("breast_cancer")
    scores = np.array([0.9, 0.2, 0.5, 0.4, 1.0, 0.0, 0.7, 0.3], np.float32)
    header, pixels = unpacked(samples.pack(scores))
    assert (header["size"], pixels) == (None, b"")
    assert header["examples"][0]["top"] == [1, pytest.approx(0.9)]
    assert header["examples"][1]["top"] == [0, pytest.approx(0.8)]
    assert {example["true"] for example in header["examples"]} == {0, 1}


def test_numbers():
    found, _, samples = loaded("diabetes")
    header, _ = unpacked(samples.pack(np.arange(SHOWN, dtype=np.float32)))
    assert header["names"] is None
    assert [example["top"] for example in header["examples"]] == [[float(k), None] for k in range(SHOWN)]
    assert header["examples"][0]["true"] == pytest.approx(float(found.y_test[0]))


def test_a_network_that_says_no_number():
    _, _, samples = loaded("iris")
    header, _ = unpacked(samples.pack(np.full((SHOWN, 3), math.nan)))
    assert header["examples"][0]["top"] == [None, None]


def test_nothing_held_out():
    found, _, _ = loaded("iris")
    empty = {"x_test": found.x_test[:0], "y_test": found.y_test[:0]}
    validation = Samples(Dataset(**{**vars(found), **empty}), experiment_of("iris").data)
    assert len(validation.x) == SHOWN
    empty |= {"x_validation": found.x_test[:0], "y_validation": found.y_test[:0]}
    assert len(Samples(Dataset(**{**vars(found), **empty}), experiment_of("iris").data).x) == 0
