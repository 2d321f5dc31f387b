#!/usr/bin/env python3
"""npusim run of ONNX models, written here byte by byte."""

import gzip
import json
import re
import struct
import unittest
import zipfile

from cli_support import MODEL, SHARED, CliTest, parse_npy, read_npy, run_tests, write_npy

FLOAT, UINT8, INT8, INT64, DOUBLE = 1, 2, 3, 7, 11
INTEGER = SHARED / "models/onnx/deeploy/MLPerf/AnomalyDetection"


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


def constant(name, element, shape, data):
    dims = b"".join(field(1, d) for d in shape)
    return dims + field(2, element) + field(8, name) + field(9, data)


def model(nodes, inputs, outputs, opset=17, constants=()):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "made") + b"".join(field(5, c) for c in constants)
    graph += b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, opset))


MNIST = SHARED / "models/datasets/mnist"


def mnist(first, count):
    """Images as float 0 ... 255, and their labels."""
    images = gzip.decompress((MNIST / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((MNIST / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    pixels = images[784 * first:784 * (first + count)]
    return struct.pack(f"<{len(pixels)}f", *pixels), labels[first:first + count]


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

    @unittest.skipUnless(INTEGER.is_dir(), "no test models: NPUSIM_SHARED")
    def test_integer_networks_take_the_range_of_their_input(self):
        model = INTEGER / "network.onnx"
        # Whole numbers stored as int64, some beyond int8; the model says float32.
        text = self.npusim("run", "--npu", "edge", "--model", model, "--input", INTEGER / "inputs.npz", "--save-outputs",
                           self.folder / "out").stdout
        self.assertIn("float reference: max_abs_error 0, mse 0", text)
        with zipfile.ZipFile(INTEGER / "outputs.npz") as golden:
            descr, shape, data = parse_npy(golden.read(golden.namelist()[0]))
        self.assertEqual(descr, "<i8")
        saved = read_npy(self.folder / "out/output0.npy")
        self.assertEqual(saved[:2], ("<f4", shape))
        count = len(data) // 8
        self.assertEqual(struct.unpack(f"<{count}f", saved[2]), struct.unpack(f"<{count}q", data))
        self.assertIn("no --input: random values, seed 1", self.npusim("run", "--npu", "edge", "--model", model).stdout)

    def test_a_change_of_shape_alone(self):
        net = self.write([node("Flatten", ["x"], ["y"], axis=1)], [value_info("x", FLOAT, (2, 3, 4))],
                         [value_info("y", FLOAT, (2, 12))])
        data = struct.pack("<24f", *range(24))
        write_npy(self.folder / "x.npy", "<f4", (2, 3, 4), data)
        self.npusim("run", "--npu", "edge", "--model", net, "--input", self.folder / "x.npy", "--save-outputs",
                    self.folder / "out")
        self.assertEqual(read_npy(self.folder / "out/output0.npy"), ("<f4", (2, 12), data))

    def test_an_input_that_decides_about_shapes_is_a_constant(self):
        net = self.write([node("Reshape", ["x", "shape"], ["r"]), node("Relu", ["r"], ["y"])],
                         [value_info("x", FLOAT, (2, 6)), value_info("shape", INT64, (2,))],
                         [value_info("y", FLOAT, (None, None))])
        write_npy(self.folder / "x.npy", "<f4", (2, 6), struct.pack("<12f", *range(-6, 6)))
        write_npy(self.folder / "shape.npy", "<i8", (2,), struct.pack("<2q", 3, -1))
        text = self.npusim("run", "--npu", "edge", "--model", net, "--input", self.folder / "x.npy", "--input",
                           self.folder / "shape.npy", "--save-outputs", self.folder / "out").stdout
        self.assertIn('input "shape" decides about shapes: its value is a constant', text)
        expected = struct.pack("<12f", *(max(v, 0) for v in range(-6, 6)))
        self.assertEqual(read_npy(self.folder / "out/output0.npy"), ("<f4", (3, 4), expected))

    def test_quantized_networks_multiply_bytes(self):
        nodes = [node("QuantizeLinear", ["x", "s", "z"], ["xq"]), node("DequantizeLinear", ["xq", "s", "z"], ["xd"]),
                 node("DequantizeLinear", ["w", "ws"], ["wd"]), node("Conv", ["xd", "wd"], ["c"], pads=[1, 1, 1, 1]),
                 node("Relu", ["c"], ["r"]), node("QuantizeLinear", ["r", "t", "u"], ["y"])]
        constants = [constant("s", FLOAT, (), struct.pack("<f", 0.02)), constant("z", UINT8, (), b"\x80"),
                     constant("ws", FLOAT, (), struct.pack("<f", 0.01)), constant("t", FLOAT, (), struct.pack("<f", 0.05)),
                     constant("u", UINT8, (), b"\0"),
                     constant("w", INT8, (4, 2, 3, 3), bytes((37 * i) % 256 for i in range(72)))]
        net = self.write(nodes, [value_info("x", FLOAT, (1, 2, 8, 8))], [value_info("y", UINT8, (1, 4, 8, 8))],
                         constants=constants)
        write_npy(self.folder / "x.npy", "<f4", (1, 2, 8, 8), struct.pack("<128f", *(i % 19 / 5 - 2 for i in range(128))))
        text = self.npusim("run", "--npu", "edge", "--model", net, "--input", self.folder / "x.npy", "--out",
                           self.folder / "report").stdout
        self.assertIn("integer reference: equal in every bit", text)
        self.assertIn("float reference: max_abs_error 0, mse 0", text)
        listing = (self.folder / "report/program0.lst").read_text()
        self.assertRegex(listing, r"mac\.conv.*x_type=1.*w_type=0")

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
        for option in ("--save-tensors", "--program"):
            self.assertIn(option, self.error("run", "--model", net, option, "x"))
        self.assertIn("--no-fusion: not for ONNX", self.error("run", "--model", net, "--no-fusion"))
        self.assertIn("has no attention, got fused", self.error("run", "--model", net, "--attention", "fused"))

    def test_attention_in_single_nodes_is_fused_on_demand(self):
        shape = (1, 2, 64, 16)
        net = self.write([node("Transpose", ["k"], ["kt"], perm=[0, 1, 3, 2]), node("MatMul", ["q", "kt"], ["s"]),
                          node("Softmax", ["s"], ["w"], axis=3), node("MatMul", ["w", "v"], ["y"])],
                         [value_info(name, FLOAT, shape) for name in "qkv"], [value_info("y", FLOAT, shape)])
        moved, outputs = {}, {}
        for form in ("auto", "fused", "unfused"):
            out = self.folder / form
            text = self.npusim("run", "--npu", "edge", "--model", net, "--attention", form, "--save-outputs", out,
                               "--out", out).stdout
            self.assertIn("equal in every bit", text)
            self.assertEqual("attention `" in text, form != "auto")
            summary = json.loads((out / "summary.json").read_text())
            moved[form] = summary["dram_bytes_per_inference"]
            outputs[form] = struct.unpack(f"<{2 * 64 * 16}f", read_npy(out / "output0.npy")[2])
            self.assertEqual(summary["provenance"]["options"], "" if form == "auto" else f"attention={form}")
        self.assertLessEqual(moved["fused"], moved["unfused"])
        for form in ("auto", "unfused"):
            self.assertLess(max(abs(a - b) for a, b in zip(outputs["fused"], outputs[form])), 1e-4)

    def float_net(self, nodes, shape=(1, 4)):
        return self.write(nodes, [value_info("x", FLOAT, shape)], [value_info("y", FLOAT, shape)])

    def samples(self, name, rows):
        values = [v for row in rows for v in row]
        write_npy(self.folder / name, "<f4", (len(rows), 1, 4), struct.pack(f"<{len(values)}f", *values))
        return self.folder / name

    def test_a_float_network_in_int8(self):
        net = self.float_net([node("Add", ["x", "x"], ["s"]), node("Softmax", ["s"], ["y"], axis=1)])
        x = self.samples("x.npy", [[-1, 0, 1, 2], [2, 1, 0, -1], [0.5, 0, 1.75, 0]])
        write_npy(self.folder / "labels.npy", "|u1", (3,), bytes([3, 0, 1]))
        run = ("run", "--model", net, "--precision", "int8", "--calibrate", x, "--input", x)
        text = self.npusim(*run, "--labels", self.folder / "labels.npy", "--save-outputs", self.folder / "out").stdout
        self.assertIn("integer reference: equal in every bit", text)
        self.assertIn("accuracy against the labels: top1_% 66.67", text)
        self.assertIn("ranges by minmax over 3 samples", text)
        self.assertIn("QUANTIZE", text)
        kind, shape, data = read_npy(self.folder / "out/output0.npy")
        self.assertEqual((kind, shape), ("<f4", (3, 1, 4)))
        self.assertAlmostEqual(struct.unpack("<12f", data)[3], 0.865, delta=0.01)
        text = self.npusim(*run, "--calibration", "percentile:80").stdout
        self.assertIn("ranges by percentile:80 over 3 samples", text)
        self.assertIn("latency_ms",
                      self.npusim("run", "--model", net, "--precision", "int8", "--calibrate", x, "--timing-only").stdout)

    def test_calibration_errors(self):
        net = self.float_net([node("Relu", ["x"], ["y"])])
        x = self.samples("x.npy", [[-1, 0, 1, 2]])
        int8 = ("run", "--model", net, "--precision", "int8")
        self.assertIn("--precision int8: an ONNX model needs samples to take ranges from, --calibrate FILE",
                      self.error(*int8))
        self.assertIn("--calibrate: only with --precision int8", self.error("run", "--model", net, "--calibrate", x))
        self.assertIn("--calibrate: only for float ONNX models", self.error("run", "--model", MODEL, "--calibrate", x))
        self.assertIn("--calibration: only with --calibrate",
                      self.error("run", "--model", net, "--calibration", "minmax"))
        for method in ("max", "percentile:", "percentile:49", "percentile:101", "percentile:99x"):
            self.assertIn(f"--calibration: expected minmax or percentile:P with P from 50 to 100, got {method}",
                          self.error(*int8, "--calibrate", x, "--calibration", method))
        self.assertIn("--calibrate: 1 inputs needed, got 2 files",
                      self.error(*int8, "--calibrate", x, "--calibrate", x))
        broken = self.samples("broken.npy", [[0, 0, 0, float("inf")]])
        self.assertIn("calibration gives inf", self.error(*int8, "--calibrate", broken))
        write_npy(self.folder / "labels.npy", "|u1", (1,), bytes([3]))
        self.assertIn("--labels: a timing-only run has no outputs",
                      self.error("run", "--model", net, "--timing-only", "--labels", self.folder / "labels.npy"))
        self.assertIn("--labels: the output has shape [2,3,4], not one score per class",
                      self.error("run", "--model", self.float_net([node("Relu", ["x"], ["y"])], (2, 3, 4)),
                                 "--labels", self.folder / "labels.npy"))

    def test_int8_needs_one_part_on_the_npu(self):
        net = self.float_net([node("Relu", ["x"], ["a"]), node("Cast", ["a"], ["b"], to=DOUBLE),
                              node("Cast", ["b"], ["c"], to=FLOAT), node("Relu", ["c"], ["y"])])
        x = self.samples("x.npy", [[-1, 0, 1, 2]])
        self.assertIn("--precision int8 needs one part on the NPU, the host runs node #1 Cast",
                      self.error("run", "--model", net, "--precision", "int8", "--calibrate", x))

    @unittest.skipUnless(MNIST.exists(), "no MNIST")
    def test_mnist_in_int8_is_as_right_as_in_float(self):
        count = 1000
        images, labels = mnist(0, count)
        write_npy(self.folder / "x.npy", "<f4", (count, 1, 1, 28, 28), images)
        write_npy(self.folder / "labels.npy", "|u1", (count,), labels)
        write_npy(self.folder / "seen.npy", "<f4", (100, 1, 1, 28, 28), mnist(5000, 100)[0])
        for method in ("minmax", "percentile:99.9"):
            text = self.npusim("run", "--model", SHARED / "models/onnx/mnist.onnx", "--precision", "int8", "--calibrate",
                               self.folder / "seen.npy", "--calibration", method, "--input", self.folder / "x.npy",
                               "--labels", self.folder / "labels.npy").stdout
            self.assertIn("integer reference: equal in every bit", text)
            int8 = float(re.search(r"against the labels: top1_% ([\d.]+)", text)[1])
            real = float(re.search(r"of the reference in float: ([\d.]+) %", text)[1])
            self.assertGreater(real, 98)
            self.assertLessEqual(abs(real - int8), 0.5)


if __name__ == "__main__":
    run_tests()
