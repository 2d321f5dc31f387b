#!/usr/bin/env python3
"""npusim validate with a few rows of a suite, and what it writes."""

import csv
import json
import re

from cli_support import TOP, CliTest, run_tests

SUITE = "gemmini_firesim"


class ValidateTest(CliTest):
    def rows(self, count):
        """A file with the first rows of the suite."""
        lines = (TOP / f"configs/validation/{SUITE}.csv").read_text().splitlines()
        data = [line for line in lines if not line.startswith("#")]
        path = self.folder / "rows.csv"
        path.write_text("\n".join(data[: count + 1]) + "\n")
        return path

    def validate(self, *arguments, **options):
        return self.npusim("validate", "--suite", SUITE, "--rows", self.rows(2), *arguments, **options)

    def test_page_and_csv_hold_the_same_rows(self):
        page, table = self.folder / "page.html", self.folder / "rows_out.csv"
        self.validate("--html", page, "--csv", table)
        html = page.read_text(encoding="utf-8")
        data = json.loads(re.search(r'<script id="data" type="application/json">(.*?)</script>', html, re.S).group(1))
        self.assertEqual((data["kind"], data["title"]), ("validation", "npusim: validation"))
        (suite,) = data["suites"]
        self.assertEqual((suite["name"], suite["unit"], suite["failures"]), (SUITE, "cycles", 0))
        with table.open(newline="") as file:
            expected = list(csv.DictReader(file))
        self.assertEqual(len(suite["rows"]), 2)
        for row, line in zip(suite["rows"], expected, strict=True):
            self.assertEqual(row["row"], line["row"])
            self.assertEqual(row["reference"], float(line["reference"]))
            self.assertEqual(row["predicted"], float(line["predicted"]))
            self.assertAlmostEqual(row["error"], float(line["error"]), places=5)
        # Nothing of the machine that wrote it.
        self.assertNotIn(str(self.folder), html)
        self.assertNotIn(str(TOP), html)

    def test_a_page_that_cannot_be_written(self):
        rows = self.rows(1)
        text = self.error("validate", "--suite", SUITE, "--rows", rows, "--html", self.folder / "none/page.html")
        self.assertIn("none/page.html", text)


class UserErrorTest(CliTest):
    SUITE = "scalesim_array"
    HEADER = ("array,dataflow,mode,workload,layer,type,gemm_M,gemm_N,gemm_K,compute_cycles,"
              "dram_ifmap_reads,dram_filter_reads\n")
    ROW = "32,ws,CALC,w,l,gemm,128,768,768,127871,98304,589824\n"

    def file(self, text):
        path = self.folder / "rows.csv"
        path.write_text(text)
        return path

    def refused(self, text):
        return self.error("validate", "--suite", self.SUITE, "--rows", self.file(text))

    def test_unknown_suite(self):
        text = self.error("validate", "--suite", "scalesim_arrays")
        self.assertIn('--suite: no suite "scalesim_arrays"', text)
        self.assertIn("scalesim_array", text.split('"', 2)[2])

    def test_rows_need_one_suite(self):
        path = self.file(self.HEADER + self.ROW)
        expected = "--rows: needs exactly one --suite"
        self.assertIn(expected, self.error("validate", "--rows", path))
        self.assertIn(expected, self.error("validate", "--suite", "scalesim_array", "--suite",
                                           "scalesim_layers", "--rows", path))

    def test_missing_file_and_column(self):
        self.assertIn("none.csv: no such file",
                      self.error("validate", "--suite", self.SUITE, "--rows", "none.csv"))
        self.assertIn('rows.csv: no column "gemm_K"',
                      self.refused(self.HEADER.replace(",gemm_K", "") + self.ROW.replace(",768,127871", ",127871")))

    def test_no_row(self):
        self.assertIn("rows.csv: no header line", self.refused("# nothing\n"))
        self.assertIn("rows.csv: no row to compare", self.refused(self.HEADER))

    def test_bad_fields_name_line_and_column(self):
        for field, bad, expected in (
                ("127871", "12x", 'rows.csv:2: compute_cycles: expected a number from 1 to 1000000000000000, got "12x"'),
                ("127871", "-1", "rows.csv:2: compute_cycles: expected a number"),
                ("127871", "inf", "rows.csv:2: compute_cycles: expected a number"),
                ("128,", "0,", 'rows.csv:2: gemm_M: expected an integer from 1 to 65536, got "0"'),
                ("ws", "rs", 'rows.csv:2: dataflow: expected one of ws, os, is, got "rs"'),
                ("gemm", "pool", 'rows.csv:2: type: expected one of conv, gemm, got "pool"')):
            with self.subTest(bad=bad):
                self.assertIn(expected, self.refused(self.HEADER + self.ROW.replace(field, bad, 1)))

    def test_truncated_file(self):
        self.assertIn("rows.csv:3: expected 12 fields as in the header, got 5",
                      self.refused(self.HEADER + self.ROW + self.ROW[: len("32,ws,CALC,w,l")]))

    def test_a_bound_that_is_left_is_exit_status_3(self):
        self.npusim("validate", "--suite", self.SUITE, "--rows", self.file(self.HEADER + self.ROW))
        doctored = self.file(self.HEADER + self.ROW.replace("127871", "64000"))
        done = self.npusim("validate", "--suite", self.SUITE, "--rows", doctored, expect=3)
        self.assertIn("LEFT", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_list_names_suites(self):
        names = [line.split()[0] for line in self.npusim("validate", "--list").stdout.splitlines()]
        self.assertIn(self.SUITE, names)
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    run_tests()
