#!/usr/bin/python3
"""Trains, quantizes and writes the digits model of the demo (workloads/models/digits).

A small CNN on scikit-learn's digits (8x8 grey images, ten classes): convolution, depthwise and
pointwise convolution, max pooling, a second convolution, fully connected layer, softmax. Training
is seeded and takes some ten seconds on a CPU. Quantization is post-training: int8, weights per
output channel, activations from the ranges that the training images cause. The results are
committed; running this again is needed only to change the model.

Needs torch, scikit-learn and flatbuffers: scripts/setup --training installs them.
"""

import argparse
import pathlib

import numpy as np
import sklearn.datasets
import sklearn.model_selection
import torch
from torch import nn

import tflite_writer as tfl

SEED = 7
TEST_SHARE = 0.25
EPOCHS = 150
SHIFTED_SHARE = 0.6


class DigitsNet(nn.Module):
    """Input [N,1,8,8] in 0..1, output [N,10] logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.depthwise = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.pointwise = nn.Conv2d(16, 32, 1)
        self.conv2 = nn.Conv2d(32, 32, 3, padding=1)
        self.fc = nn.Linear(2 * 2 * 32, 10)

    def layers(self, x):
        """Every activation that the integer network stores, in order."""
        values = [x]
        for conv in (self.conv1, self.depthwise, self.pointwise):
            values.append(torch.relu(conv(values[-1])))
        values.append(nn.functional.max_pool2d(values[-1], 2))
        values.append(torch.relu(self.conv2(values[-1])))
        values.append(nn.functional.max_pool2d(values[-1], 2))
        # NHWC order before flattening, as the integer network stores it.
        values.append(values[-1].permute(0, 2, 3, 1).flatten(1))
        values.append(self.fc(values[-1]))
        return values

    def forward(self, x):
        return self.layers(x)[-1]


def load_split():
    digits = sklearn.datasets.load_digits()
    images = (digits.images / 16.0).astype(np.float32)[:, None]
    return sklearn.model_selection.train_test_split(
        images, digits.target, test_size=TEST_SHARE, random_state=SEED, stratify=digits.target)


def shifted(images, rng):
    """A share of the images moved by -1, 0 or 1 pixel in both directions."""
    out = images.clone()
    padded = nn.functional.pad(images, (1, 1, 1, 1))
    for i in np.flatnonzero(rng.random(len(images)) < SHIFTED_SHARE):
        dy, dx = rng.integers(0, 3, 2)
        out[i] = padded[i, :, dy : dy + 8, dx : dx + 8]
    return out


def train(images, labels):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    rng = np.random.default_rng(SEED)
    model = DigitsNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    for _ in range(EPOCHS):
        order = torch.from_numpy(rng.permutation(len(x)))
        for batch in order.split(64):
            loss = nn.functional.cross_entropy(model(shifted(x[batch], rng)), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    return model.eval()


def activation_quantization(values):
    """(scale, zero point) of int8 for a range that includes 0."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    scale = np.float32((high - low) / 255.0)
    zero_point = int(np.clip(round(-128 - low / scale), -128, 127))
    return float(scale), zero_point


class Quantizer:
    """Collects the tensors and operators of the integer network."""

    def __init__(self):
        self.tensors, self.operators = [], []

    def activation(self, name, shape, quantization):
        scale, zero_point = quantization
        self.tensors.append(tfl.Tensor(name, shape, "int8", [scale], [zero_point]))
        return len(self.tensors) - 1

    def weights(self, name, values, axis, input_scale, bias):
        """Symmetric int8 per slice along `axis`, and the int32 bias.

        A channel whose weights have died keeps 1/10,000 of the largest scale, so that its bias
        stays within int32.
        """
        others = tuple(i for i in range(values.ndim) if i != axis)
        largest = np.abs(values).max(axis=others)
        scale = (np.maximum(largest, 1e-4 * largest.max()) / 127).astype(np.float32)
        steps = scale.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        data = np.clip(np.round(values / steps), -127, 127).astype(np.int8)
        zeros = [0] * len(scale)
        self.tensors.append(tfl.Tensor(name, values.shape, "int8", list(scale), zeros, axis, data))
        bias_scale = np.float32(input_scale) * scale
        bias_data = np.round(bias / bias_scale).astype(np.int32)
        self.tensors.append(tfl.Tensor(name + "_bias", bias.shape, "int32", list(bias_scale), zeros, 0,
                                       bias_data))
        return [len(self.tensors) - 2, len(self.tensors) - 1]

    def operator(self, name, inputs, output, options):
        self.operators.append(tfl.Operator(name, inputs, [output], options))


