"""The network as a row of blocks: one a layer, as tall as its output is large."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from playground.displays import words
from playground.records import Description

WEIGHTED = ("Dense", "Conv2D")


@dataclass(frozen=True)
class StackPicture:
    """Blocks from input to output.

    Args:
        names: what each block is.
        sizes: the shape of what comes out of it.
    """

    names: tuple[str, ...]
    sizes: tuple[tuple[int, ...], ...]

    @classmethod
    def from_description(cls, input_shape: tuple[int, ...], description: Description) -> "StackPicture":
        """The input and every layer that Keras built."""
        names = ("Input", *(row.kind for row in description.rows))
        return cls(names, (input_shape, *(row.output_shape for row in description.rows)))

    def html(self) -> str:
        """Blocks side by side in the colours of the page (class ``stack``); they scroll where they are too wide."""
        largest = max(math.prod(size) for size in self.sizes)
        blocks = []
        for name, size in zip(self.names, self.sizes, strict=True):
            # Logarithmic: 784 inputs and 10 outputs both have to be seen.
            height = 10 + 38 * math.log1p(math.prod(size)) / math.log1p(max(largest, 2))
            sheets = min(size[-1], 4) if len(size) == 3 else 1  # a picture's channels lie behind each other
            blocks.append(
                f'<div class="block"><div class="body"><i class="sheets-{sheets}" style="height:{height:.0f}px"></i>'
                f"</div><b>{escape(_short(name))}</b><span>{words.shape(size).replace(' ', '')}</span></div>"
            )
        return f'<div class="stack" role="img" aria-label={quoteattr(self.summary())}>{"".join(blocks)}</div>'

    def summary(self) -> str:
        """The same in words."""
        steps = (f"{name} {words.shape(size)}" for name, size in zip(self.names, self.sizes, strict=True))
        return f"Network: {', '.join(steps)}."

    def line(self) -> str:
        """How many numbers come out of each block that has weights or changes it: "784 – 128 – 10"."""
        counts = [math.prod(size) for size in self.sizes]
        kept = [n for k, n in enumerate(counts) if not k or n != counts[k - 1] or self.names[k] in WEIGHTED]
        shown = [f"{n:,}" for n in kept]
        return " – ".join(shown if len(shown) <= 7 else [*shown[:3], "…", *shown[-3:]])


def _short(name: str) -> str:
    for word, shorter in (("GlobalAveragePooling2D", "GlobalPool"), ("Pooling2D", "Pool"), ("Average", "Avg"),
                          ("BatchNormalization", "BatchNorm")):  # fmt: skip
        name = name.replace(word, shorter)
    return name
