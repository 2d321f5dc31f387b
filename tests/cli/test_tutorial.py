"""docs/tutorial.md: every command in it runs, and what it says of the results is so."""

import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from cli_support import TOP

PROGRAM = str(pathlib.Path(sys.argv.pop()).resolve())
TEXT = (TOP / "docs/tutorial.md").read_text()
BLOCK = re.compile(r"^```(sh|yaml)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


class TutorialTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.here = pathlib.Path(cls.folder.name)
        path = os.pathsep.join([str(pathlib.Path(PROGRAM).parent), os.environ["PATH"]])
        cls.output = {}
        for language, name, text in BLOCK.findall(TEXT):
            if language == "yaml":
                (cls.here / name).write_text(text)
                continue
            for command in text.splitlines():
                if command.startswith(("export ", "mkdir ")):
                    continue  # The test's own folder and program instead.
                done = subprocess.run(["bash", "-c", command], cwd=cls.here, capture_output=True, text=True,
                                      env={**os.environ, "PATH": path}, timeout=250, check=False)
                assert done.returncode == 0, f"{command}: {done.stderr}"
                cls.output.setdefault(command, []).append(done)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def runs_of(self, start):
        return [d for command, runs in self.output.items() if command.startswith(start) for d in runs]

    def figures(self, run):
        return json.loads((self.here / run / "summary.json").read_text())

    def test_the_second_sweep_computes_nothing(self):
        first, second = self.runs_of("npusim sweep")
        self.assertIn("18 computed now", first.stderr)
        self.assertIn("0 computed now", second.stderr)
        self.assertEqual(first.stdout, second.stdout)

    def test_the_best_point_is_the_one_that_it_names(self):
        with open(self.here / "edge_resnet.csv", newline="") as file:
            points = [p for p in csv.DictReader(file) if float(p["peak_macs_per_cycle"]) <= 1024]
        best = min(points, key=lambda p: float(p["latency_ms"]))
        self.assertEqual(best["point"], "11")
        self.assertEqual((best["mac_array.rows"], best["scratchpad.capacity_bytes"], best["dram.channels"]),
                         ("32", "2097152", "2"))
        self.assertEqual(self.figures("best")["total_cycles"], int(best["cycles"]))

    def test_the_difference_is_what_it_says(self):
        base, best, mapped = (self.figures(r) for r in ("base", "best", "mapped"))
        self.assertEqual(round(100 * (1 - best["latency_ms"] / base["latency_ms"])), 4)
        self.assertEqual(round(100 * (1 - best["total_energy_pj"] / base["total_energy_pj"])), 13)
        (diff,) = self.runs_of("npusim diff")
        changed = diff.stdout.split("changed\n")[1].splitlines()[0]
        self.assertEqual(changed.split()[0], "scratchpad.capacity_bytes")
        self.assertLess(mapped["total_cycles"], best["total_cycles"])

    def test_pages_are_there(self):
        for name in ("sweep.html", "runs.html"):
            self.assertIn("</html>", (self.here / name).read_text()[-200:])
        self.assertIn("| ", (self.here / "runs.md").read_text())


if __name__ == "__main__":
    unittest.main()
