"""Whether what raygrid promises of cards is so: shares that are kept, memory that is given back, equal records, speed.

    python scripts/check_gpu.py [BACKEND...] [--device cpu] [--only CHECK,...] [--out check_gpu.json]

It takes torch, JAX and TensorFlow, as far as they are installed, and needs none of them in particular, nor Ray, without
which one check is left out. It prints a table, and keeps it as JSON; exit code 1 if something is not as promised. It
takes the whole card for some minutes. `--device cpu` is a rehearsal: the same processes do the same, without limits.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import on_a_card
from on_a_card import CARD_MB, OUT_OF_MEMORY, Child, used_mb

from raygrid.host import Runtime, processor
from raygrid.networks.keras_backend import card_memory_mb, card_name

BACKENDS = ("torch", "jax", "tensorflow")
QUARTER_MB = CARD_MB / 4
HAS_CARD = card_memory_mb(0) is not None
_SLACK_MB, _GIVEN_BACK_IN_S = 64, 20

# Of MobileNet alpha 1 at 64x64: 46 million multiplications and additions, and twice as many for the gradients.
FLOP_AN_IMAGE = 3 * 2 * 46e6


class Found(NamedTuple):
    """Whether something is as promised, and what was seen."""

    is_right: bool
    seen: str


def shares_are_kept(backend: str) -> Found:
    """Check that of four quarters of a card, one that wants more gets an error, and the others do not notice."""
    quarter = Runtime(1, 0.25, backend)
    children = [Child(on_a_card.hold, quarter, QUARTER_MB * part) for part in (0.7, 0.7, 0.7, 1.5)]
    *kept, greedy = [child.said() for child in children]
    codes = [child.end() for child in children]
    wanted = OUT_OF_MEMORY if HAS_CARD else "holds"
    is_right = all(said.startswith("holds") for said in kept) and greedy.startswith(wanted) and codes == [0] * 4
    return Found(is_right, f"three: {', '.join(kept)}; the one that wants more: {greedy}")


def memory_is_given_back(backend: str) -> Found:
    """Check that a process that ends, and one that is killed, leave nothing on the card."""
    left = {}
    for how in ("ends", "is killed"):
        before = used_mb()
        child = Child(on_a_card.hold, Runtime(1, 0.25, backend), QUARTER_MB * 0.7)
        child.said()
        held = used_mb()
        if how == "ends":
            child.end()
        else:
            os.kill(child.process.pid or 0, signal.SIGKILL)
            child.process.join()
        deadline = time.monotonic() + _GIVEN_BACK_IN_S
        while (after := used_mb()) > before + _SLACK_MB and time.monotonic() < deadline:
            time.sleep(0.2)
        left[how] = (held - before, after - before)
    is_right = all(after <= _SLACK_MB and (held > 0) == HAS_CARD for held, after in left.values())
    said = [f"{how}: {held:.0f} MB, then {after:.0f} MB" for how, (held, after) in left.items()]
    return Found(is_right, "; ".join(said))


def cpu_cells_see_no_card(backend: str) -> Found:
    """Check that a process without a share computes on CPUs, and one with a share on the card."""
    without, with_share = (Child(on_a_card.name_device, Runtime(1, gpus, backend)).said() for gpus in (0.0, 0.25))
    seen = [any(word in device.lower() for word in ("cuda", "gpu")) for device in (without, with_share)]
    return Found(seen == [False, HAS_CARD], f"without a share {without}, with one {with_share}")


def _records(backend: str, gpus: float, n_folds: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        return list(
            Child(on_a_card.run_cells, Runtime(1, gpus, backend), n_folds, 20 if HAS_CARD else 2, folder).said()
        )


def records_are_equal(backend: str) -> Found:
    """Check that the same cell twice on one card leaves the same record."""
    one, other = (_records(backend, 1.0, 1)[0] for _ in range(2))
    differing = [name for name in one if one[name] != other[name]]
    return Found(one["status"] == "done" and not differing, f"differing: {', '.join(differing) or 'nothing'}")


def card_agrees_with_cpu(backend: str) -> Found:
    """Check that mean AvAcc of three folds on the card and on CPUs differ by less than folds do."""
    card, cpu = ([each["metrics"]["AvAcc"] for each in _records(backend, gpus, 3)] for gpus in (1.0, 0.0))
    difference = abs(statistics.mean(card) - statistics.mean(cpu))
    is_right = difference <= max(statistics.stdev(card), statistics.stdev(cpu))
    return Found(is_right, "card {}, CPUs {}".format(*(" ".join(f"{one:.4f}" for one in of) for of in (card, cpu))))


def greed_is_a_record(backend: str) -> Found:
    """Check on Ray that of five quarters one that no card can hold is tried with more, then is `oom`; others end."""
    with tempfile.TemporaryDirectory() as folder:
        statuses, shares = Child(on_a_card.run_on_ray, backend, folder).said()
    is_right = statuses == ["done"] * 4 + ["oom"] and shares == (["0.25", "0.5", "1.0"] if HAS_CARD else ["0"] * 3)
    return Found(is_right, f"{', '.join(statuses)}; it was given {', '.join(shares)} of a card")


def throughput(backend: str, n_images: int = 1024 if HAS_CARD else 64) -> Found:
    """Measure images a second of the image arm at 64x64, batch 32, alpha 1: stock Keras, then trials side by side."""
    peak = Child(on_a_card.multiply, Runtime(1, float(HAS_CARD), backend), 8192 if HAS_CARD else 512).said()
    lines = []
    at_once = (1, 2, 4, 8) if HAS_CARD else (1, 2)
    for variant, n_trials in [("stock", 1), *(("raygrid", n) for n in at_once), ("bfloat16", 1)]:
        runtime = Runtime(max(1, len(os.sched_getaffinity(0)) // n_trials), HAS_CARD / n_trials, backend)
        before = used_mb()
        children = [Child(on_a_card.train, runtime, variant, n_images) for _ in range(n_trials)]
        mb = max(child.said() for child in children) - before
        for child in children:
            child.go_on()
        speed = sum(child.said() for child in children)
        share = speed * FLOP_AN_IMAGE / peak
        how = f"{variant}, {n_trials} at once: {speed:.0f} images/s"
        lines.append(f"{how}, {share:.1%} of a large product, {mb / n_trials:.0f} MB a trial")
    return Found(True, "; ".join(lines))


CHECKS: dict[str, Callable[[str], Found]] = {
    check.__name__: check
    for check in (
        shares_are_kept,
        memory_is_given_back,
        cpu_cells_see_no_card,
        records_are_equal,
        card_agrees_with_cpu,
        greed_is_a_record,
        throughput,
    )
}


def checked(backends: list[str], names: list[str]) -> Iterator[dict[str, Any]]:
    """Yield a line a backend and check."""
    for backend in backends:
        for name in names:
            if name == "greed_is_a_record" and not find_spec("ray"):
                yield {"backend": backend, "check": name, "is_right": None, "seen": "Ray is not installed"}
                continue
            start = time.perf_counter()
            try:
                found = CHECKS[name](backend)
            except EOFError:
                found = Found(False, "a process died")
            seconds = round(time.perf_counter() - start, 1)
            yield {"backend": backend, "check": name, **found._asdict(), "seconds": seconds}


def main() -> int:
    """Run the checks; print and keep what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("backends", nargs="*", help=f"of {', '.join(BACKENDS)}; those installed by default")
    parser.add_argument("--device", choices=("card", "cpu"), default="card")
    parser.add_argument("--only", default=",".join(CHECKS), help=f"of {', '.join(CHECKS)}")
    parser.add_argument("--out", type=Path, default=Path("check_gpu.json"))
    arguments = parser.parse_args()
    if (arguments.device == "card") != HAS_CARD:
        has = (
            "a card; expected none; set CUDA_VISIBLE_DEVICES=-1"
            if HAS_CARD
            else "no card; expected one; --device cpu rehearses"
        )
        print(f"--device {arguments.device}: got a machine with {has}", file=sys.stderr)
        return 2
    device = card_name() if HAS_CARD else processor()
    lines = []
    print(f"{device}, {CARD_MB} MB" if HAS_CARD else f"a rehearsal on {device}: nothing here is about a card")
    for line in checked(
        arguments.backends or [name for name in BACKENDS if find_spec(name)], arguments.only.split(",")
    ):
        lines.append(line)
        mark = {True: "yes", False: "NO", None: "-"}[line["is_right"]]
        print(f"{line['backend']:<11}{line['check']:<23}{mark:<4}{line['seen']}", flush=True)
        arguments.out.write_text(json.dumps({"device": device, "is_card": HAS_CARD, "checks": lines}, indent=1) + "\n")
    return int(any(line["is_right"] is False for line in lines))


if __name__ == "__main__":
    sys.exit(main())
