"""Writes traces.inc: PyTorch's parameters after some of 100 steps of each optimizer, and its learning rates.

    python tests/optim/make_traces.py > tests/optim/traces.inc

The gradients are those that tests/optim/optimizers.cpp computes: pull · (p - target) + noise, where the noise is
a multiple of 1/1024 from a linear congruential generator. The bias has no gradient in every step t with
t % 7 == 3.
"""

import torch

SHAPES = [(2, 3), (3,)]
STEPS = [1, 2, 10, 50, 100]


def train(make, dtype, clip=lambda parameters: None):
    seed = 1
    parameters = [torch.zeros(s, dtype=dtype, requires_grad=True) for s in SHAPES]
    with torch.no_grad():
        parameters[0] += torch.arange(6, dtype=dtype).reshape(2, 3) / 4 - 0.5
        parameters[1] += torch.tensor([1.0, -2.0, 0.125], dtype=dtype)
    optimizer = make(parameters)
    rows = []
    for t in range(1, 101):
        for k, p in enumerate(parameters):
            noise = []
            for _ in range(p.numel()):
                seed = (seed * 1103515245 + 12345) % 2**31
                noise.append(((seed >> 8) % 2048 - 1024) / 1024)
            noise = torch.tensor(noise, dtype=dtype).reshape(p.shape)
            p.grad = None if k == 1 and t % 7 == 3 else (0.75 * (p.detach() - 0.25) + noise)
        clip(parameters)
        optimizer.step()
        if t in STEPS:
            rows.append([x for p in parameters for x in p.detach().flatten().tolist()])
    return rows


O = torch.optim
CASES = {
    "sgd": lambda p: O.SGD(p, lr=0.1),
    "sgd_weight_decay": lambda p: O.SGD(p, lr=0.1, weight_decay=0.05),
    "sgd_momentum": lambda p: O.SGD(p, lr=0.02, momentum=0.9),
    "sgd_dampening": lambda p: O.SGD(p, lr=0.05, momentum=0.8, dampening=0.3, weight_decay=0.01),
    "sgd_nesterov": lambda p: O.SGD(p, lr=0.02, momentum=0.9, nesterov=True),
    "adam": lambda p: O.Adam(p),
    "adam_betas": lambda p: O.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3),
    "adam_weight_decay": lambda p: O.Adam(p, lr=0.02, weight_decay=0.1),
    "adam_amsgrad": lambda p: O.Adam(p, lr=0.02, betas=(0.9, 0.9), amsgrad=True),
    "adamw": lambda p: O.AdamW(p),
    "adamw_weight_decay": lambda p: O.AdamW(p, lr=0.02, weight_decay=0.3),
    "adamw_amsgrad": lambda p: O.AdamW(p, lr=0.02, betas=(0.9, 0.9), amsgrad=True),
    "rmsprop": lambda p: O.RMSprop(p),
    "rmsprop_momentum": lambda p: O.RMSprop(p, lr=0.002, alpha=0.9, momentum=0.8),
    "rmsprop_centered": lambda p: O.RMSprop(p, lr=0.005, centered=True, weight_decay=0.1),
    "rmsprop_centered_momentum": lambda p: O.RMSprop(p, lr=0.002, centered=True, momentum=0.7),
}
CLIPPED = {
    "sgd_clip_norm": (CASES["sgd"], lambda p: torch.nn.utils.clip_grad_norm_(p, 0.75)),
    "sgd_clip_value": (CASES["sgd"], lambda p: torch.nn.utils.clip_grad_value_(p, 0.25)),
}


def rates(make, steps=30):
    optimizer = O.SGD([torch.zeros(1)], lr=0.5)
    schedule = make(optimizer)
    out = [optimizer.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimizer.step()
        schedule.step()
        out.append(optimizer.param_groups[0]["lr"])
    return out


def plateau(values, **options):
    optimizer = O.SGD([torch.zeros(1)], lr=0.5)
    schedule = O.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    out = []
    for v in values:
        schedule.step(v)
        out.append(optimizer.param_groups[0]["lr"])
    return out


L = O.lr_scheduler
LOSSES = [4, 3, 2.5, 2.5, 2.4999, 2.6, 2.6, 2, 2, 2, 2, 2, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9, 1.9]
SCHEDULES = {
    "constant": rates(lambda o: L.ConstantLR(o, factor=0.25, total_iters=5)),
    "step_decay": rates(lambda o: L.StepLR(o, step_size=7, gamma=0.3)),
    "exponential": rates(lambda o: L.ExponentialLR(o, gamma=0.9)),
    "linear_up": rates(lambda o: L.LinearLR(o, start_factor=0.1, end_factor=1, total_iters=12)),
    "linear_down": rates(lambda o: L.LinearLR(o, start_factor=1, end_factor=0.0, total_iters=20)),
    "cosine": rates(lambda o: L.CosineAnnealingLR(o, T_max=29, eta_min=0.05)),
    "warmup_cosine": rates(
        lambda o: L.SequentialLR(
            o, [L.LinearLR(o, start_factor=0.2, total_iters=5), L.CosineAnnealingLR(o, T_max=25)], milestones=[5]
        )
    ),
    "product": rates(lambda o: L.ChainedScheduler([L.ConstantLR(o, 0.1, 5), L.ExponentialLR(o, 0.9)])),
    "plateau": plateau(LOSSES, patience=2, factor=0.5),
    "plateau_cooldown": plateau(LOSSES, patience=1, factor=0.1, cooldown=3, min_lr=0.001),
    "plateau_absolute_higher": plateau(
        [-v for v in LOSSES], mode="max", patience=1, factor=0.5, threshold=0.05, threshold_mode="abs"
    ),
}


def braces(values, digits):
    return "{" + ", ".join(f"{v:.{digits}g}" for v in values) + "}"


def emit_trace(name, make, clip):
    print(f'    {{"{name}",')
    for dtype, digits in ((torch.float64, 17), (torch.float32, 9)):
        print("     {" + ",\n      ".join(braces(row, digits) for row in train(make, dtype, clip)) + "},")
    print("    },")


print("// Made by make_traces.py with PyTorch", torch.__version__.split("+")[0])
print("// clang-format off")
print("const std::vector<Trace> traces = {")
for name, make in CASES.items():
    emit_trace(name, make, lambda p: None)
for name, (make, clip) in CLIPPED.items():
    emit_trace(name, make, clip)
print("};")
print("const std::vector<Rates> rates = {")
for name, values in SCHEDULES.items():
    print(f'    {{"{name}", {braces(values, 17)}}},')
print("};")
print("const std::vector<double> losses =", braces(LOSSES, 17) + ";")
print("// clang-format on")
