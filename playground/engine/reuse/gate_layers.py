"""One layer of a ``config.json`` -> one of our own, or the reasons why not."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from playground.engine.reuse.gate import shown
from playground.spec.layers import LAYERS, Activation, Initializer, Layer

CATALOGUE = {cls.model_fields["kind"].default: cls for cls in LAYERS}

ALIASES: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "Softmax": ("softmax", {"axis": -1}),
    "ReLU": ("relu", {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}),
}
"""Layers of Keras that are an ``Activation`` where these arguments are as given."""

NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "data_format": ("channels_last",),
    "groups": (1,),
    "axis": (-1,),
    "keepdims": (False,),
    "synchronized": (False,),
    "renorm": (False,),
}
"""Arguments of Keras that our layers do not have, with the values at which they change nothing. None always does."""

UNUSED = {"name", "trainable", "seed", "renorm_momentum"}
"""Arguments that say nothing of what a network with given weights computes."""

REGULARIZERS = ("L1", "L2", "L1L2", "OrthogonalRegularizer")

OURS = {"kernel_gain", "l1", "l2"}
"""Fields of our layers that Keras has no argument for. The gain scales starting values, which the file replaces; the
other two are what Keras's ``kernel_regularizer`` says."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ .-]{0,63}")
_ID = re.compile(r"[a-z0-9_]{1,40}")
_RESERVED = ("input", "output")


def read_layer(entry: Mapping[str, Any], notes: list[str]) -> tuple[Layer | None, list[str]]:
    """A layer of the catalogue, with the name it has in the file where that can be an id.

    Args:
        entry: as Keras wrote it: ``module``, ``class_name``, ``config``, ``registered_name``.
        notes: takes a sentence for each thing that is left out.

    Returns:
        The layer, None if it is refused; the reasons.
    """
    kind, config = str(entry.get("class_name")), entry.get("config")
    name = config.get("name") if isinstance(config, dict) else None
    what = f"The layer {shown(name)} ({kind if kind.isidentifier() and len(kind) < 40 else shown(kind)})"
    reasons = list(_against_class(entry, what))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        reasons.append(f"{what} has a name that is not letters, digits, spaces, points and dashes.")
    if reasons or not isinstance(config, dict) or not isinstance(name, str):
        return None, reasons
    if kind in ALIASES:
        activation, usual = ALIASES[kind]
        cls: type[Layer] = Activation
        config = {key: value for key, value in config.items() if key not in usual or value != usual[key]}
        config["activation"] = activation
    else:
        cls = CATALOGUE[kind]
    penalties = _penalties(config.get("kernel_regularizer")) if "l1" in cls.model_fields else {}
    if penalties:
        config = {key: value for key, value in config.items() if key != "kernel_regularizer"}
    reasons += [f"{what} {reason}." for reason in _against_rest(cls, config, what, notes)]
    fields = {key: _as_field(value) for key, value in config.items() if key in _fields(cls)} | penalties
    id = name if _ID.fullmatch(name) and name not in _RESERVED else ""
    try:
        layer = cls.model_validate({**fields, "id": id})
    except ValidationError as error:
        return None, [*reasons, *(f"{what}: {said}." for said in _complaints(error))]
    return layer, reasons


def _fields(cls: type[Layer]) -> set[str]:
    return set(cls.model_fields) - {"kind", "id"} - OURS


def _penalties(regularizer: Any) -> dict[str, Any]:
    """``l1`` and ``l2`` of a regularizer of Keras; nothing of one that has no such numbers."""
    if not isinstance(regularizer, dict) or not _is_built_in(regularizer, ("L1", "L2", "L1L2")):
        return {}
    settings = regularizer.get("config")
    return {key: settings[key] for key in ("l1", "l2") if key in settings} if isinstance(settings, dict) else {}


def _against_class(entry: Mapping[str, Any], what: str) -> Iterator[str]:
    kind, module, registered = str(entry.get("class_name")), entry.get("module"), entry.get("registered_name")
    if module != "keras.layers" or registered is not None:
        yield f"{what} is not one of Keras's own layers: it comes from {shown(registered or module)}."
    elif kind not in CATALOGUE and kind not in ALIASES:
        yield f"{what} is of a kind that the playground does not have. It has {', '.join(CATALOGUE)}."


def _against_rest(cls: type[Layer], config: Mapping[str, Any], what: str, notes: list[str]) -> Iterator[str]:
    """What speaks against the arguments that our layer does not have, and against those that are missing."""
    for key in sorted(_fields(cls) - set(config)):
        yield f"does not say its {key}"  # our default may be another than Keras's
    for key, value in config.items():
        if key in _fields(cls) or key in UNUSED or value is None or value in NEUTRAL.get(key, ()):
            continue
        if key == "dtype":
            if not computes_in_float32(value):
                yield f"computes in {shown(_policy(value))}; only float32 is taken"
        elif key.endswith("_initializer"):
            if _as_field(value) not in get_args(Initializer):
                yield f"has a {shown(key)} that is not built into Keras"
        elif key.endswith("_regularizer") and isinstance(value, dict) and _is_built_in(value, REGULARIZERS):
            notes.append(f"{what} was trained with a regularizer; it is left out when it is trained further here.")
        else:
            yield f"sets {shown(key)} to {shown(value)}, which the playground cannot do"


def _is_built_in(value: Mapping[str, Any], names: tuple[str, ...]) -> bool:
    return value.get("module") == "keras.regularizers" and value.get("class_name") in names


def _as_field(value: Any) -> Any:
    """A value of Keras's as our fields have it: a square window by its side, an initializer by its name."""
    if isinstance(value, list) and len(value) == 2 and value[0] == value[1]:
        return value[0]
    if isinstance(value, dict) and value.get("module") == "keras.initializers" and not value.get("registered_name"):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(value.get("class_name"))).lower()
    return value


def _policy(dtype: Any) -> Any:
    if isinstance(dtype, dict) and (dtype.get("module"), dtype.get("class_name")) == ("keras", "DTypePolicy"):
        settings = dtype.get("config")
        return settings.get("name") if isinstance(settings, dict) else None
    return dtype


def computes_in_float32(dtype: Any) -> bool:
    """Whether a ``dtype`` of a config, plain or as a policy, is float32."""
    return bool(_policy(dtype) == "float32")


def _complaints(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        said = problem["msg"].removeprefix("Input ").removeprefix("Value error, ")
        yield f"{'.'.join(map(str, problem['loc']))} {said}; it is {shown(problem['input'])}"
