#!/usr/bin/env python3
"""npusim compile, disasm, asm, describe, ops: programs as files, and what the tool says of itself."""

import json

from cli_support import MODEL, TOP, CliTest, run_tests


class ProgramTest(CliTest):
    def setUp(self):
        super().setUp()
        self.program_file = self.folder / "digits.npu"
        self.npusim("compile", "--model", MODEL, "-o", self.program_file, "--write-mapping",
                    self.folder / "mapping.yaml")

    def total_cycles(self, *arguments):
        out = self.folder / "out"
        self.npusim("run", *arguments, "--timing-only", "--out", out)
        return json.loads((out / "summary.json").read_text())["total_cycles"]

    def test_disassembly_assembles_to_the_same_bytes(self):
        text, again = self.folder / "digits.s", self.folder / "again.npu"
        text.write_text(self.npusim("disasm", self.program_file).stdout)
        self.npusim("asm", text, "--data", self.program_file, "-o", again)
        self.assertEqual(self.program_file.read_bytes(), again.read_bytes())

    def test_a_program_file_runs_as_its_model_does(self):
        self.assertEqual(self.total_cycles("--program", self.program_file),
                         self.total_cycles("--model", MODEL))
        text = self.npusim("run", "--program", self.program_file, "--model", MODEL).stdout
        self.assertIn("equal in every bit", text)
        text = self.npusim("run", "--program", self.program_file).stdout
        self.assertIn("no --model: outputs are not compared", text)

    def test_compiling_is_deterministic(self):
        again = self.folder / "again.npu"
        self.npusim("compile", "--model", MODEL, "-o", again)
        self.assertEqual(self.program_file.read_bytes(), again.read_bytes())
        self.assertIn("CONV_2D", (self.folder / "mapping.yaml").read_text())

    def test_a_program_is_for_one_configuration(self):
        text = self.error("run", "--npu", "tpu_v1", "--program", self.program_file)
        self.assertIn("made for another configuration: edge", text)

    def test_another_number_of_instructions_needs_other_data(self):
        text = self.folder / "short.s"
        text.write_text("halt\n")
        self.assertRegex(self.error("asm", text, "--data", self.program_file, "-o",
                                    self.folder / "x.npu"),
                         r"1 instructions, but .* has \d+: its layers and tensors name instructions")

    def test_bare_code_runs(self):
        text, path = self.folder / "bare.s", self.folder / "bare.npu"
        text.write_text("halt  # nothing to do\n")
        self.npusim("asm", text, "-o", path)
        self.assertIn("bare.s on edge", self.npusim("run", "--program", path).stdout)

    def test_assembler_error_has_its_place(self):
        text = self.folder / "bad.s"
        text.write_text("halt\nfrobnicate x=1\n")
        self.assertRegex(self.error("asm", text, "-o", self.folder / "x.npu"),
                         r"bad\.s:2:1: .*frobnicate")

    def test_damaged_program_file(self):
        raw = bytearray(self.program_file.read_bytes())
        raw[len(raw) // 2] ^= 1
        path = self.folder / "flipped.npu"
        path.write_bytes(raw)
        self.assertRegex(self.error("run", "--program", path), r"flipped\.npu: offset \d+: ")


class InfoTest(CliTest):
    def test_describe_prints_peak_figures_of_every_preset(self):
        for preset in sorted((TOP / "configs/npu").glob("*.yaml")):
            text = self.npusim("describe", preset).stdout
            self.assertIn("MAC/cycle", text)
            self.assertIn("TOPS", text)
        self.assertEqual(self.npusim("describe").stdout, self.npusim("describe", "edge").stdout)

    def test_ops_lists_places(self):
        text = self.npusim("ops").stdout
        self.assertRegex(text, r"CONV_2D +\S.* NPU")
        self.assertRegex(text, r"DEQUANTIZE +\S.* host")


if __name__ == "__main__":
    run_tests()
