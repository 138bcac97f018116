#!/bin/sh
# Static analysis of src/, by gcc and by clang-tidy; called by `make lint`. Which checks are left
# out, and why, stands here and in .clang-tidy.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${GCC:=gcc}" "${CLANG_TIDY:=clang-tidy}"

for tool in "$GCC" "$CLANG_TIDY"; do
    command -v "$tool" >/dev/null || { echo "make lint: $tool is not installed" >&2; exit 1; }
done
mkdir -p build/lint

status=0
for source in src/*.c src/*/*.c; do
    [ -e "$source" ] || continue
    set -- -Iinclude -Isrc/base -Isrc/kernels -Isrc/nn -Isrc/io -Isrc/cli -std=gnu11 -ffp-contract=off -pthread -O1 '-DMLP_INSTALLED_DATA="data"'
    gcc_only=
    case $source in
    # One instruction set of x86: the others are the same loops with other widths.
    */kernels_sse2.c | */kernels_avx512.c) continue ;;
    # gcc takes a vector for a number of a few bits when it looks at shifts, and does not see that of
    # a tile copied whole only the rows that were filled are used.
    */kernels_avx2.c | */kernels_neon.c)
        gcc_only='-Wno-analyzer-shift-count-overflow -Wno-analyzer-use-of-uninitialized-value' ;;
    # Nothing calls the functions here: the exported file does.
    */exported/classifier.c) set -- -std=c99 -pedantic -Wno-unused-function -O1 ;;
    esac
    # shellcheck disable=SC2086 # flags are words
    "$GCC" "$@" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -fanalyzer -Werror $gcc_only \
        -c -o build/lint/object.o "$source" || { echo "FAIL $GCC: $source"; status=1; }
    "$CLANG_TIDY" --quiet "$source" -- "$@" >build/lint/tidy.log 2>build/lint/tidy.err ||
        { cat build/lint/tidy.log; echo "FAIL $CLANG_TIDY: $source"; status=1; }
done
[ $status -ne 0 ] || echo "ok the source is clean for $GCC -fanalyzer and $CLANG_TIDY"
exit $status
