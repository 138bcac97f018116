#!/bin/sh
# Load: hundreds of trainings at once in one directory, some of them killed at random, and trainings that are stopped
# and continued at random. Each must end with the bytes that it has alone, and harm no other. LOAD_SEED=N repeats the
# random moments of a run, as far as the system's scheduler lets it.
. tests/lib.sh

small_data "$WORK/data" 240
mnist=$PWD/data/mnist
cd "$WORK" || exit 1
: "${LOAD_SEED:=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}"
echo "LOAD_SEED=$LOAD_SEED"

# Each process that runs, or is stopped, has its number in a file here. None may outlive this script.
mkdir running
clean_up() {
    for file in running/*; do
        [ ! -f "$file" ] || kill -9 "$(cat "$file")" 2>/dev/null
    done
    rm -rf running
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# random NAME NUMBER MOST: so many numbers of seconds under MOST. Each NAME has numbers of its own.
random() {
    awk -v seed="$LOAD_SEED$(echo "$1" | cksum | cut -c 1-4)" -v n="$2" -v most="$3" \
        'BEGIN { srand(seed); while (n-- > 0) printf "%.3f\n", rand() * most }'
}

# appears FILE: waits for it, 20 seconds at most.
appears() {
    looks=0
    until [ -s "$1" ] || [ "$looks" -gt 2000 ]; do
        looks=$((looks + 1))
        sleep 0.01
    done
}

SHORT=30 LONG=400 # epochs: of most trainings, of those that are killed
# train DIRECTORY/NAME FLAGS...: takes the place of this process; NAME begins with the seed.
train() {
    name=$1 seed=${1##*/}
    shift
    exec "$FAST_MLP" train -q -d data --hidden 8 --threads 2 --seed "${seed%%[!0-9]*}" \
        -o "$name.bin" --csv "$name.csv" --chain "$name.chain" "$@" </dev/null
}

# together NAME COMMAND...: in the background, from when the gate is opened.
mkfifo gate
close_gate() { rm -rf errors && mkdir errors && exec 3<>gate; }
together() {
    { read -r _; shift; "$@"; } <gate 3>&- 2>"errors/$1" &
    echo "$!" >"running/$1"
}
# Opens the gate and waits for those named. All must succeed and say nothing.
run_together() {
    exec 3>&-
    while read -r name; do
        wait "$(cat "running/$name")" || echo "status $?" >>"errors/$name"
        rm "running/$name"
    done <"$1"
    cat errors/* && [ -z "$(cat errors/*)" ]
}

# hashes DIRECTORY: of each model, chain and table (without its seconds) the SHA-256 and SEED.ENDING, equal ones once.
hashes() {
    rm -rf untimed && mkdir untimed &&
        awk 'FNR == 1 { close(out); out = FILENAME; sub(".*/", "untimed/", out) }
             { sub(/,[^,]*$/, ""); print >out }' "$1"/*.csv &&
        sha256sum -- "$1"/*.bin "$1"/*.chain untimed/*.csv | sed 's|  .*/\([0-9]*\)[^/]*\.|  \1.|' | sort -u
}
same_as_alone() { hashes "$1" | diff "$2" -; }
files_are() { # DIRECTORY: those on standard input, and no others
    # shellcheck disable=SC2012 # no strange names
    sort >expected && ls -A "$1" | sort | diff expected -
}
# cpu_between BEFORE AFTER NUMBER: seconds of CPU time of children that have ended, by two outputs of `times`.
cpu_between() {
    cat "$1" "$2" | awk -F '[ms ]+' -v n="$3" 'NR % 2 == 0 { t = 60 * $1 + $2 + 60 * $3 + $4 - t } END { print t / n }'
}

# ---------------------------------------------------------------------------------------------
# Each alone, one after the other

mkdir short long crowd killed
awk 'BEGIN { while (n++ < 50) print n }' >seeds
each_alone() {
    times >cpu.0
    for n in $(cat seeds); do
        (train "short/$n" --epochs "$SHORT") || return 1
    done
    times >cpu.1
    for n in 101 102 103 104 105 106; do
        (train "long/$n" --epochs "$LONG") || return 1
    done
    hashes short >short.expected && hashes long >long.expected && [ "$(wc -l <short.expected)" -eq 150 ]
}
claim "50 trainings alone" each_alone

