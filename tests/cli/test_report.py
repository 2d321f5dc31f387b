#!/usr/bin/env python3
"""npusim report: pages, tables and pictures of finished runs; folders that are broken."""

import csv
import json
import os
import pathlib
import re
import shutil
import struct
import tempfile

from cli_support import MODEL, CliTest, run_tests


def data_of(page):
    """The data that a page shows."""
    text = pathlib.Path(page).read_text(encoding="utf-8")
    return json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.S).group(1))


class ReportTest(CliTest):
    runs = {}  # One run of each kind for all tests; each takes copies.

    @classmethod
    def setUpClass(cls):
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.shared = pathlib.Path(temporary.name)

    def run_folder(self, kind="timing", name=None):
        arguments = {"timing": ("--timing-only",), "full": ("--input", self.first_images(2)),
                     "gemmini": ("--timing-only", "--npu", "gemmini_16x16")}
        if kind not in self.runs:
            self.runs[kind] = self.shared / kind
            self.npusim("run", "--model", MODEL, *arguments[kind], "--out", self.runs[kind])
        copy = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / (name or kind)
        shutil.copytree(self.runs[kind], copy)
        return copy

    def replace(self, path, old, new):
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def refused(self, folder, expected):
        out = self.folder / "never.html"
        self.assertIn(expected, self.error("report", folder, "-o", out))
        self.assertFalse(out.exists())

    def test_page_of_a_run_with_values(self):
        folder = self.run_folder("full")
        page = self.folder / "report.html"
        self.npusim("report", folder, "-o", page)
        data = data_of(page)
        run = data["run"]
        self.assertEqual((data["kind"], data["generator"]), ("run", "npusim 0.1.0"))
        self.assertEqual((run["model"], run["config"], run["samples"]), ("digits_int8.tflite", "edge", 2))
        summary = json.loads((folder / "summary.json").read_text())
        self.assertEqual(run["total_cycles"], summary["total_cycles"])
        self.assertEqual(sum(l["cycles"] for l in run["layers"]), summary["cycles_per_inference"][-1])
        self.assertAlmostEqual(sum(r["energy_pj"] for r in run["energy"]) / summary["total_energy_pj"], 1, places=9)
        for layer in run["layers"]:
            self.assertAlmostEqual(sum(layer["component_pj"]) / layer["energy_pj"], 1, places=9)
        tracks = {t["name"]: t["bars"] for t in run["timeline"]["tracks"]}
        self.assertTrue(tracks["mac_array"] and tracks["dma0"])
        self.assertEqual(sum(len(bars) for bars in tracks.values()), run["timeline"]["spans"])
        memories = {m["memory"]: m for m in run["memory"]["memories"]}
        self.assertLessEqual(0 < memories["scratchpad"]["peak_bytes"], memories["scratchpad"]["capacity_bytes"])
        self.assertEqual(run["accuracy"]["samples"], 2)
        self.assertEqual(run["accuracy"]["outputs"][0]["integer"]["differing"], 0)
        path = run["critical_path"]
        self.assertEqual(sum(s["cycles"] for s in path["shares"]), path["total_cycles"])
        self.assertEqual([f["name"] for f in run["configuration"]["files"]],
                         ["config.yaml", "config_dram.yaml", "config_energy.yaml"])
        self.assertTrue(all(len(w) == len(run["power"]["begins"]) - 1 for w in run["power"]["watts"]))

    def test_the_page_loads_nothing(self):
        page = self.folder / "report.html"
        self.npusim("report", self.run_folder(), "-o", page)
        text = page.read_text(encoding="utf-8")
        self.assertFalse(re.search(r"<(script|iframe)[^>]* src=|<link|@import", text))
        self.assertIn("default-src 'none'", text)

    def test_the_same_bytes_again(self):
        folder = self.run_folder()
        pages = [self.folder / name for name in ("a.html", "b.html")]
        for page in pages:
            self.npusim("report", folder, "-o", page)
        self.assertEqual(pages[0].read_bytes(), pages[1].read_bytes())

    def test_several_runs(self):
        page = self.folder / "report.html"
        self.npusim("report", self.run_folder(), self.run_folder("gemmini"), self.run_folder(), "-o", page)
        data = data_of(page)
        self.assertEqual(data["kind"], "runs")
        self.assertEqual([r["name"] for r in data["runs"]], ["timing", "gemmini", "timing (2)"])
        self.assertEqual(data["runs"][0]["accuracy"], {"absent": "A timing-only run computes no values."})

    def test_without_what_a_run_may_lack(self):
        folder = self.run_folder()
        for name in ("mapping.yaml", "critical_path.csv", "config.yaml", "config_dram.yaml", "config_energy.yaml"):
            (folder / name).unlink()
        page = self.folder / "report.html"
        self.npusim("report", folder, "-o", page)
        run = data_of(page)["run"]
        for part in ("memory", "critical_path", "configuration"):
            self.assertTrue(run[part]["absent"].startswith("The run left no "), part)

    def test_markdown_and_csv(self):
        folder = self.run_folder("full")
        text = self.npusim("report", folder, "--format", "md").stdout
        self.assertTrue(text.startswith("# npusim run full\n"))
        for line in ("| NPU | edge |", "### Energy by class of source", "### Critical path", "### Provenance"):
            self.assertIn(line, text)
        table = self.folder / "layers.csv"
        self.npusim("report", folder, self.run_folder("gemmini"), "-o", table)
        with open(table, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        with open(folder / "layers.csv", newline="", encoding="utf-8") as file:
            expected = list(csv.DictReader(file))
        own = [row for row in rows if row["run"] == "full"]
        self.assertEqual(len(own), len(expected))
        for row, layer in zip(own, expected):
            self.assertTrue(all(row[key] == layer[key] for key in layer if key in row), row)
        self.assertEqual({row["config"] for row in rows}, {"edge", "gemmini_16x16"})

    def test_picture(self):
        picture = self.folder / "report.png"
        self.npusim("report", self.run_folder(), "-o", picture)
        raw = picture.read_bytes()
        self.assertEqual(raw[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", raw[16:24])
        self.assertEqual(width, 1280)
        self.assertGreater(height, 2000)

    def fake_browser(self, script):
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        program = folder / "chromium"
        program.write_text("#!/bin/sh\n" + script, encoding="utf-8")
        program.chmod(0o755)
        return {**os.environ, "PATH": f"{folder}:/bin:/usr/bin"}

    def test_pictures_need_a_browser_that_works(self):
        folder, picture = self.run_folder(), self.folder / "report.png"
        arguments = ("report", folder, "-o", picture)
        self.assertEqual(self.error(*arguments, env={**os.environ, "PATH": str(self.folder)}),
                         "npusim: error: --format png: needs a browser, and none of chromium, chromium-browser, google-chrome is "
                         "in the PATH (Debian's package: chromium)")
        self.assertRegex(self.error(*arguments, env=self.fake_browser("exit 3\n")), "--format png: .*/chromium failed")
        self.assertRegex(self.error(*arguments, env=self.fake_browser("echo '<html lang=en><body>'\n")),
                         "--format png: .*/chromium did not draw the page")
        self.assertRegex(self.error(*arguments, env=self.fake_browser("echo '<html data-height=\"100\">'\n")),
                         "--format png: .*/chromium made no picture")
        self.assertFalse(picture.exists())
        self.assertEqual(list(pathlib.Path(tempfile.gettempdir()).glob("npusim-report-*")), [])

    def test_options(self):
        folder = self.run_folder()
        self.assertEqual(self.error("report", folder),
                         "npusim: error: report: needs -o FILE, or --format md or csv to write to stdout")
        self.assertEqual(self.error("report", folder, "--format", "html"), "npusim: error: report: --format html needs -o FILE")
        self.assertEqual(self.error("report", folder, "--format", "cvs"),
                         "npusim: error: --format: must be html, md, csv or png, got cvs (did you mean `csv`?)")
        self.assertEqual(self.error("report", folder, "-o", "x.txt"),
                         "npusim: error: -o: suffix of the file: must be html, md, csv or png, got txt")
        self.assertEqual(self.error("report", folder, "-o", "report"),
                         "npusim: error: -o: report has no suffix that names a format: .html, .md, .csv or .png")
        self.assertIn("cannot", self.error("report", folder, "-o", self.folder / "no" / "such" / "x.html"))
        self.assertIn("folders is required", self.error("report"))

    def test_folders_that_are_none(self):
        self.refused(self.folder / "nothing", "nothing: no such folder")
        empty = self.folder / "empty"
        empty.mkdir()
        self.refused(empty, "empty: the folder has no summary.json: it is not one that `npusim run --out` wrote")
        for name in ("summary.json", "layers.csv", "energy.csv", "trace.json"):
            with self.subTest(name):
                folder = self.run_folder()
                (folder / name).unlink()
                self.refused(folder, f"the folder has no {name}: it is not one that")
                (folder / name).mkdir()
                self.refused(folder, name)

    def test_files_cut_anywhere(self):
        for name in ("summary.json", "layers.csv", "energy.csv", "trace.json", "mapping.yaml", "critical_path.csv"):
            folder = self.run_folder()
            raw = (folder / name).read_bytes()
            for share in (0, 0.1, 0.5, 0.9, 0.999):
                with self.subTest(name=name, share=share):
                    (folder / name).write_bytes(raw[: int(len(raw) * share)])
                    done = self.npusim_any("report", folder, "-o", self.folder / "cut.html")
                    # A cut at the end of a line of YAML or a table may leave a file that is whole.
                    if done.returncode != 0 or name.endswith(".json"):
                        self.assertEqual(done.returncode, 2, done.stderr)
                        self.assertIn(str(folder), done.stderr)

    def npusim_any(self, *arguments):
        import subprocess
        return subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=100)

    def test_wrong_types_and_sizes(self):
        cases = [
            ("summary.json", '"config": "edge"', '"config": 7', "summary.json: config: must be text, got 7"),
            ("summary.json", '"config": "edge"', '"config": null', "summary.json: config: must be text, got null"),
            ("summary.json", '"samples": 1', '"samples": 1e999', "summary.json: a number is beyond the range of a double"),
            ("summary.json", '"samples": 1', '"samples": NaN', "not JSON"),
            ("summary.json", '"samples": 1', '"samples": 0', "summary.json: samples: must be an integer from 1 to"),
            ("summary.json", '"notes": [', '"notes": [{}], "x": [', "summary.json: notes: must be text, got an object"),
            ("summary.json", '"latency_ms": ', '"latency_ms": -', "summary.json: latency_ms: must be a number from 0 to 1e+30, got -"),
            ("summary.json", '"clock_period_ps": 1250', '"clock_period_ps": 0', "summary.json: clock_period_ps: must be an integer from 1"),
            ("summary.json", '"busy_cycles": ', '"busy_cycles": "x", "y": ', "summary.json: units[0].buckets.busy_cycles: must be an integer"),
            ("summary.json", '"peaks": {', '"peak": {', "summary.json: peaks: is missing"),
            ("layers.csv", "energy_pj", "energy", "layers.csv: no column \"energy_pj\""),
            ("layers.csv", ",latency,", ",latency,,", "layers.csv:"),
            ("energy.csv", "component,event", "component,component", "energy.csv:1: column \"component\" is there twice"),
            ("trace.json", '"traceEvents"', '"events"', "trace.json: traceEvents: is missing"),
            ("trace.json", '"dur":', '"dur":1e300,"x":', "must lie from 0 to 9e+15 cycles, got 1e+300 us"),
            ("mapping.yaml", "layers:", "players:", "mapping.yaml:1:1: layers: must be given, got nothing"),
            ("mapping.yaml", "address: ", "address: -", "mapping.yaml:"),
            ("critical_path.csv", "0,", "1,", "critical_path.csv:"),
        ]
        for name, old, new, expected in cases:
            with self.subTest(file=name, new=new):
                folder = self.run_folder()
                self.replace(folder / name, old, new)
                self.refused(folder, expected)

    def test_files_of_two_runs(self):
        folder = self.run_folder()
        shutil.copy(self.run_folder("gemmini") / "energy.csv", folder / "energy.csv")
        self.refused(folder, "total_energy_pj of summary.json is")

    def test_a_file_that_is_too_long(self):
        folder = self.run_folder()
        with open(folder / "summary.json", "ab") as file:
            file.truncate(65 << 20)
        self.refused(folder, "summary.json")
        folder = self.run_folder()
        with open(folder / "config.yaml", "ab") as file:
            file.truncate(2 << 20)
        self.refused(folder, "config.yaml")

    def test_no_text_becomes_markup(self):
        folder = self.run_folder(name="<img src=x>")
        hostile = "</script><img src=x onerror=alert(1)>"
        self.replace(folder / "summary.json", '"config": "edge"', f'"config": "{hostile}"')
        self.replace(folder / "trace.json", '"name":"mac_array"', f'"name":"{hostile}"')
        (folder / "config.yaml").write_text(hostile, encoding="utf-8")
        page = self.folder / "report.html"
        self.npusim("report", folder, "-o", page)
        text = page.read_text(encoding="utf-8")
        data = re.search(r'<script id="data".*?>(.*?)</script>', text, re.S).group(1)
        self.assertFalse("<" in data)
        self.assertIn("<title>digits_int8.tflite on &lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;</title>", re.findall("<title>.*?</title>", text))
        self.assertEqual(data_of(page)["run"]["config"], hostile)
        self.assertNotIn("<img", self.npusim("report", folder, "--format", "md").stdout)

    def test_sweep(self):
        sweep = self.folder / "sweep.yaml"
        sweep.write_text(f"sweep: rows\nmodels: {MODEL}\nparameters:\n  mac_array.rows: [8, 16, 0]\n", encoding="utf-8")
        database = self.folder / "rows.db"
        self.npusim("sweep", sweep, "--db", database)
        page = self.folder / "sweep.html"
        self.npusim("report", database, "-o", page)
        data = data_of(page)
        self.assertEqual((data["kind"], data["title"], data["generator"]), ("sweep", "Sweep rows", "npusim 0.1.0"))
        self.assertEqual([p["status"] for p in data["points"]], ["done", "done", "failed"])
        self.assertEqual(data["parameters"][0]["values"], [0, 8, 16])
        text = self.npusim("report", database, "--format", "md", "--name", "rows").stdout
        self.assertIn("# npusim sweep rows\n\n3 points, 2 done, 1 failed.", text)
        table = self.folder / "sweep.csv"
        self.npusim("sweep", "--show", "--db", database, "--csv", table)
        self.assertEqual(self.npusim("report", database, "--format", "csv").stdout, table.read_text(encoding="utf-8"))
        self.assertEqual(self.error("report", database, self.run_folder(), "-o", page),
                         "npusim: error: report: the database of a sweep stands alone")
        self.assertEqual(self.error("report", self.run_folder(), "--name", "rows", "-o", page),
                         "npusim: error: --name: only for the database of a sweep")
        self.assertIn("rows.db: no sweep none in it", self.error("report", database, "--name", "none", "-o", page))
        database.write_bytes(database.read_bytes()[:5000])
        self.error("report", database, "-o", page)

    def test_repeated_layers(self):
        page = self.folder / "report.html"
        self.npusim("run", "--model", "gpt2", "--timing-only", "--out", self.folder / "gpt2")
        self.npusim("report", self.folder / "gpt2", "-o", page)
        run = data_of(page)["run"]
        self.assertTrue(run["repeats_once"])
        self.assertIn("absent", run["critical_path"])
        self.assertNotIn("absent", run["configuration"])
        self.assertNotIn("absent", run["memory"])


if __name__ == "__main__":
    run_tests()
