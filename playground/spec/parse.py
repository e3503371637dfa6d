"""From JSON that a person wrote to an experiment, or to one plain sentence that says what to change."""

import difflib
import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

from playground.errors import SpecError
from playground.spec.experiment import Experiment

MAX_CHARACTERS = 1_000_000

_EXPECTED = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list in brackets",
    "model_type": "an object in braces",
    "model_attributes_type": 'an object such as {"kind": "…"}',
}
"""What pydantic wanted, in words for people, by the type of its complaint."""


def parse_experiment(content: str | bytes | Mapping[str, Any]) -> Experiment:
    """The experiment that JSON text, or an already decoded object, describes.

    Raises:
        SpecError: malformed JSON, an unknown key (named with the nearest known one), or a value out of bounds;
            ``where`` is the dotted path of the first culprit.
    """
    if isinstance(content, str | bytes):
        if len(content) > MAX_CHARACTERS:
            raise SpecError(
                f"The experiment is {len(content):,} characters long; the limit is {MAX_CHARACTERS:,}. Remove what is "
                "not part of an experiment."
            )
        try:
            content = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"This is not valid JSON: {error}. Correct it at that place.") from None
    if not isinstance(content, Mapping):
        raise SpecError(
            f'An experiment is a JSON object such as {{"data": {{"kind": "moons"}}}}, not {type(content).__name__}.'
        )
    try:
        return Experiment.model_validate(content)
    except ValidationError as error:
        raise explain(error) from None


def with_settings(experiment: Experiment, settings: Iterable[str]) -> Experiment:
    """``experiment`` with ``path=value`` settings applied, such as ``training.epochs=1`` or ``model.layers.0.units=8``.

    Values are read as JSON where they can be, else as text.

    Raises:
        SpecError: no such path, or a value that does not fit.
    """
    content = experiment.model_dump(mode="json")
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals or not path:
            raise SpecError(f"{setting!r} is not of the form path=value, such as training.epochs=1.")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        target: Any = content
        *parents, last = path.strip().split(".")
        for name in parents:
            target = _child(target, name, path)
        if isinstance(target, list):
            target[_index(target, last, path)] = value
        elif isinstance(target, dict):
            if last == "kind" and isinstance(target.get("kind"), str) and target["kind"] != value:
                target.clear()  # another kind has other fields
            target[last] = value
        else:
            raise SpecError(f"{path!r} leads into {target!r}, which has no parts. Shorten the path.", path)
    return parse_experiment(content)


def _child(target: Any, name: str, path: str) -> Any:
    if isinstance(target, list):
        return target[_index(target, name, path)]
    if isinstance(target, dict) and name in target:
        if target[name] is None:
            target[name] = {}  # what is empty begins with its defaults
        return target[name]
    known = list(target) if isinstance(target, dict) else []
    raise SpecError(f"There is no {name!r} in {path!r}.{_nearest(name, known)}", path)


def _index(target: list[Any], name: str, path: str) -> int:
    if name.isdecimal() and int(name) < len(target):
        return int(name)
    raise SpecError(f"{name!r} in {path!r} is not one of the {len(target)} places, counted from 0.", path)


def explain(error: ValidationError) -> SpecError:
    """One plain sentence of what is wrong, where, and what would be right, from pydantic's first complaint."""
    problems = error.errors(include_url=False)
    # An unknown key explains the complaints that follow from it.
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    # Pydantic's path holds the tag of each union too ("model", "layers", 0, "Dense", "units"); people see keys only.
    path, owner = _walk(problem["loc"])
    where = ".".join(path)
    kind, given, context = problem["type"], problem.get("input"), problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = list(owner.model_fields) if owner else []
        return SpecError(
            f"Unknown key {path[-1]!r} in {'.'.join(path[:-1]) or 'the experiment'}.{_nearest(path[-1], known)}", where
        )
    if kind == "union_tag_invalid":
        known = [tag.strip().strip("'") for tag in str(context.get("expected_tags", "")).split(",")]
        return SpecError(f"Unknown {where} {context.get('tag')!r}.{_nearest(str(context.get('tag')), known)}", where)
    if kind == "union_tag_not_found":
        return SpecError(f'{where} needs a "kind" that says what it is.', where)
    if kind == "missing":
        return SpecError(f"{where} is missing; add it.", where)
    if kind == "literal_error":
        known = [part.strip().strip("'") for part in str(context["expected"]).replace(" or ", ", ").split(",")]
        return SpecError(f"{where} cannot be {_show(given)}.{_nearest(str(given), known)}", where)
    if kind == "value_error":
        return SpecError(
            f"{where or 'The experiment'}: {context.get('error', problem['msg'])}.".replace("..", "."), where
        )
    if kind in _EXPECTED:
        said = f"should be {_EXPECTED[kind]}"
    else:
        said = problem["msg"].removeprefix("Input ").removeprefix("String ")
        said = said.replace("greater than or equal to", "at least").replace("less than or equal to", "at most")
    for other in problems:  # the words that would do as well, such as "full" for a batch size
        if other["type"] == "literal_error" and _walk(other["loc"])[0] == path:
            said += f" or {other['ctx']['expected']}"
    return SpecError(f"{where} {said}; it is {_show(given)}.", where)


def _walk(location: tuple[int | str, ...]) -> tuple[list[str], type[BaseModel] | None]:
    """The keys a person wrote along pydantic's location, and the class in which the last of them stands."""
    path: list[str] = []
    here: list[type[BaseModel]] = [Experiment]
    owner: type[BaseModel] | None = Experiment
    for part in location:
        if isinstance(part, int):
            path.append(str(part))
            continue
        tagged = [c for c in here if "kind" in c.model_fields and part in get_args(c.model_fields["kind"].annotation)]
        if tagged and len(here) > 1:
            here = tagged
            continue
        fields = [c for c in here if part in c.model_fields]
        if fields:
            owner = fields[0]
            here = _classes(owner.model_fields[part].annotation)
            path.append(part)
        elif here:
            owner, here = here[0], []
            path.append(part)
        # What is left are pydantic's own names for the arms of a union: nothing that a person wrote.
    return path, owner


def _classes(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _classes(argument)]


def _nearest(given: str, known: list[str]) -> str:
    """A hint: the nearest known name, or the whole list where it is short."""
    near = difflib.get_close_matches(given.lower(), [name.lower() for name in known], 1, 0.6)
    if near:
        return f" Did you mean {next(name for name in known if name.lower() == near[0])!r}?"
    return f" Known: {', '.join(known)}." if known else ""


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def experiment_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of an experiment."""
    return TypeAdapter(Experiment).json_schema()
