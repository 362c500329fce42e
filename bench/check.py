#!/usr/bin/env python3
"""check.py COUNT: compares the instructions of a step of the small workloads with those in instructions.json.

COUNT is the program build/bench/count. It runs under callgrind at CPU level v3, whatever the CPU has above it, on
one thread; only its steps are counted, after a hundred that warm it up. Figures are kept per compiler, and a
difference of more than 3% either way fails: what is meant is recorded with --record (`make bench-record` does it
for every compiler here). Without figures, or without valgrind, nothing is compared: the exit code is then 77.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WORKLOADS = ["chain", "xor", "8-10-8-1"]
TOLERANCE = 0.03
FIGURES = Path(__file__).with_name("instructions.json")
SKIPPED = 77
# The environment of a count: no variable of the user's may change what is loaded or which kernel runs.
ENVIRONMENT = {"PATH": os.defpath, "XGRAD_CPU": "v3", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Skip(Exception):
    """Why there is nothing to compare."""


def count(program, workload):
    """The build that was counted, and the instructions of one step."""
    if not (valgrind := shutil.which("valgrind")):
        raise Skip("there is no valgrind: ./setup.sh installs it")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            valgrind,
            "--tool=callgrind",
            "--collect-atstart=no",
            "--toggle-collect=counted_steps",
            f"--callgrind-out-file={folder}/out",
            str(program),
            workload,
        ]
        run = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"bench-check: {workload} failed under callgrind:\n{run.stdout}{run.stderr}")
        build, level, steps = run.stdout.split()
        if level != "v3":
            raise Skip(f"the figures are those of CPU level v3, and this CPU has {level}")
        total = re.search(r"^(?:totals|summary): (\d+)", Path(folder, "out").read_text(), re.MULTILINE)
        return build, int(total[1]) / int(steps)


def count_all(program):
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        results = list(pool.map(lambda workload: count(program, workload), WORKLOADS))
    build = results[0][0]
    return build, {workload: round(instructions) for workload, (_, instructions) in zip(WORKLOADS, results)}


def read_figures():
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}


def record(build, counted):
    figures = read_figures()
    figures[build] = counted
    FIGURES.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")


def compare(build, counted):
    """The lines of the report, and whether all is well."""
    expected = read_figures().get(build)
    if expected is None:
        raise Skip(f"bench/instructions.json has no figures for {build}: `make bench-record` adds them")
    lines, well = [f"instructions of a step, {build}, CPU level v3:"], True
    for workload in WORKLOADS:
        change = counted[workload] / expected[workload] - 1
        lines.append(f"  {workload:10}{counted[workload]:9d}, recorded {expected[workload]:9d}: {change:+.2%}")
        if abs(change) > TOLERANCE:
            well = False
            lines[-1] += f"  MORE THAN {TOLERANCE:.0%}"
    if not well:
        lines.append("If that is meant, record the new figures: make bench-record")
    return lines, well


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="build/bench/count")
    parser.add_argument("--record", action="store_true", help="write the figures instead of comparing with them")
    parser.add_argument("--report", type=Path, help="write what is printed to this file too")
    options = parser.parse_args()
    try:
        build, counted = count_all(options.program)
        if options.record:
            record(build, counted)
            lines, code = [f"{build}: {counted}"], 0
        else:
            lines, well = compare(build, counted)
            code = 0 if well else 1
    except Skip as reason:
        lines, code = [f"NOT COMPARED: {reason}"], SKIPPED
    text = "".join(f"bench-check: {line}\n" for line in lines)
    if options.report:
        options.report.write_text(text)
    print(text, end="")
    return code


if __name__ == "__main__":
    sys.exit(main())
