#!/usr/bin/env python3
"""table.py BENCH_JSON: the targets with what was measured, and the times behind them, as Markdown.

With --readme the tables also replace those in bench/README.md.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- measured: table.py writes what follows -->\n", "<!-- end of what was measured -->\n"
SMALL = ["chain", "xor", "8-10-8-1"]
PEERS = ["libtorch", "pytorch", "jax"]


class Results:
    """What a run of the benchmark measured, by workload, threads and system."""

    def __init__(self, objects):
        self.objects = objects
        self.by_key = {(o["workload"], o["threads"], o["system"]): o for o in objects}
        self.cpu, self.simd = objects[0]["cpu"], objects[0]["simd"]

    def get(self, workload, key, threads=1, system="xgrad"):
        return self.by_key.get((workload, threads, system), {}).get(key)

    def ratio(self, one, other):
        """How much longer `one` took than `other`, keys of results: the median over the rounds, in each of which
        both ran. None where one of them is missing."""
        rounds = [self.by_key.get(key, {}).get("rounds", []) for key in (one, other)]
        return statistics.median(a / b for a, b in zip(*rounds)) if all(rounds) else None

    def over(self, workload, peer, threads=1):
        """xgrad's time over that of a peer; None where one of them is missing."""
        return self.ratio((workload, threads, "xgrad"), (workload, threads, peer))

    def over_fastest(self, workload, threads=1):
        """xgrad's seconds over the fastest peer's, and its name for the table."""
        seconds = {peer: self.get(workload, "seconds", threads, peer) for peer in PEERS}
        seconds = {peer: value for peer, value in seconds.items() if value is not None}
        if not seconds or self.get(workload, "seconds", threads) is None:
            return None, "the fastest peer"
        fastest = min(seconds, key=seconds.get)
        return self.over(workload, fastest, threads), f"the fastest peer ({fastest})"

    def ops(self):
        """Every op's ratio to libtorch, the worst first."""
        ratios = {o["workload"]: self.over(o["workload"], "libtorch") for o in self.objects if o["system"] == "xgrad"}
        ratios = {name[3:]: ratio for name, ratio in ratios.items() if name.startswith("op_") and ratio is not None}
        return dict(sorted(ratios.items(), key=lambda item: -item[1]))


def fraction(ratio):
    return f"1/{1 / ratio:.1f}"


def decimal(ratio):
    return f"{ratio:.3f}"


class Table:
    """Rows of target, measured, met."""

    def __init__(self, results):
        self.results = results
        self.rows = []

    def add(self, what, target, measured, met):
        self.rows.append((what, target, measured, {True: "yes", False: "**no**", None: ""}[met]))

    def at_most(self, what, limits, ratio, of, show=decimal):
        """`limits` is one figure, or two: with AVX-512, with AVX2 only."""
        limit = limits[self.results.simd != "AVX-512"] if isinstance(limits, tuple) else limits
        target = f"≤ {fraction(limit) if show is fraction else f'{limit:g}'} × {of}".replace(".0 ×", " ×")
        if ratio is None:
            self.add(what, target, "not measured", None)
        else:
            self.add(what, target, show(ratio), ratio <= limit)

    def of_floor(self, what, share, floor_over_ours, of):
        if floor_over_ours is None:
            self.add(what, f"≥ {share:.0%} of {of}", "not measured", None)
        else:
            self.add(what, f"≥ {share:.0%} of {of}", f"{floor_over_ours:.1%}", floor_over_ours >= share)


def share_of_floor(results, workload):
    over = results.get(workload, "over_floor")
    return 1 / over if over else None


def overhead_targets(t):
    r = t.results
    t.at_most("1000-op chain", 1 / 33, r.over("chain", "libtorch"), "libtorch", fraction)
    t.at_most("XOR step, batch 1", (1 / 55, 1 / 75), r.over("xor", "libtorch"), "libtorch", fraction)
    t.at_most("XOR step, batch 1", 1 / 12, r.over("xor", "jax"), "JAX", fraction)
    t.at_most("XOR step, batch 1", 4, r.get("xor", "over_floor"), "the floor")
    t.at_most("8-10-8-1 step, batch 32", (1 / 24, 1 / 30), r.over("8-10-8-1", "libtorch"), "libtorch", fraction)
    t.at_most("8-10-8-1 step, batch 32", 1 / 6, r.over("8-10-8-1", "jax"), "JAX", fraction)
    t.at_most("8-10-8-1 step, batch 32", 3.5, r.get("8-10-8-1", "over_floor"), "the floor")


def mlp_targets(t):
    r = t.results
    for batch, limits, share in [(32, (0.75, 0.85), 0.75), (128, (0.80, 0.85), 0.85), (512, (0.83, 0.93), 0.90)]:
        workload, what = f"mlp_b{batch}", f"MLP step, batch {batch}"
        ratio, fastest = r.over_fastest(workload)
        t.at_most(what, limits, ratio, fastest)
        t.of_floor(what, share, share_of_floor(r, workload), "the floor")
        if batch == 128:
            t.at_most(what, 0.70, r.over(workload, "libtorch"), "libtorch")


