"""An independent reference of whole trainings: repeats those of `mlp` in NumPy, float64, and compares.

Usage: numpy_train.py DATA MODEL... DATA has the training files, raw or .gz. Each MODEL.bin and MODEL.csv are the model
and the curves of a training. The model's settings and the data are all that is taken from them: the initial weights, the
order of the images and every step are computed here, as src/README.md defines them. Images have sides of 28 pixels, and
augmentation is not known here. Prints one line for each: "MODEL: agrees, ..." or "MODEL: differs, ...".
"""

import csv
import gzip
import json
import os
import sys
from statistics import NormalDist

import numpy as np

LOSS, WEIGHT = 1e-5, 1e-4  # the largest differences that agree; an optimizer's state is relative to the largest of a tensor
COLUMNS = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate")
KERNEL = 5  # of convolutions

# --- Random numbers, initial weights, the order of an epoch

GOLDEN = 0x9E3779B97F4A7C15


def mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def random_bits(seed, purpose, counters):
    """64 bits for each counter. Arrays of uint64 wrap around, which is meant."""
    golden = np.array([GOLDEN], np.uint64)
    stream = mix(mix(np.array([seed], np.uint64) + golden) + golden * np.uint64(purpose + 1))
    return mix(stream + golden * (counters.astype(np.uint64) + np.uint64(1)))


def permutation(n, seed, purpose):
    order = list(range(n))
    bits = (random_bits(seed, purpose, np.arange(n + 1)) >> np.uint64(32)).tolist()
    for i in range(n, 1, -1):
        j = bits[i] * i >> 32
        order[i - 1], order[j] = order[j], order[i - 1]
    return np.array(order)


def normal(shape, seed, purpose):
    bits = random_bits(seed, purpose, np.arange(np.prod(shape)))
    quantile = NormalDist().inv_cdf
    return np.reshape([quantile(p) for p in ((bits >> np.uint64(12)) + 0.5) / 2**52], shape)


def initial_weights(shapes, activation, seed):
    first, other, last = {"sigmoid": (0.3, 5, 5), "tanh": (1, 1, 0.5), "relu": (2**0.5, 2**0.5, 0.5)}[activation]
    mean = 0.5 if activation == "sigmoid" else 0
    parameters = []
    for layer, shape in enumerate(shapes):
        gain = last if layer == len(shapes) - 1 else other if layer else first
        W = gain / np.prod(shape[1:]) ** 0.5 * normal(shape, seed, 2 * layer)
        inputs = tuple(range(1, len(shape)))
        parameters += [W, -mean * W.sum(axis=inputs) if layer else np.zeros(shape[0])]
    return parameters


# --- The network: its parameters are W, b, W, b, ...; a W with four dimensions is a convolution with pooling behind it

ACTIVATION = {
    "sigmoid": (lambda a: 1 / (1 + np.exp(-a)), lambda f: f * (1 - f)),
    "tanh": (np.tanh, lambda f: 1 - f**2),
    "relu": (lambda a: np.maximum(a, 0), lambda f: (f > 0).astype(float)),
}


