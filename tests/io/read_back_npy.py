"""Reads ours_*.npy in the folder given, compares them with what the C++ test saved, and writes the same arrays to
theirs_*.npy in each order of axes and bytes and each version of the format."""

import sys

import numpy

folder = sys.argv[1]
expected = {
    "f4": numpy.array([[1.5, -2.0, 0.25], [1e-30, 3.0, 4.0]], "float32"),
    "f8": numpy.array([1 / 3]),
    "i4": numpy.array([[[-5], [6]]], "int32"),
    "i8": numpy.array(7),
    "u1": numpy.array([1, 2, 255], "uint8"),
    "b1": numpy.array([True, False, True]),
    "empty": numpy.zeros((0, 3), "float32"),
}
for name, value in expected.items():
    ours = numpy.load(f"{folder}/ours_{name}.npy")
    assert ours.dtype == value.dtype and ours.shape == value.shape and (ours == value).all(), (name, ours)
    theirs = f"{folder}/theirs_{name}"
    numpy.save(f"{theirs}_c.npy", value)
    numpy.save(f"{theirs}_fortran.npy", numpy.asfortranarray(value) if value.ndim else value)
    numpy.save(f"{theirs}_swapped.npy", value.astype(value.dtype.newbyteorder("S")))
    for version in (2, 3):
        with open(f"{theirs}_v{version}.npy", "wb") as file:
            numpy.lib.format.write_array(file, value, version=(version, 0))
