#!/bin/sh
# Hostile surroundings, from outside: what is not a file in the place of one, too little memory, and
# every locale.
. tests/lib.sh

bin=$MLP
real=$PWD/data/mnist

data=$WORK/data model=$WORK/model.bin
small_data "$data" 300

train() { # PROGRAM OPTION...: into $WORK/out
    program=$1
    shift
    "$program" train -q --epochs 2 --hidden 8 --lr 2e-3 -d "$data" -o "$WORK/out/model.bin" \
        --csv "$WORK/out/curves.csv" "$@"
}
mkdir "$WORK/out"
claim "a model to work with" exits 0 train "$bin"
cp "$WORK/out/model.bin" "$model"

# Nothing may wait for what never comes.
limited() {
    timeout 20 "$@"
}

# ---------------------------------------------------------------------------------------------
# What is not a file

# Puts something of that kind under the name.
make_what() { # KIND NAME
    rm -rf "$2"
    case $1 in
    directory) mkdir "$2" ;;
    FIFO) mkfifo "$2" ;;
    device) ln -s /dev/zero "$2" ;;
    dangling) ln -s nowhere "$2" ;;
    circle) ln -s "$(basename "$2")" "$2" ;;
    empty) : >"$2" ;;
    esac
}

as_data_refused() { # KIND
    for part in images-idx3 labels-idx1; do
        name=train-$part-ubyte
        rm -rf "$WORK/bad" && cp -R "$data" "$WORK/bad" && make_what "$1" "$WORK/bad/$name" &&
            refuses 1 "$name" limited "$bin" gradcheck -d "$WORK/bad" &&
            refuses 1 "$name" limited "$bin" train -q -d "$WORK/bad" -o "$WORK/out/none.bin" \
                --csv "$WORK/out/none.csv" &&
            refuses 1 "$name" limited "$bin" eval "$model" --split train -d "$WORK/bad" || return 1
        # The same under the name of compressed data, when the raw file is not there.
        rm -rf "$WORK/bad/$name" && make_what "$1" "$WORK/bad/$name.gz" &&
            refuses 1 "$name" limited "$bin" gradcheck -d "$WORK/bad" || return 1
    done
    [ ! -e "$WORK/out/none.bin" ] && [ ! -e "$WORK/out/none.csv" ]
}
as_model_refused() { # KIND
    make_what "$1" "$WORK/bad.bin" || return 1
    for command in "eval -d $data" "gradcheck -d $data" info "info --json"; do
        # shellcheck disable=SC2086 # words
        refuses 1 "$WORK/bad.bin" limited "$bin" $command "$WORK/bad.bin" || return 1
    done
}
if ! command -v timeout >/dev/null; then
    skip "timeout is not installed: what is not a file was not tried"
else
    for kind in directory FIFO device dangling circle empty; do
        claim "in the place of data, this is refused by name: $kind" as_data_refused "$kind"
        claim "in the place of a model, this is refused by name: $kind" as_model_refused "$kind"
    done
fi

# A file that may not be read: nobody may read root's, when there is a way to become nobody.
open_directory=$(mktemp -d)
trap 'rm -rf "$open_directory"' EXIT
unreadable() { # COMMAND...: how to become someone who may not read
    chmod 755 "$open_directory" && cp -R "$data" "$model" "$open_directory" && cp "$bin" "$open_directory/mlp" &&
        chmod -R a+rX "$open_directory" && chmod 0 "$open_directory/model.bin" \
        "$open_directory/data/train-labels-idx1-ubyte" || return 1
    (cd "$open_directory" && refuses 1 "model.bin: Permission denied" "$@" ./mlp info model.bin &&
        refuses 1 "train-labels-idx1-ubyte: Permission denied" "$@" ./mlp gradcheck -d data)
}
if [ "$(id -u)" -ne 0 ]; then
    claim "a file that may not be read is refused by name" unreadable env
