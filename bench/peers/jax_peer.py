"""JAX with the whole step jitted and its state donated."""

import os
import sys

# XLA sizes its thread pool by the processors that the process may use, so this comes before the import. With one
# processor it is quicker when it does not hand work from thread to thread.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
if sys.argv[1] == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import jax
import jax.numpy as jnp
import numpy as np

from protocol import Workload, serve

LEARNING_RATE = 1e-6  # see libtorch.cpp
BATCHES = 8


def adam_update(parameters, gradients, state):
    first, second, count = state
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)
    first_scale, second_scale = 1 - 0.9**count, 1 - 0.999**count

    def update(p, m, v):
        return p - LEARNING_RATE * (m / first_scale) / (jnp.sqrt(v / second_scale) + 1e-8)

    return jax.tree.map(update, parameters, first, second), (first, second, count)


def adam_state(parameters):
    return jax.tree.map(jnp.zeros_like, parameters), jax.tree.map(jnp.zeros_like, parameters), jnp.float32(0)


def dense_layers(*sizes):
    random = np.random.default_rng(1)

    def layer(rows, columns):
        bound = rows**-0.5
        weight = random.uniform(-bound, bound, (rows, columns)).astype(np.float32)
        return jnp.array(weight), jnp.zeros(columns)

    return [layer(rows, columns) for rows, columns in zip(sizes, sizes[1:])]


def network(layers, x):
    for weight, bias in layers[:-1]:
        x = jax.nn.relu(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


def bce(logits, target):
    prediction = jax.nn.sigmoid(logits)
    return -jnp.mean(target * jnp.log(prediction + 1e-7) + (1 - target) * jnp.log(1 - prediction + 1e-7))


def cross_entropy(logits, labels):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], axis=1))


def training(layers, batches, loss):
    def step(layers, state, x, y):
        value, gradients = jax.value_and_grad(lambda layers: loss(network(layers, x), y))(layers)
        layers, state = adam_update(layers, gradients, state)
        return layers, state, value

    compiled = jax.jit(step, donate_argnums=(0, 1))
    held = [layers, adam_state(layers)]

    def run(i):
        held[0], held[1], value = compiled(held[0], held[1], *batches[i % len(batches)])
        return held, value

    return Workload(run, finish=jax.block_until_ready)


def xor():
    rows = [(a, b, a ^ b) for a in (0, 1) for b in (0, 1)]
    batches = [(jnp.array([[a, b]], jnp.float32), jnp.array([[y]], jnp.float32)) for a, b, y in rows]
    return training(dense_layers(2, 10, 1), batches, bce)


def binary_classifier():
    random = np.random.default_rng(2)
    batches = [
        (jnp.array(random.random((32, 8), np.float32)), jnp.array(random.integers(2, size=(32, 1)), jnp.float32))
        for _ in range(BATCHES)
    ]
    return training(dense_layers(8, 10, 8, 1), batches, bce)


def mlp(batch):
    random = np.random.default_rng(2)
    batches = [
        (jnp.array(random.random((batch, 784), np.float32)), jnp.array(random.integers(10, size=batch), jnp.int32))
        for _ in range(BATCHES)
    ]
    return training(dense_layers(784, 512, 512, 10), batches, cross_entropy)


def inference():
    layers, x = dense_layers(784, 512, 512, 10), jnp.ones((1, 784))
    compiled = jax.jit(network)
    return Workload(lambda i: compiled(layers, x), finish=jax.block_until_ready)


def adam():
    parameters = [jnp.full((1000, 1000), 0.5) for _ in range(10)]
    gradients = [jnp.full((1000, 1000), 0.01) for _ in range(10)]
    compiled = jax.jit(adam_update, donate_argnums=(0, 2))
    held = [parameters, adam_state(parameters)]

    def run(i):
        held[0], held[1] = compiled(held[0], gradients, held[1])
        return held

    return Workload(run, finish=jax.block_until_ready)


def gelu(size):
    def written_out(x):
        return 0.5 * x * (1 + jnp.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))

    x = jnp.array(np.random.default_rng(2).standard_normal(size, np.float32))
    compiled = jax.jit(jax.grad(lambda x: written_out(x).sum()))
    return Workload(lambda i: compiled(x), finish=jax.block_until_ready)


if __name__ == "__main__":
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
