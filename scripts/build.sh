# Shared by the scripts: build_preset PRESET [TARGET...], quiet unless it fails. To be sourced.

# Lets ccache work with precompiled headers.
export CCACHE_SLOPPINESS=pch_defines,time_macros

build_preset() {
  local preset=$1 log
  shift
  mkdir -p build
  log=build/$preset.log
  local launcher=()
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  echo "building: $preset"
  if ! { cmake --preset "$preset" "${launcher[@]}" &&
         cmake --build --preset "$preset" ${*:+--target "$@"}; } >"$log" 2>&1; then
    grep -nE 'error|FAILED|Error' "$log" | head -n 40 >&2 || true
    tail -n 20 "$log" >&2
    echo "the build of $preset failed; all of it: $log" >&2
    return 1
  fi
}
