"""Repeats trainings of `mlp` with PyTorch's optimizers and compares the losses.

Usage: torch_train.py INITIAL DATA NAME... INITIAL is a model with the initial weights; DATA has the raw training
files. NAME.bin and NAME.csv are model and curves of a training with one batch of all images in each epoch, so that
their order does not matter. Prints one line for each: "NAME: agrees, ..." or "NAME: differs, ...". Weight decay,
schedule and average are written out here.
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


def compare(initial, data, name):
    """Whether the losses agree, and by how much."""
    meta, _ = load(name + ".bin")
    _, weights = load(initial)
    curves = list(csv.DictReader(open(name + ".csv")))
    pixels = open(data + "/train-images-idx3-ubyte", "rb").read()[16:]
    labels = open(data + "/train-labels-idx1-ubyte", "rb").read()[8:]
    x = torch.tensor(list(pixels), dtype=torch.float32).reshape(-1, 784) / 255 / float(meta["pixel_std"])
    y = torch.tensor(list(labels))
    n_train, n_validation = int(meta["train_size"]), int(meta["validation_size"])
    train, validation = slice(0, n_train), slice(len(y) - n_validation, len(y))

    for p in weights.values():
        p.requires_grad_(True)
    optimizer = make_optimizer(meta, list(weights.values()))
    average = {tensor: p.detach().clone() for tensor, p in weights.items()}
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
            for tensor, p in weights.items():
                if not tensor.endswith("bias"):
                    p.mul_(1 - decay * rate * (1 if is_adam else n_train))
        optimizer.step()
        with torch.no_grad():
            d = min(ema, (2 + step) / (11 + step))
            for tensor, p in weights.items():
                average[tensor].mul_(d).add_(p, alpha=1 - d)
            measured = loss(average if ema > 0 else weights, validation, "mean").item()
        for column, found in (("train_loss", total.item() / n_train), ("validation_loss", measured)):
            worst = max(worst, abs(found / float(row[column]) - 1))
        if not abs(rate - float(row["learning_rate"])) <= 1e-12 * rate + 1e-18:
            return False, "learning rate %s, expected %s" % (row["learning_rate"], rate)

    first, last = float(curves[0]["train_loss"]), float(curves[-1]["train_loss"])
    text = "%d steps, loss %.4f to %.4f, largest relative difference %.1e" % (len(curves), first, last, worst)
    return last < 0.9 * first and worst < 1e-4, text


for name in sys.argv[3:]:
    agrees, text = compare(sys.argv[1], sys.argv[2], name)
    print("%s: %s, %s" % (name, "agrees" if agrees else "differs", text))
