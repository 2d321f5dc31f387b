#!/usr/bin/env python3
"""npusim run --mapping, compile --mapping: mappings that are given back, edited, broken."""

import json

from cli_support import MODEL, TOP, CliTest, run_tests

TOPOLOGY = "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n" \
           "Conv1, 16, 16, 3, 3, 8, 16, 1,\nConv2, 14, 14, 3, 3, 16, 32, 1,\n"


class MappingTest(CliTest):
    def run_with(self, *arguments, model=MODEL):
        """Total cycles and mapping.yaml of a run."""
        out = self.folder / "out"
        self.npusim("run", "--model", model, *arguments, "--out", out)
        return (json.loads((out / "summary.json").read_text())["total_cycles"],
                (out / "mapping.yaml").read_text())

    def mapping(self, text):
        path = self.folder / "m.yaml"
        path.write_text(text)
        return path

    def test_given_back_it_makes_the_same_program(self):
        first, again = self.folder / "a.npu", self.folder / "b.npu"
        mapping, written = self.folder / "m.yaml", self.folder / "again.yaml"
        self.npusim("compile", "--model", MODEL, "-o", first, "--write-mapping", mapping)
        self.npusim("compile", "--model", MODEL, "-o", again, "--mapping", mapping,
                    "--write-mapping", written)
        self.assertEqual(first.read_bytes(), again.read_bytes())
        self.assertEqual(mapping.read_text(), written.read_text())

    def test_an_edited_tile_changes_cycles_and_no_output(self):
        cycles, text = self.run_with("--timing-only")
        edited = text.replace("out_h: 8, out_w: 8, out_c: 16, in_c: 1}", "out_h: 3, out_w: 5, out_c: 16, in_c: 1}", 1)
        self.assertNotEqual(edited, text)
        path = self.mapping(edited)
        shown = self.npusim("run", "--model", MODEL, "--mapping", path).stdout
        self.assertIn("equal in every bit", shown)
        changed, again = self.run_with("--mapping", path)
        self.assertNotEqual(changed, cycles)
        self.assertIn("out_h: 3, out_w: 5", again)

    def test_a_part_decides_a_part(self):
        _, text = self.run_with("--mapping", self.mapping(
            "layers:\n  - {layer: \"CONV_2D #4\", tile: {in_c: 8}}\ntensors:\n  - {tensors: [3], memory: dram}\n"))
        self.assertIn("in_c: 8}", text)
        self.assertIn("tensors: [3], role: intermediate, memory: dram", text)

    def test_descriptions_and_topologies_take_mappings(self):
        csv = self.folder / "net.csv"
        csv.write_text(TOPOLOGY)
        for model in (csv, TOP / "workloads/models/mobilenet_v1.yaml"):
            cycles, text = self.run_with("--timing-only", model=model)
            self.assertEqual(self.run_with("--timing-only", "--mapping", self.mapping(text), model=model),
                             (cycles, text))

    def test_errors_name_line_layer_bytes_and_repair(self):
        _, text = self.run_with("--timing-only")

        def error(old, new, *more):
            self.assertIn(old, text)
            path = self.mapping(text.replace(old, new, 1))
            message = self.error("run", "--model", MODEL, "--mapping", path, *more)
            self.assertTrue(message.startswith(f"npusim: error: {path}:"), message)
            return message.replace(str(path), "m.yaml")

        self.assertEqual(
            error("out_h: 8", "out_h: 9"),
            "npusim: error: m.yaml:5:19: layers[0].tile.out_h: CONV_2D #0: tile.out_h: 9: the layer allows 1 to 8; "
            "legal with: tile.out_h 9 -> 8")
        self.assertEqual(
            error("buffer: w, address: 1088", "buffer: w, address: 1090"),
            "npusim: error: m.yaml:12:30: layers[0].scratchpad[1].address: CONV_2D #0: scratchpad: w: address 1090: it "
            "must be a multiple of 64; legal with: scratchpad.w.address 1090 -> 1088")
        self.assertEqual(
            error("buffer: w, address: 1088", "buffer: w, address: 1024"),
            "npusim: error: m.yaml:12:30: layers[0].scratchpad[1].address: CONV_2D #0: scratchpad: w needs 384 bytes at "
            "address 1024, where buffer x holds 1024 to 1088: 0 are there; legal with: "
            "scratchpad.w.address 1024 -> 1088")
        self.assertIn("accumulator: the decided tile needs 8192000 bytes, 131072 are there; legal with: "
                      "accumulator.slots 2000 -> 32", error("slots: 2, slot_bytes: 4096", "slots: 2000, slot_bytes: 4096"))
        self.assertIn("the network has no layer \"CONV_2D #3\" (did you mean `CONV_2D #0`?); legal with: layer "
                      "\"CONV_2D #3\" -> \"CONV_2D #2\"",
                      error("CONV_2D #2", "CONV_2D #3"))
        self.assertIn("layers[0].titel: unknown key", error("tile:", "titel:"))
        self.assertIn("network: must be \"main\", the network that is mapped, got \"other\"",
                      error("network: \"main\"", "network: other"))
        self.assertIn("; the mapping was made for edge", error("out_h: 8", "out_h: 9", "--npu", "nvdla_small"))

    def test_what_takes_no_mapping(self):
        program = self.folder / "a.npu"
        self.npusim("compile", "--model", MODEL, "-o", program)
        mapping = self.mapping("network: main\n")
        self.assertIn("--mapping: a program is mapped already, --program takes none",
                      self.error("run", "--program", program, "--mapping", mapping))
        self.assertIn("--mapping: not for ONNX models, whose stages are mapped one by one",
                      self.error("run", "--model", "none.onnx", "--mapping", mapping))


if __name__ == "__main__":
    run_tests()