# ---------------------------------------------------------------------------------------------
# All at once. Whatever `shared.bin` holds is a row in the chain of one of the trainings that write it.

watch_shared_model() {
    until [ -e watched ]; do
        [ ! -e crowd/shared.bin ] || sha256sum crowd/shared.bin
        sleep 0.005
    done >seen
}
all_at_once() {
    close_gate
    for n in $(cat seeds); do
        for copy in a b c d; do
            together "$n$copy" train "crowd/$n$copy" --epochs "$SHORT"
            echo "$n$copy"
        done
    done >own
    for n in $(head -n 25 seeds); do
        together "${n}s" train "crowd/${n}s" --epochs "$SHORT" --checkpoint-every 10 -o crowd/shared.bin
        echo "${n}s"
    done >sharing
    { watch_shared_model; } 3>&- & # the group closes it, where a function would keep a copy
    watcher=$!
    cat own sharing >names
    times >cpu.2
    run_together names
    status=$?
    times >cpu.3
    touch watched && wait "$watcher" && [ "$status" -eq 0 ]
}
claim "225 trainings at once in one directory succeed and say nothing" all_at_once
expected_files() {
    { sed 's/$/.bin/' own; sed 's/$/.csv/' names; sed 's/$/.chain/' names; echo shared.bin; } | files_are crowd
}
claim "they leave their files and no others" expected_files
one_of_theirs() {
    sed 's|s$|.chain|; s|^|short/|' sharing | xargs cut -d, -f2 | sort -u >chained
    cut -d' ' -f1 seen | sort -u >states
    wc -l seen states && ! comm -23 states chained | grep . && [ "$(wc -l <states)" -ge 2 ] &&
        mv crowd/shared.bin . && grep "$(sha256sum <shared.bin | cut -d' ' -f1)  .*bin" short.expected
}
claim "a model that 25 of them write is at every moment one of theirs, whole" one_of_theirs
claim "every other file has the bytes of the same training alone" same_as_alone crowd short.expected
echo "  CPU time of each: $(cpu_between cpu.0 cpu.1 50) s alone, $(cpu_between cpu.2 cpu.3 225) s at once"

# ---------------------------------------------------------------------------------------------
# Twelve of 62 are killed up to three times and repeated, with --resume as soon as there is a model

kill_and_repeat() { # NAME: in a process of its own
    random "$1" 3 0.05 >"moments.$1"
    for kills in 1 2 3 0; do
        resume=
        [ ! -e "killed/$1.bin" ] || resume="--resume killed/$1.bin"
        # shellcheck disable=SC2086 # words or none
        train "killed/$1" --epochs "$LONG" --checkpoint-every 20 $resume &
        echo "$!" >"running/$1.child"
        # The second one is killed after its first checkpoint.
        [ "$kills" -ne 2 ] || appears "killed/$1.bin"
        [ "$kills" -eq 0 ] || { sleep "$(sed -n "${kills}p" "moments.$1")" && kill -9 "$!"; }
        wait "$!" 2>/dev/null
        status=$?
        rm "running/$1.child"
        echo "$status $resume" >>"ends.$1"
        [ "$status" -eq 137 ] || return "$status"
    done
    return "$status"
}
killed_at_random() {
    close_gate
    for n in 101 102 103 104 105 106; do
        for copy in j k; do
            together "$n$copy" kill_and_repeat "$n$copy"
            echo "$n$copy"
        done
    done >names
    for n in $(cat seeds); do
        together "${n}u" train "killed/${n}u" --epochs "$SHORT"
        echo "${n}u"
    done >>names
    run_together names
    status=$?
    cat ends.* >ends
    kills=$(grep -c '^137' ends) resumed=$(grep -c '^0 --resume' ends)
    echo "$kills times killed, $resumed of 12 resumed at the end"
    [ "$status" -eq 0 ] && [ "$kills" -ge 12 ] && [ "$resumed" -ge 6 ]
}
claim "62 trainings at once succeed, 12 of them killed at random and repeated" killed_at_random
expected_with_kills() { # a killed process leaves at most a temporary file for each of its outputs
    find killed -name '.mlp-*' >left && [ "$(wc -l <left)" -le $((3 * $(grep -c '^137' ends))) ] && xargs rm -f <left &&
        { sed 's/$/.bin/' names; sed 's/$/.csv/' names; sed 's/$/.chain/' names; } | files_are killed
}
claim "they leave their files, and those that were killed at most their temporary ones" expected_with_kills
cat short.expected long.expected | sort >both.expected
claim "every file has the bytes of the same training alone" same_as_alone killed both.expected

