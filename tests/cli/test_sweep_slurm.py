#!/usr/bin/env python3
"""npusim sweep --engine slurm on a real Slurm of one node."""

import contextlib
import re
import sqlite3
import subprocess
import time
import unittest

import one_node_slurm
from cli_support import CliTest, run_tests

SWEEP = """
sweep: cluster
models: [resnet18]
run: {simulate_all: true}
parameters:
  mac_array.rows: [8, 16, 32]
  scratchpad.capacity_bytes: [262144, 524288, 1048576, 2097152]
  dma.channels: [2, 4, 9]
"""
POINTS, FAILED = 36, 12


class SlurmTest(CliTest):
    @classmethod
    def setUpClass(cls):
        reason = one_node_slurm.why_not()
        if reason:
            raise unittest.SkipTest(reason)
        cls.slurm = one_node_slurm.OneNodeSlurm()
        cls.addClassCleanup(cls.slurm.stop)

    def setUp(self):
        super().setUp()
        self.file = self.folder / "it's a sweep.yaml"
        self.file.write_text(SWEEP)

    def command(self, partition="test"):
        return [self.program, "sweep", str(self.file), "--db", "s.db", "--engine", "slurm", "--partition",
                partition, "--tasks", "2", "--poll", "1"]

    def start(self):
        return subprocess.Popen(self.command(), cwd=self.folder, env=self.slurm.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, process):
        out, err = process.communicate(timeout=200)
        self.assertEqual(process.returncode, 0, err)
        return out, int(re.search(r"(\d+) computed now", err)[1])

    def local_table(self):
        self.npusim("sweep", self.file, "--db", "local.db", cwd=self.folder)
        return self.npusim("sweep", "--show", "--db", "local.db", cwd=self.folder).stdout

    def rows(self, path, query):
        if not path.exists():
            return []
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError:  # Its tables are not there yet.
                return []

    def wait_for_points(self, process, count):
        """The first shard that has so many points."""
        end = time.monotonic() + 100
        while time.monotonic() < end and process.poll() is None:
            for shard in (self.folder / "s.db.slurm").glob("*_[0-9].db"):
                if len(self.rows(shard, "SELECT hash FROM points")) >= count:
                    return shard
            time.sleep(0.02)
        self.fail("no shard came so far")

    def test_a_killed_task_is_submitted_again_and_the_table_is_the_local_one(self):
        process = self.start()
        shard = self.wait_for_points(process, 2)
        name, task = re.fullmatch(r"(npusim-[0-9a-f]+)_(\d)\.db", shard.name).groups()
        first = self.slurm.run("squeue", "--noheader", "--array", "--name=" + name, "--format=%F").stdout.split()[0]
        self.slurm.run("scancel", "--signal=KILL", f"{first}_{task}")
        table, computed = self.finish(process)
        self.assertEqual(computed, POINTS)
        self.assertEqual(table, self.local_table())
        engines = [e for (e,) in self.rows(self.folder / "s.db", "SELECT engine FROM provenance")]
        self.assertEqual(len(engines), POINTS)
        self.assertIn(f"slurm {first}_{task}", engines)  # What it had finished counts.
        self.assertTrue(any(e.startswith("slurm ") and not e.startswith(f"slurm {first}_") for e in engines),
                        "a second array")
        self.assertEqual(self.finish(self.start()), (table, 0))
        self.assertFalse((self.folder / "s.db.slurm").exists())

    def test_a_killed_submitter_finds_its_jobs_again(self):
        process = self.start()
        self.wait_for_points(process, 1)
        process.kill()
        process.communicate()
        table, _ = self.finish(self.start())
        self.assertEqual(table, self.local_table())
        engines = {e for (e,) in self.rows(self.folder / "s.db", "SELECT engine FROM provenance")}
        self.assertEqual(len({e.split("_")[0] for e in engines}), 1, engines)

    def test_says_what_slurm_says(self):
        done = subprocess.run(self.command("none"), cwd=self.folder, env=self.slurm.environment,
                              capture_output=True, text=True, check=False, timeout=100)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"npusim: error: --engine slurm: sbatch ended with 1: .*partition")


class WithoutSlurmTest(CliTest):
    def test_options(self):
        file = self.folder / "s.yaml"
        file.write_text(SWEEP)
        cases = {("--engine", "slurm"): "--tasks: must be 1 to 100000 with --engine slurm, got 0",
                 ("--tasks", "2"): "--tasks, --partition, --sbatch: only with --engine slurm",
                 ("--engine", "slurm", "--tasks", "1", "--shard", "0/1"): "--shard: --engine slurm makes its own",
                 ("--engine", "pbs"): "--engine"}
        for arguments, message in cases.items():
            with self.subTest(arguments=arguments):
                self.assertIn(message, self.error("sweep", file, *arguments, cwd=self.folder))
        self.assertIn("--engine slurm: sbatch: no such program",
                      self.error("sweep", file, "--engine", "slurm", "--tasks", "1", cwd=self.folder,
                                 env={"PATH": "/nowhere"}))


if __name__ == "__main__":
    run_tests()
