"""Model files as a stranger might send them, written without Keras: a good one, and GAUNTLET's hostile ones.

Each hostile file is made by a function from a folder to the file's path; ``HOSTILE`` names them all. In the folder are
files ``secret`` and ``url``, which nobody may read or open.
"""

import copy
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

MARK = "marked"
"""What a file that is executed would leave behind, in the folder of the test."""
SECRET = "the secret of another file"

FLOAT32 = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    settings = {"name": name, "trainable": True, "dtype": FLOAT32, **config}
    return {"module": "keras.layers", "class_name": kind, "config": settings, "registered_name": None}


def dense(name: str, units: int, activation: Any) -> dict[str, Any]:
    glorot, zeros = (
        {"module": "keras.initializers", "class_name": name, "config": {}} for name in ("GlorotUniform", "Zeros")
    )
    settings = {"units": units, "activation": activation, "use_bias": True}
    return layer("Dense", name, **settings, kernel_initializer=glorot, bias_initializer=zeros)


def network() -> dict[str, Any]:
    """Four numbers in, eight units, three classes: as Keras 3.15 describes it."""
    given = layer("InputLayer", "input_layer", batch_shape=[None, 4], sparse=False)
    given["config"]["dtype"] = "float32"
    layers = [given, dense("first", 8, "relu"), dense("second", 3, "softmax")]
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}


def functional() -> dict[str, Any]:
    """The same as a functional model."""
    content = network()
    content |= {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional"}
    before = None
    for one in content["config"]["layers"]:
        tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}
        one |= {"name": one["config"]["name"], "inbound_nodes": [{"args": [tensor], "kwargs": {}}] if before else []}
        before = one["name"]
    content["config"] |= {"input_layers": ["input_layer", 0, 0], "output_layers": ["second", 0, 0]}
    return content


