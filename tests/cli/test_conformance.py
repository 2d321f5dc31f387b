#!/usr/bin/env python3
"""npusim conformance onnx: the public suite where it is there, and broken input."""

import csv
import json
import unittest

from cli_support import SHARED, CliTest, run_tests

ARCHIVE = SHARED / "models/onnx/onnx_node_tests.tar.gz"
# Operators and case families that the reference does not aim at: randomness, training, text, sequences, control flow.
OUTSIDE = ("adam", "adagrad", "momentum", "nesterov", "training", "string", "strnorm", "sequence", "optional", "bernoulli",
           "random", "loop", "if_", "scan", "split_to_sequence", "identity_sequence", "identity_opt", "regex", "tfidf", "label",
           "ai_onnx_ml", "equal_string", "image_decoder")


class ConformanceTest(CliTest):
    @unittest.skipUnless(ARCHIVE.exists(), f"skipped: {ARCHIVE} is not there")
    def test_no_claimed_case_fails_and_most_pass(self):
        table = self.folder / "cases.csv"
        text = self.npusim("conformance", "onnx", ARCHIVE, "--csv", table).stdout
        with open(table, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 1240)
        self.assertEqual([r for r in rows if r["status"] == "fail"], [])
        aimed = [r for r in rows if not any(word in r["case"] for word in OUTSIDE)]
        passed = sum(r["status"] == "pass" for r in aimed)
        self.assertGreater(passed / len(aimed), 0.93)
        self.assertTrue(all(r["reason"] for r in rows if r["status"] == "unsupported"))
        self.assertTrue(all(r["reason"] for r in rows if r["where"] in ("host", "NPU+host")))
        self.assertGreaterEqual(sum(r["where"] == "NPU" for r in rows), 480)
        self.assertIn("1240 cases: ", text)

    @unittest.skipUnless(ARCHIVE.exists(), f"skipped: {ARCHIVE} is not there")
    def test_a_list_of_cases(self):
        names = self.folder / "names.json"
        names.write_text(json.dumps(["test_add", "test_softmax_axis_1"]))
        text = self.npusim("conformance", "onnx", ARCHIVE, "--cases", names).stdout
        self.assertIn("2 cases: 2 pass (2 on the NPU, 0 on NPU and host, 0 on the host), 0 fail, 0 unsupported", text)
        names.write_text('["test_add", "test_nothing"]')
        self.assertIn('no case "test_nothing"', self.error("conformance", "onnx", ARCHIVE, "--cases", names))
        names.write_text('{"a":')
        self.assertIn("expected a list of case names",
                      self.error("conformance", "onnx", ARCHIVE, "--cases", names))

    def test_paths_without_cases(self):
        self.assertIn("no such file or folder", self.error("conformance", "onnx", self.folder / "none"))
        self.assertIn("holds no model.onnx", self.error("conformance", "onnx", self.folder))
        broken = self.folder / "broken.tar.gz"
        broken.write_bytes(b"\x1f\x8b\x08not really")
        self.assertIn(str(broken), self.error("conformance", "onnx", broken))

    def test_a_damaged_model_is_unsupported_with_its_reason(self):
        case = self.folder / "test_x"
        case.mkdir()
        (case / "model.onnx").write_bytes(b"\x00\x01\x02")
        text = self.npusim("conformance", "onnx", self.folder).stdout
        self.assertIn("no valid protobuf message", text)


if __name__ == "__main__":
    run_tests()
