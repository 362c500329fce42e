"""The peers' side of the driver's protocol (bench/serve.hpp): one line in, one line out."""

import os
import sys
import time


class Workload:
    """`step(i)` runs step i and returns its result; `finish(result)` waits until it is computed."""

    def __init__(self, step, finish=lambda result: None, note=""):
        self.step, self.finish, self.note, self.done = step, finish, note, 0

    def seconds(self, steps):
        step, first = self.step, self.done
        result = None
        start = time.perf_counter()
        for i in range(first, first + steps):
            result = step(i)
        self.finish(result)
        elapsed = time.perf_counter() - start
        self.done = first + steps
        return elapsed / steps


def fastest(candidates):
    """The quickest of several ways to run the same step, by the best of seven short runs of each, in turn."""
    steps, best = {}, {}
    for candidate in candidates:
        candidate.seconds(2)
        steps[candidate] = max(1, min(1000, int(0.05 / candidate.seconds(2))))
        best[candidate] = float("inf")
    for _ in range(7):
        for candidate in candidates:
            best[candidate] = min(best[candidate], candidate.seconds(steps[candidate]))
    return min(candidates, key=best.get)


def serve(workloads):
    """Answers requests until stdin ends; `workloads` maps a name to a function that builds a Workload."""
    # Whatever a library prints must not look like an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    current = None
    for line in sys.stdin:
        command, *arguments = line.split()
        try:
            if command == "list":
                answer = "ok " + " ".join(workloads)
            elif command == "prepare":
                current = None
                current = workloads[arguments[0]]()
                answer = f"ok {current.note}"
            elif command == "run":
                answer = f"ok {current.seconds(int(arguments[0])):.9g}"
            else:
                answer = f"error no {command} here"
        except Exception as error:  # the driver reports it and goes on with the other systems
            answer = "error " + " ".join(f"{type(error).__name__}: {error}".split())[:500]
        print(answer, file=answers, flush=True)