def weights() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    shapes = {"dense/vars/0": (4, 8), "dense/vars/1": (8,), "dense_1/vars/0": (8, 3), "dense_1/vars/1": (3,)}
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def hdf5(arrays: dict[str, np.ndarray], change: Callable[[h5py.File], object] = lambda file: None) -> bytes:
    """A weights file, with a last change to it."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in arrays.items():
            file[f"layers/{name}"] = array
        change(file)
    return buffer.getvalue()


def keras_file(
    path: Path,
    config: Any = None,
    numbers: bytes | None = None,
    *,
    packed: bool = False,
    more: dict[str, bytes] | None = None,
) -> Path:
    """A ``.keras`` archive; whatever is not given is good."""
    text = config if isinstance(config, bytes) else json.dumps(config or network()).encode()
    members = {"metadata.json": b'{"keras_version": "3.15.1"}', "config.json": text}
    members |= {"model.weights.h5": numbers if numbers is not None else hdf5(weights()), **(more or {})}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_layer(folder: Path, one: dict[str, Any]) -> Path:
    """A good file with one more layer in its midst."""
    content = network()
    content["config"]["layers"].insert(2, one)
    return keras_file(folder / "model.keras", content)


def with_change(folder: Path, *path: str | int, to: Any) -> Path:
    """A good file with another value at one place of its config; None takes the place away."""
    content = copy.deepcopy(network())
    here: Any = content
    for part in path[:-1]:
        here = here[part]
    if to is None:
        here.pop(path[-1])
    else:
        here[path[-1]] = to
    return keras_file(folder / "model.keras", content)


def lambda_of(module: str, function: str, *arguments: Any) -> Callable[[Path], Path]:
    """A Lambda layer that calls a function which is importable by its name."""

    def make(folder: Path) -> Path:
        called = {"module": module, "class_name": "function", "config": function, "registered_name": function}
        filled = [str(folder / MARK) if argument == MARK else argument for argument in arguments]
        return with_layer(folder, layer("Lambda", "lambda", function=called, arguments={"arguments": filled}))

    return make


def python_lambda(folder: Path) -> Path:
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
    return with_layer(folder, layer("Lambda", "lambda", function=code))


def old_h5(folder: Path) -> Path:
    path = folder / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": [{"class_name": "Lambda"}]})
    return path


def linked(link: Callable[[Path], Any]) -> Callable[[Path], Path]:
    """A kernel that is not in the file, but behind a link."""

    def make(folder: Path) -> Path:
        with h5py.File(folder / "other.h5", "w") as other:
            other["secret"] = np.full((4, 8), 42, np.float32)

        def change(file: h5py.File) -> None:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars/0"] = link(folder)

        return keras_file(folder / "model.keras", numbers=hdf5(weights(), change))

    return make


def elsewhere(kind: str) -> Callable[[Path], Path]:
    """A kernel whose numbers lie in another file, by what HDF5 itself has for that."""

    def make(folder: Path) -> Path:
        with h5py.File(folder / "other.h5", "w") as other:
            other["secret"] = np.full((4, 8), 42, np.float32)
        (folder / "raw.bin").write_bytes(np.full((4, 8), 42, np.float32).tobytes())

        def change(file: h5py.File) -> None:
            del file["layers/dense/vars/0"]
            group = file["layers/dense/vars"]
            if kind == "external":
                group.create_dataset("0", (4, 8), "f4", external=[(str(folder / "raw.bin"), 0, 128)])
            else:
                layout = h5py.VirtualLayout((4, 8), "f4")
                layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "secret", (4, 8))
                group.create_virtual_dataset("0", layout)

        return keras_file(folder / "model.keras", numbers=hdf5(weights(), change))

    return make


def shape_bomb(numbers: int, **how: Any) -> Callable[[Path], Path]:
    """A kernel that claims far more numbers than there are."""

    def make(folder: Path) -> Path:
        def change(file: h5py.File) -> None:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars"].create_dataset("0", (numbers,), "f4", **how)

        return keras_file(folder / "model.keras", numbers=hdf5(weights(), change))

    return make


def changed_weights(change: Callable[[h5py.File], object]) -> Callable[[Path], Path]:
    return lambda folder: keras_file(folder / "model.keras", numbers=hdf5(weights(), change))


def circle(file: h5py.File) -> None:
    file["layers/dense/round"] = file["layers"]


def config_bomb(folder: Path) -> Path:
    content = json.dumps(network()).encode() + b" " * 100_000_000
    return keras_file(folder / "model.keras", content, packed=True)


def lying_bomb(folder: Path) -> Path:
    """The same, with a directory that claims a small member."""
    path = config_bomb(folder)
    content = bytearray(path.read_bytes())
    claimed = struct.pack("<I", 100_000_000 + len(json.dumps(network())))
    while (place := content.find(claimed)) >= 0:
        content[place : place + 4] = struct.pack("<I", 3_000)
    path.write_bytes(bytes(content))
    return path


def twice(folder: Path) -> Path:
    path = keras_file(folder / "model.keras")
    with zipfile.ZipFile(path, "a") as archive, archive.open("CONFIG.JSON", "w") as member:
        member.write(b"{}")
    path.write_bytes(path.read_bytes().replace(b"CONFIG.JSON", b"config.json"))
    return path


def cut(folder: Path) -> Path:
    path = keras_file(folder / "model.keras")
    path.write_bytes(path.read_bytes()[:-5_000])
    return path


def bytes_of(content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "model.keras"
        path.write_bytes(content)
        return path

    return make


def png() -> bytes:
    chunk = struct.pack(">2I5B", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + chunk + struct.pack(">I", zlib.crc32(b"IHDR" + chunk))
    )


def many_layers(folder: Path) -> Path:
    content = network()
    content["config"]["layers"][1:1] = [dense(f"dense_{number}", 4, "relu") for number in range(1000)]
    return keras_file(folder / "model.keras", content)


def other_input(folder: Path) -> Path:
    """Its weights fit its config, and no data set has examples of seven numbers."""
    content = network()
    content["config"]["layers"][0]["config"]["batch_shape"] = [None, 7]
    numbers = weights() | {"dense/vars/0": np.ones((7, 8), np.float32)}
    return keras_file(folder / "model.keras", content, hdf5(numbers))


def a_branch(folder: Path) -> Path:
    content = functional()
    tensor = content["config"]["layers"][2]["inbound_nodes"][0]["args"][0]
    tensor["config"]["keras_history"] = ["input_layer", 0, 0]
    return keras_file(folder / "model.keras", content)


def always_training(folder: Path) -> Path:
    content = functional()
    content["config"]["layers"][1]["inbound_nodes"][0]["kwargs"] = {"training": True}
    return keras_file(folder / "model.keras", content)


FIRST = ("config", "layers", 1)
VARS = "layers/dense/vars/0"
LOOKUP = {"invert": False, "max_tokens": None}

HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "1 a Lambda with Python code": (python_lambda, "lambda"),
    "2 a Lambda in .h5": (old_h5, "HDF5"),
    "3 os.system": (lambda_of("os", "system", f"touch {MARK}"), "lambda"),
    "4 get_file": (lambda_of("keras.utils", "get_file", "x", "http://127.0.0.1:1/"), "lambda"),
    "5 enable_unsafe": (lambda_of("keras.config", "enable_unsafe_deserialization"), "lambda"),
    "6 set_floatx": (lambda_of("keras.config", "set_floatx", "float16"), "lambda"),
    "7 set_max_epochs": (lambda_of("keras.config", "set_max_epochs", 1), "lambda"),
    "8 TFSMLayer": (lambda folder: with_layer(folder, layer("TFSMLayer", "x", filepath=str(folder))), "TFSMLayer"),
    "9 TFSMLayer as function": (lambda_of("keras.layers", "TFSMLayer", MARK), "lambda"),
    "10 KerasFileEditor": (lambda_of("keras.saving", "KerasFileEditor", MARK), "lambda"),
    "11 a vocabulary in a file": (
        lambda folder: with_layer(folder, layer("StringLookup", "x", vocabulary=str(folder / "secret"), **LOOKUP)),
        "StringLookup",
    ),
    "12 a vocabulary by URL": (
        lambda folder: with_layer(folder, layer("TextVectorization", "x", vocabulary=(folder / "url").read_text())),
        "TextVectorization",
    ),
    "13 a pickle of torch": (
        lambda folder: with_layer(folder, layer("TorchModuleWrapper", "x", module="gASV")),
        "Torch",
    ),
    "14 no module": (lambda folder: with_change(folder, *FIRST, "module", to=None), "first"),
    "15 a registered name": (lambda folder: with_change(folder, *FIRST, "registered_name", to="evil>Dense"), "first"),
    "16 a name that leads out": (lambda folder: with_change(folder, *FIRST, "config", "name", to="../../x"), "name"),
    "17 an external link": (linked(lambda folder: h5py.ExternalLink(str(folder / "other.h5"), "/secret")), "link"),
    "18 a soft link": (linked(lambda folder: h5py.SoftLink("/layers/dense/vars/1")), "link"),
    "19 a virtual dataset": (elsewhere("virtual"), "another file"),
    "20 an external dataset": (elsewhere("external"), "another file"),
    "21 a shape of 300 MB": (shape_bomb(75_000_000), "claims 300,000,000 bytes"),
    "21 a shape of 5 GiB": (shape_bomb(5 << 28), "claims 5,368,709,120 bytes"),
    "21 a packed shape": (shape_bomb(75_000_000, chunks=(1000,), compression="gzip"), "packed"),
    "22 a config bomb": (config_bomb, "config.json unpacks to 100,"),
    "22 a lying config bomb": (lying_bomb, ""),
    "23 very deep JSON": (lambda folder: keras_file(folder / "m.keras", b"[" * 200_000 + b"]" * 200_000), "deep"),
    "24 two configs": (twice, "config.json twice"),
    "25 one member more": (lambda folder: keras_file(folder / "m.keras", more={"/etc/x": b"x"}), "/etc/x"),
    "26 cut off": (cut, "cut off"),
    "27 empty": (bytes_of(b""), "empty"),
    "28 a picture": (bytes_of(png()), "not a .keras file"),
    "29 NaN": (changed_weights(lambda file: file[VARS].__setitem__((0, 0), np.nan)), "dense are not all finite"),
    "30 too many units": (
        lambda folder: with_change(folder, *FIRST, "config", "units", to=10**10),
        "units",
    ),
    "30 more units than weights": (lambda folder: with_change(folder, *FIRST, "config", "units", to=65_536), "weights"),
    "31 a thousand layers": (many_layers, "1,003 layers"),
    "32 an input that no data has": (other_input, "No data set here fits 7 inputs"),
    "a key twice": (lambda folder: keras_file(folder / "m.keras", b'{"a": 1, "a": 2}'), "twice"),
    "infinity": (lambda folder: keras_file(folder / "m.keras", b'{"a": Infinity}'), "Infinity"),
    "no JSON": (lambda folder: keras_file(folder / "m.keras", b"{"), "not JSON"),
    "a list for a class": (lambda folder: with_change(folder, *FIRST, "class_name", to=["Dense"]), "kind"),
    "an activation of one's own": (
        lambda folder: with_change(folder, *FIRST, "config", "activation", to={"class_name": "function"}),
        "activation",
    ),
    "an initializer of one's own": (
        lambda folder: with_change(folder, *FIRST, "config", "kernel_initializer", to={"module": "evil"}),
        "kernel_initializer",
    ),
    "half precision": (lambda folder: with_change(folder, *FIRST, "config", "dtype", to="mixed_float16"), "float16"),
    "weights in a circle": (changed_weights(circle), "twice"),
    "a weight missing": (changed_weights(lambda file: file.__delitem__(VARS)), "numbered"),
    "weights of doubles": (
        lambda folder: keras_file(folder / "m.keras", numbers=hdf5({k: v.astype("f8") for k, v in weights().items()})),
        "float64",
    ),
    "no weights": (lambda folder: keras_file(folder / "m.keras", numbers=b"nothing"), "weights cannot be read"),
    "two branches": (a_branch, "one line"),
    "a layer that always trains": (always_training, "training mode"),
}
"""What is wrong with a file: how to make it, and a part of the reason for which it has to be refused."""
