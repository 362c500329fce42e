"""Reads ours.safetensors in the folder given, compares it with what the C++ test saved, and writes the same tensors
to theirs.safetensors."""

import sys

import numpy
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

folder = sys.argv[1]
expected = {
    "flags": torch.tensor([True, False, True]),
    "hidden.weight": torch.tensor([[1.5, -2.0], [0.25, 1e-30]]),
    "wide": torch.tensor([[1 / 3]], dtype=torch.float64),
    "steps": torch.tensor(7),
    "bytes": torch.tensor([1, 2, 255], dtype=torch.uint8),
    "small": torch.tensor([-5], dtype=torch.int32),
    "empty": torch.zeros(0, 3),
    "scalar": torch.tensor(2.5),
}
ours = safetensors.torch.load_file(folder + "/ours.safetensors")
assert ours.keys() == expected.keys(), ours.keys()
for name, value in expected.items():
    assert ours[name].dtype == value.dtype and torch.equal(ours[name], value), (name, ours[name])
arrays = safetensors.numpy.load_file(folder + "/ours.safetensors")
assert numpy.array_equal(arrays["hidden.weight"], expected["hidden.weight"].numpy())
with safetensors.safe_open(folder + "/ours.safetensors", "pt") as file:
    assert file.metadata() == {"format": "pt"}, file.metadata()
safetensors.torch.save_file(expected, folder + "/theirs.safetensors")
