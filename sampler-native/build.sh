#!/usr/bin/env bash
# Builds and tests the native parts. Maven calls it; it can be called alone.
#
#   build.sh kernels OUT    the fatbin and the index of kernel names into OUT (nvcc), only when the sources changed
#   build.sh emulator OUT   OUT/libtintype-emulator.so, the same kernels for the CPU (g++), and OUT/gpu/libcudart.so.13, CUDA's runtime on them; for tests
#   build.sh test OUT       host tests of the arithmetic and of the kernels (g++)
#
# Without nvcc or g++ it says so in one line and goes on: the rest of Tintype builds without them.
#   NVCC, CUDA_HOME         where nvcc is, otherwise PATH and /usr/local/cuda
#   TINTYPE_CUDA_ARCHS      machine code to make, default "80 86 89 90a 100"; PTX of the last plain one is added, for newer cards
#   TINTYPE_CUDA=off        skip the kernels
#   TINTYPE_CACHE           finished fatbins by checksum, default ~/.cache/tintype
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
step=${1:?kernels, emulator or test}
out=${2:?output folder}
main=$here/src/main
tests=$here/src/test/cuda
mkdir -p "$out"

find_nvcc() {
  local candidate
  for candidate in "${NVCC:-}" "${CUDA_HOME:+$CUDA_HOME/bin/nvcc}" "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      echo "$candidate"
      return
    fi
  done
}

# Of file contents and of what else is given; names of folders do not count.
checksum() {
  (printf '%s\n' "$@"; find "$main" "$tests" "$here/build.sh" -type f | LC_ALL=C sort | xargs cat) | sha256sum | cut -c1-32
}

kernels() {
  rm -f "$out/kernels.fatbin" "$out/kernels.index"
  if [ "${TINTYPE_CUDA:-on}" = off ]; then
    echo "kernels: skipped (TINTYPE_CUDA=off); the cuda device will not be available"
    return
  fi
  local nvcc
  nvcc=$(find_nvcc)
  if [ -z "$nvcc" ]; then
    echo "kernels: no nvcc found (PATH, CUDA_HOME, /usr/local/cuda); built without CUDA, the cuda device will say so"
    return
  fi
  local archs=${TINTYPE_CUDA_ARCHS:-80 86 89 90a 100}
  local sum cache cached
  sum=$( (printf '%s\n' "$archs"; "$nvcc" --version | tail -1; cat "$main"/cuda/*) | sha256sum | cut -c1-32)
  cache=${TINTYPE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/tintype}
  cached=$cache/kernels-$sum.fatbin
  local log=$cache/kernels-$sum.log
  if [ ! -f "$cached" ]; then
    local codes=() arch plain=
    for arch in $archs; do
      codes+=(-gencode "arch=compute_$arch,code=sm_$arch")
      case $arch in *[!0-9]*) ;; *) plain=$arch ;; esac
    done
    [ -z "$plain" ] || codes+=(-gencode "arch=compute_$plain,code=compute_$plain")
    mkdir -p "$cache"
    echo "kernels: compiling for $archs (about two and a half minutes on two cores, once per change)"
    local started=$SECONDS
    # Uncompressed, so that the names can be read from it; the jar compresses it anyway.
    "$nvcc" -std=c++17 -O3 --threads 2 --no-compress -fatbin "${codes[@]}" -Xptxas -v -o "$cached.$$" "$main/cuda/kernels.cu" > "$log" 2>&1 || {
      grep -v '^ptxas info' "$log" >&2
      exit 1
    }
    # Some 8 bytes outside a loop cost nothing; more in a hot kernel does.
    if grep -Eq '[1-9][0-9]{2,} bytes spill' "$log"; then
      echo "kernels: warning: registers spill, see $log"
    fi
    mv "$cached.$$" "$cached"
    echo "kernels: done in $((SECONDS - started)) s"
  fi
  cp "$cached" "$out/kernels.fatbin"
  grep -aoE 'tt_[a-z0-9_]+' "$out/kernels.fatbin" | grep -E '^tt_.*_(f32|f16|bf16|b2|b4|b16)$' | LC_ALL=C sort -u > "$out/kernels.index"
  echo "kernels: $(wc -l < "$out/kernels.index") kernels, $(($(wc -c < "$out/kernels.fatbin") / 1024)) KiB"
}

emulator() {
  if ! command -v g++ > /dev/null; then
    echo "emulator: no g++ found; the tests that run kernels on the CPU are skipped"
    return
  fi
  local sum
  sum=$(checksum emulator)
  if [ ! -f "$out/gpu/libcudart.so.13" ] || [ "$(cat "$out/emulator.sum" 2> /dev/null)" != "$sum" ]; then
    g++ -std=c++17 -O2 -Wall -Wextra -fPIC -shared -fno-gnu-unique -Wl,-Bsymbolic -DTT_EMULATE -I"$main/cuda" -I"$main/emulator" -x c++ "$main/cuda/kernels.cu" "$main/emulator/emulator.cpp" \
      -o "$out/libtintype-emulator.so"
    mkdir -p "$out/gpu"
    # Its kernels are its own: a library of the real name must not need another beside it.
    g++ -std=c++17 -O2 -Wall -Wextra -fPIC -shared -fno-gnu-unique -Wl,-Bsymbolic -DTT_EMULATE -I"$main/cuda" -I"$main/emulator" -x c++ "$main/cuda/kernels.cu" "$main/emulator/emulator.cpp" \
      "$main/emulator/cudart.cpp" -o "$out/gpu/libcudart.so.13"
    echo "$sum" > "$out/emulator.sum"
  fi
}

run_tests() {
  if ! command -v g++ > /dev/null; then
    echo "native tests: no g++ found; skipped"
    return
  fi
  local sum
  sum=$(checksum tests)
  if [ "$(cat "$out/tests.sum" 2> /dev/null)" = "$sum" ]; then
    echo "native tests: sources unchanged since they passed"
    return
  fi
  g++ -std=c++17 -O2 -Wall -Wextra -I"$main/cuda" -I"$tests" "$tests/arithmetic_test.cpp" -o "$out/arithmetic_test"
  "$out/arithmetic_test"
  g++ -std=c++17 -O2 -Wall -Wextra -DTT_EMULATE -I"$main/cuda" -I"$main/emulator" -I"$tests" -x c++ "$main/cuda/kernels.cu" "$main/emulator/emulator.cpp" \
    "$tests/kernels_test.cpp" -o "$out/kernels_test"
  "$out/kernels_test"
  echo "$sum" > "$out/tests.sum"
}

case $step in
  kernels) kernels ;;
  emulator) emulator ;;
  test) run_tests ;;
  *) echo "build.sh: unknown step $step" >&2; exit 2 ;;
esac
