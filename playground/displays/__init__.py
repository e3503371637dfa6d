"""Arrays to figures. A display holds arrays and nothing else: ``from_…`` makes it, ``plot`` draws, ``summary`` says it.

Import from the rooms: each brings only what its own figure needs, and Plotly (a second, 40 MB) is needed by one.
"""
