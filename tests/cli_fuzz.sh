#!/bin/sh
# The seeds of the fuzz targets, and every input that once broke something, through the readers
# without a fuzzer, under the sanitizers and past the checksum of a model.
. tests/lib.sh

# The same flags as in run.sh, so that nothing is built twice.
claim "the fuzz targets build without a fuzzer" \
    "$MAKE" -s SAN=address CFLAGS='-O1 -g' CC="$CC" replays

replays() { # TARGET
    for file in tests/fuzz/corpus/"$1"/* tests/fuzz/regressions/"$1"/*; do
        [ -f "$file" ] || continue
        replayed=$((replayed + 1))
        "build/address/replay_$1" "$file" || { echo "by the file $file"; return 1; }
    done
    [ "$replayed" -gt 0 ]
}
for source in tests/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    target=${target#fuzz_}
    replayed=0
    claim "the corpus and the regressions of the fuzz target $target" replays "$target"
    echo "   $replayed inputs"
done

a_broken_promise_is_seen() {
    echo 'nothing' >"$WORK/input"
    ! "build/address/replay_json" "$WORK/no-such-file" 2>"$WORK/stderr"
}
claim "a replay fails on a file that is not there" a_broken_promise_is_seen

finish
