"""How XLA compiles for a CPU. It reads this once, when it compiles for the first time."""

import os

SMALL_LOOP_BYTES = 300_000
"""A loop whose every turn touches fewer bytes than this is compiled as one piece of code.

Otherwise each of its operations is started by itself, which for small networks takes most of the time: six layers of 8
neurons learnt 6 times as fast in one piece, eight of 16 neurons 3 times. Larger products are faster in kernels of their
own: three layers of 64 neurons learnt at a third of the speed in one piece. XLA's own limit is 1,024 bytes.
"""

FLAGS = (
    f"--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold={SMALL_LOOP_BYTES}",
    # Products by Eigen. XLA's own choice, YNNPACK, hands even small ones to other threads, which wait for them in turn:
    # three layers of 64 neurons learnt 1.35 times as fast without it, and took 1.0 cores instead of 1.8; 784-128 1.1 to
    # 1.4 times, LSTM 1.1 times with 1.0 cores instead of 1.7. Three layers of 512 lost 20 %, an attention block 12 %.
    "--xla_cpu_experimental_ynn_fusion_type=",
)


def prefer_small() -> None:
    """Have XLA compile as small networks like it; an option that the environment names stays as it is."""
    named = os.environ.get("XLA_FLAGS", "")
    chosen = [flag for flag in FLAGS if flag.split("=")[-2].strip("-") not in named]
    os.environ["XLA_FLAGS"] = " ".join([*named.split(), *chosen])
