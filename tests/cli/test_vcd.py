#!/usr/bin/env python3
"""npusim run --vcd: what GTKWave reads agrees with the report."""

import json
import re

from cli_support import MODEL, CliTest, run_tests


class Waves:
    """A value change dump, parsed strictly."""

    def __init__(self, text):
        head, body = text.split("$enddefinitions  $end\n")
        self.header, self.names, scope = head, {}, []
        for line in head.splitlines():
            words = line.split()
            if line.startswith("$scope"):
                scope.append(words[2])
            elif line.startswith("$upscope"):
                scope.pop()
            elif line.startswith("$var"):
                self.names[words[3]] = (".".join(scope[1:] + [words[4]]), int(words[2]))
        assert not scope
        self.changes = {name: [] for name, _ in self.names.values()}
        now = 0
        for line in re.sub(r"\$comment.*?\$end", "", body, flags=re.S).splitlines():
            if line.startswith("#"):
                assert int(line[1:]) >= now
                now = int(line[1:])
            elif line.startswith("b"):
                value, key = line[1:].split()
                self.changes[self.names[key][0]].append((now, int(value, 2)))
            elif line and line[0] in "01":
                self.changes[self.names[line[1:]][0]].append((now, int(line[0])))
            else:
                assert line in ("", "$dumpvars", "$end"), line
        self.end = now

    def time_at(self, name, value):
        changes = self.changes[name] + [(self.end, None)]
        return sum(changes[i + 1][0] - at for i, (at, v) in enumerate(changes[:-1]) if v == value)


class VcdTest(CliTest):
    def run_with(self, *arguments):
        waves, out = self.folder / "waves.vcd", self.folder / "out"
        done = self.npusim("run", *arguments, "--vcd", waves, "--out", out)
        summary = json.loads((out / "summary.json").read_text())
        return Waves(waves.read_text()), summary, done

    def check_buckets(self, waves, summary):
        states = dict((name, int(number)) for number, name in
                      re.findall(r"(\d+) (\w+)", waves.header.split("state:")[1].split("$end")[0]))
        period = summary["clock_period_ps"]
        self.assertEqual(waves.end, summary["simulated_cycles"] * period)
        for unit in summary["units"]:
            self.assertEqual(waves.time_at(unit["unit"] + ".busy", 1), unit["buckets"]["busy_cycles"] * period, unit["unit"])
            for bucket, cycles in unit["buckets"].items():
                self.assertEqual(waves.time_at(unit["unit"] + ".state", states[bucket.removesuffix("_cycles")]), cycles * period,
                                 (unit["unit"], bucket))

    def test_agrees_with_the_report_and_changes_nothing(self):
        for npu in ("edge", "nvdla_small", "ethos_u55_128"):
            arguments = ["--npu", npu, "--model", MODEL]
            waves, summary, done = self.run_with(*arguments)
            self.assertRegex(waves.header, r"\$timescale\s+1 ps\s+\$end")
            self.check_buckets(waves, summary)
            names = waves.changes.keys()
            for name in ("mac_array.queue", "dma0.requests", "vector_unit.queue", "sequencer.state"):
                self.assertIn(name, names)
            self.assertTrue(any(name.startswith("tokens.") for name in names))
            for name, changes in waves.changes.items():
                if name.endswith((".queue", ".requests")) or name.startswith("tokens."):
                    self.assertEqual(changes[0], (0, 0), name)
                    self.assertEqual(changes[-1][1], 0, name)  # All is done at the end.
            self.assertGreater(max(value for _, value in waves.changes["mac_array.queue"]), 0)
            self.assertGreater(max(value for n, c in waves.changes.items() if re.match(r"dram\d\.reads", n)
                                   for _, value in c), 0)
            # Queues hold what they may.
            described = self.npusim("describe", npu).stdout
            depth = int(re.search(r"queue_depth\s+(\d+)", described).group(1))
            outstanding = int(re.search(r"max_outstanding\s+(\d+)", described).group(1))
            for name, changes in waves.changes.items():
                most = max(value for _, value in changes)
                if name.endswith(".queue"):
                    self.assertLessEqual(most, depth)
                if name.endswith(".requests"):
                    self.assertLessEqual(most, outstanding)

            plain = self.npusim("run", *arguments, "--out", self.folder / "plain")
            self.assertEqual(plain.stdout, done.stdout)
            self.assertEqual((self.folder / "plain/summary.json").read_text(),
                             (self.folder / "out/summary.json").read_text())

    def test_the_same_run_gives_the_same_bytes(self):
        for name in ("a.vcd", "b.vcd"):
            self.npusim("run", "--model", MODEL, "--timing-only", "--vcd", self.folder / name)
        self.assertEqual((self.folder / "a.vcd").read_bytes(), (self.folder / "b.vcd").read_bytes())
        self.assertRegex((self.folder / "a.vcd").read_text(), r"\$date\n *\n\$end")

    def test_the_last_inference_is_shown(self):
        waves, summary, _ = self.run_with("--model", MODEL, "--timing-only", "--samples", "3")
        self.assertLess(waves.end, summary["total_cycles"] * summary["clock_period_ps"] / 2)
        for unit in ("mac_array", "vector_unit", "dma0", "dram0"):
            self.assertGreater(waves.time_at(unit + ".busy", 1), 0)

    def test_repeated_layers_are_shown_once(self):
        arguments = ["--model", "bert_base", "--dim", "tokens=4", "--dim", "blocks=8", "--timing-only"]
        waves, summary, done = self.run_with(*arguments)
        self.assertIn("note: --vcd: repeated layers are there once, as they were simulated", done.stdout)
        self.assertEqual(waves.end, summary["simulated_cycles"] * summary["clock_period_ps"])
        self.assertLess(summary["simulated_cycles"], summary["total_cycles"])
        plain = self.npusim("run", *arguments).stdout
        self.assertIn(f"total_cycles             {summary['total_cycles']}\n", plain)

    def test_nothing_is_left_of_a_run_that_fails(self):
        waves = self.folder / "waves.vcd"
        self.error("run", "--model", self.folder / "none.tflite", "--vcd", waves)
        self.error("run", "--model", MODEL, "--input", self.folder / "none.npy", "--vcd", waves)
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertIn("cannot write: its folder does not exist or takes no files",
                      self.error("run", "--model", MODEL, "--vcd", self.folder / "no/waves.vcd"))
        self.assertIn("cannot write: is a folder", self.error("run", "--model", MODEL, "--vcd", self.folder))
        self.assertIn("--vcd: not for ONNX models", self.error("run", "--model", "a.onnx", "--vcd", waves))
        self.assertEqual(list(self.folder.iterdir()), [])


if __name__ == "__main__":
    run_tests()