elif command -v setpriv >/dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
    claim "a file that may not be read is refused by name" \
        unreadable setpriv --reuid 65534 --regid 65534 --clear-groups
else
    skip "root may read every file, and there is no setpriv: unreadable files were not tried"
fi

# ---------------------------------------------------------------------------------------------
# Too little memory

with_memory() { # KILOBYTES COMMAND...: in a subshell
    # shellcheck disable=SC3045 # not POSIX; where it fails, this is skipped
    ulimit -v "$1" || exit 125
    shift
    exec "$@"
}

# From what the program needs to begin with up to what it needs to end: each run succeeds or says
# in one line what there was no memory for, and then leaves what was there.
limits_are_said() { # KILOBYTES... -- COMMAND...
    limits=
    while [ "$1" != -- ]; do limits="$limits $1" && shift; done
    shift
    said=0 done=0
    for kilobytes in $limits; do
        echo old >"$WORK/out/model.bin"
        (with_memory "$kilobytes" "$@") >"$WORK/stdout" 2>"$WORK/stderr"
        status=$?
        sed "s/^/$kilobytes kB: $status: /" "$WORK/stderr"
        if [ "$status" -eq 0 ]; then
            done=$((done + 1))
        elif [ "$status" -eq 1 ] && [ "$(grep -c '^mlp: ' "$WORK/stderr")" -eq "$(wc -l <"$WORK/stderr")" ] &&
            [ "$(grep -vc '^mlp: note: ' "$WORK/stderr")" -eq 1 ] &&
            grep -q 'out of memory: [0-9]* bytes for \|needs [0-9]* MB of memory\|Cannot allocate memory\|Resource temporarily unavailable' \
                "$WORK/stderr" && [ "$(cat "$WORK/out/model.bin")" = old ]; then
            said=$((said + 1))
        else
            echo "$kilobytes kB: exit status $status, and not in one line for want of memory"
            return 1
        fi
    done
    echo "$done succeeded, $said said that there was no memory"
    [ "$done" -gt 0 ] && [ "$said" -gt 0 ]
}
program_needs() { # the least memory, in steps of 500 kB, that --version is content with
    kilobytes=1000
    until (with_memory "$kilobytes" "$FAST_MLP" --version) >/dev/null 2>&1; do
        kilobytes=$((kilobytes + 500))
        [ "$kilobytes" -lt 200000 ] || return 1
    done
    echo "$kilobytes"
}
steps() { # FIRST STEP LAST
    at=$1
    while [ "$at" -le "$3" ]; do echo "$at" && at=$((at + $2)); done
}
raw_data() { # the real training data, raw: 47 MB
    mkdir "$WORK/raw" && for part in train-images-idx3 train-labels-idx1; do
        gzip -dc "$real/$part-ubyte.gz" >"$WORK/raw/$part-ubyte" || return 1
    done
}
# A limit between the program's needs and those of the data is compared with the header, before
# anything is read.
limit_is_named() {
    echo old >"$WORK/out/model.bin"
    refuses 1 "raw/train-images-idx3-ubyte: needs " with_memory_in_subshell $((least + 20000)) "$FAST_MLP" train -q \
        -d "$WORK/raw" -o "$WORK/out/model.bin" --csv "$WORK/out/curves.csv" &&
        grep -q "may have $(((least + 20000) * 1024 / 1000000)) MB (ulimit -v)$" "$WORK/stderr" &&
        [ "$(cat "$WORK/out/model.bin")" = old ]
}
with_memory_in_subshell() (
    with_memory "$@"
)
if least=$(program_needs); then
    claim "the real data, raw" raw_data
    claim "data larger than the limit are refused with the need and the limit" limit_is_named
    # shellcheck disable=SC2046 # words
    {
        claim "too little memory for the data is said" \
            limits_are_said $(steps "$least" 7000 $((least + 70000))) -- \
            "$FAST_MLP" gradcheck --hidden 1 -d "$WORK/raw"
        claim "too little memory for the Jacobians is said" \
            limits_are_said $(steps "$least" 1000 $((least + 12000))) -- \
            "$FAST_MLP" gradcheck --hidden 16 -d "$data"
        claim "too little memory for a training is said, and the model stays" \
            limits_are_said $(steps "$least" 400 $((least + 12000))) -- \
            "$FAST_MLP" train -q --epochs 1 --threads 2 --batch 300 --hidden 256 -d "$data" \
            -o "$WORK/out/model.bin" --csv "$WORK/out/curves.csv"
        claim "too little memory for an evaluation is said" \
            limits_are_said $(steps "$least" 7000 $((least + 70000))) -- \
            "$FAST_MLP" eval "$model" -d "$WORK/raw" --split validation --threads 1
    }
    rm -rf "$WORK/raw"
