"""torch_train.py WAY DIR EPOCHS BATCH THREADS: the training of mlp in PyTorch.

WAY is autograd (tensors in memory, a batch is x[index]), manual (the same, the backward pass by
hand), dataloader (autograd, batches from DataLoader with its defaults) or cnn (autograd, the
network of mlp train --arch cnn).
"""

import sys

import torch
from torch.utils.data import DataLoader, TensorDataset

import mnist

way, directory = sys.argv[1:3]
epochs, batch, threads = map(int, sys.argv[3:])
torch.set_num_threads(threads)
torch.manual_seed(1)
x, y, x_test, y_test = map(torch.from_numpy, mnist.load(directory))
W1, b1, W2, b2 = map(torch.from_numpy, mnist.initial_weights())
lr = mnist.LEARNING_RATE


def dense():
    net = torch.nn.Sequential(torch.nn.Linear(784, 64), torch.nn.Sigmoid(), torch.nn.Linear(64, 10))
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), (W1.T, b1, W2.T, b2)):
            parameter.copy_(value)
    return net


def convolutional():
    net = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 28, 28)),
        torch.nn.Conv2d(1, 16, 5),
        torch.nn.MaxPool2d(2),
        torch.nn.ReLU(),
        torch.nn.Conv2d(16, 32, 5),
        torch.nn.MaxPool2d(2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(512, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
    )
    for layer in net[1], net[4], net[8]:
        torch.nn.init.kaiming_normal_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    torch.nn.init.normal_(net[10].weight, 0, 0.5 / 128**0.5)
    torch.nn.init.zeros_(net[10].bias)
    return net.to(memory_format=torch.channels_last)  # faster than the default


net = convolutional() if way == "cnn" else dense()
sum_loss = torch.nn.CrossEntropyLoss(reduction="sum")
optimizer = torch.optim.SGD(net.parameters(), lr=lr)
loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)


def step(xb, yb):
    optimizer.zero_grad()
    sum_loss(net(xb), yb).backward()
    optimizer.step()


def autograd_epoch():
    for index in torch.randperm(len(x)).split(batch):
        step(x[index], y[index])


def dataloader_epoch():
    for xb, yb in loader:
        step(xb, yb)


@torch.no_grad()
def manual_epoch():
    for index in torch.randperm(len(x)).split(batch):
        xb, yb = x.index_select(0, index), y.index_select(0, index)
        f = torch.addmm(b1, xb, W1).sigmoid_()
        d2 = torch.addmm(b2, f, W2).softmax(1)
        d2.scatter_add_(1, yb[:, None], -torch.ones(len(yb), 1))
        d1 = (d2 @ W2.T).mul_(f).mul_(1 - f)
        W2.addmm_(f.T, d2, alpha=-lr)
        b2.sub_(d2.sum(0), alpha=lr)
        W1.addmm_(xb.T, d1, alpha=-lr)
        b1.sub_(d1.sum(0), alpha=lr)


def accuracy():
    with torch.no_grad():
        if way == "manual":
            logits = torch.sigmoid(x_test @ W1 + b1) @ W2 + b2
        else:
            logits = torch.cat([net(part) for part in x_test.split(1000)])
    return (logits.argmax(1) == y_test).double().mean().item()


epoch = {"autograd": autograd_epoch, "cnn": autograd_epoch, "manual": manual_epoch, "dataloader": dataloader_epoch}[way]
mnist.report(epochs, epoch, accuracy, f"PyTorch {torch.__version__}")
