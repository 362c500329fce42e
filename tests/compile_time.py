"""What <xgrad/xgrad.hpp> costs a file that includes it, against the standard library's <iostream>.

    compile_time.py COMPILER INCLUDES SOURCE LIMIT

compiles SOURCE and a file with nothing but `#include <iostream>` in turn, at -O2, without a compiler cache, and fails
if the first takes more than LIMIT times as long as the second. Processor time, not time on the clock, and the median
of several runs, so that it means the same on a busy machine.
"""
import os
import resource
import statistics
import subprocess
import sys
import tempfile

RUNS = 5


def seconds(command):
    """The processor time of the command and of the processes that it starts."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main(compiler, includes, source, limit):
    with tempfile.TemporaryDirectory() as folder:
        iostream = os.path.join(folder, "iostream.cpp")
        with open(iostream, "w") as file:
            file.write("#include <iostream>\n")
        flags = ["-std=c++20", "-O2", "-I" + includes, '-DXGRAD_DATA_DIR=""', "-o", os.path.join(folder, "object.o")]
        times = {iostream: [], source: []}
        for run in range(RUNS + 1):
            for file in times:
                times[file].append(seconds([compiler, *flags, "-c", file]))
    # The first run of each is left out: it reads the headers from the disk.
    peer, ours = (statistics.median(times[file][1:]) for file in (iostream, source))
    ratio = ours / peer
    print(f"{os.path.basename(compiler)}: {os.path.basename(source)} {ours:.2f} s, <iostream> alone {peer:.2f} s: "
          f"{ratio:.2f} times, at most {limit} allowed")
    return ratio > float(limit)


sys.exit(main(*sys.argv[1:]))
