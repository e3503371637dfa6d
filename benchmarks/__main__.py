"""``python -m benchmarks [NAME …] [--json]``: each benchmark in a process of its own, one after the other."""

import argparse
import json
import subprocess
import sys
from typing import Any

NAMES = (
    "throughput", "small_networks", "overhead", "press_to_first_point", "cold_start", "steering_latency", "viewers",
    "feed_viewers", "frames", "classroom", "playing", "spirals", "probe_latency",
)  # fmt: skip


def main() -> int:
    """Run them; exit code 1 when one of them broke."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}")
    results: dict[str, Any] = {}
    broken = False
    for name in options.names or NAMES:
        print(f"── {name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *(["--json"] if options.json else [])]
        outcome = subprocess.run(command, stdout=subprocess.PIPE if options.json else None, text=True, check=False)
        broken = broken or outcome.returncode != 0
        if options.json:
            results[name] = json.loads(outcome.stdout) if outcome.returncode == 0 else None
    if options.json:
        print(json.dumps(results))
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
