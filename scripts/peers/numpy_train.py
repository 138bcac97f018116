"""numpy_train.py DIR EPOCHS BATCH: the training of mlp in NumPy, the backward pass by hand."""

import sys

import numpy as np

import mnist

directory, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x, y, x_test, y_test = mnist.load(directory)
W1, b1, W2, b2 = mnist.initial_weights()
one_hot = np.eye(10, dtype=np.float32)
lr = np.float32(mnist.LEARNING_RATE)
rng = np.random.default_rng(1)


def forward(xb):
    a1 = xb @ W1
    a1 += b1
    f = 1 / (1 + np.exp(-a1))
    a2 = f @ W2
    a2 += b2
    return f, a2


def epoch():
    order = rng.permutation(len(x))
    for first in range(0, len(x), batch):
        index = order[first : first + batch]
        xb = x.take(index, axis=0)
        f, a2 = forward(xb)
        p = np.exp(a2 - a2.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        d2 = p - one_hot[y[index]]
        d1 = (d2 @ W2.T) * f * (1 - f)
        # In place; float32 scalars keep everything float32.
        np.subtract(W2, lr * (f.T @ d2), out=W2)
        np.subtract(b2, lr * d2.sum(axis=0), out=b2)
        np.subtract(W1, xb.T @ (lr * d1), out=W1)
        np.subtract(b1, lr * d1.sum(axis=0), out=b1)


def accuracy():
    return np.mean(forward(x_test)[1].argmax(axis=1) == y_test)


np.seterr(over="ignore")  # exp(-a) = inf makes a sigmoid of 0, as it should
mnist.report(epochs, epoch, accuracy, f"NumPy {np.__version__}")
