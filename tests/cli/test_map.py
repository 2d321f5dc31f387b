#!/usr/bin/env python3
"""npusim map: searched mappings, their table and file, constraints, errors."""

import csv

from cli_support import MODEL, CliTest, run_tests

QUICK = ("--budget", "100", "--refine", "2", "--moves", "2")


class MapTest(CliTest):
    def map(self, *arguments, **options):
        return self.npusim("map", "--npu", "edge", "--model", MODEL, *QUICK, *arguments, **options)

    def rows(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def total(self, *arguments):
        report = self.npusim("run", "--npu", "edge", "--model", MODEL, "--timing-only", *arguments).stdout
        return int([line.split()[1] for line in report.splitlines() if line.startswith("total_cycles")][0])

    def test_what_is_found_is_never_worse_and_runs(self):
        mapping = self.folder / "mapping.yaml"
        table = self.folder / "layers.csv"
        text = self.map("--out", mapping, "--csv", table).stdout
        self.assertIn("objective latency", text)
        self.assertRegex(text, r"mean_gap_% \d+\.\d\d between predicted and simulated cycles")
        rows = self.rows(table)
        self.assertIn("CONV_2D #4", [row["layer"] for row in rows])
        for row in rows:
            self.assertLessEqual(int(row["found_cycles"]), int(row["heuristic_cycles"]), row)
        self.assertTrue(any(int(row["tried"]) > 0 for row in rows))
        line = [line for line in text.splitlines() if line.startswith("  cycles")][1]
        found, heuristic = int(line.split()[1].rstrip(",")), int(line.split()[3])
        self.assertLessEqual(found, heuristic)
        self.assertEqual(self.total(), heuristic)
        self.assertEqual(self.total("--mapping", mapping), found)

    def test_same_bytes_whatever_the_number_of_jobs(self):
        outputs = []
        for jobs in (1, 3):
            mapping = self.folder / f"{jobs}.yaml"
            text = self.map("--out", mapping, "--jobs", jobs, "--seed", "7").stdout
            outputs.append((text, mapping.read_bytes()))
        self.assertEqual(outputs[0], outputs[1])

    def test_layers_and_objectives(self):
        table = self.folder / "layers.csv"
        for objective in ("energy", "edp"):
            text = self.map("--layer", "CONV_2D #2", "--layer", "CONV_2D #4", "--objective", objective, "--csv",
                            table).stdout
            self.assertIn(f"objective {objective}", text)
            self.assertEqual([row["layer"] for row in self.rows(table)], ["CONV_2D #2", "CONV_2D #4"])
            for row in self.rows(table):
                self.assertLessEqual(float(row["found_energy_pj"]) * (objective == "energy"),
                                     float(row["heuristic_energy_pj"]))

    def test_other_dataflows(self):
        text = self.map("--dataflows", "--layer", "CONV_2D #4").stdout
        self.assertRegex(text, r"weight_stationary +\d+  \(its own\)\n")
        for dataflow in ("output_stationary", "input_stationary"):
            self.assertRegex(text, dataflow + r" +\d+\n")
        striped = self.npusim("map", "--npu", "nvdla_small", "--model", MODEL, *QUICK, "--layer", "CONV_2D #4",
                              "--dataflows").stdout
        self.assertIn("not with mac_array.stripe_positions", striped)

    def test_what_a_mapping_decides_stays(self):
        part = self.folder / "part.yaml"
        whole = self.folder / "whole.yaml"
        part.write_text("layers:\n  - layer: \"CONV_2D #4\"\n    tile: {out_c: 8}\n")
        self.map("--mapping", part, "--out", whole)
        text = whole.read_text()
        layer = text[text.index('"CONV_2D #4"'):]
        self.assertIn("out_c: 8", layer[:layer.index("loop_order")])

    def test_errors(self):
        command = ["map", "--npu", "edge", "--model", MODEL]
        self.assertIn('--layer: the network has no layer "CONV_2D #40" (did you mean `CONV_2D #0`?)',
                      self.error(*command, "--layer", "CONV_2D #40"))
        for option, value, allowed in (("--budget", 0, "1 to 10000000"), ("--refine", 0, "1 to 1000"),
                                       ("--moves", -1, "0 to 1000"), ("--jobs", 5000, "0 to 1024")):
            self.assertIn(f"{option}: must be {allowed}, got {value}", self.error(*command, option, value))
        self.assertIn("--objective", self.error(*command, "--objective", "area"))
        self.assertIn("net.onnx: ONNX models run in stages",
                      self.error("map", "--npu", "edge", "--model", "net.onnx"))
        self.assertIn("--model is required", self.error("map", "--npu", "edge"))
        broken = self.folder / "broken.yaml"
        broken.write_text("layers:\n  - layer: \"CONV_2D #4\"\n    tile: {out_c: 0}\n")
        self.assertIn("broken.yaml", self.error(*command, "--mapping", broken))
        self.assertIn("nowhere", self.error(*command, *QUICK, "--out", self.folder / "nowhere" / "m.yaml"))


if __name__ == "__main__":
    run_tests()
