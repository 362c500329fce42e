"""PyTorch from Python: eager, with the fused Adam, and compiled; each workload is served in its fastest mode."""

import sys

import torch
from torch import nn
from torch.nn import functional as F

from protocol import Workload, fastest, serve

LEARNING_RATE = 1e-6  # see libtorch.cpp
BATCHES = 8


def training(make_model, batches, loss):
    """A step is: zero gradients, forward, loss, backward, Adam."""

    def build(note, fused, compiled):
        torch.manual_seed(1)
        model = make_model()
        adam = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=fused)

        def objective(x, y):
            return loss(model(x), y)

        if compiled:
            objective = torch.compile(objective)

        def step(i):
            x, y = batches[i % len(batches)]
            adam.zero_grad()
            objective(x, y).backward()
            adam.step()

        return Workload(step, note=note)

    return fastest([build("eager", None, False), build("fused", True, False), build("compile", True, True)])


def xor():
    rows = [(a, b, a ^ b) for a in (0, 1) for b in (0, 1)]
    batches = [(torch.tensor([[float(a), float(b)]]), torch.tensor([[float(y)]])) for a, b, y in rows]
    return training(
        lambda: nn.Sequential(nn.Linear(2, 10), nn.ReLU(), nn.Linear(10, 1), nn.Sigmoid()),
        batches,
        F.binary_cross_entropy,
    )


def binary_classifier():
    batches = [(torch.rand(32, 8), torch.randint(2, (32, 1)).float()) for _ in range(BATCHES)]
    return training(
        lambda: nn.Sequential(
            nn.Linear(8, 10), nn.ReLU(), nn.Linear(10, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()
        ),
        batches,
        F.binary_cross_entropy,
    )


def mlp_model():
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def mlp(batch):
    batches = [(torch.rand(batch, 784), torch.randint(10, (batch,))) for _ in range(BATCHES)]
    return training(mlp_model, batches, F.cross_entropy)


def inference():
    x = torch.rand(1, 784)

    def build(note, wrap):
        model = wrap(mlp_model().eval())

        def step(i):
            with torch.inference_mode():
                return model(x)

        return Workload(step, note=note)

    return fastest([build("eager", lambda model: model), build("compile", torch.compile)])


def gelu(size):
    def written_out(x):
        return 0.5 * x * (1 + torch.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))

    def total(x):
        return written_out(x).sum()

    x = torch.randn(size, requires_grad=True)

    def build(note, f):
        def step(i):
            x.grad = None
            f(x).backward()

        return Workload(step, note=note)

    return fastest([build("eager", total), build("compile", torch.compile(total))])


def adam():
    parameters = [nn.Parameter(torch.full((1000, 1000), 0.5)) for _ in range(10)]
    for parameter in parameters:
        parameter.grad = torch.full((1000, 1000), 0.01)
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    return Workload(lambda i: optimizer.step(), note="fused")


if __name__ == "__main__":
    torch.set_num_threads(int(sys.argv[1]))
    serve(
        {
            "xor": xor,
            "8-10-8-1": binary_classifier,
            "mlp_b32": lambda: mlp(32),
            "mlp_b128": lambda: mlp(128),
            "mlp_b512": lambda: mlp(512),
            "inference": inference,
            "adam": adam,
            "gelu": lambda: gelu(1_000_000),
            "gelu_10m": lambda: gelu(10_000_000),
        }
    )
