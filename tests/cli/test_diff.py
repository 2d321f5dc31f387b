#!/usr/bin/env python3
"""npusim diff: what makes one run differ from another."""

import csv
import json
import shutil

from cli_support import MODEL, TOP, CliTest, run_tests

EDGE = TOP / "configs/npu/edge.yaml"


class DiffTest(CliTest):
    def config(self, name, *replacements):
        text = EDGE.read_text().replace("../", f"{EDGE.parent.parent}/")
        for old, new in replacements:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        path = self.folder / f"{name}.yaml"
        path.write_text(text)
        return path

    def run_of(self, name, *arguments, replacements=(), model=MODEL):
        out = self.folder / name
        self.npusim("run", "--npu", self.config(name, *replacements), "--model", model, "--out", out, *arguments)
        return out

    def diff(self, a, b, *arguments):
        path = self.folder / "diff.json"
        text = self.npusim("diff", a, b, "--json", path, *arguments).stdout
        return json.loads(path.read_text()), text

    def check_sums(self, d):
        self.assertEqual(sum(t["delta_ps"] for t in d["latency"]), d["delta_latency_ps"])
        self.assertEqual(sum(t["delta_ps"] for t in d["latency_by_cause"]), d["delta_latency_ps"])
        self.assertEqual(d["b"]["latency_ps"] - d["a"]["latency_ps"], d["delta_latency_ps"])
        energy = d["a"]["energy_pj"] + d["b"]["energy_pj"]
        self.assertAlmostEqual(sum(t["delta_pj"] for t in d["energy"]), d["delta_energy_pj"], delta=1e-9 * energy)
        if d["simulated"]:
            s = d["simulated"]
            self.assertAlmostEqual(sum(p["latency_ps"] for p in s["parameters"]), s["b_latency_ps"] - s["a_latency_ps"],
                                   delta=1e-3)
            self.assertAlmostEqual(sum(p["energy_pj"] for p in s["parameters"]), s["b_energy_pj"] - s["a_energy_pj"],
                                   delta=1e-9 * energy)

    def test_a_run_against_itself_is_empty(self):
        a = self.run_of("a", "--input", self.first_images(2))
        d, text = self.diff(a, a, "--model", MODEL)
        self.assertTrue(d["is_empty"])
        self.assertTrue(text.endswith("\nno difference\n"), text)
        self.assertEqual([d[k] for k in ("changes", "latency", "energy", "layers", "accuracy", "notes")], [[]] * 6)
        self.assertEqual(d["simulated"], None)

    def test_a_changed_parameter_explains_it_all(self):
        a = self.run_of("a")
        b = self.run_of("b", replacements=[("setup_cycles: 16", "setup_cycles: 90"), ("name: edge", "name: slow")])
        d, text = self.diff(a, b, "--model", MODEL)
        self.check_sums(d)
        self.assertGreater(d["delta_latency_ps"], 0)
        self.assertEqual([c["key"] for c in d["changes"]], ["dma.setup_cycles", "name"])
        (parameter,) = d["simulated"]["parameters"]
        self.assertEqual((parameter["parameter"], parameter["a"], parameter["b"]), ("dma.setup_cycles", "16", "90"))
        self.assertEqual(parameter["latency_ps"], d["delta_latency_ps"])
        # The set-up of a DMA channel is fill_drain of it, the results alone say so, too.
        first = d["latency_by_cause"][0]
        self.assertRegex(first["unit"], "dma")
        self.assertEqual(first["cause"], "fill_drain")
        self.assertIn("  dma.setup_cycles                     16 -> 90\n", text)
        self.assertIn("latency by layer and cause", text)
        results, text = self.diff(a, b, "--no-rerun")
        self.assertEqual(results["simulated"], None)
        self.assertEqual(results["latency"], d["latency"])
        self.assertNotIn("parameters:", text)

        table = self.folder / "terms.csv"
        self.npusim("diff", a, b, "--model", MODEL, "--csv", table)
        rows = list(csv.DictReader(table.read_text().splitlines()))
        self.assertEqual(sum(int(r["delta"]) for r in rows if r["kind"] == "latency_ps"), d["delta_latency_ps"])
        self.assertEqual([r["cause"] for r in rows if r["kind"] == "parameter_latency_ps"], ["dma.setup_cycles"])

    def test_several_parameters_the_clock_and_energies_share_it(self):
        table = self.folder / "table.yaml"
        text = (TOP / "configs/energy/edge_7nm.yaml").read_text()
        self.assertIn("pj: 2173", text)
        table.write_text(text.replace("pj: 2173", "pj: 3000"))
        a = self.run_of("a")
        b = self.run_of("b", replacements=[("frequency_mhz: 800", "frequency_mhz: 400"), ("lanes: 32", "lanes: 4"),
                                           (f"{EDGE.parent.parent}/energy/edge_7nm.yaml", str(table))])
        d, text = self.diff(a, b, "--model", MODEL)
        self.check_sums(d)
        parts = {p["parameter"]: p for p in d["simulated"]["parameters"]}
        self.assertEqual(parts.keys(), {"clock.frequency_mhz", "vector_unit.lanes", "energy.events.dram_read.pj"})
        self.assertEqual(d["simulated"]["simulations"], 4)
        self.assertEqual(parts["energy.events.dram_read.pj"]["latency_ps"], 0)
        self.assertGreater(parts["energy.events.dram_read.pj"]["energy_pj"], 0)
        self.assertIn(("clock", "period"), [(t["unit"], t["cause"]) for t in d["latency"]])
        read = next(t for t in d["energy"] if t["event"] == "dram_read")
        self.assertGreater(read["by_energy_per_event_pj"], 0)
        self.assertIn("energy.events.dram_read.pj           2173 -> 3000\n", text)

    def test_parameters_that_only_go_together_are_one(self):
        a = self.run_of("a")
        # 64 bytes per cycle of more banks do not divide the old capacity.
        b = self.run_of("b", replacements=[("capacity_bytes: 524288\n  banks: 16", "capacity_bytes: 589824\n  banks: 18")])
        d, _ = self.diff(a, b, "--model", MODEL)
        self.check_sums(d)
        self.assertEqual([p["parameter"] for p in d["simulated"]["parameters"]],
                         ["scratchpad.capacity_bytes, scratchpad.banks"])

    def test_models_and_options_are_changes(self):
        topology = self.folder / "net.csv"
        topology.write_text("Layer, M, N, K,\na, 16, 16, 16,\nb, 32, 16, 16,\n")
        other = self.folder / "other.csv"
        other.write_text("Layer, M, N, K,\na, 16, 16, 16,\nb, 64, 16, 16,\nc, 8, 8, 8,\n")
        a = self.run_of("a", "--timing-only", "--simulate-all", model=topology)
        b = self.run_of("b", "--timing-only", "--simulate-all", model=other,
                        replacements=[("setup_cycles: 16", "setup_cycles: 40")])
        d, text = self.diff(a, b, "--model-a", topology, "--model-b", other)
        self.check_sums(d)
        self.assertEqual({p["parameter"] for p in d["simulated"]["parameters"]}, {"model", "dma.setup_cycles"})
        self.assertRegex(text, r"FULLY_CONNECTED #2 +added +\d+")
        d, text = self.diff(b, a)
        self.check_sums(d)
        self.assertRegex(text, r"FULLY_CONNECTED #2 +\d+ +removed")
        self.assertIn("--model-a and --model-b say where it is: nothing is simulated again", text)

    def test_accuracy(self):
        a = self.run_of("a", "--input", self.first_images(1))
        b = self.run_of("b", "--input", self.first_images(1),
                        replacements=[("{rounding: tflite_double}", "{rounding: float_rne}")])
        d, text = self.diff(a, b, "--model", MODEL)
        self.check_sums(d)
        self.assertEqual([c["key"] for c in d["changes"]], ["vector_unit.requantize.rounding"])
        c = self.run_of("c", "--timing-only")
        d, text = self.diff(a, c, "--model", MODEL)
        self.assertIn("accuracy", text)
        self.assertIn("probabilities: float_reference.sqnr_db", [m["metric"] for m in d["accuracy"]])

    def test_a_mapping_from_a_file_is_a_change(self):
        a = self.run_of("a")
        b = self.run_of("b", "--mapping", a / "mapping.yaml")
        d, text = self.diff(a, b, "--model", MODEL)
        self.assertEqual([c["key"] for c in d["changes"]], ["mapping_sha256"])
        self.assertIn("b: the run took its mapping from a file (--mapping): nothing is simulated again", text)
        self.assertEqual(d["delta_latency_ps"], 0)
        explained = self.npusim("explain", b, "--model", MODEL).stdout
        self.assertIn("the run took its mapping from a file (--mapping): only what needs no mapping", explained)

    def test_the_host_is_a_change(self):
        a = self.run_of("a")
        b = self.run_of("b", replacements=[("call_us: 5", "call_us: 6")])
        d, _ = self.diff(a, b, "--model", MODEL)
        self.assertEqual(d["changes"], [{"key": "host.call_us", "a": "5", "b": "6"}])
        self.assertFalse(d["is_empty"])

    def test_runs_without_paths_are_compared_by_layers(self):
        a = self.run_of("a")
        b = self.run_of("b", replacements=[("lanes: 32", "lanes: 4")])
        for name in ("rerun.yaml", "critical_path.csv"):
            (b / name).unlink()
        d, text = self.diff(a, b)
        self.check_sums(d)
        self.assertIn("b: no rerun.yaml (an ONNX model, or repeated layers simulated once): latency by layers only", text)
        self.assertTrue(all(t["unit"] == "" for t in d["latency"]))
        self.assertIn("config_fingerprint", [c["key"] for c in d["changes"]])

    def test_refuses_what_is_no_run(self):
        a = self.run_of("a")
        self.assertIn("none: no such folder", self.error("diff", a, self.folder / "none"))
        self.assertIn("the folder has no summary.json: it is not one that `npusim run --out` wrote",
                      self.error("diff", a, self.folder))
        b = self.folder / "b"
        for name, content, message in (
                ("summary.json", "{", "summary.json: is no summary of a run: "),
                ("summary.json", (a / "summary.json").read_text().replace('"clock_period_ps": 1250',
                                                                         '"clock_period_ps": 0'),
                 "summary.json: is no summary of a run: clock_period_ps 0, samples 1"),
                ("layers.csv", "layer,cycles,energy_pj\nx,-1,0\n", "layers.csv:2: cycles: "),
                ("layers.csv", f"layer,cycles,energy_pj\nx,{2**42},0\ny,1,0\n",
                 f"layers.csv:3: cycles: the layers have more than {2**42} together"),
                ("energy.csv", "component,event\nx,y\n", 'energy.csv: no column "count"'),
                ("config.yaml", "name: x\n", "config.yaml: is not as the run wrote it")):
            shutil.rmtree(b, ignore_errors=True)
            shutil.copytree(a, b)
            (b / name).write_text(content)
            self.assertIn(message, self.error("diff", a, b, "--model", MODEL))
        slow = self.run_of("slow", replacements=[("lanes: 32", "lanes: 4")])
        wrong = self.folder / "net.csv"
        wrong.write_text("Layer, M, N, K,\na, 16, 16, 16,\n")
        self.assertIn("net.csv: is not the model of", self.error("diff", a, slow, "--model", wrong))


if __name__ == "__main__":
    run_tests()