# ---------------------------------------------------------------------------------------------
# Stopped and continued. A process is stopped only until it is known to have ended, and its parent waits for it only
# after that: its number is not another's.

# stop_and_continue NAME FILE: the process whose number is in running/NAME, at random, until the file is not empty.
stop_and_continue() {
    appears "running/$1"
    process=$(cat "running/$1")
    random "$1" 1000 0.015 | while [ -e "running/$1" ] && [ ! -s "$2" ] && read -r some && read -r more; do
        sleep "$some"
        kill -STOP "$process" && sleep "$more" && kill -CONT "$process" && echo stopped
    done >"stops.$1"
}
# The training that is stopped. Says on standard output that it has ended.
mkdir steady stopped
stopped() { # DIRECTORY/NAME THREADS
    MLP_CPUS=$2 exec "$FAST_MLP" train --json -d data --hidden 8 --threads "$2" --epochs $((3 * LONG)) \
        --checkpoint-every 100 -o "$1.bin" --csv "$1.csv" --chain "$1.chain" </dev/null
}
(stopped steady/1 1) >/dev/null 2>&1
of_mnist='--train-size 200 --val-size 40 --epochs 1'
# shellcheck disable=SC2086 # words
(train steady/201 -d "$mnist" $of_mnist)

in_a_pipe() { # NAME THREADS
    mkfifo "pipe.$1"
    cat "pipe.$1" >"progress.$1" &
    reader=$!
    (stopped "stopped/$1" "$2") >"ended.$1" 2>"pipe.$1" &
    echo "$!" >"running/$1"
    stop_and_continue "$1" "ended.$1"
    wait "$!"
    status=$?
    rm "running/$1"
    wait "$reader" && return "$status"
}
# `script` must not see the stops of its own child, or it stops itself.
in_a_terminal() { # NAME THREADS
    {
        sed -n '/^stopped()/,/^}/p' "$OLDPWD/tests/cli_load.sh"
        echo "LONG=$LONG; (stopped 'stopped/$1' $2) >'ended.$1' & echo \$! >'running/$1'"
        echo "until [ -e 'waited.$1' ]; do sleep 0.05; done; wait \$!; echo \$? >'status.$1'"
    } >"terminal.$1.sh"
    TERM=xterm FAST_MLP=$FAST_MLP script -qec "sh terminal.$1.sh" "progress.$1" >/dev/null </dev/null &
    stop_and_continue "$1" "ended.$1"
    touch "waited.$1"
    wait "$!"
    rm "running/$1"
    return "$(cat "status.$1")"
}

# Decompression: each of the two processes is stopped, at random. As long as the training is stopped, gzip is its child.
while_gzip_works() { # NAME
    mkdir bin && printf '#!/bin/sh\necho $$ >running/gzip && exec %s "$@"\n' "$(command -v gzip)" >bin/gzip &&
        chmod +x bin/gzip || return 1
    # shellcheck disable=SC2030,SC2086 # for this process alone; words
    (PATH=$PWD/bin:$PATH && train "stopped/$1" -d "$mnist" $of_mnist --json) >"ended.$1" &
    echo "$!" >"running/$1"
    appears running/gzip
    random "$1" 1000 0.03 | while [ ! -s "ended.$1" ] && read -r some && read -r more; do
        kill -STOP "$!"
        gzip=$(cat running/gzip)
        if [ "$(ps -o ppid= -p "$gzip" | tr -d ' ')" = "$!" ]; then
            kill -STOP "$gzip" && echo stopped
            kill -CONT "$!"
            sleep "$more"
            kill -CONT "$gzip"
        else
            kill -CONT "$!"
        fi
        sleep "$some"
    done >"stops.$1"
    wait "$!"
    status=$?
    rm "running/$1" running/gzip
    return "$status"
}
# A prediction that is stopped for longer than a conversion may take, while the converter works on.
while_a_picture_is_converted() { # NAME
    printf '\211PNG\r\n\032\n' >picture.png
    { printf 'P5 28 28 255\n' && tail -c +17 data/t10k-images-idx3-ubyte | head -c 784; } >picture.pgm
    "$FAST_MLP" predict short/1.bin picture.pgm >expected.prediction || return 1
    mkdir converter && printf '#!/bin/sh\necho >converting; sleep 0.3; cat picture.pgm\n' >converter/magick &&
        chmod +x converter/magick || return 1
    # shellcheck disable=SC2031
    PATH=$PWD/converter:$PATH MLP_CONVERT_SECONDS=3 "$FAST_MLP" predict short/1.bin - <picture.png >prediction &
    echo "$!" >"running/$1"
    appears converting
    kill -STOP "$!"
    echo stopped >"stops.$1"
    sleep 3.5
    kill -CONT "$!"
    wait "$!"
    status=$?
    rm "running/$1"
    [ "$status" -eq 0 ] && cut -f 2- prediction >answer && cut -f 2- expected.prediction | cmp - answer
}

