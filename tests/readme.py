"""The C++ of README.md compiles as it is pasted, and runs.

    readme.py README COMPILER INCLUDES LIBRARY

makes a program of each ```cpp block by itself, with no include or flag that the block does not show, links it with
LIBRARY and runs it: it must return 0. A block without a main gets one around what follows its last declaration, the
last line that begins with a closing brace; DATA is what the README leaves to the reader there.
"""
import os
import re
import subprocess
import sys
import tempfile

DATA = "  const Tensor x = randn({200, 784}), y = randint(0, 10, {200}), x_test = x, y_test = y;"


def program(block):
    if "int main()" in block:
        return block
    lines = block.splitlines()
    end = max((i for i, line in enumerate(lines) if line.startswith("}")), default=-1) + 1
    statements = [DATA, *lines[end:]] if lines[end:] else []
    return "\n".join([*lines[:end], "int main() {", *statements, "}", ""])


def main(readme, compiler, includes, library):
    with open(readme) as file:
        blocks = re.findall(r"^```cpp\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        source, binary = os.path.join(folder, "readme.cpp"), os.path.join(folder, "readme")
        for block in blocks:
            with open(source, "w") as file:
                file.write(program(block))
            build = [compiler, "-std=c++20", "-I" + includes, source, "-o", binary, library,
                     "-Wl,-rpath," + os.path.dirname(library)]
            for command, purpose in (build, "compile"), ([binary], "run"):
                if subprocess.run(command).returncode != 0:
                    print(f"this block of {readme} does not {purpose}:\n{block}")
                    failures += 1
                    break
    print(f"{len(blocks)} blocks, {failures} wrong")
    return failures > 0 or not blocks


sys.exit(main(*sys.argv[1:]))
