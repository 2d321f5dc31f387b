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


if __name__ == "__main__":
    run_tests()
