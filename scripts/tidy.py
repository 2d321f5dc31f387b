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
import shlex
import subprocess
import sys

# Options that clang does not know or that only the compiler's own run needs.
DROPPED_WITH_VALUE = {"-o", "-MT", "-MF"}
DROPPED = {"-c", "-MD"}


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


def check(entry, common, cache):
    flags = flags_of(entry)
    key = key_of(entry, flags, common)
    if key and (cache / key).exists():
        return True, ""
    done = output_of(["clang-tidy", "--quiet", "--warnings-as-errors=*", entry["file"], "--", *flags],
                     entry["directory"])
    text = done.stdout.decode(errors="replace")
    # A configuration that it cannot read is no failure to clang-tidy.
    if done.returncode != 0 or b"Error parsing" in done.stderr:
        return False, text + done.stderr.decode(errors="replace")
    if key:
        (cache / key).touch()
    return True, ""


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
        for good, text in pool.map(lambda e: check(e, common, cache), entries):
            if not good:
                failed += 1
                print(text)
    if failed:
        print(f"clang-tidy: {failed} of {len(entries)} files have findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
