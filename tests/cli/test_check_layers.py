#!/usr/bin/env python3
"""scripts/check_layers.py finds what it is there for."""

import pathlib
import sys
import tempfile
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "scripts"))
import check_layers  # noqa: E402


class CheckLayersTest(unittest.TestCase):
    def violations(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return check_layers.check_tree(pathlib.Path(folder))

    def test_the_project_is_clean(self):
        self.assertEqual(check_layers.check_tree(TOP), [])

    def test_an_arrow_that_is_not_in_the_table(self):
        found = self.violations({"sim/core/a.h": "", "kernels/mapper/b.h": '#include "sim/core/a.h"\n'})
        self.assertEqual(found, ["kernels/mapper/b.h:1: kernels/mapper must not include sim/core"])

    def test_memory_below_compute_below_core(self):
        files = {f"sim/{f}/x.h": "" for f in ("memory", "compute", "core")}
        good = dict(files, **{"sim/core/y.h": '#include "sim/compute/x.h"\n#include "sim/memory/x.h"\n',
                              "sim/compute/y.h": '#include "sim/memory/x.h"\n'})
        self.assertEqual(self.violations(good), [])
        bad = dict(files, **{"sim/memory/y.h": '#include "sim/compute/x.h"\n'})
        self.assertEqual(len(self.violations(bad)), 1)

    def test_the_reference_shares_no_arithmetic(self):
        found = self.violations({"sim/base/fixed_point.h": "",
                                 "kernels/reference/a.cpp": '#include "sim/base/fixed_point.h"\n'})
        self.assertIn("must not share sim/base/fixed_point.h", found[0])

    def test_the_compiler_never_sees_systemc(self):
        found = self.violations({"kernels/lowering/a.cpp": "#include <systemc>\n"})
        self.assertIn("kernels/lowering must not see SystemC", found[0])
        found = self.violations({"sim/core/a.cpp": "#include <systemc.h>\n"})
        self.assertIn("include <systemc>, not <systemc.h>", found[0])

    def test_include_cycle(self):
        found = self.violations({"isa/a.h": '#include "isa/b.h"\n', "isa/b.h": '#include "isa/a.h"\n'})
        self.assertEqual(found, ["include cycle: isa/a.h -> isa/b.h -> isa/a.h"])

    def test_length(self):
        self.assertEqual(self.violations({"isa/a.h": "\n" * 400}), [])
        self.assertIn("401 lines", self.violations({"isa/a.h": "\n" * 401})[0])

    def test_unknown_include_and_folder(self):
        self.assertIn("no file of the project", self.violations({"isa/a.h": '#include "b.h"\n'})[0])
        self.assertIn("in no folder", self.violations({"sim/other/a.h": ""})[0])


if __name__ == "__main__":
    unittest.main()
