#!/usr/bin/env python3
"""npusim import and run --scalesim-reports: configurations and reports of other simulators."""

import csv

from cli_support import MODEL, CliTest, run_tests

SCALESIM = """[general]
run_name = small
[architecture_presets]
ArrayHeight:    16
ArrayWidth:     16
IfmapSramSzkB:   64
FilterSramSzkB:  64
OfmapSramSzkB:   64
IfmapOffset:    0
Bandwidth : 10
Dataflow : ws
[run_presets]
InterfaceBandwidth: CALC
"""

ONNXIM = """{
  "num_cores" : 1, "core_type" : "systolic_ws", "core_freq" : 1000, "core_width" : 8, "core_height" : 8,
  "spad_size" : 64, "accum_spad_size" : 16, "vector_process_bit" : 128, "add_latency" : 1,
  "dram_type" : "ramulator", "dram_freq" : 1200, "dram_channels": 2, "dram_req_size": 32,
  "icnt_type" : "simple", "icnt_latency" : 1, "icnt_freq" : 2000, "precision" : 1, "layout" : "NHWC"
}
"""

TOPOLOGY = "Layer, M, N, K,\nfirst, 64, 32, 48,\nsecond, 16, 16, 16,\n"


class InterchangeTest(CliTest):
    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def test_imported_configurations_run(self):
        topology = self.write("net.csv", TOPOLOGY)
        for name, text in (("a.cfg", SCALESIM), ("b.json", ONNXIM)):
            source = self.write(name, text)
            out = self.folder / "out" / "npu.yaml"
            out.parent.mkdir(exist_ok=True)
            notes = self.npusim("import", source, "-o", out).stdout.splitlines()
            for line in notes:
                self.assertRegex(line, rf"^{source}(:\d+: [\w.]+)?: (dropped|approximated|assumed): ")
            self.assertTrue(any("Offset" in n or "layout" in n for n in notes), notes)
            self.assertIn("imported from " + name, self.npusim("describe", out).stdout)
            run = self.npusim("run", "--npu", out, "--model", topology, "--timing-only").stdout
            self.assertRegex(run, r"total_cycles +\d+\n")
            self.npusim("run", "--npu", out, "--model", MODEL)  # Every byte as the reference.

    def test_a_small_memory_limits_an_imported_npu(self):
        topology = self.write("net.csv", "Layer, M, N, K,\nfirst, 64, 256, 256,\n")
        cycles = {}
        for mode in ("CALC", "USER"):
            source = self.write("a.cfg", SCALESIM.replace("CALC", mode).replace(": 10", ": 1"))
            self.npusim("import", source, "-o", self.folder / "npu.yaml")
            run = self.npusim("run", "--npu", self.folder / "npu.yaml", "--model", topology, "--timing-only").stdout
            cycles[mode] = int(run.split("total_cycles")[1].split()[0])
        # 64 KiB of weights and 16 KiB of inputs at 2 bytes per cycle.
        self.assertGreater(cycles["USER"], 40960)
        self.assertLess(cycles["CALC"], 40960)

    def test_refuses_what_is_no_configuration(self):
        bad = self.write("bad.cfg", SCALESIM.replace("16", "many", 1))
        out = self.folder / "npu.yaml"
        self.assertIn(f"{bad}:4: architecture_presets.ArrayHeight: must be an integer from 1 to 1024, got many",
                      self.error("import", bad, "-o", out))
        self.assertFalse(out.exists())
        self.assertIn("must be a SCALE-Sim configuration (.cfg) or one of ONNXim (.json)",
                      self.error("import", self.folder / "x.toml", "-o", out))
        self.assertIn("no.cfg: ", self.error("import", self.folder / "no.cfg", "-o", out))
        large = SCALESIM.replace("ArrayHeight:    16", "ArrayHeight: 1024").replace("Width:     16", "Width: 1024")
        self.assertIn("the NPU that it describes is refused: ",
                      self.error("import", self.write("large.cfg", large), "-o", out))
        good = self.write("good.cfg", SCALESIM)
        self.assertIn("good.cfg: cannot", self.error("import", good, "-o", good / "npu.yaml").replace("/npu.yaml", ""))
        self.assertIn(f"{good}: is no configuration of npusim: `npusim import {good} -o npu.yaml` makes one of it",
                      self.error("run", "--npu", good, "--model", MODEL))

    def test_reports_have_scalesims_columns(self):
        topology = self.write("net.csv", TOPOLOGY)
        self.npusim("import", self.write("a.cfg", SCALESIM), "-o", self.folder / "npu.yaml")
        out = self.folder / "reports"
        self.npusim("run", "--npu", self.folder / "npu.yaml", "--model", topology, "--timing-only",
                    "--scalesim-reports", out)
        tables = {}
        for name, columns in (("COMPUTE", 7), ("BANDWIDTH", 7), ("DETAILED_ACCESS", 19)):
            text = (out / f"{name}_REPORT.csv").read_text()
            rows = list(csv.reader(text.splitlines()))
            self.assertTrue(text.startswith("LayerID, "))
            for row in rows:  # As there: a blank before each field, a comma behind the last.
                self.assertEqual(len(row), columns + 1)
                self.assertEqual(row[-1], "")
                self.assertTrue(all(field.startswith(" ") for field in row[1:-1]), row)
            self.assertEqual([row[0] for row in rows[1:]], ["0", "1"])
            header = [field.strip() for field in rows[0]]
            tables[name] = [dict(zip(header, map(float, row[:-1]))) for row in rows[1:]]
        first = tables["DETAILED_ACCESS"][0]
        # Each fold of 16 x 16 weights streams all rows of its 16 inputs; SCALE-Sim counts the same.
        self.assertEqual(first["SRAM IFMAP Reads"], 64 * 48 * 2)
        self.assertEqual(first["SRAM Filter Reads"], 48 * 32)
        self.assertEqual(first["SRAM OFMAP Writes"], 64 * 32 * 3)
        self.assertEqual(first["DRAM IFMAP Reads"], 64 * 48)
        self.assertGreaterEqual(first["DRAM Filter Reads"], 48 * 32)
        self.assertEqual(first["DRAM OFMAP Writes"], 64 * 32)
        compute = tables["COMPUTE"][0]
        self.assertEqual(compute["Mapping Efficiency %"], 100)
        self.assertGreaterEqual(compute["Total Cycles (incl. prefetch)"], compute["Total Cycles"])
        self.assertAlmostEqual(compute["Overall Util %"], 100 * 64 * 48 * 32 / compute["Total Cycles"] / 256)
        bandwidth = tables["BANDWIDTH"][0]
        self.assertAlmostEqual(bandwidth["Avg IFMAP SRAM BW"], 64 * 48 * 2 / compute["Total Cycles"])
        # Layers and tiles that repeat are there each time.
        self.npusim("run", "--model", "bert_base", "--dim", "tokens=4", "--dim", "blocks=8", "--timing-only",
                    "--scalesim-reports", out, "--out", out)
        layers = list(csv.DictReader((out / "layers.csv").read_text().splitlines()))
        self.assertEqual({layer["repeats"] for layer in layers}, {"1"})
        self.assertEqual(len((out / "COMPUTE_REPORT.csv").read_text().splitlines()),
                         1 + sum(layer["macs"] != "0" for layer in layers))
        self.assertIn("--scalesim-reports: not for ONNX models",
                      self.error("run", "--model", "net.onnx", "--scalesim-reports", out))


if __name__ == "__main__":
    run_tests()
