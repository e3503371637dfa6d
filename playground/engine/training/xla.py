"""How XLA compiles for a CPU. It reads this once, when it compiles for the first time."""

import os

SMALL_LOOP_BYTES = 300_000
"""A loop whose every turn touches fewer bytes than this is compiled as one piece of code.

Otherwise each of its operations is started by itself, which for small networks takes most of the time: six layers of 8
neurons learnt 6 times as fast in one piece, eight of 16 neurons 3 times. Larger products are faster in kernels of their
own: three layers of 64 neurons learnt at a third of the speed in one piece. XLA's own limit is 1,024 bytes.
"""

_OPTION = "xla_cpu_small_while_loop_byte_threshold"


def prefer_whole_loops() -> None:
    """Set the limit, unless the environment names one."""
    flags = os.environ.get("XLA_FLAGS", "")
    if _OPTION not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_extra_options={_OPTION}={SMALL_LOOP_BYTES}".strip()
