#!/bin/sh
# Builds the fuzz targets with clang and runs each for so many seconds, one after the other; called
# by `make fuzz`. Arguments: SECONDS TARGET...
# What is new goes to build/fuzz/corpus, what breaks something to build/fuzz/found: its fix brings
# that file along, in tests/fuzz/regressions/TARGET.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${CC:=clang}" "${MAKE:=make}"
unset MAKEFLAGS MAKELEVEL MFLAGS
seconds=$1
shift

if ! command -v "$CC" >/dev/null; then
    echo "make fuzz: $CC is not installed (package clang), and only clang brings a fuzzer" >&2
    exit 1
fi
mkdir -p build/fuzz/found
probe=build/fuzz/probe
printf '%s\n' '#include <stddef.h>' 'int LLVMFuzzerTestOneInput(const char *, size_t);' \
    'int LLVMFuzzerTestOneInput(const char *d, size_t n) { return (void)d, (void)n, 0; }' >$probe.c
if ! "$CC" -fsanitize=fuzzer,address,undefined -o $probe $probe.c 2>$probe.log; then
    version=$("$CC" -dumpversion 2>/dev/null | cut -d . -f 1)
    sed 's/^/  /' $probe.log >&2
    echo "make fuzz: $CC lacks its fuzzer or sanitizer runtime (Debian, Ubuntu: package" \
        "libclang-rt-${version:-N}-dev; Fedora: compiler-rt)" >&2
    exit 1
fi

"$MAKE" -s SAN=fuzz CC="$CC" CFLAGS='-O1 -g' fuzzers || exit 1

status=0
for target in "$@"; do
    mkdir -p "build/fuzz/corpus/$target"
    set -- "-max_total_time=$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
        -print_final_stats=1 "-dict=tests/fuzz/$target.dict" \
        "-artifact_prefix=build/fuzz/found/$target-" "build/fuzz/corpus/$target" \
        "tests/fuzz/corpus/$target"
    [ ! -d "tests/fuzz/regressions/$target" ] || set -- "$@" "tests/fuzz/regressions/$target"
    if "build/fuzz/fuzz_$target" "$@" >"build/fuzz/$target.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log")
        echo "ok $target: $runs inputs in $seconds s, nothing found"
    else
        status=1
        # From the first report on; a fuzzer that could not even start has its last lines shown.
        grep -a -m 1 -A 30 'ERROR: \|runtime error: \|: broken: ' "build/fuzz/$target.log" ||
            tail -n 20 "build/fuzz/$target.log"
        echo "FAIL $target: see build/fuzz/$target.log and build/fuzz/found"
    fi
done
exit $status
