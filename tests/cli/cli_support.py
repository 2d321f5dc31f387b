"""What the command-line tests share: running npusim, .npy files, the demo's model. Standard library only."""

import ast
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
DIGITS = TOP / "workloads/models/digits"
MODEL = str(DIGITS / "digits_int8.tflite")
IMAGES = str(DIGITS / "test_images.npy")
LABELS = str(DIGITS / "test_labels.npy")


SHARED = pathlib.Path(os.environ.get("NPUSIM_SHARED", TOP.parent / "shared"))


def read_npy(path):
    """(dtype string, shape, data bytes)."""
    return parse_npy(pathlib.Path(path).read_bytes())


def parse_npy(raw):
    assert raw[:6] == b"\x93NUMPY", raw[:6]
    length = struct.unpack("<H", raw[8:10])[0]
    header = ast.literal_eval(raw[10 : 10 + length].decode())
    return header["descr"], header["shape"], raw[10 + length :]


def write_npy(path, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    pathlib.Path(path).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) +
                                   header.encode() + data)


class CliTest(unittest.TestCase):
    """Each test has a folder of its own, self.folder."""

    program = ""  # Set by run_tests.

    def setUp(self):
        self._temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self._temporary.cleanup)
        self.folder = pathlib.Path(self._temporary.name)

    def npusim(self, *arguments, expect=0, **options):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True,
                              encoding="utf-8", errors="surrogateescape", check=False,
                              timeout=100, **options)
        self.assertEqual(done.returncode, expect, f"{arguments}\n{done.stdout}\n{done.stderr}")
        return done

    def error(self, *arguments, expect=2, **options):
        """Runs a command that must fail; returns its one line on stderr."""
        done = self.npusim(*arguments, expect=expect, **options)
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("npusim: error: "), lines[0])
        return lines[0]

    def first_images(self, count):
        """A file with the first `count` test images."""
        descr, shape, data = read_npy(IMAGES)
        path = self.folder / "images.npy"
        write_npy(path, descr, (count, *shape[1:]), data[: count * 64])
        return path


def run_tests():
    import sys

    CliTest.program = sys.argv.pop(1)
    unittest.main(module="__main__")
