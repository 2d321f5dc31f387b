#!/usr/bin/env python3
"""npusim explain: the critical path of a run and its what-ifs; folders that are not whole."""

import csv
import json
import pathlib
import tempfile

from cli_support import DIGITS, MODEL, CliTest, run_tests


class ExplainTest(CliTest):
    def run_digits(self, *arguments):
        out = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "out"
        self.npusim("run", "--model", MODEL, "--timing-only", "--out", out, *arguments)
        return out, json.loads((out / "summary.json").read_text())

    def check_chain(self, out, summary):
        with open(out / "critical_path.csv", newline="", encoding="utf-8") as file:
            steps = list(csv.DictReader(file))
        at = 0
        for step in steps:
            self.assertEqual(int(step["begin_cycle"]), at)
            at = int(step["end_cycle"])
            causes = sum(int(v) for k, v in step.items() if k.endswith("_cycles"))
            self.assertEqual(causes, at - int(step["begin_cycle"]), step)
        self.assertEqual(at, summary["total_cycles"])
        self.assertIn("where the time went: critical path of", (out / "report.txt").read_text())
        return steps

    def test_the_path_is_a_chain_that_sums_to_the_run(self):
        self.check_chain(*self.run_digits())

    def test_explains(self):
        out, summary = self.run_digits()
        report = self.folder / "explain.json"
        text = self.npusim("explain", out, "--model", MODEL, "--json", report).stdout
        found = json.loads(report.read_text())
        path, study = found["critical_path"], found["what_ifs"]
        self.assertEqual(path["total_cycles"], summary["total_cycles"])
        self.assertEqual(sum(s["cycles"] for s in path["shares"]), path["total_cycles"])
        self.assertEqual(sum(l["cycles"] for l in path["layers"]), path["total_cycles"])
        for layer in path["layers"]:
            self.assertEqual(sum(s["cycles"] for s in layer["shares"]), layer["cycles"])
        self.assertEqual(study["base_cycles"], summary["total_cycles"])
        cycles = [r["cycles"] for r in study["rows"] if r["cycles"] is not None]
        self.assertEqual(cycles, sorted(cycles))
        names = {r["what_if"] for r in study["rows"]}
        self.assertLessEqual({"ideal_dram", "no_refresh", "double_scratchpad", "no_bank_conflicts",
                              "double_array_cols", "double_vector_lanes", "double_data_path",
                              "double_outstanding"}, names)
        for row in study["rows"]:
            self.assertIn(row["what_if"], text)
            if row["cycles"] is not None:
                self.assertEqual(row["saved_cycles"], study["base_cycles"] - row["cycles"])
        self.assertEqual(text, self.npusim("explain", out, cwd=DIGITS).stdout)

    def test_two_inferences(self):
        out, summary = self.run_digits("--samples", "2")
        report = self.folder / "explain.json"
        self.npusim("explain", out, "--json", report)
        found = json.loads(report.read_text())
        first, last = summary["cycles_per_inference"]
        self.assertEqual(found["what_ifs"]["base_cycles"], first)
        self.assertEqual(found["critical_path"]["total_cycles"], last)
        self.assertTrue(any("inference 2" in note for note in found["notes"]))

    def test_without_its_model(self):
        out, _ = self.run_digits()
        text = self.npusim("explain", out, cwd=self.folder).stdout
        self.assertIn("note: the model is not in this folder (digits_int8.tflite: ", text)
        self.assertIn("needs the model", text)
        self.assertNotIn("re-mapped ", text)
        self.assertNotIn("needs the model", self.npusim("explain", out, "--model", MODEL).stdout)
        model = self.folder / "digits_int8.tflite"
        model.write_bytes(pathlib.Path(MODEL).read_bytes() + b"x")
        self.assertIn("digits_int8.tflite in this folder is not the model that ran",
                      self.npusim("explain", out, cwd=self.folder).stdout)
        self.assertIn("is not the model that ran",
                      self.error("explain", out, "--model", model))

    def test_of_a_program(self):
        program = self.folder / "p.npu"
        self.npusim("compile", "--model", MODEL, "-o", program)
        out = self.folder / "out"
        self.npusim("run", "--program", program, "--timing-only", "--out", out)
        self.assertIn("the run took a program", self.npusim("explain", out).stdout)

    def test_units_that_overlap_without_tokens_have_a_path(self):
        for npu in ("nvdla_small", "nvdla_small_256"):
            steps = self.check_chain(*self.run_digits("--npu", npu))
            self.assertIn("stream", {step["handover"] for step in steps})
            self.assertGreater(sum(int(step["stream_latency_cycles"]) for step in steps), 0)
        out, _ = self.run_digits("--npu", "nvdla_small")
        self.assertIn("double_vector_lanes", self.npusim("explain", out, "--model", MODEL).stdout)

    def test_refuses_what_is_no_run(self):
        self.assertIn("no such folder", self.error("explain", self.folder / "none"))
        self.assertIn("has no rerun.yaml", self.error("explain", self.folder))
        self.assertIn("no such folder", self.error("explain", MODEL))

    def test_refuses_folders_that_are_not_whole(self):
        out, _ = self.run_digits()
        names = ["config.yaml", "config_dram.yaml", "config_energy.yaml", "program.npu", "critical_path.csv"]
        for name in names:
            whole = (out / name).read_bytes()
            (out / name).unlink()
            self.assertIn(name, self.error("explain", out))
            (out / name).write_bytes(whole[: len(whole) // 2])
            self.assertIn(f"{name}: is not as the run wrote it", self.error("explain", out))
            (out / name).write_bytes(whole + b"\n")
            self.assertIn(f"{name}: is not as the run wrote it", self.error("explain", out))
            (out / name).write_bytes(whole)
        manifest = (out / "rerun.yaml").read_text()
        for old, new, message in [
                ("samples: 1", "samples: 0", "samples: must be"),
                ("samples: 1", "sample: 1", "samples"),
                ("first_run_cycles: ", "first_run_cycles: 1", "another npusim wrote it"),
                ("program.npu:", "../program.npu:", "must be a file of this folder"),
                ("config_fingerprint: \"", "config_fingerprint: \"0", "config_fingerprint: config.yaml has"),
                ("config_fingerprint: ", "config_fingerprint: x", "config_fingerprint: config.yaml has")]:
            if old not in manifest:
                continue
            (out / "rerun.yaml").write_text(manifest.replace(old, new, 1))
            self.assertIn(message, self.error("explain", out), new)
        (out / "rerun.yaml").write_text(manifest[: len(manifest) // 2])
        self.error("explain", out)
        (out / "rerun.yaml").write_text("")
        self.error("explain", out)


if __name__ == "__main__":
    run_tests()
