"""A form made from a spec class: titles, help, limits and choices are written once, in the spec."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import streamlit as st
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from playground.errors import PlaygroundError
from playground.spec import Spec, explain
from playground.ui import state

Apply = Callable[[str, Any], None]
"""Puts a value into a field of the experiment; raises what the spec says against it."""
Changed = Callable[[str, str], None]
"""Called with a widget's key and its field's name."""

NOT_FIELDS = ("kind", "id", "schema_version")
LOG_STEPS = (1, 2, 3, 5)


@dataclass(frozen=True)
class Options:
    """What a form needs to know of one field."""

    name: str
    title: str
    help: str
    advanced: bool
    is_log: bool
    choices: tuple[Any, ...]
    """Of a literal; empty otherwise."""
    type: type
    optional: bool
    low: float | None
    high: float | None
    """Inclusive limits; None where there is none, or where it is exclusive and the spec itself checks it."""


def options(spec: type[Spec]) -> list[Options]:
    """The fields of a spec that a form shows, in order."""
    return [_options(name, info) for name, info in spec.model_fields.items() if name not in NOT_FIELDS]


def _options(name: str, info: FieldInfo) -> Options:
    extra: Any = info.json_schema_extra or {}
    annotation, limits, optional = info.annotation, list(info.metadata), False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *more = get_args(annotation)
            limits += [limit for field in more for limit in (field.metadata if isinstance(field, FieldInfo) else [])]
        elif get_origin(annotation) in (Union, UnionType) and NoneType in get_args(annotation):
            annotation = next(arm for arm in get_args(annotation) if arm is not NoneType)
            optional = True
        else:
            break
    choices = get_args(annotation) if get_origin(annotation) is Literal else ()
    kind = type(choices[0]) if choices else annotation if isinstance(annotation, type) else object
    low, high = _limits(limits, kind)
    return Options(
        name=name,
        title=info.title or name,
        help=info.description or "",
        advanced=bool(extra.get("advanced")),
        is_log=extra.get("scale") == "log",
        choices=choices,
        type=kind,
        optional=optional,
        low=low,
        high=high,
    )


def _limits(constraints: Sequence[Any], kind: type) -> tuple[float | None, float | None]:
    """The inclusive limits that a widget can hold a person to."""
    step = 1 if kind is int else None  # next to an exclusive limit there is an integer, but no real number
    lows = [limit.ge for limit in constraints if isinstance(limit, Ge)]
    highs = [limit.le for limit in constraints if isinstance(limit, Le)]
    if step:
        lows += [limit.gt + step for limit in constraints if isinstance(limit, Gt)]  # type: ignore[operator]
        highs += [limit.lt - step for limit in constraints if isinstance(limit, Lt)]  # type: ignore[operator]
    return max(map(float, lows), default=None), min(map(float, highs), default=None)  # type: ignore[arg-type]


def spec_form(
    spec: Spec, apply: Apply, *path: object, only: Sequence[str] | None = None,
    show: Literal["main", "advanced", "all"] = "main", redraws: str | Sequence[str] = "app",
) -> None:  # fmt: skip
    """Draw fields for the options of ``spec``.

    Args:
        spec: the values as they are.
        apply: called with name and value when a person changes a field.
        path: names the form's place on the page, apart from other forms.
        only: just these fields, whatever they are.
        show: the main fields, the advanced ones, or both.
        redraws: the fragments that show what the form changes.
    """
    changed = functools.partial(_changed, apply, redraws)
    fields = [field for field in options(type(spec)) if (field.name in only if only else _belongs(field, show))]
    columns = min(2, len(fields))
    while fields:
        # Two stand side by side; a slider over orders of magnitude needs the width.
        row = fields[:1] if fields[0].is_log else [field for field in fields[:2] if not field.is_log]
        fields = fields[len(row) :]
        for field, place in zip(row, st.columns(1 if row[0].is_log else columns), strict=False):
            with place:
                key = state.widget_key(*path, spec.__class__.__name__, field.name)
                _field(field, getattr(spec, field.name), key, changed)
                if problem := state.problem(key):
                    st.markdown(f":red[:material/error: {problem}]")


def _belongs(field: Options, show: str) -> bool:
    return show == "all" or field.advanced == (show == "advanced")


def _field(field: Options, value: Any, key: str, changed: Changed) -> None:
    common: dict[str, Any] = {
        "label": field.title, "help": field.help, "key": key, "on_change": changed, "args": (key, field.name),
    }  # fmt: skip
    if field.choices:
        choices = [None, *field.choices] if field.optional else list(field.choices)
        st.selectbox(
            **common, options=choices, index=choices.index(value), format_func=lambda choice: choice or "automatic"
        )
    elif field.type is bool:
        st.toggle(**common, value=value)
    elif field.type is int:
        low, high = (None if limit is None else int(limit) for limit in (field.low, field.high))
        placeholder = "automatic" if field.optional else None
        st.number_input(**common, value=value, min_value=low, max_value=high, step=1, placeholder=placeholder)
    elif field.is_log:
        _log_slider(value, common)
    elif field.type is float:
        step = 0.05 if field.high is not None and field.high <= 1 else 0.1
        placeholder = "none" if field.optional else None
        st.number_input(
            **common, value=value, min_value=field.low, max_value=field.high, step=step, format="%g",
            placeholder=placeholder,
        )  # fmt: skip
    else:
        st.text_input(**common, value=", ".join(map(str, value)) if isinstance(value, tuple) else value)


def _log_slider(value: float, common: dict[str, Any]) -> None:
    """A slider over orders of magnitude; a value between its steps is one of them."""
    steps = {round(step * 10.0**power, 12) for power in range(-6, 1) for step in LOG_STEPS} | {value}
    if value < 1e-6:
        steps |= {10.0**power for power in range(-12, -6)}
    st.select_slider(**common, options=sorted(steps), value=value, format_func=lambda rate: f"{rate:g}")


def _changed(apply: Apply, redraws: str | Sequence[str], key: str, name: str) -> None:
    put(apply, key, name, state.widget_value(key))
    st.rerun(redraws)


def folded(label: str, key: str, draw: Callable[[], None]) -> None:
    """What is drawn once somebody opens it: what nobody sees is not to cost forty viewers anything."""
    expander = st.expander(label, icon=":material/tune:", key=key, on_change="rerun")
    if expander.open:
        with expander:
            draw()


def put(apply: Apply, key: str, name: str, value: Any) -> None:
    """Put a value where it belongs, or remember what is wrong with it for the widget ``key``."""
    try:
        apply(name, value)
    except ValidationError as error:
        state.complain(key, str(explain(error)))
    except PlaygroundError as error:
        state.complain(key, str(error))
    else:
        state.complain(key, "")
