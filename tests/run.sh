#!/bin/sh
# Builds the program plainly, under the address and undefined-behaviour sanitizers and under the
# thread sanitizer, runs every test in tests/ with those that it is for, one on each CPU at a time, and ends with the line
# 'N passed, N failed, N skipped'.
# Arguments name the tests to run (test_idx, cli); without any, all run. With TEST_BUILD, a directory
# with a program and tests that have been built, all tests use that one (scripts/coverage.sh).
set -u
cd "$(dirname "$0")/.." || exit 1
: "${CC:=cc}" "${MAKE:=make}"
# The tests must not depend on who runs them, where and how: not on settings in the environment or of
# git's hooks, nor on the umask, nor on signals that are ignored (nohup), where env can undo that.
export LC_ALL=C CC MAKE
unset MLP_DATA MLP_ISA MLP_CPUS MLP_CONVERT_SECONDS CFLAGS LDFLAGS CPPFLAGS MAKEFLAGS MAKELEVEL MFLAGS AWK GZIP \
    POSIXLY_CORRECT CDPATH NO_COLOR GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
umask 022
default_signals=
env --default-signal true 2>/dev/null && default_signals='env --default-signal'
# A mistake that a sanitizer finds must not look like an exit status of the program's own.
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1
export TSAN_OPTIONS=exitcode=99 MSAN_OPTIONS=exitcode=99

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

: "${TEST_BUILD:=}"
address=${TEST_BUILD:-build/address} thread=${TEST_BUILD:-build/thread}
fast_mlp=$PWD/${TEST_BUILD:+$TEST_BUILD/}mlp

# Tests of threads, which run under the thread sanitizer too.
threaded='test_threads test_train test_optimizer test_library' threaded_programs=
for test in $threaded; do
    threaded_programs="$threaded_programs build/thread/$test"
done
# Tests that need no sanitizer to see a mistake, and run in the plain build too, whose vector code is what users run.
# make knows them as plain-tests.
plain=test_page_end
[ -z "$TEST_BUILD" ] || plain=
# In the plain build also what `make install` installs: tests that install copy these objects.
jobs=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
# shellcheck disable=SC2086 # the programs are words
if [ -z "$TEST_BUILD" ] && { ! "$MAKE" -j "$jobs" CC="$CC" SAN= all lib build/plain/public/libmlp.a plain-tests \
    >"$work/build.log" 2>&1 ||
    ! "$MAKE" -j "$jobs" CC="$CC" CFLAGS='-O1 -g' SAN=address all unit-tests \
        >>"$work/build.log" 2>&1 ||
    ! "$MAKE" -j "$jobs" CC="$CC" CFLAGS='-O1 -g' SAN=thread all $threaded_programs \
        >>"$work/build.log" 2>&1; }; then
    cat "$work/build.log"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi

# run NAME COMMAND...: an exit status that its lines do not explain is a failure of its own.
run() {
    name=$1 out=$work/$1.out
    shift
    mkdir -p "$work/$name"
    WORK=$work/$name $default_signals "$@" >"$out" 2>&1 </dev/null
    status=$?
    if [ "$status" -ne 0 ] && ! grep -q '^FAIL ' "$out"; then
        echo "FAIL $name ended with status $status" >>"$out"
    elif ! grep -q '^ok \|^SKIP \|^FAIL ' "$out"; then
        echo "FAIL $name made no claim" >>"$out"
    fi
}

run_test() { # NAME
    case $1 in
    cli_*)
        MLP=$PWD/$address/mlp THREAD_MLP=$PWD/$thread/mlp FAST_MLP=$fast_mlp run "$1" sh "tests/$1.sh" ;;
    *-tsan) run "$1" "$thread/${1%-tsan}" ;;
    *)
        program=$address/$1
        case $1 in *-plain) program=build/plain/${1%-plain} ;; esac
        if [ -x "$program" ]; then
            run "$1" "$program"
        else
            echo "SKIP $1: this linker cannot put it between the program and the system" >"$work/$1.out"
        fi ;;
    esac
}

# Takes one test after the other from the list, whichever no other worker has taken, and prints what
# it said in one piece, with the seconds that it took and those of CPU time of all that it started.
worker() {
    for test in $tests; do
        mkdir "$work/taken/$test" 2>/dev/null || continue
        begun=$(date +%s)
        times >"$work/$test.cpu"
        run_test "$test"
        times >>"$work/$test.cpu"
        seconds=$(($(date +%s) - begun))
        cpu=$(awk -F '[ms ]+' 'NR % 2 == 0 { before = all; all = 60 * ($1 + $3) + $2 + $4 }
                               END { printf "%.0f", all - before }' "$work/$test.cpu")
        echo "$cpu $test" >>"$work/cpu"
        until mkdir "$work/printing" 2>/dev/null; do
            [ -d "$work/taken" ] || return # all was interrupted
            sleep 1
        done
        echo "== $test ($seconds s, $cpu s of CPU time)"
        cat "$work/$test.out"
        rmdir "$work/printing"
    done
}

wanted() {
    [ -z "$selection" ] && return 0
    case " $selection " in *" $1 "*) return 0 ;; esac
    return 1
}

# Those that take minutes come first, then those under the thread sanitizer and in the plain build, then the other
# scripts: what is left at the end is short, and every CPU has some of it.
selection=$* tests=
for test in cli_repro cli_machines cli_page cli_cnn cli_docs cli_source cli_learn cli_report cli_memory test_digit; do
    ! wanted "$test" || tests="$tests $test"
done
for test in $threaded; do
    ! wanted "$test" || tests="$tests $test-tsan"
done
for test in $plain; do
    ! wanted "$test" || tests="$tests $test-plain"
done
for test in tests/cli_*.sh tests/test_*.c; do
    test=$(basename "${test%.*}")
    case " $tests " in *" $test "*) continue ;; esac
    ! wanted "$test" || tests="$tests $test"
done

mkdir "$work/taken"
: >"$work/cpu"
while [ "$jobs" -gt 0 ]; do
    worker &
    jobs=$((jobs - 1))
done
wait
for test in $tests; do
    cat "$work/$test.out" || echo "FAIL $test did not run"
done >"$work/all" 2>/dev/null

passed=$(grep -c '^ok ' "$work/all")
failed=$(grep -c '^FAIL ' "$work/all")
skipped=$(grep -c '^SKIP ' "$work/all")
if [ "$failed" -gt 0 ] || [ "$skipped" -gt 0 ]; then
    echo "== what did not pass"
    grep '^FAIL \|^SKIP ' "$work/all"
fi
sort -rn "$work/cpu" | awk '{ all += $1; if (NR <= 12) most = most (NR > 1 ? ", " : "") $2 " " $1 }
    END { print "CPU time " all " s; most: " most }'
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
