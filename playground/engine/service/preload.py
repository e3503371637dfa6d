"""Imported first where a worker's imports begin: no garbage is looked for until they end (``process.dask_setup``).

On Linux that is the process from which workers are forked, where it stays so: what is never searched is never copied.
"""

import gc

gc.disable()
