#!/usr/bin/env python3
"""npusim's exit codes and error lines."""

import math
import os
import pathlib
import re
import shutil
import subprocess
import unittest

from cli_support import IMAGES, LABELS, MODEL, SHARED, TOP, CliTest, read_npy, run_tests, write_npy


class UserErrorTest(CliTest):
    def run_error(self, *arguments):
        return self.error("run", "--model", MODEL, *arguments)

    def test_unknown_option_and_missing_subcommand(self):
        self.assertIn("--frobnicate", self.error("run", "--frobnicate"))
        self.assertIn("subcommand is required", self.error())
        self.assertIn("--model or --program is needed", self.error("run"))

    def test_missing_files(self):
        self.assertIn("none.tflite: no such file", self.error("run", "--model", "none.tflite"))
        self.assertIn("none.npy: no such file", self.run_error("--input", "none.npy"))
        self.assertIn("none.yaml: no such file", self.run_error("--npu", "none.yaml"))
        self.assertIn("no preset", self.run_error("--npu", "none"))
        self.assertIn("a.prg: no such file", self.error("disasm", "a.prg"))

    def test_presets_are_looked_for_in_npusim_configs(self):
        text = self.error("describe", "edge", env={"NPUSIM_CONFIGS": str(self.folder)})
        self.assertIn(str(self.folder / "npu/edge.yaml"), text)

    def test_no_folder_of_configurations(self):
        alone = self.folder / "npusim"
        shutil.copy(self.program, alone)
        environment = {k: v for k, v in os.environ.items() if k != "NPUSIM_CONFIGS"}
        done = subprocess.run([alone, "describe", "edge"], capture_output=True, text=True, check=False,
                              env=environment)
        self.assertEqual(done.returncode, 2)
        self.assertIn("edge: no such file, and no folder `configs` above the program to look for a "
                      "preset in; set NPUSIM_CONFIGS", done.stderr)

    def test_bad_configuration_names_line_and_column(self):
        path = self.folder / "bad.yaml"
        text = (TOP / "configs/npu/edge.yaml").read_text().replace("rows: 32", "rowz: 32")
        path.write_text(text)
        self.assertRegex(self.run_error("--npu", path), r"bad\.yaml:\d+:\d+: .*rowz")

    def test_truncated_model(self):
        path = self.folder / "short.tflite"
        path.write_bytes(pathlib.Path(MODEL).read_bytes()[:5000])
        self.assertIn("short.tflite", self.error("run", "--model", path))

    def test_input_of_wrong_type_shape_or_number(self):
        path = self.folder / "x.npy"
        write_npy(path, "|u1", (1, 8, 8, 1), bytes(64))
        self.assertIn("input 'image' is int8, got uint8", self.run_error("--input", path))
        write_npy(path, "|i1", (8, 8, 1), bytes(64))
        self.assertIn("has shape [1,8,8,1], with samples [N,1,8,8,1], got [8,8,1]",
                      self.run_error("--input", path))
        write_npy(path, "|i1", (0, 1, 8, 8, 1), b"")
        self.assertIn("no samples", self.run_error("--input", path))
        self.assertIn("1 inputs needed ('image' int8[1,8,8,1]), got 2",
                      self.run_error("--input", IMAGES, "--input", IMAGES))

    def test_samples_and_labels(self):
        self.assertIn("must be at least 1, got 0", self.run_error("--samples", 0))
        self.assertIn("samples of input 'image' need more than 2147483648 bytes",
                      self.run_error("--samples", 10**12))
        self.assertIn("451 asked for, the input has 450",
                      self.run_error("--input", IMAGES, "--samples", 451))
        path = self.folder / "labels.npy"
        write_npy(path, "<i4", (1,), (10).to_bytes(4, "little"))
        self.assertIn("1 labels for 450 samples", self.run_error("--input", IMAGES, "--labels", path))
        self.assertIn("10 is not one of the 10 classes", self.run_error("--labels", path))
        write_npy(path, "<f4", (1,), bytes(4))
        self.assertIn("labels are integers, got float32", self.run_error("--labels", path))

    def test_timing_only_has_no_data(self):
        for option in ("--save-outputs", "--save-tensors", "--labels"):
            self.assertIn(f"{option}: a timing-only run has no",
                          self.run_error("--timing-only", option, "x"))

    def test_unknown_reference(self):
        self.assertIn("--reference", self.run_error("--reference", "none-such"))

    def test_output_that_cannot_be_written(self):
        path = self.folder / "file"
        path.write_text("mine")
        self.assertIn("cannot write the output: is not a folder", self.run_error("--out", path))
        self.assertEqual(path.read_text(), "mine")

    def test_a_failed_run_leaves_no_files(self):
        self.run_error("--out", self.folder / "out", "--labels", "none.npy")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_control_characters_in_names_stay_on_one_line(self):
        self.assertIn("a; b?[0m: no such file", self.error("run", "--model", "a\nb\x1b[0m"))

    def test_full_device(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([self.program, "ops"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("stdout: cannot write", done.stderr)

    def test_help_and_version_succeed(self):
        self.assertIn("describe", self.npusim("--help").stdout)
        self.assertIn("--timing-only", self.npusim("run", "--help").stdout)
        self.assertRegex(self.npusim("--version").stdout, r"^npusim \d+\.\d+\.\d+\n$")


TFLITE = SHARED / "models/tflite"
SUB = SHARED / "models/kernel_vectors/seanet_int16x8/sub/sub0.tflite"


@unittest.skipUnless(TFLITE.is_dir() and SUB.exists(), "no test models: NPUSIM_SHARED")
class OtherModelsTest(CliTest):
    def test_program_of_another_model(self):
        program = self.folder / "digits.npu"
        self.npusim("compile", "--model", MODEL, "-o", program)
        text = self.error("run", "--program", program, "--model",
                          TFLITE / "mlperf_tiny/kws_ref_model.tflite")
        self.assertIn("digits.npu was compiled from digits_int8.tflite, got ", text)
        self.assertIn("kws_ref_model.tflite (SHA-256 differs)", text)

    def test_labels_need_class_scores(self):
        path = self.folder / "labels.npy"
        write_npy(path, "<i4", (1,), bytes(4))
        text = self.error("run", "--model", TFLITE / "tflm/hello_world_int8.tflite", "--labels", path)
        self.assertIn("the output has shape [1,1], not one score per class", text)

    def test_inputs_with_different_numbers_of_samples(self):
        text = self.error("run", "--model", SUB, "--input", "none.npy")
        shapes = [tuple(map(int, m.split(","))) for m in re.findall(r"int16\[([\d,]+)\]", text)]
        self.assertEqual(len(shapes), 2, text)
        paths = [self.folder / "a.npy", self.folder / "b.npy"]
        for path, shape, samples in zip(paths, shapes, (2, 3)):
            write_npy(path, "<i2", (samples, *shape), bytes(2 * samples * math.prod(shape)))
        text = self.error("run", "--model", SUB, "--input", paths[0], "--input", paths[1])
        self.assertIn("every input needs the same number of samples", text)


class RunFaultTest(CliTest):
    """Programs that were damaged on purpose: exit code 3, naming what went wrong."""

    def setUp(self):
        super().setUp()
        self.good = self.folder / "good.npu"
        self.npusim("compile", "--model", MODEL, "-o", self.good)
        self.lines = self.npusim("disasm", self.good).stdout.splitlines()

    def damaged(self, change):
        """The program after change(line) has replaced the first line for which it returns another."""
        lines, changed = [], False
        for line in self.lines:
            new = line if changed or line.startswith("#") else change(line)
            changed = changed or new != line
            lines.append(new)
        self.assertTrue(changed, "nothing to damage")
        text, path = self.folder / "bad.s", self.folder / "bad.npu"
        text.write_text("\n".join(lines) + "\n")
        self.npusim("asm", text, "--data", self.good, "-o", path)
        return path

    def test_missing_token_is_a_hazard(self):
        def drop_wait(line):
            if not line.startswith("mac.") or " wait=" not in line:
                return line
            return " ".join(w for w in line.split(" ") if not w.startswith("wait="))

        path = self.damaged(drop_wait)
        text = self.error("run", "--program", path, "--model", MODEL, expect=3)
        self.assertRegex(text, r"instruction|token")

    def test_token_that_never_comes_is_a_deadlock(self):
        def drop_signal(line):
            if not line.startswith("dma.load") or " signal=" not in line:
                return line
            return " ".join(w for w in line.split(" ") if not w.startswith("signal="))

        text = self.error("run", "--program", self.damaged(drop_signal), "--model", MODEL, expect=3)
        self.assertIn("deadlock", text)

    def test_wrong_arithmetic_names_the_first_tensor_and_writes_the_files(self):
        def change_zero(line):
            if not line.startswith("vec.requantize"):
                return line
            return " ".join("out_zero=5" if w.startswith("out_zero=") else w for w in line.split(" "))

        out = self.folder / "out"
        done = self.npusim("run", "--program", self.damaged(change_zero), "--model", MODEL, "--input",
                           self.first_images(3), "--out", out, "--save-outputs", out, expect=3)
        self.assertIn("DIFFERS", done.stdout)
        self.assertRegex(done.stderr, r"^npusim: error: the NPU differs from the integer reference: "
                         r"sample 0: first difference in tensor 1 'conv1' of CONV_2D #0 "
                         r"\(completed by instruction \d+ vec\.requantize\) "
                         r"element \[0,\d+,\d+,\d+\]: NPU -?\d+, integer reference -?\d+\n$")
        self.assertTrue((out / "summary.json").exists())
        self.assertEqual(read_npy(out / "output0.npy")[1], (3, 1, 10))


if __name__ == "__main__":
    run_tests()