def blocks(a):
    """The four values of each block of 2 x 2, row by row, as the last dimension."""
    n, channels, rows, cols = a.shape
    split = a.reshape(n, channels, rows // 2, 2, cols // 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return split.reshape(n, channels, rows // 2, cols // 2, 4)


def unblocks(values):
    n, channels, rows, cols, _ = values.shape
    split = values.reshape(n, channels, rows, cols, 2, 2).transpose(0, 1, 2, 4, 3, 5)
    return split.reshape(n, channels, 2 * rows, 2 * cols)


def patches(x):
    return np.lib.stride_tricks.sliding_window_view(x, (KERNEL, KERNEL), axis=(2, 3))


def forward(parameters, x, activation):
    """The logits, and what the layers had as inputs, largest values of blocks (None behind dense layers) and outputs."""
    g, saved = ACTIVATION[activation][0], []
    for W, b in zip(parameters[:-2:2], parameters[1:-2:2]):
        if W.ndim == 4:
            a = np.tensordot(patches(x), W, ((1, 4, 5), (1, 2, 3))).transpose(0, 3, 1, 2) + b[:, None, None]
            largest = blocks(a).argmax(axis=-1)[..., None]
            f = g(np.take_along_axis(blocks(a), largest, -1)[..., 0])
        else:
            x, largest = x.reshape(len(x), -1), None
            f = g(x @ W.T + b)
        saved.append((x, largest, f))
        x = f
    return x @ parameters[-2].T + parameters[-1], saved


def losses(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def gradients(parameters, logits, saved, labels, activation):
    """Of the summed loss, for each of the parameters."""
    derivative = ACTIVATION[activation][1]
    yhat = np.exp(logits - logits.max(axis=1, keepdims=True))
    delta = yhat / yhat.sum(axis=1, keepdims=True) - np.eye(logits.shape[1])[labels]
    result = [delta.T @ saved[-1][2], delta.sum(axis=0)]
    df = delta @ parameters[-2]
    for layer in range(len(saved) - 1, -1, -1):
        W, (x, largest, f) = parameters[2 * layer], saved[layer]
        delta = df.reshape(f.shape) * derivative(f)
        if largest is None:
            result = [delta.T @ x, delta.sum(axis=0)] + result
            df = delta @ W if layer else None
            continue
        spread = np.zeros(delta.shape + (4,))
        np.put_along_axis(spread, largest, delta[..., None], -1)
        delta = unblocks(spread)
        dW = np.tensordot(delta, patches(x), ((0, 2, 3), (0, 2, 3)))
        result = [dW, delta.sum(axis=(0, 2, 3))] + result
        if layer:
            df, (rows, cols) = np.zeros(x.shape), delta.shape[2:]
            for u in range(KERNEL):
                for v in range(KERNEL):
                    df[:, :, u : u + rows, v : v + cols] += np.tensordot(delta, W[:, :, u, v], (1, 0)).transpose(0, 3, 1, 2)
    return result


# --- A step, and the training


class Optimizer:
    """The update of src/README.md. t counts steps from 1."""

    def __init__(self, setting, parameters):
        self.setting = setting
        self.slots = {key: [np.zeros(p.shape) for p in parameters] for key in ("momentum", "mean", "square")}
        self.average = [p.copy() for p in parameters]

    def rate(self, t, steps):
        s, x = self.setting, (t - 0.5) / steps
        warmup = s["warmup"] or (0.25 if s["schedule"] == "one-cycle" else 0)
        if x < warmup:
            return s["learning_rate"] * x / warmup
        z = (x - warmup) / (1 - warmup)
        curve = {"constant": 1, "cosine": (1 + np.cos(np.pi * z)) / 2, "one-cycle": 1 - z}
        return s["learning_rate"] * curve[s["schedule"]]

    def step(self, parameters, grads, t, lr, size):
        s, is_adam = self.setting, self.setting["optimizer"] == "adam"
        for i, (p, g) in enumerate(zip(parameters, grads)):
            if i % 2 == 0:  # a weight, not a bias
                p -= (lr if is_adam else lr * size) * s["weight_decay"] * p
            if is_adam:
                m = self.slots["mean"][i] = 0.9 * self.slots["mean"][i] + 0.1 * g
                v = self.slots["square"][i] = 0.999 * self.slots["square"][i] + 0.001 * g**2
                p -= lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            else:
                v = self.slots["momentum"][i] = s["momentum"] * self.slots["momentum"][i] + g
                p -= lr * (g + s["momentum"] * v)
            d = min(s["ema"], (1 + t) / (10 + t))
            self.average[i] = d * self.average[i] + (1 - d) * p


def evaluate(parameters, x, y, activation):
    logits = np.concatenate([forward(parameters, x[i : i + 500], activation)[0] for i in range(0, len(x), 500)])
    return losses(logits, y).mean(), (logits.argmax(axis=1) == y).sum()


def train(setting, x, y, x_validation, y_validation):
    """Trained parameters, their optimizer, and a row of the curves for each epoch."""
    kind, seed, n = setting["activation"], setting["seed"], len(y)
    parameters = initial_weights(setting["shapes"], kind, seed)
    optimizer, curves, t = Optimizer(setting, parameters), [], 0
    batch = min(setting["batch_size"], n)
    steps = setting["planned_epochs"] * -(-n // batch)
    for epoch in range(1, setting["epochs"] + 1):
        order, loss, correct = permutation(n, seed, 2**16 + epoch), 0.0, 0
        for first in range(0, n, batch):
            now = order[first : first + batch]
            logits, saved = forward(parameters, x[now], kind)
            loss, correct = loss + losses(logits, y[now]).sum(), correct + (logits.argmax(axis=1) == y[now]).sum()
            t += 1
            lr = optimizer.rate(t, steps)
            optimizer.step(parameters, gradients(parameters, logits, saved, y[now], kind), t, lr, len(now))
        kept = optimizer.average if setting["ema"] > 0 else parameters
        measured, right = evaluate(kept, x_validation, y_validation, kind)
        curves.append((loss / n, correct / n, measured, right / len(y_validation), lr))
    return parameters, optimizer, curves


# --- What the program wrote


def read_model(path):
    raw = open(path, "rb").read()
    n = int.from_bytes(raw[:8], "little")
    header, data = json.loads(raw[8 : 8 + n]), raw[8 + n :]
    meta = header.pop("__metadata__")
    return meta, {
        name: np.frombuffer(data[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]) for name, t in header.items()
    }


def read_idx(path):
    with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as file:
        data = np.frombuffer(file.read(), np.uint8)
    dims = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return data[4 + 4 * len(dims) :].reshape(dims)


def read_data(directory):
    """Pixels (n, 784) and labels (n) of the training files."""
    images, labels = (read_idx("%s/train-%s-ubyte" % (directory, name)) for name in ("images-idx3", "labels-idx1"))
    return images.reshape(-1, 784), labels


def inputs(pixels, setting):
    """x, and s by which it is divided."""
    deviation = (pixels[: setting["train_size"]] / 255).std()
    has_convolutions = len(setting["shapes"][0]) == 4
    return (pixels / 255 / deviation).reshape((len(pixels), 1, 28, 28) if has_convolutions else (len(pixels), 784)), deviation


def read_settings(meta):
    """The settings that the metadata have, defaults for others; shapes and names of the parameters."""
    architecture = meta["architecture"]
    numbers = lambda text: [int(n) for n in text.split("-")]
    channels = {"mlp": [], "cnn": [16, 32], "lenet5": [6, 16]}[architecture]
    channels = numbers(meta["channels"]) if "channels" in meta else channels
    convolutions = [(o, i, KERNEL, KERNEL) for i, o in zip([1] + channels, channels)]
    units = channels[-1] * 4 * 4 if channels else 784
    sizes = [units] + numbers(meta["hidden"]) + [int(meta["classes"])]
    dense = [(o, i) for i, o in zip(sizes, sizes[1:])]
    layers = ["conv%d" % (k + 1) for k in range(len(convolutions))] + ["fc%d" % (k + 1) for k in range(len(dense))]
    setting = {"shapes": convolutions + dense, "names": [layer + part for layer in layers for part in (".weight", ".bias")]}
    setting["activation"] = meta.get("activation", "sigmoid" if architecture == "mlp" else "relu")
    for key, absent in (("optimizer", "sgd"), ("schedule", "constant")):
        setting[key] = meta.get(key, absent)
    for key in ("learning_rate", "momentum", "weight_decay", "warmup", "ema"):
        setting[key] = float(meta.get(key, 0))
    for key in ("batch_size", "seed", "train_size", "validation_size", "epochs"):
        setting[key] = int(meta[key])
    setting["planned_epochs"] = int(meta.get("planned_epochs", meta["epochs"]))
    return setting


def compare(pixels, labels, path):
    """Whether all agrees, and the largest differences."""
    meta, tensors = read_model(path + ".bin")
    setting = read_settings(meta)
    x, deviation = inputs(pixels, setting)
    n, n_validation = setting["train_size"], setting["validation_size"]
    parameters, optimizer, curves = train(setting, x[:n], labels[:n], x[-n_validation:], labels[-n_validation:])
    blocks = {"": optimizer.average if setting["ema"] > 0 else parameters, "train.weights.": parameters}
    blocks.update(("train.%s." % slot, values) for slot, values in optimizer.slots.items())
    mine = {prefix + name: p for prefix, values in blocks.items() for name, p in zip(setting["names"], values)}
    off = {name: np.abs(values - mine[name]).max() for name, values in tensors.items()}
    is_state = lambda name: name.startswith(("train.momentum", "train.mean", "train.square"))

    with open(path + ".csv", encoding="utf-8") as file:
        theirs = np.array([[float(row[key]) for key in COLUMNS] for row in csv.DictReader(file)])
    curves = np.array(curves)
    assert theirs.shape == curves.shape
    loss, correct, validation_loss, validation_correct, rate = np.abs(theirs - curves).max(axis=0)
    found = (
        ("losses", max(loss, validation_loss), LOSS),
        ("weights", max(value for name, value in off.items() if not is_state(name)), WEIGHT),
        ("state", max((v / np.abs(mine[name]).max() for name, v in off.items() if is_state(name)), default=0), WEIGHT),
        ("images", max(correct * n, validation_correct * n_validation), 1.5),
        ("learning rate", rate / setting["learning_rate"], 1e-12),
        ("input scale", abs(float(meta["pixel_std"]) / deviation - 1), 1e-12),
    )
    text = ", ".join("%s %.1e" % (what, value) for what, value, _ in found)
    text = "loss %.4f to %.4f; largest differences: %s" % (curves[0][0], curves[-1][2], text)
    return all(value <= limit for _, value, limit in found), text


if __name__ == "__main__":
    all_pixels, all_labels = read_data(sys.argv[1])
    for model in sys.argv[2:]:
        agrees, differences = compare(all_pixels, all_labels, model)
        print("%s: %s, %s" % (model, "agrees" if agrees else "differs", differences), flush=True)