begun=$(date +%s)
stopped_in() { # NAME COMMAND...: beside others
    { shift; "$@"; echo $? >"result.$name"; } >"output.$1" 2>&1 &
}
names='1p1 1p3'
for threads in 1 3; do
    name=1p$threads && stopped_in $name in_a_pipe $name $threads
done
if command -v script >/dev/null; then
    names="$names 1t1 1t3"
    for threads in 1 3; do
        name=1t$threads && stopped_in $name in_a_terminal $name $threads
    done
else
    skip "script is not installed: no training was stopped in a terminal"
fi
if [ "$(ps -o ppid= -p $$)" ] 2>/dev/null; then
    names="$names 201g"
    name=201g && stopped_in $name while_gzip_works $name
else
    skip "ps does not say whose child a process is: no gzip was stopped"
fi
name=converter && stopped_in $name while_a_picture_is_converted $name
wait
seconds=$(($(date +%s) - begun + 1))
succeeded() { # NAME STOPS: at the least; a fast machine trains in the time of a few
    cat "output.$1" && echo "stopped $(wc -l <"stops.$1") times" && [ "$(cat "result.$1")" = 0 ] &&
        [ "$(wc -l <"stops.$1")" -ge "$2" ]
}
for name in $names converter; do
    case $name in
    1p1) claim "a training is stopped and continued at random, in a pipe" succeeded "$name" 3 ;;
    1p3) claim "also one of three threads" succeeded "$name" 3 ;;
    1t1) claim "also in a terminal" succeeded "$name" 3 ;;
    1t3) claim "also one of three threads in a terminal" succeeded "$name" 3 ;;
    201g) claim "also while gzip decompresses its data, which is stopped as well" succeeded "$name" 1 ;;
    *) claim "a picture is converted although the program was stopped for longer than that may take" succeeded "$name" 1 ;;
    esac
done
for name in $names; do
    printf '%s\n' "$name.bin" "$name.csv" "$name.chain"
done >expected_files
stopped_files() { files_are stopped <expected_files; }
claim "those that were stopped leave their files and no others" stopped_files
[ -e stopped/201g.bin ] || rm steady/201.*
hashes steady >steady.expected
claim "with the bytes of the same training without a stop" same_as_alone stopped steady.expected
sane_tables() {
    awk -F, -v most="$seconds" '
        FNR == 1 { sum = 0; next }
        NF != 7 || $1 != FNR - 1 || $7 !~ /^[0-9]+\.[0-9]+$/ { print FILENAME ": " $0; bad = 1 }
        (sum += $7) > most { print FILENAME ": " sum " s in an " most " s"; bad = 1; exit }
        END { exit bad }' stopped/*.csv
}
claim "the seconds in their tables are numbers, and in all no more than have passed" sane_tables
whole_progress() { # NAME: the lines that were drawn, of which the last is whole, as far as a terminal is wide
    tr '\r' '\n' <"progress.$1" | grep '^epoch ' >drawn && wc -l drawn && tail -n 1 drawn &&
        [ "$(wc -l <drawn)" -ge 2 ] && tail -n 1 drawn | grep -q "^epoch $((3 * LONG))/$((3 * LONG)) .*validation [0-9.]* %"
}
claim "a pipe has its progress" whole_progress 1p3
[ ! -e progress.1t3 ] || claim "and a terminal its progress bar, complete at the end" whole_progress 1t3

finish
