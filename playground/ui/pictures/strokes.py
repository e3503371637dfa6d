"""Pictures of data sets that are not ours to copy: drawn with a pen, in the manner of their examples.

MNIST and Fashion-MNIST come with licences of their own and are downloaded where they are used; a card needs no more
than a likeness.
"""

from playground.displays.thumbnail import HEIGHT, WIDTH, Thumbnail

COLUMNS, ROWS, CELL = 7, 4, 33
"""Cells of 33×33 of the canvas; a drawing is made of paths on a square of 24×24."""

DIGITS = (
    "M12 4C6 4 6 20 12 20S18 4 12 4",
    "M9 7L13 4V20",
    "M7 8C8 3 17 3 16 9C15 13 9 15 7 20H17",
    "M7 5C14 2 18 9 12 11C19 12 16 21 7 19",
    "M14 4L6 15H18M15 10V20",
    "M16 4H9L8 11C13 9 18 12 16 17C14 21 8 20 7 18",
    "M15 4C9 7 7 13 8 17C10 21 17 20 16 15C15 11 9 12 8 16",
    "M7 5H17L11 20",
    "M12 12C6 10 8 4 12 4S18 10 12 12C5 14 7 20 12 20S19 14 12 12",
    "M16 9C15 13 8 13 8 8C9 3 16 3 16 9L14 20",
)
CLOTHES = (
    "M8 4L3 8L6 11L7 10V20H17V10L18 11L21 8L16 4C14 6 10 6 8 4Z",
    "M8 3H16L17 21H13L12 10L11 21H7Z",
    "M8 4L4 17L7 18L8 12V20H16V12L17 18L20 17L16 4C14 6 10 6 8 4Z",
    "M9 3L10 8L6 21H18L14 8L15 3L12 6Z",
    "M8 4L4 20H7L8 12V21H16V12L17 20H20L16 4L12 9Z",
    "M3 15L8 16L16 9L20 11L21 17H17L16 13L9 19H3Z",
    "M9 4V21H15V4L12 5ZM9 9L6 19M15 9L18 19",
    "M3 14C7 14 9 11 11 9L14 12C17 14 21 14 21 18H3Z",
    "M5 10H19L20 20H4ZM8 10C8 3 16 3 16 10",
    "M8 4H14V12C17 14 20 14 20 19H8Z",
)


def drawn(paths: tuple[str, ...], alt: str, *, filled: bool) -> Thumbnail:
    """A sheet of drawings, each row in another order and at another slant, as different hands would."""
    left, top = (WIDTH - COLUMNS * CELL) / 2, (HEIGHT - ROWS * CELL) / 2
    cells = []
    for place in range(COLUMNS * ROWS):
        row, column = divmod(place, COLUMNS)
        slant = (place * 37 % 23 - 11) * (0.4 if filled else 1)
        size = 1 + (place * 17 % 7 - 3) / 40
        x, y = left + (column + 0.5) * CELL, top + (row + 0.5) * CELL
        cells.append(
            f'<path transform="translate({x:.1f} {y:.1f}) skewX({-slant:.0f}) scale({size * 1.15:.2f}) '
            f'translate(-12 -12)" d="{paths[place % len(paths)]}"/>'
        )
    ink = (
        'fill="#7b8494" stroke="#7b8494" stroke-width="0.8"'
        if filled
        else 'fill="none" stroke="#7b8494" stroke-width="2.6"'
    )
    return Thumbnail(f'<g {ink} stroke-linecap="round" stroke-linejoin="round">{"".join(cells)}</g>', alt)
