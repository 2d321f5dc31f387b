#!/usr/bin/env python3
"""Runs clang-tidy on the project's files of a compilation database, all cores busy.

usage: tidy.py BUILD_FOLDER CACHE_FOLDER FOLDER...

A file that passed is remembered by a hash of its preprocessed text, its flags, .clang-tidy and the
tool's version, and is not read again until one of them changes. Prints findings; exit code 1 if
there is one.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

# Options that clang does not know or that only the compiler's own run needs.
DROPPED_WITH_VALUE = {"-o", "-MT", "-MF", "-include"}  # The last: headers that are precompiled.
DROPPED = {"-c", "-MD", "-Winvalid-pch"}
BATCH = 6  # Files that are read as one.
# What clang-format leaves at the start of a line.
TOP_LEVEL = re.compile(r"^[\w\[][^\n=;{]*?\b(\w+)\(", re.M)
TYPE = re.compile(r"^(?:struct|class|enum class|union|using) (\w+)", re.M)
VALUE = re.compile(r"^(?:inline |static )?const(?:expr)? [^\n(]*?\b(\w+)(?:\[\w*\])?(?: =|\{|;)", re.M)


def flags_of(entry):
    """The compile command's options, without compiler, launcher, inputs and outputs."""
    words = shlex.split(entry["command"])
    start = next(i for i, w in enumerate(words) if w.startswith("-"))
    flags, skip = [], False
    for word in words[start:]:
        if skip:
            skip = False
        elif word in DROPPED_WITH_VALUE:
            skip = True
        elif word not in DROPPED and word != entry["file"]:
            flags.append(word)
    return flags


def output_of(command, folder):
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)


def key_of(entry, flags, common):
    """Hash of all that decides the findings of a file; None if it does not preprocess."""
    # Comments stay: NOLINT is one.
    done = output_of(["clang++", "-E", "-C", *flags, entry["file"]], entry["directory"])
    if done.returncode != 0:
        return None
    return hashlib.sha256(common + " ".join(flags).encode() + done.stdout).hexdigest()


def tidy(files, flags, folder):
    """Findings of one run of clang-tidy; empty if there are none."""
    done = output_of(["clang-tidy", "--quiet", "--warnings-as-errors=*", *files, "--", *flags], folder)
    # A configuration that it cannot read is no failure to clang-tidy.
    if done.returncode != 0 or b"Error parsing" in done.stderr:
        return (done.stdout + done.stderr).decode(errors="replace")
    return ""


def names_of(path):
    """Names that a source file declares at its top level, helpers of its own among them."""
    text = pathlib.Path(path).read_text()
    return set(TOP_LEVEL.findall(text)) | set(TYPE.findall(text)) | set(VALUE.findall(text))


def check(batch, scratch):
    """Findings in files with the same flags. They are read as one, which saves reading their headers
    again for each; where that does not compile or finds something, each is read alone."""
    flags, folder = batch[0]["flags"], batch[0]["directory"]
    if len(batch) > 1:
        with tempfile.NamedTemporaryFile("w", suffix=".cpp", dir=scratch) as whole:
            whole.writelines(f'#include "{e["file"]}"  // NOLINT\n' for e in batch)
            whole.flush()
            if not tidy([whole.name], flags, folder):
                return [(e, "") for e in batch]
    return [(e, tidy([e["file"]], flags, folder)) for e in batch]


def batches_of(entries):
    """First fit of files with the same flags and no name in common."""
    batches = {}
    for e in sorted(entries, key=lambda e: e["file"]):
        names = names_of(e["file"])
        same = batches.setdefault(tuple(e["flags"]), [])
        fitting = (b for b in same if len(b["files"]) < BATCH and not names & b["names"])
        batch = next(fitting, None)
        if batch is None:
            batch = {"files": [], "names": set()}
            same.append(batch)
        batch["files"].append(e)
        batch["names"] |= names
    return [b["files"] for same in batches.values() for b in same]


def main():
    build, cache = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    top = pathlib.Path.cwd()
    cache.mkdir(parents=True, exist_ok=True)
    entries = [e for e in json.loads((build / "compile_commands.json").read_text())
               if pathlib.Path(e["file"]).is_relative_to(top)
               and pathlib.Path(e["file"]).relative_to(top).parts[0] in sys.argv[3:]]
    # One entry per file: tests/main.cpp belongs to every test program.
    entries = list({e["file"]: e for e in entries}.values())
    if not entries:
        print(f"{build}/compile_commands.json names no file of the project")
        return 1
    version = output_of(["clang-tidy", "--version"], top).stdout
    common = version + b"".join((top / folder / ".clang-tidy").read_bytes() for folder in ("", "tests"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for e in entries:
            e["flags"] = flags_of(e)
        for e, key in zip(entries, pool.map(lambda e: key_of(e, e["flags"], common), entries)):
            e["key"] = key
        left = [e for e in entries if not e["key"] or not (cache / e["key"]).exists()]
        # Beside the sources, where clang-tidy finds its configuration.
        with tempfile.TemporaryDirectory(prefix="tidy-", dir=build) as scratch:
            for results in pool.map(lambda batch: check(batch, scratch), batches_of(left)):
                for e, text in results:
                    if text:
                        failed += 1
                        print(text)
                    elif e["key"]:
                        (cache / e["key"]).touch()
    if failed:
        print(f"clang-tidy: {failed} of {len(entries)} files have findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
