"""What the Python peers share: MNIST as mlp sees it, mlp's initial weights, and what is printed."""

import gzip
import os
import time

import numpy as np

LEARNING_RATE = 1e-3  # of the sum of a batch's gradients
N_TRAIN = 50000  # the first of the training file; mlp keeps the others for validation


def read_idx(directory, name):
    path = os.path.join(directory, name)
    with open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz") as file:
        data = np.frombuffer(file.read(), np.uint8)
    dims = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return data[4 + 4 * len(dims) :].reshape(dims[0], -1)


def load(directory):
    """Images (n, 784) float32 and labels (n) int64: of training, then of the test."""
    pixels = read_idx(directory, "train-images-idx3-ubyte")[:N_TRAIN]
    # In blocks, so that the peak of memory is the training's.
    blocks = (pixels[i : i + 1000].ravel() for i in range(0, N_TRAIN, 1000))
    counts = sum(np.bincount(block, minlength=256) for block in blocks)
    level, n = np.arange(256), counts.sum()
    deviation = np.sqrt(counts @ level**2 / n - (counts @ level / n) ** 2)  # of bytes, 0 to 255

    def scaled(images):
        return np.multiply(images, np.float32(1 / deviation), dtype=np.float32)

    def labels(name):
        return read_idx(directory, name).ravel().astype(np.int64)

    return (
        scaled(pixels),
        labels("train-labels-idx1-ubyte")[:N_TRAIN],
        scaled(read_idx(directory, "t10k-images-idx3-ubyte")),
        labels("t10k-labels-idx1-ubyte"),
    )


def initial_weights():
    """W1 (784, 64), b1, W2 (64, 10), b2: see "Input, initial weights, split" in src/README.md."""
    rng = np.random.default_rng(1)
    W1 = rng.normal(0, 0.3 / np.sqrt(784), (784, 64))
    W2 = rng.normal(0, 5 / np.sqrt(64), (64, 10))
    return [w.astype(np.float32) for w in (W1, np.zeros(64), W2, -0.5 * W2.sum(axis=0))]


def report(epochs, epoch, accuracy, version):
    """Runs epoch() so many times and prints its seconds each time, then accuracy()."""
    for _ in range(epochs):
        start = time.perf_counter()
        epoch()
        print(f"seconds {time.perf_counter() - start:.6f}")
    print(f"accuracy {accuracy():.4f}")
    print(f"version {version}")