def quantize(model, images):
    """The integer network as tensors and operators; the ranges come from `images`."""
    with torch.no_grad():
        ranges = [activation_quantization(v) for v in model.layers(torch.from_numpy(images))]
    # Max pooling and reshape keep the quantization of what they read.
    ranges[4], ranges[6], ranges[7] = ranges[3], ranges[5], ranges[5]
    numpy = {name: value.detach().numpy() for name, value in model.state_dict().items()}
    q = Quantizer()
    shapes = [(1, 8, 8, 1), (1, 8, 8, 16), (1, 8, 8, 16), (1, 8, 8, 32), (1, 4, 4, 32),
              (1, 4, 4, 32), (1, 2, 2, 32), (1, 128), (1, 10)]
    names = ["image", "conv1", "depthwise", "pointwise", "pool1", "conv2", "pool2", "flat", "logits"]
    acts = [q.activation(n, s, r) for n, s, r in zip(names, shapes, ranges)]
    probabilities = q.activation("probabilities", (1, 10), (1.0 / 256.0, -128))

    same, relu = tfl.I8(tfl.PADDING_SAME), tfl.I8(tfl.ACTIVATION_RELU)
    one = tfl.I32(1)
    conv = ("Conv2D", {0: same, 1: one, 2: one, 3: relu, 4: one, 5: one})
    depthwise = ("DepthwiseConv2D", {0: same, 1: one, 2: one, 3: one, 4: relu, 5: one, 6: one})
    two = tfl.I32(2)
    pool = ("Pool2D", {0: tfl.I8(tfl.PADDING_VALID), 1: two, 2: two, 3: two, 4: two})

    def layer(operator, source, name, axis, order, options):
        values = numpy[name + ".weight"].transpose(order)
        constants = q.weights(name + "_weights", values, axis, ranges[source][0], numpy[name + ".bias"])
        q.operator(operator, [acts[source], *constants], acts[source + 1], options)

    layer("CONV_2D", 0, "conv1", 0, (0, 2, 3, 1), conv)
    layer("DEPTHWISE_CONV_2D", 1, "depthwise", 3, (1, 2, 3, 0), depthwise)
    layer("CONV_2D", 2, "pointwise", 0, (0, 2, 3, 1), conv)
    q.operator("MAX_POOL_2D", [acts[3]], acts[4], pool)
    layer("CONV_2D", 4, "conv2", 0, (0, 2, 3, 1), conv)
    q.operator("MAX_POOL_2D", [acts[5]], acts[6], pool)
    shape = tfl.Tensor("shape", (2,), "int32", [], [], 0, np.array([1, 128], np.int32))
    q.tensors.append(shape)
    q.operator("RESHAPE", [acts[6], len(q.tensors) - 1], acts[7], ("Reshape", {}))
    layer("FULLY_CONNECTED", 7, "fc", 0, (0, 1), ("FullyConnected", {}))
    q.operator("SOFTMAX", [acts[8]], probabilities, ("Softmax", {0: tfl.F32(1.0)}))
    return q, ranges[0], acts[0], probabilities


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = pathlib.Path(__file__).resolve().parent.parent / "workloads/models/digits"
    parser.add_argument("--out", type=pathlib.Path, default=default)
    out = parser.parse_args().out
    train_images, test_images, train_labels, test_labels = load_split()
    model = train(train_images, train_labels)
    with torch.no_grad():
        found = model(torch.from_numpy(test_images)).argmax(1).numpy()
    print(f"float32 accuracy on {len(test_labels)} held-out images: {(found == test_labels).mean():.4f}")

    q, (scale, zero_point), first, last = quantize(model, train_images)
    out.mkdir(parents=True, exist_ok=True)
    tfl.write(out / "digits_int8.tflite", q.tensors, q.operators, [first], [last],
              "npusim digits CNN, int8 per channel, scripts/train_digits.py")
    integers = np.clip(np.round(test_images / scale) + zero_point, -128, 127).astype(np.int8)
    # One leading dimension more than the model's input: samples.
    np.save(out / "test_images.npy", integers.transpose(0, 2, 3, 1)[:, None].copy())
    np.save(out / "test_labels.npy", test_labels.astype(np.int32))


if __name__ == "__main__":
    main()
