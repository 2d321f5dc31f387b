#!/usr/bin/env python3
"""The golden tensors of the public test models, through the command line: every output on several presets, every
tensor of the first sample. Needs the models (NPUSIM_SHARED); skipped where they are not."""

import json
import unittest
import zipfile

from cli_support import SHARED, CliTest, parse_npy, read_npy, run_tests

MODELS = SHARED / "models"


def golden_sets():
    """(folder, model file) of every quantized TFLite network."""
    for path in sorted(MODELS.glob("golden/*/meta.json")):
        model = json.loads(path.read_text()).get("model", "")
        if model.endswith(".tflite") and not path.parent.name.endswith("fp32"):
            yield path.parent, MODELS / model


@unittest.skipUnless((MODELS / "golden").is_dir(), "no golden tensors: NPUSIM_SHARED")
class GoldenTest(CliTest):
    def check_outputs(self, preset):
        count = 0
        for golden, model in golden_sets():
            with self.subTest(network=golden.name):
                out = self.folder / golden.name
                self.npusim("run", "--npu", preset, "--model", model, "--input",
                            golden / "inputs.npy", "--save-outputs", out)
                self.assertEqual(read_npy(out / "output0.npy"), read_npy(golden / "output0.npy"))
                count += 1
        self.assertGreaterEqual(count, 10)

    def test_outputs_on_edge(self):
        self.check_outputs("edge")

    def test_outputs_on_nvdla_small(self):
        self.check_outputs("nvdla_small")

    def test_outputs_on_tpu_v1(self):
        self.check_outputs("tpu_v1")

    def check_tensors(self, *options):
        """@return names of the golden tensors that were not saved."""
        missing = []
        for golden, model in golden_sets():
            if not (golden / "layers_sample0.npz").exists():
                continue
            with self.subTest(network=golden.name), \
                    zipfile.ZipFile(golden / "layers_sample0.npz") as archive:
                out = self.folder / golden.name
                self.npusim("run", "--model", model, "--input", golden / "inputs.npy", "--samples", 1,
                            "--save-tensors", out, *options)
                for name in archive.namelist():
                    if not (out / name).exists():
                        missing.append(f"{golden.name}/{name}")
                        continue
                    self.assertEqual(read_npy(out / name), parse_npy(archive.read(name)), name)
        return missing

    def test_tensors_without_fusion(self):
        self.assertEqual(self.check_tensors("--no-fusion"), [])

    def test_tensors_with_fusion(self):
        self.check_tensors()


if __name__ == "__main__":
    run_tests()
