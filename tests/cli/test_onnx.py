#!/usr/bin/env python3
"""npusim run of ONNX models, written here byte by byte."""

import unittest

from cli_support import MODEL, SHARED, CliTest, read_npy, run_tests, write_npy

FLOAT, INT8, DOUBLE = 1, 3, 11


def varint(value):
    value &= (1 << 64) - 1
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def field(number, value):
    """A protobuf field: a varint for an int, else its bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def value_info(name, element, shape):
    """Dimensions are numbers, names, or None."""
    dims = b"".join(field(1, field(1, d) if isinstance(d, int) else field(2, d) if d else b"") for d in shape)
    return field(1, name) + field(2, field(1, field(1, element) + field(2, dims)))


def node(op, inputs, outputs, **attributes):
    made = b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs) + field(4, op)
    for name, value in attributes.items():
        if isinstance(value, int):
            made += field(5, field(1, name) + field(3, value) + field(20, 2))
        else:
            made += field(5, field(1, name) + b"".join(field(8, v) for v in value) + field(20, 7))
    return made


def model(nodes, inputs, outputs, opset=17):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "made")
    graph += b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, opset))


class OnnxTest(CliTest):
    def write(self, nodes, inputs, outputs, **options):
        path = self.folder / "net.onnx"
        path.write_bytes(model(nodes, inputs, outputs, **options))
        return path

    def moved(self, shape=(2, 3, 4)):
        return self.write([node("Transpose", ["x"], ["t"], perm=[1, 0, 2]), node("Concat", ["t", "t"], ["y"], axis=0)],
                          [value_info("x", INT8, shape)], [value_info("y", INT8, (None, None, None))])

    def test_a_run_saves_what_the_reference_says(self):
        data = bytes(range(24))
        write_npy(self.folder / "x.npy", "|i1", (2, 3, 4), data)
        text = self.npusim("run", "--model", self.moved(), "--input", self.folder / "x.npy", "--save-outputs",
                           self.folder / "out", "--out", self.folder / "report").stdout
        self.assertIn("equal in every bit", text)
        half = b"".join(data[12 * i + 4 * j:12 * i + 4 * j + 4] for j in range(3) for i in range(2))
        self.assertEqual(read_npy(self.folder / "out/output0.npy"), ("|i1", (6, 2, 4), half + half))
        self.assertTrue((self.folder / "report/program0.lst").exists())

    def test_samples_and_inputs_that_do_not_fit(self):
        net = self.moved()
        write_npy(self.folder / "x.npy", "|i1", (5, 2, 3, 4), bytes(120))
        self.npusim("run", "--model", net, "--input", self.folder / "x.npy", "--samples", 2)
        self.assertIn("--samples: 6 asked for, the input has 5",
                      self.error("run", "--model", net, "--input", self.folder / "x.npy", "--samples", 6))
        write_npy(self.folder / "x.npy", "|i1", (3, 4), bytes(12))
        self.assertIn('input "x" has shape [2,3,4], got [3,4]',
                      self.error("run", "--model", net, "--input", self.folder / "x.npy"))
        self.assertIn("--input: 1 inputs needed, got 2 files",
                      self.error("run", "--model", net, "--input", "a.npy", "--input", "b.npy"))

    def test_dimensions(self):
        net = self.moved(("batch", 3, 4))
        self.assertIn('input "x": dimension 0 ("batch") has no size: give it with --dim batch=SIZE',
                      self.error("run", "--model", net))
        self.assertIn("--dim time: ", self.error("run", "--model", net, "--dim", "time=2"))
        self.assertIn("--dim: expected NAME=N, got batch", self.error("run", "--model", net, "--dim", "batch"))
        self.assertIn("--dim: batch is there twice",
                      self.error("run", "--model", net, "--dim", "batch=2", "--dim", "batch=3"))
        self.npusim("run", "--model", net, "--dim", "batch=2")
        self.npusim("run", "--model", net, "--dim", "batch=2", "--timing-only")

    def test_a_network_of_the_host_alone_is_an_error(self):
        net = self.write([node("Relu", ["x"], ["y"])], [value_info("x", DOUBLE, (3,))], [value_info("y", DOUBLE, (3,))])
        self.assertIn("nothing of it runs on the NPU: node #0 Relu (float64 has no NPU type)",
                      self.error("run", "--model", net))

    def test_options_that_do_not_go_together(self):
        for option, value in (("--dim", "a=1"), ("--precision", "float16")):
            self.assertIn(f"{option}: {MODEL} is no network description (.yaml, .csv)",
                          self.error("run", "--model", MODEL, option, value))
        net = self.moved()
        for option in ("--labels", "--save-tensors", "--program"):
            self.assertIn(option, self.error("run", "--model", net, option, "x"))


if __name__ == "__main__":
    run_tests()
