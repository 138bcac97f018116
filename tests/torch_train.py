"""Repeats trainings of `mlp` with PyTorch's own optimizers and compares the losses.

Usage: torch_train.py DATA MODEL... DATA has the training files. MODEL.bin and MODEL.csv are model and curves of a training
of 784-N-10 sigmoids with one batch of all images in each epoch. Prints one line for each: "MODEL: agrees, ..." or
"MODEL: differs, ...". What PyTorch does not have, and every setting together, is numpy_train.py's.
"""

import csv
import sys

import torch

from numpy_train import initial_weights, inputs, read_data, read_model, read_settings


def make_optimizer(setting, parameters):
    if setting["optimizer"] == "adam":
        return torch.optim.Adam(parameters, lr=setting["learning_rate"])
    momentum = setting["momentum"]
    return torch.optim.SGD(parameters, lr=setting["learning_rate"], momentum=momentum, nesterov=momentum > 0)


def compare(pixels, labels, path):
    """Whether the losses agree, and by how much."""
    setting = read_settings(read_model(path + ".bin")[0])
    n, n_validation = setting["train_size"], setting["validation_size"]
    x, y = torch.tensor(inputs(pixels, setting)[0]), torch.tensor(labels.astype(int))
    initial = initial_weights(setting["shapes"], setting["activation"], setting["seed"])
    W1, b1, W2, b2 = parameters = [torch.tensor(p, requires_grad=True) for p in initial]
    optimizer = make_optimizer(setting, parameters)

    def loss(part):
        logits = torch.sigmoid(x[part] @ W1.T + b1) @ W2.T + b2
        return torch.nn.functional.cross_entropy(logits, y[part], reduction="sum")

    with open(path + ".csv", encoding="utf-8") as file:
        curves = list(csv.DictReader(file))
    worst = 0.0
    for row in curves:
        optimizer.zero_grad()
        total = loss(slice(n))
        total.backward()
        optimizer.step()
        with torch.no_grad():
            measured = loss(slice(-n_validation, None)).item() / n_validation
        worst = max(worst, abs(total.item() / n - float(row["train_loss"])), abs(measured - float(row["validation_loss"])))
    first, last = float(curves[0]["train_loss"]), float(curves[-1]["train_loss"])
    text = "%d steps, loss %.4f to %.4f, largest difference %.1e" % (len(curves), first, last, worst)
    return last < 0.9 * first and worst < 1e-5, text


all_pixels, all_labels = read_data(sys.argv[1])
for model in sys.argv[2:]:
    agrees, differences = compare(all_pixels, all_labels, model)
    print("%s: %s, %s" % (model, "agrees" if agrees else "differs", differences))
