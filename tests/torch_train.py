"""Repeats a training of `mlp` with PyTorch's optimizers and compares the losses.

Usage: torch_train.py INITIAL MODEL CURVES DATA. INITIAL is a model with the initial weights, MODEL and
CURVES are those of a training with one batch of all images in each epoch, so that their order does not
matter; DATA has the raw training files. Weight decay, schedule and average are written out here.
"""

import csv
import json
import math
import sys

import torch


def load(path):
    raw = open(path, "rb").read()
    n = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + n])
    meta = header.pop("__metadata__")
    tensors = {}
    for name, t in header.items():
        first, end = (8 + n + offset for offset in t["data_offsets"])
        tensors[name] = torch.frombuffer(bytearray(raw[first:end]), dtype=torch.float32).reshape(t["shape"])
    return meta, tensors


def rate_factor(meta, t):
    """The learning rate at t in (0, 1) of the training."""
    schedule = meta.get("schedule", "constant")
    warmup = float(meta.get("warmup", 0)) or (0.25 if schedule == "one-cycle" else 0)
    if t < warmup:
        return t / warmup
    z = (t - warmup) / (1 - warmup)
    return {"constant": 1, "cosine": (1 + math.cos(math.pi * z)) / 2, "one-cycle": 1 - z}[schedule]


def make_optimizer(meta, parameters):
    rate, momentum = float(meta["learning_rate"]), float(meta.get("momentum", 0))
    if meta.get("optimizer", "sgd") == "adam":
        return torch.optim.Adam(parameters, lr=rate)
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum, nesterov=momentum > 0)


meta, _ = load(sys.argv[2])
_, weights = load(sys.argv[1])
curves = list(csv.DictReader(open(sys.argv[3])))
pixels = open(sys.argv[4] + "/train-images-idx3-ubyte", "rb").read()[16:]
labels = open(sys.argv[4] + "/train-labels-idx1-ubyte", "rb").read()[8:]
x = torch.tensor(list(pixels), dtype=torch.float32).reshape(-1, 784) / 255 / float(meta["pixel_std"])
y = torch.tensor(list(labels))
n_train, n_validation = int(meta["train_size"]), int(meta["validation_size"])
train, validation = slice(0, n_train), slice(len(y) - n_validation, len(y))

for p in weights.values():
    p.requires_grad_(True)
optimizer = make_optimizer(meta, list(weights.values()))
average = {name: p.detach().clone() for name, p in weights.items()}
decay, ema = float(meta.get("weight_decay", 0)), float(meta.get("ema", 0))
is_adam = meta.get("optimizer", "sgd") == "adam"


def loss(w, part, reduction):
    f1 = torch.sigmoid(x[part] @ w["fc1.weight"].T + w["fc1.bias"])
    logits = f1 @ w["fc2.weight"].T + w["fc2.bias"]
    return torch.nn.functional.cross_entropy(logits, y[part], reduction=reduction)


worst = 0.0
for step, row in enumerate(curves):
    rate = float(meta["learning_rate"]) * rate_factor(meta, (step + 0.5) / len(curves))
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad()
    total = loss(weights, train, "sum")
    total.backward()
    with torch.no_grad():
        for name, p in weights.items():
            if not name.endswith("bias"):
                p.mul_(1 - decay * rate * (1 if is_adam else n_train))
    optimizer.step()
    with torch.no_grad():
        d = min(ema, (2 + step) / (11 + step))
        for name, p in weights.items():
            average[name].mul_(d).add_(p, alpha=1 - d)
        measured = loss(average if ema > 0 else weights, validation, "mean").item()
    for name, found in (("train_loss", total.item() / n_train), ("validation_loss", measured)):
        worst = max(worst, abs(found / float(row[name]) - 1))
    assert abs(rate - float(row["learning_rate"])) <= 1e-12 * rate + 1e-18, (rate, row["learning_rate"])

first, last = float(curves[0]["train_loss"]), float(curves[-1]["train_loss"])
print("%d steps, loss %.4f to %.4f, largest relative difference %.1e" % (len(curves), first, last, worst))
assert last < 0.9 * first and worst < 1e-4
