"""Writes print_vectors.json: arrays and the strings that NumPy 2.4 makes of them. Values are hexadecimal floats."""
import json
import os

import numpy as np

rng = np.random.default_rng(0)
cases = []


def add(values, dtype, shape=None):
    a = np.asarray(values, dtype=dtype)
    if shape is not None:
        a = a.reshape(shape)
    flat = [float(v).hex() if a.dtype.kind == "f" else int(v) for v in a.ravel()]
    cases.append({"dtype": str(a.dtype), "shape": list(a.shape), "values": flat, "text": str(a)})


def add_large(scale, dtype, shape):
    """Values that the test computes by itself: (7919 i mod 10007 - 5000) scale."""
    a = ((np.arange(np.prod(shape)) * 7919 % 10007 - 5000) * float(scale)).astype(dtype).reshape(shape)
    cases.append({"dtype": str(a.dtype), "shape": list(a.shape), "scale": float(scale).hex(), "text": str(a)})


for t in ("float32", "float64"):
    add([1, 2.5, -3], t)
    add([[1, 2], [3, 4]], t)
    add([0.1, 0.2, 1 / 3], t)
    add([1e-5, 1, 2], t)
    add([1e-4, 1e-2], t)
    add([9.999e-5, 1], t)
    add([1000, 1], t)
    add([1001, 1], t)
    add([999999, 1000], t)
    add([1e6, 1e5], t)
    add([99999999.0, 1e7], t)
    add([1e8, 1e7], t)
    add([-0.0, 0.0], t)
    add([0.0, 1e-30, 1.5], t)
    add([np.nan, 1, -np.inf, np.inf], t)
    add([np.nan, np.nan], t)
    add([np.inf, -np.inf], t)
    add([np.nan, 1e-10, 3.25e10], t)
    add([-np.inf, 1e10], t)
    add([1.23456789012345, 2.5], t)
    add([0.123456785, 0.123456775, 0.000123456785], t)
    add([1.999999999, 0.999999999], t)
    add([np.pi * 1e5, np.e * 1e5], t)
    add([1e30, 1e-30, 123456], t)
    add([0.1, 1e-5], t)
    add([1 / 3, 1e-6, 0.1], t)
    add(rng.standard_normal((3, 4)), t)
    add(rng.standard_normal((2, 3, 4)) * 100, t)
    add(rng.standard_normal((2, 2, 2, 2)) * 1e-3, t)
    add(rng.standard_normal(40), t)
    add(rng.random((2, 30)), t)
    add_large(1e-3, t, (1001,))
    add_large(0.125, t, (1000,))
    add_large(3e-4, t, (34, 30))
    add_large(1 / 3000, t, (5, 7, 40))
    add_large(231.7, t, (1, 1200))
    add_large(777.1, t, (400, 3))
    add_large(1.3e-3, t, (7, 1, 200))
    add([[5]], t)
    for scalar in (0, -0.0, 1, 0.1, 1 / 3, 1e-4, 9e-5, 1.5e-7, 123456789.123, 1e8, 16777217, 1e15, 1e16, 1.25e22, 1e30,
                   np.nan, np.inf, -np.inf, -2.5, 999999, 1e6, 1.2e-4, 9999999999999998.0):
        add(scalar, t)
    add(np.zeros((0, 3)), t)
    add(np.zeros((2, 0)), t)
for t in ("int32", "int64"):
    add([1, -20, 300], t)
    add(np.arange(24), t, (2, 3, 4))
    add_large(1, t, (1200,))
    add(np.arange(40) * 1000003, t)
    add_large(3, t, (1000, 2))
    add(-7, t)
    add([np.iinfo(t).min, np.iinfo(t).max], t)
    add([], t)
add([0, 255, 3], "uint8")
add(7, "uint8")
add([True, False], "bool")
add([[True, True], [False, True]], "bool")
add(True, "bool")
add_large(0.125, "bool", (1100,))
add([1e-310, 5e-324, 1.7976931348623157e308], "float64")
add([1e100, 1e-100], "float64")
add([1e-100, 1], "float64")

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "print_vectors.json")
with open(path, "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
