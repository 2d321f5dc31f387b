#!/usr/bin/env python3
"""Keeps the architecture's rules on every C++ file; prints each violation as file:line: message.

- includes follow the arrows of the table below (CONTRIBUTING.md), directly and for good: no
  folder includes one that is not listed for it, and no file includes itself through others;
- the compiler (kernels, workloads, isa) and the plain parts of sim never see SystemC;
- the CPU reference shares no arithmetic with what it checks;
- <systemc>, never <systemc.h>; no file longer than 400 lines.
"""

import pathlib
import re
import sys

MAX_LINES = 400

BASE = {"sim/base"}
MODULE = BASE | {"isa", "sim/config", "sim/stats", "sim/timing"}
GRAPH = BASE | {"workloads/graph"}
COST = BASE | {"sim/config", "sim/timing", "workloads/graph"}
MAPPER = COST | {"kernels/cost"}

# Folder: what its files may include beside themselves.
ARROWS = {
    "sim/base": set(),
    "isa": BASE,
    "sim/config": BASE,
    "sim/stats": BASE,
    "sim/timing": BASE | {"sim/config"},
    "sim/memory": MODULE,
    "sim/noc": MODULE,
    "sim/compute": MODULE | {"sim/memory"},
    "sim/power": BASE | {"sim/config", "sim/stats"},
    "sim/core": MODULE | {"sim/memory", "sim/noc", "sim/compute", "sim/power"},
    "sim/vcd": BASE | {"sim/stats"},
    "workloads/graph": BASE,
    "workloads/importers": GRAPH,
    "workloads/passes": GRAPH,
    "workloads/onnx": BASE,
    "workloads/llm": BASE,
    "kernels/reference": GRAPH,
    "kernels/onnx_reference": BASE | {"workloads/onnx"},
    "kernels/llm_reference": BASE | {"workloads/llm"},
    "kernels/onnx_import": GRAPH | {"workloads/onnx", "kernels/onnx_reference"},
    "kernels/cost": COST,
    "kernels/mapper": MAPPER,
    "kernels/lowering": MAPPER | {"kernels/mapper", "isa"},
    "kernels/search": MAPPER | {"kernels/mapper", "sim/stats"},
    "kernels/llm": MAPPER | {"kernels/mapper", "kernels/lowering", "isa", "workloads/llm"},
    "sim/report": BASE | {"sim/stats", "sim/power"},
    "sim/interchange": MODULE | {"sim/memory", "sim/compute", "sim/power", "sim/report"},
    "sim/publish": BASE | {"sim/stats", "sim/report"},
    # The whole path from a network to a simulated run, as the program takes it.
    "sim/onnx": MODULE
    | {"sim/memory", "sim/core", "workloads/graph", "workloads/onnx", "kernels/onnx_reference",
       "kernels/onnx_import", "kernels/lowering", "kernels/reference", "workloads/passes"},
    "sim/session": MODULE
    | {"sim/memory", "sim/core", "sim/power", "sim/report", "sim/interchange", "sim/onnx", "workloads/graph",
       "workloads/importers", "workloads/onnx", "workloads/passes", "kernels/mapper", "kernels/lowering", "kernels/reference",
       "kernels/onnx_import", "kernels/onnx_reference"},
    "sim/sweep": BASE | {"sim/config"},
    "sim/diff": BASE | {"sim/config", "sim/stats", "sim/report", "sim/session"},
    "sim/conformance": MODULE
    | {"sim/memory", "sim/core", "sim/onnx", "workloads/graph", "workloads/onnx",
       "kernels/onnx_reference", "kernels/onnx_import", "kernels/lowering", "kernels/reference"},
    "sim/validation": MODULE
    | {"sim/memory", "sim/core", "workloads/graph", "workloads/passes", "kernels/lowering"},
    "sim/search": MODULE
    | {"sim/memory", "sim/core", "sim/power", "workloads/graph", "kernels/cost", "kernels/mapper",
       "kernels/lowering", "kernels/search"},
    "sim/explain": MODULE
    | {"sim/memory", "sim/core", "workloads/graph", "workloads/passes", "kernels/lowering"},
    "sim/calibration": MODULE
    | {"sim/memory", "sim/core", "workloads/graph", "workloads/importers", "workloads/passes",
       "kernels/lowering"},
    "sim/generate": MODULE
    | {"sim/memory", "sim/core", "sim/power", "workloads/llm", "kernels/llm",
       "kernels/llm_reference"},
    "sim/cli": None,  # everything
    "tests": None,
}
SYSTEMC_FOLDERS = {"sim/memory", "sim/vcd", "sim/noc", "sim/compute", "sim/core", "sim/power", "sim/validation",
                   "sim/explain", "sim/search", "sim/calibration", "sim/generate", "sim/onnx", "sim/conformance",
                   "sim/session", "sim/cli", "tests"}
# The arithmetic that the hardware and the reference write down separately.
NOT_IN_REFERENCE = {"sim/base/fixed_point.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def folder_of(path):
    """The layer of a path, or None."""
    parts = path.split("/")
    for length in (2, 1):
        folder = "/".join(parts[:length])
        if folder in ARROWS and len(parts) > length:
            return folder
    return None


def includes_of(text):
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == "<", match.group(2)


def check_file(name, text, known):
    """Violations of one file as (line, message)."""
    folder = folder_of(name)
    if folder is None:
        yield 1, "is in no folder of the architecture"
        return
    lines = text.count("\n")
    if lines > MAX_LINES:
        yield lines, f"{lines} lines, at most {MAX_LINES}: split along a concept"
    for number, is_system, target in includes_of(text):
        if is_system:
            if target == "systemc.h":
                yield number, "include <systemc>, not <systemc.h>"
            if target in ("systemc", "systemc.h", "tlm") and folder not in SYSTEMC_FOLDERS:
                yield number, f"{folder} must not see SystemC"
            continue
        if folder == "kernels/reference" and target in NOT_IN_REFERENCE:
            yield number, f"the reference must not share {target} with what it checks"
        to = folder_of(target)
        if to is None or target not in known:
            if not target.endswith("_generated.h"):
                yield number, f'"{target}" is no file of the project; write its path from the top'
            continue
        allowed = ARROWS[folder]
        if allowed is not None and to != folder and to not in allowed:
            yield number, f"{folder} must not include {to}"


def find_cycle(graph):
    """A cycle of the include graph as a list of files, or None."""
    state = {}

    def visit(node, path):
        state[node] = "open"
        for target in graph[node]:
            if state.get(target) == "open":
                return path[path.index(target):] + [target]
            if target not in state:
                cycle = visit(target, path + [target])
                if cycle:
                    return cycle
        state[node] = "done"
        return None

    for node in graph:
        if node not in state:
            cycle = visit(node, [node])
            if cycle:
                return cycle
    return None


def check_tree(top):
    """All violations under `top` as lines of text."""
    files = {}
    for folder in ("sim", "isa", "kernels", "workloads", "tests"):
        for path in sorted((top / folder).rglob("*")):
            if path.suffix in (".h", ".cpp"):
                files[path.relative_to(top).as_posix()] = path.read_text(encoding="utf-8")
    if not files:
        return [f"{top}: no C++ files"]
    found = [f"{name}:{line}: {message}" for name, text in files.items()
             for line, message in check_file(name, text, files)]
    graph = {name: [t for _, is_system, t in includes_of(text) if not is_system and t in files]
             for name, text in files.items()}
    cycle = find_cycle(graph)
    if cycle:
        found.append("include cycle: " + " -> ".join(cycle))
    return found


def main():
    top = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent
    found = check_tree(top)
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