else
    skip "ulimit -v does not work here: too little memory was not tried"
fi

# A compressed file tells its size in its first bytes: that many images are on no machine.
beyond_any_memory() {
    rm -rf "$WORK/bad" && mkdir "$WORK/bad" || return 1
    { printf '\0\0\010\003' && u32 4294967295 && u32 4096 && u32 4096; } | gzip >"$WORK/bad/train-images-idx3-ubyte.gz"
    { printf '\0\0\010\001' && u32 4294967295; } | gzip >"$WORK/bad/train-labels-idx1-ubyte.gz"
    refuses 1 "MB of memory, and this process may have " "$bin" train -q -d "$WORK/bad" -o "$WORK/out/none.bin" \
        --csv "$WORK/out/none.csv" && [ ! -e "$WORK/out/none.bin" ]
}
if [ -r /proc/meminfo ]; then
    claim "compressed data larger than memory are refused before they are read" beyond_any_memory
else
    skip "there is no /proc/meminfo: data larger than memory were not tried"
fi

# ---------------------------------------------------------------------------------------------
# Locales

# Decimal commas, dotless i: made here where the system has not got them.
make_locale() { # NAME
    LC_ALL=$1 locale decimal_point 2>/dev/null | grep -q , && return 0
    localedef -i "${1%.*}" -f UTF-8 "$WORK/locales/$1" 2>/dev/null
}
said_in_locale() { # NAME: all that is printed or written, but the times
    LC_ALL=$1 LANG=$1 LOCPATH=$WORK/locales
    export LC_ALL LANG LOCPATH
    train "$FAST_MLP" --json | grep -v '"seconds"\|images_per_second'
    "$FAST_MLP" eval "$model" -d "$data" --predictions "$WORK/out/p.csv"
    "$FAST_MLP" eval "$model" -d "$data" --json
    "$FAST_MLP" info "$model"
    "$FAST_MLP" gradcheck --hidden 1 -d "$data"
    "$FAST_MLP" train --help
    "$FAST_MLP" info "$WORK/nothing" 2>&1
    "$FAST_MLP" train --lr 0,5 2>&1
    cat "$WORK/out/model.bin" "$WORK/out/p.csv"
    cut -d , -f 1-6 "$WORK/out/curves.csv"
}
same_in_locale() { # NAME
    (said_in_locale "$1") >"$WORK/in-other"
    grep -a -q '"train_loss": [0-9.]*,$' "$WORK/in-C" && cmp "$WORK/in-C" "$WORK/in-other" && return 0
    diff -a "$WORK/in-C" "$WORK/in-other" | head -n 20
    return 1
}
(said_in_locale C) >"$WORK/in-C"
mkdir "$WORK/locales"
for name in de_DE.UTF-8 tr_TR.UTF-8; do
    if make_locale "$name"; then
        claim "the same bytes in the locale $name" same_in_locale "$name"
    else
        skip "there is no locale $name, and localedef cannot make it: not tried"
    fi
done
claim "the same bytes in the locale POSIX" same_in_locale POSIX
claim "the same bytes in a locale that does not exist" same_in_locale xx_XX.nonsense

finish
