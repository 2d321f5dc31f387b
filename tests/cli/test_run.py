#!/usr/bin/env python3
"""npusim run: the files it writes and what must hold between their figures."""

import csv
import json
import re

from cli_support import DIGITS, IMAGES, LABELS, MODEL, TOP, CliTest, read_npy, run_tests, write_npy

FILES = {"report.txt", "summary.json", "layers.csv", "energy.csv", "trace.json", "program.lst",
         "mapping.yaml", "critical_path.csv", "rerun.yaml", "config.yaml", "config_dram.yaml", "config_energy.yaml",
         "program.npu"}


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class RunTest(CliTest):
    def run_digits(self, *arguments, count=2, out="out"):
        out = self.folder / out
        done = self.npusim("run", "--model", MODEL, "--input", self.first_images(count), "--out", out,
                           *arguments)
        return out, json.loads((out / "summary.json").read_text()), done.stdout

    def test_all_digits_are_exact_and_right(self):
        out = self.folder / "out"
        done = self.npusim("run", "--model", MODEL, "--input", IMAGES, "--labels", LABELS, "--out", out,
                           "--save-outputs", out)
        accuracy = json.loads((out / "summary.json").read_text())["accuracy"]
        self.assertEqual(accuracy["samples"], 450)
        self.assertEqual(accuracy["outputs"][0]["integer_reference"]["differing_elements"], 0)
        self.assertGreaterEqual(accuracy["label_accuracy"]["top1_share"], 0.97)
        self.assertIn("equal in every bit", done.stdout)
        descr, shape, data = read_npy(out / "output0.npy")
        self.assertEqual((descr, shape), ("|i1", (450, 1, 10)))
        _, _, labels = read_npy(LABELS)
        right = 0
        for i in range(450):
            scores = [(v + 128) % 256 for v in data[i * 10 : i * 10 + 10]]
            right += scores.index(max(scores)) == labels[4 * i]
        self.assertEqual(right / 450, accuracy["label_accuracy"]["top1_share"])

    def test_writes_its_files(self):
        out, summary, text = self.run_digits()
        self.assertEqual({p.name for p in out.iterdir()}, FILES)
        self.assertEqual((out / "report.txt").read_text(), text)
        self.assertEqual(summary["model"], "digits_int8.tflite")
        self.assertEqual(summary["config"], "edge")
        self.assertIn("uncalibrated", text)

    def test_cycles_close(self):
        out, summary, _ = self.run_digits()
        self.assertEqual(sum(summary["cycles_per_inference"]), summary["total_cycles"])
        for unit in summary["units"]:
            self.assertEqual(sum(unit["buckets"].values()), summary["total_cycles"], unit["unit"])
        layers = rows(out / "layers.csv")
        self.assertEqual(sum(int(l["cycles"]) for l in layers), summary["cycles_per_inference"][-1])
        for before, after in zip(layers, layers[1:]):
            self.assertEqual(before["end_cycle"], after["begin_cycle"])

    def test_energy_closes(self):
        out, summary, _ = self.run_digits(count=1)
        ledger = rows(out / "energy.csv")
        total = sum(float(r["energy_pj"]) for r in ledger)
        self.assertAlmostEqual(total / summary["total_energy_pj"], 1, places=9)
        for r in ledger:
            self.assertAlmostEqual(float(r["energy_pj"]),
                                   int(r["count"]) * float(r["energy_per_event_pj"]), places=3)
            self.assertTrue(r["source"], r)
            self.assertIn(r["class"], ("measured", "published", "derived", "assumed", "placeholder"))
        layers = sum(float(l["energy_pj"]) for l in rows(out / "layers.csv"))
        self.assertAlmostEqual((layers + summary["no_layer_energy_pj"]) / total, 1, places=9)
        self.assertAlmostEqual(sum(summary["energy"]["by_source_class"].values()), 1, places=9)
        self.assertAlmostEqual(sum(summary["energy"]["by_component"].values()) / total, 1, places=9)

    def test_same_bytes_from_another_folder(self):
        first, _, _ = self.run_digits(out="first")
        second = self.folder / "second"
        self.npusim("run", "--npu", TOP / "configs/npu/edge.yaml", "--model", "digits_int8.tflite",
                    "--input", self.first_images(2), "--out", second, cwd=DIGITS)
        for name in FILES:
            self.assertEqual((first / name).read_bytes(), (second / name).read_bytes(), name)

    def test_no_absolute_paths(self):
        out, _, _ = self.run_digits()
        for name in FILES:
            text = (out / name).read_bytes().decode("utf-8", "replace")
            for path in (str(TOP), str(self.folder)):
                self.assertNotIn(path, text, name)

    def test_timing_only_has_the_same_cycles(self):
        _, functional, _ = self.run_digits(count=3, out="a")
        _, timing, _ = self.run_digits("--timing-only", count=3, out="b")
        self.assertEqual(functional["cycles_per_inference"], timing["cycles_per_inference"])
        self.assertEqual(functional["total_energy_pj"], timing["total_energy_pj"])
        self.assertNotIn("accuracy", timing)

    def test_trace_is_chrome_json_of_the_last_inference(self):
        out, summary, _ = self.run_digits()
        events = json.loads((out / "trace.json").read_text())["traceEvents"]
        names = {e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
        for track in ("layers", "mac_array", "vector_unit", "dma0", "dram0"):
            self.assertIn(track, names)
        end = summary["total_cycles"] * summary["clock_period_ps"] * 1e-6
        begin = end - summary["cycles_per_inference"][-1] * summary["clock_period_ps"] * 1e-6
        spans = [e for e in events if e["ph"] == "X"]
        self.assertGreater(len(spans), 20)
        for e in spans:
            self.assertGreaterEqual(e["ts"] + e["dur"], begin - 1e-6)
            self.assertLessEqual(e["ts"] + e["dur"], end + 1e-6)
        counters = {e["name"] for e in events if e["ph"] == "C"}
        self.assertIn("power mac_array [W]", counters)
        self.assertIn("occupied mac_array [%]", counters)

    def test_saves_the_tensors_of_the_first_sample(self):
        tensors = self.folder / "tensors"
        self.npusim("run", "--model", MODEL, "--input", self.first_images(2), "--no-fusion",
                    "--save-tensors", tensors)
        shapes = {p.name: read_npy(p)[1] for p in tensors.iterdir()}
        self.assertEqual(shapes["t000.npy"], (1, 8, 8, 1))
        self.assertEqual(shapes["t001.npy"], (1, 8, 8, 16))
        self.assertEqual(shapes["t007.npy"], (1, 128))
        self.assertEqual(shapes["t009.npy"], (1, 10))
        self.assertEqual(len(shapes), 10)
        # What the reshape gives has the bytes of what it takes.
        self.assertEqual(read_npy(tensors / "t006.npy")[2], read_npy(tensors / "t007.npy")[2])

    def test_other_rounding_is_noted_and_no_fault(self):
        text = (TOP / "configs/npu/edge.yaml").read_text()
        text = text.replace("rounding: tflite_double", "rounding: float_rne")
        text = text.replace("../", f"{TOP}/configs/")
        (self.folder / "rne.yaml").write_text(text)
        done = self.npusim("run", "--npu", self.folder / "rne.yaml", "--model", MODEL, "--input",
                           IMAGES)
        self.assertIn("note: vector_unit.requantize.rounding is float_rne", done.stdout)
        self.assertIn("integer reference: DIFFERS", done.stdout)

    def test_input_of_the_own_shape_gives_such_an_output(self):
        _, _, data = read_npy(IMAGES)
        one = self.folder / "one.npy"
        write_npy(one, "|i1", (1, 8, 8, 1), data[:64])
        self.npusim("run", "--model", MODEL, "--input", one, "--save-outputs", self.folder / "a")
        self.npusim("run", "--model", MODEL, "--input", IMAGES, "--samples", 1, "--save-outputs",
                    self.folder / "b")
        a, b = read_npy(self.folder / "a/output0.npy"), read_npy(self.folder / "b/output0.npy")
        self.assertEqual((a[1], b[1]), ((1, 10), (1, 1, 10)))
        self.assertEqual(a[2], b[2])

    def test_random_input_is_noted_and_the_same_each_time(self):
        texts = [self.npusim("run", "--model", MODEL).stdout for _ in range(2)]
        self.assertEqual(texts[0], texts[1])
        self.assertIn("note: no --input: random values, seed 1", texts[0])

    def test_every_preset_is_exact(self):
        presets = sorted((TOP / "configs/npu").glob("*.yaml"))
        self.assertGreaterEqual(len(presets), 6)
        for preset in presets:
            with self.subTest(preset=preset.stem):
                text = self.npusim("run", "--npu", preset.stem, "--model", MODEL, "--input",
                                   self.first_images(2)).stdout
                self.assertIn("equal in every bit", text)

    def test_profile_goes_to_stderr(self):
        done = self.npusim("run", "--model", MODEL, "--profile")
        self.assertRegex(done.stderr, r"profile: simulate_s \d+\.\d+\n")
        self.assertNotIn("profile", done.stdout)

    def test_figures_have_their_unit_in_the_name(self):
        _, summary, text = self.run_digits()
        for key in ("latency_ms", "inferences_per_s", "average_power_mw", "pj_per_mac", "tops_per_w"):
            self.assertIn(key, summary)
            self.assertTrue(re.search(rf"^{key} +[\d.e+-]+$", text, re.M), key)


if __name__ == "__main__":
    run_tests()
