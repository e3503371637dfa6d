"""Ready experiments: each shows one thing, trains with one press, and is a reference case for tests and benchmarks."""

import difflib

from playground.errors import SpecError
from playground.recipes import ailing, care, embedded, mnist, points, tuning
from playground.recipes.base import Recipe

__all__ = ["RECIPES", "SECTIONS", "Recipe", "recipe"]

SECTIONS: dict[str, tuple[Recipe, ...]] = {
    "Points in the plane": points.RECIPES,
    "Small data, no download": embedded.RECIPES,
    "MNIST and its clothes": mnist.RECIPES,
    "What goes wrong, and what mends it": ailing.RECIPES,
    "With care": care.RECIPES,
    "Learning from what was learned": tuning.RECIPES,
}
"""Every recipe, as Home shows them."""

RECIPES: dict[str, Recipe] = {recipe.name: recipe for part in SECTIONS.values() for recipe in part}
"""Every recipe by its name."""


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
