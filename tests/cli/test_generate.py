#!/usr/bin/env python3
"""npusim generate: text, figures and files of a language model; errors of its options."""

import csv
import json
import random
import struct
import unittest

from cli_support import SHARED, CliTest, run_tests

STORIES = SHARED / "models/llm"


def tokenizer():
    """The three special tokens, the bytes and a few letters."""
    tokens = [b"<unk>", b"<s>", b"</s>"] + [b"<0x%02X>" % i for i in range(256)] + [b" ", b"a", b"b", b"ab"]
    data = struct.pack("<i", max(map(len, tokens)))
    for i, token in enumerate(tokens):
        data += struct.pack("<fi", -i, len(token)) + token
    return data, len(tokens)


def checkpoint(vocabulary, dim=16, hidden=24, layers=2, heads=4, kv_heads=2, positions=32):
    """Random float weights."""
    rng = random.Random(1)
    kv = dim // heads * kv_heads
    count = vocabulary * dim + layers * (2 * dim + 2 * dim * dim + 2 * dim * kv + 3 * dim * hidden) + dim
    count += positions * (dim // heads)
    header = struct.pack("<7i", dim, hidden, layers, heads, kv_heads, vocabulary, positions)
    return header + struct.pack(f"<{count}f", *(rng.uniform(-1, 1) for _ in range(count)))


class GenerateTest(CliTest):
    def setUp(self):
        super().setUp()
        data, vocabulary = tokenizer()
        (self.folder / "t.bin").write_bytes(data)
        (self.folder / "m.bin").write_bytes(checkpoint(vocabulary))

    def generate(self, *arguments, tokenizer="t.bin", expect=0):
        return self.npusim("generate", "--npu", "edge", "--model", self.folder / "m.bin",
                           "--tokenizer", self.folder / tokenizer, *arguments, expect=expect)

    def test_text_figures_and_files(self):
        out = self.folder / "out"
        done = self.generate("--prompt", "ab a", "--tokens", "6", "--out", out)
        self.assertTrue(done.stdout.startswith("ab a"))
        self.assertIn("max logit difference 0\n", done.stdout)
        for line in ("time to first token", "time per token", "tokens per second", "energy per token"):
            self.assertIn(line, done.stdout)
        self.assertEqual({p.name for p in out.iterdir()},
                         {"text.txt", "generate.txt", "generate.json", "decode.csv", "layers.csv", "energy.csv"})
        summary = json.loads((out / "generate.json").read_text())
        with open(out / "decode.csv", newline="", encoding="utf-8") as file:
            steps = list(csv.DictReader(file))
        self.assertEqual(len(steps), summary["decode_steps"])
        self.assertEqual(sum(int(s["cycles"]) for s in steps), summary["decode"]["total"]["cycles"])
        for step in steps:
            stages = sum(int(v) for k, v in step.items() if k.endswith("_cycles"))
            self.assertEqual(stages, int(step["cycles"]))
        with open(out / "energy.csv", newline="", encoding="utf-8") as file:
            energy = sum(float(r["energy_pj"]) for r in csv.DictReader(file))
        of_steps = summary["prefill"]["total"]["energy_pj"] + summary["decode"]["total"]["energy_pj"]
        self.assertAlmostEqual(of_steps / energy, 1, delta=1e-6)

    def test_batches_and_formats(self):
        done = self.generate("--prompt", "ab", "--prompt", "b", "--tokens", "3", "--weights", "q4_0",
                             "--group-size", "8", "--kv-cache", "int8", "--precision", "bfloat16")
        self.assertIn("[0] ab", done.stdout)
        self.assertIn("[1] b", done.stdout)
        self.assertIn("max logit difference 0\n", done.stdout)
        again = self.generate("--prompt", "ab", "--tokens", "3", "--weights", "q8_0", "--no-reference")
        self.assertNotIn("reference", again.stdout)

    def test_errors(self):
        for arguments, message in (
                (["--tokens", "0"], "--tokens: must be at least 1, got 0"),
                (["--group-size", "0"], "--group-size: must be 1 to 65536, got 0"),
                (["--tokens", "99"], "need 99 positions, the model has 32"),
                (["--precision", "int3"], "--precision")):
            self.assertIn(message, self.generate(*arguments, expect=2).stderr)
        done = self.generate(tokenizer="none", expect=2)
        self.assertIn("none: no such file", done.stderr)

    @unittest.skipUnless(STORIES.is_dir(), "needs the published checkpoints (NPUSIM_SHARED)")
    def test_published_checkpoints_as_documented(self):
        """Float and Q8_0: the published story; every float precision equals its reference."""
        story = "Once upon a time, there was a little girl named Lily. She loved to play outside in the p"
        for checkpoint, *options in (("stories260K.bin",), ("stories260K_q80_gs4.bin",),
                                     ("stories260K.bin", "--precision", "float16"),
                                     ("stories260K.bin", "--precision", "bfloat16", "--kv-cache", "int8")):
            done = self.npusim("generate", "--npu", "edge", "--model", STORIES / checkpoint,
                               "--tokenizer", STORIES / "tok512.bin", "--prompt", "Once upon a time",
                               "--tokens", "24", *options)
            self.assertIn("24 tokens equal, max logit difference 0\n", done.stdout)
            if not options:
                self.assertEqual(done.stdout.splitlines()[0], story)


if __name__ == "__main__":
    run_tests()
