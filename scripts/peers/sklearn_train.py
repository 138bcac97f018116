"""sklearn_train.py DIR EPOCHS BATCH: the training of mlp with scikit-learn's MLPClassifier.

One difference is left: the last, smaller batch of an epoch takes as large a step as the others,
since scikit-learn uses the mean of a batch.
"""

import sys

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

import mnist

directory, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
x, y, x_test, y_test = mnist.load(directory)
net = MLPClassifier(
    hidden_layer_sizes=(64,),
    activation="logistic",
    solver="sgd",
    alpha=0,
    batch_size=batch,
    learning_rate="constant",
    learning_rate_init=mnist.LEARNING_RATE * batch,
    momentum=0,
    shuffle=True,
    random_state=1,
    early_stopping=False,
)
# It makes its own weights in the first call; they are replaced in place, where its optimizer looks.
net.partial_fit(x[:batch], y[:batch], classes=np.arange(10))
W1, b1, W2, b2 = mnist.initial_weights()
for parameter, value in zip(net.coefs_ + net.intercepts_, (W1, W2, b1, b2)):
    parameter[:] = value


def epoch():
    """One call of partial_fit is one epoch of fit, in shuffled mini-batches."""
    net.partial_fit(x, y)


def accuracy():
    return net.score(x_test, y_test)


mnist.report(epochs, epoch, accuracy, f"scikit-learn {sklearn.__version__}")
