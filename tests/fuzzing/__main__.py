"""Give raygrid thousands of inputs that nobody would write, and count what comes of them.

    python tests/fuzzing --seed 1 --count 20000

Each must be refused by a line, or taken, within 2 GB and 10 s, with nothing written elsewhere. Faults are printed, and
their files kept below --keep; exit 1 if there are any.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from inputs import TARGETS
from judging import Case
from loaded import main
from working import Judge


def drawn(target: str, count: int, number: int, keep: Path | None) -> Counter[str]:
    """Draw inputs of one target, judge each and return how many were refused, accepted and faults."""
    found, judge = Counter[str](), Judge(main)

    @seed(number)
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(TARGETS[target][1])
    def look(case: Case) -> None:
        verdict = judge(case)
        found[verdict.kind] += 1
        if verdict.kind == "fault":
            print(f"--- {target}: {' '.join(case.arguments)!r}\n{verdict.seen}\n", flush=True)
            if keep:
                case.write(keep / f"{target}-{number}-{found['fault']}")

    look()
    judge.end()
    return found


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=1000, help="inputs in all")
    parser.add_argument("--target", choices=TARGETS, action="append", help="only this one; may be repeated")
    parser.add_argument("--keep", type=Path, help="where the files of faults are kept")
    return parser.parse_args()


def fuzz() -> int:
    """Draw inputs of every target that is asked for; print the counts and return how many faults there were."""
    asked, total = _asked(), Counter[str]()
    targets = asked.target or list(TARGETS)
    weights = sum(TARGETS[target][0] for target in targets)
    for target in targets:
        began = time.monotonic()
        found = drawn(target, max(1, round(asked.count * TARGETS[target][0] / weights)), asked.seed, asked.keep)
        total += found
        words = ", ".join(f"{found[kind]} {kind}" for kind in ("refused", "accepted", "fault"))
        print(f"{target}: {found.total()} inputs: {words}; {time.monotonic() - began:.0f} s", flush=True)
    print(
        f"all: {total.total()} inputs: {total['refused']} refused, {total['accepted']} accepted, "
        f"{total['fault']} faults"
    )
    return total["fault"]


if __name__ == "__main__":
    sys.exit(bool(fuzz()))
