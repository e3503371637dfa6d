"""Ready experiments: each shows one thing, trains with one press, and is a reference case for tests and benchmarks."""

import difflib

from playground.errors import SpecError
from playground.recipes import ailing, embedded, mnist, points, tuning
from playground.recipes.base import Recipe

__all__ = ["RECIPES", "Recipe", "recipe"]

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe for part in (points, embedded, ailing, mnist, tuning) for recipe in part.RECIPES
}
"""Every recipe by its name, in the order in which Home shows them."""


def recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        SpecError: there is none.
    """
    if name in RECIPES:
        return RECIPES[name]
    near = difflib.get_close_matches(name.lower(), RECIPES, 1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(RECIPES)}."
    raise SpecError(f"Unknown recipe {name!r}. {hint}", "recipe")