def kernel_targets(t):
    r = t.results
    for workload, size in [("gelu", "1M"), ("gelu_10m", "10M")]:
        t.at_most(f"GELU through `fused`, {size}, forward + backward", (0.9, 1.0), r.over(workload, "jax"), "JAX")
    ops = r.ops()
    worst = next(iter(ops), "")
    t.at_most(f"{len(ops)} elementwise ops and reductions, 1M, the slowest: {worst}", 1.0, ops.get(worst), "libtorch")
    t.at_most("the median of them", 0.7, statistics.median(ops.values()) if ops else None, "libtorch")
    for workload in ["softmax", "log_softmax", "softmax_grad", "log_softmax_grad", "layer_norm_grad"]:
        name = workload.replace("_grad", ", forward + backward").replace("layer_norm", "layer norm")
        t.at_most(f"{name}, 1024×1024", 0.6, r.over(workload, "libtorch"), "libtorch")
    t.of_floor("one Adam step, 10M parameters", 0.85, share_of_floor(r, "adam"), "the triad")
    ratio, fastest = r.over_fastest("inference")
    t.at_most("inference, MLP, batch 1", 0.8, ratio, fastest)


def thread_targets(t):
    r = t.results
    for batch, limit in [(32, 0.75), (128, 0.75), (512, 0.80)]:
        ratio, fastest = r.over_fastest(f"mlp_b{batch}", 2)
        t.at_most(f"two threads: MLP step, batch {batch}", limit, ratio, fastest)
    for workload in SMALL:
        ratio = r.ratio((workload, 2, "xgrad"), (workload, 1, "xgrad"))
        t.at_most(f"two threads: {workload}", 1.05, ratio, "one thread")


def program_targets(t):
    r = t.results
    t.at_most("XOR through `fit`, 100 epochs × 4", 2.5, r.get("fit_xor", "over_floor"), "400 bare steps")
    t.at_most("MLP through `fit`, batch 128, shuffled", 1.03, r.get("fit_mlp_b128", "over_floor"), "the bare step")
    ours, theirs = (r.get("mlp_b512", "peak_bytes", system=system) for system in ("xgrad", "libtorch"))
    t.at_most("peak memory, MLP batch 512", 1.0, ours / theirs if ours and theirs else None, "libtorch's")
    seconds = r.get("startup", "seconds")
    if seconds is not None:
        t.add("start of a stripped program, until its MLP stands", "≤ 20 ms", f"{seconds * 1e3:.1f} ms", seconds <= 0.02)
    for workload in sorted({o["workload"] for o in r.objects if o["workload"].startswith("compile_")}):
        what = f"compiling the main example, {workload[8:]} -O2"
        t.at_most(what, 7.5, r.get(workload, "over_floor"), "`#include <iostream>`")


def allocation_targets(t):
    # A fit has set-up of its own, spread over its steps: it is told apart.
    ours = [o for o in t.results.objects if o["system"] == "xgrad" and o["allocations_per_step"] is not None]
    steps = [o for o in ours if not o["workload"].startswith("fit_")]
    worst = max(steps, key=lambda o: o["allocations_per_step"])
    which = f" ({worst['workload']})" if worst["allocations_per_step"] else ""
    t.add(
        f"allocations of ours a step, {len(steps)} results",
        "0",
        f"{worst['allocations_per_step']:g} at most{which}",
        worst["allocations_per_step"] == 0,
    )
    tiny = [o["allocations_per_step"] + o["library_allocations_per_step"] for o in steps if o["workload"] in SMALL]
    if tiny:
        t.add("all allocations a step, tiny workloads", "0", f"{max(tiny):g} at most", max(tiny) == 0)


def targets(results):
    t = Table(results)
    for add in [overhead_targets, mlp_targets, kernel_targets, thread_targets, program_targets, allocation_targets]:
        add(t)
    return t.rows


def markdown(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def duration(seconds):
    if seconds is None:
        return ""
    for unit, size in [("ms", 1e-3), ("µs", 1e-6)]:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def times(results):
    """One row for each workload but the single ops."""
    rows = []
    for o in results.objects:
        workload, threads = o["workload"], o["threads"]
        if o["system"] != "xgrad" or workload.startswith("op_"):
            continue
        cells = [duration(results.get(workload, "seconds", threads, system)) for system in ["xgrad", *PEERS]]
        spread = max(p["spread"] for p in results.objects if (p["workload"], p["threads"]) == (workload, threads))
        rows.append((f"`{workload}`", str(threads), *cells, duration(o["floor"]), f"{spread:.0%}"))
    return markdown(["workload", "threads", "xgrad", *PEERS, "floor", "largest spread"], sorted(rows, key=lambda r: r[1]))


def op_lines(results):
    ops = results.ops()
    if not ops:
        return ""
    most = ", ".join(f"{name} {ratio:.2f}" for name, ratio in list(ops.items())[:10])
    slower = sum(ratio > 1 for ratio in ops.values())
    return (
        f"The {len(ops)} single ops (`op_`), ratio to libtorch: median {statistics.median(ops.values()):.2f}, "
        f"{slower} above 1. The largest: {most}.\n"
    )


def report(results):
    parts = [
        f"Measured on: {results.cpu}, {results.simd}.\n",
        markdown(["what", "target", "measured", "met"], targets(results)),
        times(results),
        op_lines(results),
    ]
    return "\n".join(part for part in parts if part)


def write_readme(text):
    before, rest = README.read_text().split(BEGIN)
    _, after = rest.split(END)
    README.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="build/bench.json")
    parser.add_argument("--readme", action="store_true", help="put the tables into bench/README.md too")
    options = parser.parse_args()
    objects = json.loads(options.results.read_text())
    if not objects:
        sys.exit(f"{options.results} holds no results: run make bench")
    text = report(Results(objects))
    print(text)
    if options.readme:
        write_readme(text)


if __name__ == "__main__":
    main()
