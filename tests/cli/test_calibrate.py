#!/usr/bin/env python3
"""npusim calibrate: fits, writes a configuration, reports print its interval."""

import json

from cli_support import MODEL, CliTest, run_tests

LAYERS = [("conv", 6, 8, 16), ("conv", 8, 8, 24), ("conv", 10, 16, 16), ("conv", 7, 24, 8),
          ("fully_connected", "", 64, 10), ("fully_connected", "", 256, 32), ("fully_connected", "", 500, 20),
          ("conv", 12, 4, 12)]


class CalibrateTest(CliTest):
    def rows(self, cycles):
        lines = ["# measured: a test", "type,in_h,in_w,in_c,out_c,kernel_h,kernel_w,stride,pad,cycles"]
        for (kind, size, channels, out), value in zip(LAYERS, cycles):
            window = "3,3,1,1" if kind == "conv" else ",,,"
            lines.append(f"{kind},{size},{size},{channels},{out},{window},{value}")
        return self.write("rows.csv", "\n".join(lines) + "\n")

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def parameters(self):
        return self.write("list.yaml", "parameters:\n  dma.setup_cycles: {min: 0, max: 64, step: 8}\n")

    def calibrate(self, rows, *arguments, out="fitted.yaml", **options):
        return self.npusim("calibrate", "--npu", "edge", "--measured", rows, "--parameters", self.parameters(),
                           "--out", self.folder / out, *arguments, **options)

    def test_writes_a_configuration_whose_runs_print_the_interval(self):
        done = self.calibrate(self.rows([3000, 3500, 4000, 3200, 900, 2500, 3000, 3100]), "--holdout", "0.5")
        self.assertIn("held out", done.stdout)
        self.assertIn("split conformal", done.stdout)
        fitted = self.folder / "fitted.yaml"
        text = fitted.read_text()
        self.assertRegex(text, r"setup_cycles: \d+\n")
        self.assertIn("fitted: npusim calibrate on 4 rows of rows.csv, mean error", text)
        described = self.npusim("describe", fitted).stdout
        self.assertIn("interval_low_percent", described)
        again = self.folder / "again.yaml"
        self.calibrate(self.rows([3000, 3500, 4000, 3200, 900, 2500, 3000, 3100]), "--holdout", "0.5",
                       out="again.yaml")
        self.assertEqual(again.read_text(), text)

        out = self.folder / "out"
        report = self.npusim("run", "--npu", fitted, "--model", MODEL, "--timing-only", "--out", out).stdout
        self.assertRegex(report, r"latency_interval_ms +[\d.e-]+ to [\d.e-]+ at [\d.]+ %\n")
        summary = json.loads((out / "summary.json").read_text())
        self.assertLessEqual(summary["latency_interval"]["low_ms"], summary["latency_interval"]["high_ms"])

        plain = self.npusim("run", "--npu", "edge", "--model", MODEL, "--timing-only", "--out", out).stdout
        self.assertRegex(plain, r"latency_interval_ms +uncalibrated\n")
        self.assertIsNone(json.loads((out / "summary.json").read_text())["latency_interval"])

    def test_refuses_broken_input(self):
        good = self.rows([3000] * 8)
        arguments = ["calibrate", "--npu", "edge", "--out", self.folder / "o.yaml"]
        listed = self.parameters()
        self.assertIn("no_such.csv", self.error(*arguments, "--measured", self.folder / "no_such.csv",
                                                "--parameters", listed))
        self.assertIn("--holdout: must be above 0 and below 1, got 1",
                      self.error(*arguments, "--measured", good, "--parameters", listed, "--holdout", "1"))
        self.assertIn("--level: must be above 0",
                      self.error(*arguments, "--measured", good, "--parameters", listed, "--level", "0"))
        self.assertIn("--evaluations: must be at least 1",
                      self.error(*arguments, "--measured", good, "--parameters", listed, "--evaluations", "0"))
        bad = self.write("bad.csv", good.read_text().replace("3000", "x", 1))
        self.assertRegex(self.error(*arguments, "--measured", bad, "--parameters", listed),
                         r"bad\.csv:3: cycles: expected an integer")
        wrong = self.write("wrong.yaml", "parameters:\n  dma.setup_cycle: {min: 0, max: 4}\n")
        self.assertIn("dma.setup_cycle: the configuration has no such value",
                      self.error(*arguments, "--measured", good, "--parameters", wrong))
        few = self.write("few.csv", "\n".join(good.read_text().splitlines()[:5]) + "\n")
        self.assertIn("at least two rows to fit and two to hold out",
                      self.error(*arguments, "--measured", few, "--parameters", listed))
        self.assertFalse((self.folder / "o.yaml").exists())


if __name__ == "__main__":
    run_tests()
