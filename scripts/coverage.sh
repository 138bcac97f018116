#!/bin/sh
# Builds the program with gcc's coverage counters, runs the tests that it makes sense for, prints
# for each file of src/ which part of its lines ran, and fails below MIN_COVERAGE percent; called by
# `make coverage`. The lines that never ran are listed in build/coverage/missed.
# Left out are the tests of builds, words and full trainings: they run no line that others do not.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CC:=gcc}" "${GCOV:=gcov}" "${MAKE:=make}" "${MIN_COVERAGE:=95}"
unset MAKEFLAGS MAKELEVEL MFLAGS
build=build/coverage

for tool in "$CC" "$GCOV"; do
    command -v "$tool" >/dev/null || { echo "make coverage: $tool is not installed" >&2; exit 1; }
done
# Counters are written at the end, to files that a sandbox would not let it open.
"$MAKE" -s CC="$CC" CFLAGS='-O0 -g --coverage' CPPFLAGS=-DMLP_NO_SANDBOX BUILD=$build PROGRAM=$build/mlp HARDEN= \
    all unit-tests || exit 1
find $build -name '*.gcda' -exec rm -f {} +

tests=
for test in tests/test_*.c tests/cli_*.sh; do
    name=$(basename "$test")
    name=${name%.*}
    case $name in
    cli_repro | cli_machines | cli_source | cli_learn | cli_fuzz | cli_memory | cli_sandbox | cli_release | cli_load) continue ;;
    esac
    tests="$tests $name"
done
# shellcheck disable=SC2086 # names are words
TEST_BUILD=$build CC="$CC" sh tests/run.sh ${COVERAGE_TESTS:-$tests} >$build/tests.log 2>&1
# Only coverage is checked here. Counters make programs slower and write files of their own at their
# end: a test of the clock or of a limit on files may fail for that alone.
sed '/^== what did not pass/,$d' $build/tests.log | grep '^FAIL \|^SKIP '
tail -n 1 $build/tests.log

# One source may have been compiled several times: a line ran when it ran in one of them.
for notes in "$build"/*.gcno "$build"/*/*.gcno; do
    case $notes in */test_*) ;; *) "$GCOV" -t "$notes" 2>/dev/null ;; esac
done | awk -v min="$MIN_COVERAGE" -v list=$build/missed '
    {
        split($0, part, ":")
        count = part[1]
        gsub(/[ *]/, "", count)
        line = part[2] + 0
    }
    line == 0 && part[3] == "Source" {
        source = $0
        sub(/.*:Source:/, "", source)
        is_ours = source ~ /^src\//
        next
    }
    line == 0 || count == "-" || !is_ours { next }
    {
        at = source SUBSEP line
        if (!(at in ran)) { ran[at] = 0; lines[source]++; if (line > last[source]) last[source] = line }
        if (count !~ /^[#=]/) ran[at] = 1
        text[at] = substr($0, index($0, part[2] ":") + length(part[2]) + 1)
    }
    END {
        printf "" >list
        n = 0
        for (source in lines) sorted[++n] = source
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && sorted[j] < sorted[j - 1]; j--) {
                swap = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = swap
            }
        for (i = 1; i <= n; i++) {
            source = sorted[i]
            hit = 0
            for (line = 1; line <= last[source]; line++) {
                at = source SUBSEP line
                if (!(at in ran)) continue
                hit += ran[at]
                if (!ran[at]) printf "%s:%d:%s\n", source, line, text[at] >list
            }
            printf "%-24s %5d of %5d lines  %6.2f %%\n", source, hit, lines[source], 100 * hit / lines[source]
            all += lines[source]
            all_hit += hit
        }
        if (all == 0) { print "FAIL no line was counted"; exit 1 }
        share = 100 * all_hit / all
        printf "%-24s %5d of %5d lines  %6.2f %%\n", "total", all_hit, all, share
        if (share < min) { printf "FAIL below %s %%; the missed lines are in %s\n", min, list; exit 1 }
        print "ok; the missed lines are in " list
    }'
