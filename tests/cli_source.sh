#!/bin/sh
# The source and its words: no warnings from either compiler, scripts and man page clean, the man
# page in step with the program (for the other documents see cli_docs.sh).
. tests/lib.sh

# The Makefile's own warnings, as errors, for all instruction sets, tests and benchmark too. Nothing is linked. clang
# finds its warnings before it makes code, gcc some of them (-Wmaybe-uninitialized) only then.
no_warnings() { # COMPILER
    only=
    [ "$1" != clang ] || only=-fsyntax-only
    "$MAKE" -s -j 2 CC="$1" CFLAGS="-O1 -Werror $only" LINK=: AR=: BUILD="$WORK/$1" PROGRAM="$WORK/$1/mlp" all unit-tests \
        replays "$WORK/$1/bench"
}

for compiler in gcc clang; do
    if command -v "$compiler" >/dev/null; then
        claim "$compiler compiles everything without a warning" no_warnings "$compiler"
    else
        skip "$compiler is not installed: its warnings were not looked for"
    fi
done

refuses_to_compile() { # FLAGS...
    ! "$CC" -std=gnu11 "$@" -Isrc/base -Isrc/kernels -c -o "$WORK/object.o" src/kernels/kernels_scalar.c
}
claim "-ffast-math is refused" refuses_to_compile -ffast-math

# A CPU, or a virtual machine, may lack any of the features that the compiler may use for a set.
features_are_asked_for() {
    for set in AVX2 AVX512; do
        features=$(sed -n "/defined KERNELS_$set$/,/KERNEL_TABLE/s/.*TARGET *\"\(.*\)\".*/\1/p" src/kernels/simd_vectors.h)
        [ -n "$features" ] || return 1
        for feature in $(echo "$features" | tr , ' '); do
            sed -n "/if (set == $set)/,/#endif/p" src/kernels/kernels_dispatch.c | grep -qF "supports(\"$feature\")" ||
                { echo "$set uses $feature, and does not ask for it"; return 1; }
        done
    done
}
claim "kernels ask the CPU for all that their instruction set is made of" features_are_asked_for

# Each directory of src, but the last, with a source that includes a header of the directory above it.
lower_directories() {
    mkdir "$WORK/layers" && cp -R Makefile include src "$WORK/layers" || return 1
    above() { # DIRECTORY HEADER
        echo "#include \"$2\"" >"$WORK/layers/src/$1/extra.c"
        if "$MAKE" -s -C "$WORK/layers" CC="$CC" build/plain/"$1"/extra.o >"$WORK/said" 2>&1; then
            echo "$1 includes $2"
            return 1
        fi
        grep -q "$2.*\(No such file\|not found\)" "$WORK/said" || return 1
        echo '#include "base.h"' >"$WORK/layers/src/$1/extra.c" # as one that may be included
        "$MAKE" -s -C "$WORK/layers" CC="$CC" CFLAGS=-O0 build/plain/"$1"/extra.o
    }
    above base kernels.h && above kernels layers.h && above nn model.h && above nn commands.h &&
        above io commands.h
}
claim "a source that includes a header of a directory above its own does not compile" lower_directories

if command -v shellcheck >/dev/null; then
    claim "the shell scripts are clean" \
        shellcheck -x -e SC2317,SC2013 .ci/run tests/*.sh tests/fuzz/*.sh scripts/*.sh scripts/peers/*.sh scripts/report/*.sh
else
    skip "shellcheck is not installed: the scripts were not checked"
fi

if command -v mandoc >/dev/null; then
    claim "the man page is clean" mandoc -T lint -W warning src/cli/mlp.1
else
    skip "mandoc is not installed: the man page was not checked"
fi

# The flags that a command's help lists, and those that the man page's section on it lists.
flags_in_help() {
    "$FAST_MLP" "$1" --help | sed -n 's/^  \(-., \|    \)--\([a-z-]*\).*/\2/p' | grep -v '^help$' |
        grep -v "^$1$" | sort -u
}
flags_in_man() {
    awk -v section=".Ss $1" '/^\.S[sh] / { on = $0 == section } on' src/cli/mlp.1 |
        sed -n 's/^\.It .*Fl Fl \([a-z-]*\).*/\1/p' | sort -u
}
man_matches_help() {
    flags_in_help "$1" | sed '/^mlp/d' >"$WORK/help"
    flags_in_man "$1" >"$WORK/man"
    "$FAST_MLP" "$1" --help | grep -q '^  -h, --help ' && diff "$WORK/help" "$WORK/man"
}
commands=$("$FAST_MLP" --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }')
claim "mlp --help lists the commands" test -n "$commands"
for command in $commands; do
    claim "the man page lists the flags of mlp $command" man_matches_help "$command"
done
flags_in_synopsis() {
    awk -v command=".Cm $1" '/^\.Sh DESCRIPTION/ { exit } /^\.Nm/ { on = 0 } $0 == command { on = 1 } on' src/cli/mlp.1 |
        sed -n 's/^\.\(Op \)*Fl .*Fl \([a-z-]*\).*/\2/p' | sort -u
}
synopsis_is_complete() { # but for sweep, whose settings are those of train
    for command in $commands; do
        [ "$command" = sweep ] && continue
        flags_in_help "$command" >"$WORK/help"
        flags_in_synopsis "$command" >"$WORK/man"
        diff "$WORK/help" "$WORK/man" || { echo "$command"; return 1; }
    done
}
claim "the synopsis has every flag" synopsis_is_complete
in_order() { # of mlp --help
    printf '%s\n' "$commands" >"$WORK/help"
    sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESC/s/^\.Cm \([a-z-]*\)$/\1/p' src/cli/mlp.1 | grep -vx help | diff "$WORK/help" - &&
        sed -n '/^\.Sh DESC/,/^\.Sh PRESETS/s/^\.Ss //p' src/cli/mlp.1 | diff "$WORK/help" -
}
claim "the man page has the commands in the order of the help" in_order

presets_in_help() {
    "$FAST_MLP" train --help | awk '/^Presets:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ { print $1 }' | sort -u
}
presets_in_man() {
    sed -n '/^\.Sh PRESETS/,/^\.Sh ENV/s/^\.It Cm //p' src/cli/mlp.1 | sort -u
}
man_has_presets() {
    presets_in_help >"$WORK/help" && presets_in_man >"$WORK/man" && [ -s "$WORK/help" ] && diff "$WORK/help" "$WORK/man"
}
claim "the man page describes every preset" man_has_presets

data_are_mnist() {
    for file in data/mnist/*.gz; do
        sum=$(gzip -dc "$file" | sha256sum | cut -d ' ' -f 1)
        grep -q "$(basename "$file" .gz) | $sum" data/mnist/README.md || return 1
    done
}
if command -v sha256sum >/dev/null; then
    claim "the data are those whose SHA-256 the README gives" data_are_mnist
else
    skip "sha256sum is not installed: the data were not checked"
fi

finish
