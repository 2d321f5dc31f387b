#!/usr/bin/env python3
"""npusim sweep: tables, databases, failures, ends in the middle."""

import contextlib
import csv
import os
import pathlib
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import time
import unittest

from cli_support import MODEL, TOP, CliTest, run_tests
from test_onnx import FLOAT, field, model, node, value_info

SMALL = """
sweep: small
models: [MODEL]
parameters:
  mac_array.rows: {powers_of_two: {from: 2, to: 16}}
  mac_array.cols: {powers_of_two: {from: 4, to: 32}}
  mac_array.weight_load_bytes_per_cycle: {expression: "mac_array.cols"}
  dma.channels: [2, 4, 9]
"""
POINTS, FAILED = 48, 16  # No DMA has 9 channels.


class SweepTest(CliTest):
    def write(self, text=SMALL, name="s.yaml"):
        path = self.folder / name
        path.write_text(text.replace("MODEL", MODEL))
        return path

    def sweep(self, file, *arguments, **options):
        """(stdout, points, failed, computed)"""
        done = self.npusim("sweep", file, *arguments, cwd=self.folder, **options)
        last = done.stderr.splitlines()[-1]
        found = re.search(r"npusim: (\d+) points, (\d+) failed, (\d+) computed now; ", last)
        self.assertTrue(found, done.stderr)
        return (done.stdout, *map(int, found.groups()))

    def table(self, db):
        return self.npusim("sweep", "--show", "--db", db, cwd=self.folder).stdout

    def test_any_number_of_workers_gives_the_same_bytes_and_a_second_run_computes_nothing(self):
        file = self.write()
        first = self.sweep(file, "--csv", "one.csv", "--workers", "1", "--db", "one.db")
        self.assertEqual(first[1:], (POINTS, FAILED, POINTS))
        many = self.sweep(file, "--csv", "many.csv", "--workers", "3", "--db", "many.db")
        self.assertEqual(first, many)
        self.assertEqual((self.folder / "one.csv").read_bytes(), (self.folder / "many.csv").read_bytes())
        again = self.sweep(file, "--db", "many.db")
        self.assertEqual(again, (first[0], POINTS, FAILED, 0))
        self.assertEqual(self.table("many.db"), first[0])
        other = self.sweep(self.write(SMALL.replace("small", "other").replace("4, 9", "4"), "o.yaml"),
                           "--db", "many.db")
        self.assertEqual(other[1:], (32, 0, 0))
        self.assertIn("many.db: has several sweeps, give the name of one: small, other",
                      self.error("sweep", "--show", "--db", "many.db", cwd=self.folder))
        shown = self.npusim("sweep", "--show", "--db", "many.db", "--name", "other", cwd=self.folder)
        self.assertEqual(shown.stdout, other[0])

    def test_the_table_is_what_run_says(self):
        self.sweep(self.write(), "--csv", "s.csv", "--db", "s.db")
        with open(self.folder / "s.csv", newline="") as lines:
            rows = list(csv.DictReader(lines))
        self.assertEqual(len(rows), POINTS)
        failed = [r for r in rows if r["status"] == "invalid"]
        self.assertEqual(len(failed), FAILED)
        self.assertRegex(failed[0]["error"], r"^edge\.yaml:\d+:\d+: dma\.channels: must be 2 to 6, got 9$")
        row = rows[-2]
        self.assertEqual((row["mac_array.rows"], row["mac_array.cols"], row["dma.channels"]), ("16", "32", "4"))
        config = self.folder / "c.yaml"
        text = (TOP / "configs/npu/edge.yaml").read_text().replace("rows: 32", "rows: 16")
        config.write_text(text.replace("../", str(TOP / "configs") + "/"))
        report = self.npusim("run", "--npu", config, "--model", MODEL, "--timing-only").stdout
        self.assertIn(f"total_cycles             {row['cycles']}\n", report)
        self.assertTrue(any(r["pareto"] == "1" for r in rows))
        bounds = {r["bound_by"] for r in rows if r["status"] == "done"}
        self.assertLessEqual(bounds, {"mac_array", "vector_unit", "dram", "dma", "latency"})

    def test_killed_at_fifty_moments_it_loses_nothing(self):
        file = self.write()
        whole = self.sweep(file, "--db", "whole.db", "--csv", "whole.csv")
        draw = random.Random(7)
        started = time.monotonic()
        self.sweep(file, "--db", "timed.db")
        length = time.monotonic() - started
        kills = 0
        for database in range(100):
            # Several kills on each database, until fifty hit a sweep at work.
            db = f"killed{database}.db"
            for _ in range(5):
                process = subprocess.Popen([self.program, "sweep", str(file), "--db", db], cwd=self.folder,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    process.wait(draw.uniform(0, length / 3))
                except subprocess.TimeoutExpired:
                    process.kill()
                    kills += 1
                process.wait()
            stored = self.stored(db)
            done = self.sweep(file, "--db", db, "--csv", "killed.csv")
            self.assertEqual(done[:3], whole[:3])
            self.assertEqual(done[3], POINTS - stored)
            self.assertEqual((self.folder / "killed.csv").read_bytes(), (self.folder / "whole.csv").read_bytes())
            if kills >= 50:
                break
        self.assertGreaterEqual(kills, 50)

    def stored(self, db):
        if not (self.folder / db).exists():
            return 0
        with contextlib.closing(sqlite3.connect(self.folder / db)) as connection:
            if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                return 0
            return connection.execute("SELECT count(*) FROM points").fetchone()[0]

    def test_two_sweeps_at_once_wait_for_each_other(self):
        file = self.write()
        whole = self.sweep(file, "--db", "whole.db")
        command = [self.program, "sweep", str(file), "--db", "both.db"]
        both = [subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True) for _ in range(2)]
        computed, waited = [], 0
        for process in both:
            out, err = process.communicate(timeout=100)
            self.assertEqual(process.returncode, 0, err)
            self.assertEqual(out, whole[0])
            computed.append(int(re.search(r"(\d+) computed now", err)[1]))
            waited += "both.db: another sweep is at work on it, waiting" in err
        self.assertEqual(sorted(computed), [0, POINTS])
        self.assertEqual(waited, 1)

    def test_limits_fail_points_and_raised_limits_run_them_again(self):
        text = "sweep: big\nmodels: [resnet50]\nrun: {simulate_all: true, samples: 1000}\nparameters: {mac_array.rows: [8]}\n"
        out, points, failed, computed = self.sweep(self.write(text + "limits: {memory_mib_per_point: 6}\n"))
        self.assertEqual((points, failed, computed), (1, 1, 1))
        self.assertIn("point 0: memory_limit: needs more than 6 MiB\n", out)
        raised = self.write(text + "limits: {memory_mib_per_point: 4096, seconds_per_point: 1}\n")
        out, points, failed, computed = self.sweep(raised)
        self.assertEqual((points, failed, computed), (1, 1, 1))
        self.assertIn("point 0: time_limit: took more than 1 s\n", out)
        self.assertEqual(self.sweep(raised)[3], 0)
        self.assertEqual(self.sweep(raised, "--retry-failed")[3], 1)

    def test_shards_make_the_whole(self):
        file = self.write()
        whole = self.sweep(file, "--db", "whole.db")
        for i in range(3):
            out, points, _, computed = self.sweep(file, "--shard", f"{i}/3", "--db", f"part{i}.db")
            self.assertEqual((out, points, computed), ("", POINTS // 3, POINTS // 3))
        merged = self.sweep(file, "--db", "merged.db", "--merge", "part0.db", "--merge", "part1.db",
                            "--merge", "part2.db")
        self.assertEqual(merged, (*whole[:3], 0))
        self.assertIn("part9.db: cannot be opened for this: unable to open database file",
                      self.error("sweep", file, "--db", "merged.db", "--merge", "part9.db", cwd=self.folder))
        self.assertFalse((self.folder / "part9.db").exists())
        self.assertIn("--merge: ./merged.db is the sweep's own database",
                      self.error("sweep", file, "--db", "merged.db", "--merge", "./merged.db", cwd=self.folder))

    def test_files_beside_a_model_are_a_part_of_it(self):
        place = field(13, field(1, "location") + field(2, "w.bin")) + field(14, 1)
        weights = field(1, 8) + field(1, 8) + field(2, FLOAT) + field(8, "w") + place
        (self.folder / "net.onnx").write_bytes(
            model([node("MatMul", ["x", "w"], ["y"])], [value_info("x", FLOAT, (4, 8))],
                  [value_info("y", FLOAT, (4, 8))], constants=[weights]))
        file = self.write("sweep: external\nmodels: [net.onnx]\n")
        for value, computed in ((1.0, 1), (1.0, 0), (2.0, 1)):
            (self.folder / "w.bin").write_bytes(struct.pack("<64f", *[value] * 64))
            self.assertEqual(self.sweep(file)[1:], (1, 0, computed))

    def test_searches(self):
        text = SMALL + "search: {method: nsga2, population: 8, generations: 3, seed: 2}\n"
        file = self.write(text)
        first = self.sweep(file, "--db", "a.db", "--workers", "1")
        self.assertEqual(self.sweep(file, "--db", "b.db", "--workers", "2"), first)
        self.assertEqual(self.sweep(file, "--db", "b.db"), (*first[:3], 0))
        self.assertIn("--shard: the points of an nsga2 search are not known beforehand",
                      self.error("sweep", file, "--shard", "0/2", cwd=self.folder))
        text = SMALL + "search: {method: random, points: 10, seed: 2}\n"
        self.assertEqual(self.sweep(self.write(text), "--db", "c.db")[1], 10)

    def test_shipped_sweeps_are_right(self):
        files = sorted((TOP / "configs/sweep").glob("*.yaml"))
        self.assertGreaterEqual(len(files), 4)
        for file in files:
            text = file.read_text()
            # One point of each; of a search a few.
            if "search:" in text:
                text = re.sub(r"search: .*", "search: {method: random, points: 1}", text)
            else:
                text += "search: {method: random, points: 1}\n"
            text = text.replace("../../workloads", str(TOP / "workloads"))
            with self.subTest(file=file.name):
                copy = self.write(text, file.name)
                _, points, failed, _ = self.sweep(copy)
                self.assertEqual((points, failed), (1, 0))
        _, points, failed, _ = self.sweep(TOP / "configs/sweep/digits_quick.yaml", "--db", "quick.db")
        self.assertEqual((points, failed), (16, 0))

    def test_refuses_broken_input(self):
        good = self.write()
        self.assertIn("sweep: a sweep file is needed, or --show with --db", self.error("sweep"))
        self.assertIn("--show: --db is needed", self.error("sweep", "--show"))
        self.assertIn("--show: reads a database, takes no sweep file", self.error("sweep", good, "--show"))
        for more in (("--merge", "x"), ("--shard", "0/1"), ("--points", "x"), ("--retry-failed",), ("--engine", "local"),
                     ("--tasks", "2"), ("--partition", "x"), ("--sbatch=--time=1",), ("--workers", "1")):
            self.assertIn(f"{more[0].split('=')[0]}: not with --show, which computes nothing",
                          self.error("sweep", "--show", "--db", good, *more))
        self.assertIn("--name: only with --show", self.error("sweep", good, "--name", "x"))
        self.assertIn("--points: only with --shard", self.error("sweep", good, "--points", "x"))
        self.assertIn("--csv: a shard has no table", self.error("sweep", good, "--csv", "x", "--shard", "0/1"))
        self.assertIn("none.yaml: no such file", self.error("sweep", self.folder / "none.yaml"))
        bad = self.write(SMALL.replace("mac_array.rows", "mac_array.row", 1), "bad.yaml")
        self.assertRegex(self.error("sweep", bad, cwd=self.folder), r"bad\.yaml:5:3: parameters\.mac_array\.row: .*unknown key")
        bad = self.write(SMALL.replace("[MODEL]", "[resnet19]"), "bad.yaml")
        self.assertIn("resnet19: no such file, and no network of that name (did you mean `resnet18`?)",
                      self.error("sweep", bad, cwd=self.folder))
        self.assertIn("s.yaml: damaged, or no database of a sweep",
                      self.error("sweep", good, "--db", good, cwd=self.folder))
        self.assertEqual([p.name for p in self.folder.iterdir() if p.suffix == ".csv"], [])

    def test_half_a_database_is_refused_and_kept(self):
        file = self.write()
        self.sweep(file, "--db", "s.db")
        half = (self.folder / "s.db").read_bytes()
        half = half[: len(half) // 2]
        (self.folder / "half.db").write_bytes(half)
        for arguments in (("sweep", file, "--db", "half.db"), ("sweep", "--show", "--db", "half.db"),
                          ("sweep", file, "--db", "new.db", "--merge", "half.db")):
            self.assertIn("half.db: damaged", self.error(*arguments, cwd=self.folder))
        self.assertEqual((self.folder / "half.db").read_bytes(), half)

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become someone else or to mount")
    def test_read_only_folder_and_full_disk(self):
        file = self.write()
        whole = self.sweep(file, "--db", "whole.db")
        closed = self.folder / "closed"
        closed.mkdir()
        shutil.copy(self.folder / "whole.db", closed)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "none", str(self.folder / "closed")],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("cannot mount here")
        self.addCleanup(subprocess.run, ["umount", str(closed)], check=True)
        self.assertRegex(self.error("sweep", file, "--db", closed / "full.db"),
                         r"full\.db: (no space left on the device|cannot be read or written)")
        # What fitted is there; with room again it goes on.
        stored = self.stored("closed/full.db")
        self.assertGreater(stored, 0)
        self.assertLess(stored, POINTS)
        subprocess.run(["mount", "-o", "remount,size=8m", str(closed)], check=True)
        self.assertEqual(self.sweep(file, "--db", closed / "full.db"), (*whole[:3], POINTS - stored))
        subprocess.run(["mount", "-o", "remount,ro", str(closed)], check=True)
        self.assertIn("cannot be written: Read-only file system",
                      self.error("sweep", file, "--db", closed / "new.db"))
        self.assertEqual(self.table(closed / "full.db"), whole[0])


if __name__ == "__main__":
    run_tests()
