"""What all parts of an experiment have in common: frozen, strict about names and numbers, and self-describing."""

from typing import Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo


class Spec(BaseModel):
    """A part of an experiment.

    Frozen (change is a new object: ``spec.model_copy(update=…)`` or :func:`changed`), JSON in and out, unknown keys
    refused, no NaN or infinity. Every field has a ``title`` and a ``description`` of one sentence: the forms show them.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=False)

    label: ClassVar[str] = ""
    """What a person calls it."""
    help: ClassVar[str] = ""
    """One sentence that says what it does."""


S = TypeVar("S", bound=Spec)


def changed(spec: S, **values: Any) -> S:
    """``spec`` with some fields replaced, validated again (``model_copy`` would not).

    Raises:
        pydantic.ValidationError: a value does not fit.
    """
    return type(spec).model_validate({**{name: getattr(spec, name) for name in type(spec).model_fields}, **values})


def essence(value: Any) -> Any:
    """A spec as JSON values, without those fields that came ``later`` and are as if they were not there.

    So an experiment that was written before there was a field is still the same one.
    """
    if isinstance(value, Spec):
        fields = {name: (field, getattr(value, name)) for name, field in type(value).model_fields.items()}
        return {
            name: essence(content)
            for name, (field, content) in fields.items()
            if not (_came_later(field) and content == field.default)
        }
    return [essence(part) for part in value] if isinstance(value, tuple) else value


def _came_later(field: FieldInfo) -> bool:
    return isinstance(field.json_schema_extra, dict) and bool(field.json_schema_extra.get("later"))


def option(
    default: Any, title: str, help: str, *, advanced: bool = False, scale: str = "", later: bool = False, **limits: Any
) -> Any:
    """A field with its title, one sentence of help, its limits, and how a form shows it.

    Args:
        default: the value that works untouched; ``...`` makes the field required.
        title: what the form calls it.
        help: one sentence, with the formula where there is one.
        advanced: folded away in forms.
        scale: ``"log"`` for a number that spans orders of magnitude.
        later: it was added to a spec that was in use: left at its default it does not change a fingerprint.
        **limits: pydantic's ``ge``, ``le``, ``gt``, ``lt``, ``min_length``, ``max_length``.
    """
    extra: dict[str, Any] = {"advanced": advanced, "scale": scale, "later": later}
    return Field(default, title=title, description=help, json_schema_extra=extra, **limits)
