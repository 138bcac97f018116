#!/bin/sh
# Threads and instruction sets from outside: the flag, the two variables, and what happens when
# there are fewer CPUs than threads.
. tests/lib.sh

bin=$MLP
train() {
    "$bin" train -q -d data/mnist --train-size 600 --val-size 200 --epochs 2 --hidden 8 \
        -o "$WORK/model.bin" --csv "$WORK/curves.csv" "$@"
}

counts_are_checked() {
    for value in 0 -1 1.5 5x '' 1025 nan 18446744073709551616; do
        refuses 2 --threads train "--threads=$value" &&
            refuses 2 --threads "$bin" eval model.bin "--threads=$value" || return 1
    done
}
claim "--threads refuses what is not a count from 1 to 1024" counts_are_checked

more_than_there_are() {
    exits 0 train --threads 1 && cp "$WORK/model.bin" "$WORK/one.bin" &&
        exits 0 train --threads 1024 && [ ! -s "$WORK/stderr" ] &&
        cmp "$WORK/model.bin" "$WORK/one.bin" &&
        exits 0 "$bin" eval "$WORK/one.bin" --threads 1024 && [ ! -s "$WORK/stderr" ]
}
claim "more threads than CPUs are silently fewer" more_than_there_are

threads_of() { # PROGRAM ARGUMENTS...: the most threads that the process had
    "$@" &
    child=$!
    most=0
    while kill -0 "$child" 2>/dev/null; do
        now=$(sed -n 's/^Threads:[[:space:]]*//p' "/proc/$child/status" 2>/dev/null)
        [ "${now:-0}" -gt "$most" ] && most=$now
    done
    wait "$child"
    echo "$most"
}
if [ -r /proc/self/status ]; then
    # Those that this process may use; nproc listens to OpenMP's variables, too.
    cpus=$(unset OMP_NUM_THREADS OMP_THREAD_LIMIT; nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
    limit=$((cpus < 8 ? cpus : 8))
    has_threads() { # EXPECTED VARIABLES ARGUMENTS...
        expected=$1
        shift
        found=$(threads_of env "$@" "$FAST_MLP" train -q -d data/mnist --epochs 3 \
            -o "$WORK/t.bin" --csv "$WORK/t.csv")
        [ "$found" -eq "$expected" ] || { echo "$found threads, expected $expected"; return 1; }
    }
    claim "by default there is a thread for each CPU that may be used, 8 at most" has_threads "$limit" A=
    claim "MLP_CPUS=5 makes five" has_threads 5 MLP_CPUS=5
    if command -v taskset >/dev/null; then
        one_cpu() {
            first=$(taskset -cp $$ | sed 's/.*: *//; s/[^0-9].*//')
            found=$(threads_of taskset -c "$first" "$FAST_MLP" train -q -d data/mnist --epochs 3 --threads 4 \
                -o "$WORK/t.bin" --csv "$WORK/t.csv")
            [ "$found" -eq 1 ] || { echo "$found threads"; return 1; }
        }
        claim "a process that may use one CPU has one thread" one_cpu
    else
        skip "taskset is not installed: a single CPU was not tried"
    fi
else
    skip "/proc is not there: threads were not counted"
fi

variables_are_checked() {
    for value in 0 x -1 1025 1.5; do
        refuses 2 "MLP_CPUS=$value" env "MLP_CPUS=$value" "$bin" --version || return 1
    done
    refuses 2 MLP_ISA=mmx env MLP_ISA=mmx "$bin" train && refuses 2 MLP_ISA=AVX2 env MLP_ISA=AVX2 "$bin" --help
}
claim "MLP_CPUS and MLP_ISA refuse what is unknown" variables_are_checked

foreign_sets_are_refused() {
    case $("$bin" --version) in
        *neon*) foreign=avx2 ;;
        *) foreign=neon ;;
    esac
    refuses 2 "MLP_ISA=$foreign" env MLP_ISA="$foreign" "$bin" --version
}
claim "MLP_ISA refuses a set that this CPU lacks" foreign_sets_are_refused

version_names_the_set() {
    exits 0 env MLP_ISA=scalar "$bin" --version && grep -q ', scalar)$' "$WORK/stdout" &&
        exits 0 env MLP_ISA= MLP_CPUS= "$bin" --version && grep -qE ', [a-z0-9]+\)$' "$WORK/stdout"
}
claim "--version names the instruction set in use; empty variables count as unset" version_names_the_set

tsan_is_silent() {
    MLP_CPUS=3 exits 0 "$THREAD_MLP" train -q -d data/mnist --train-size 1000 --val-size 500 --epochs 2 \
        -o "$WORK/tsan.bin" --csv "$WORK/tsan.csv" && [ ! -s "$WORK/stderr" ] &&
        MLP_CPUS=3 exits 0 "$THREAD_MLP" eval "$WORK/tsan.bin" -d data/mnist && [ ! -s "$WORK/stderr" ]
}
claim "the thread sanitizer finds nothing in a training and an evaluation" tsan_is_silent

finish
