#!/bin/sh
# Outputs: tables into streams, files that cannot be replaced, long names, signals, names by default.
. tests/lib.sh

bin=$MLP
small_data "$WORK/data" 800
cd "$WORK" || exit 1
settings='-d data --epochs 2 --hidden 8'

# shellcheck disable=SC2086 # the settings are words
train() { # FLAGS...
    "$bin" train -q $settings "$@"
}
train -o m.bin || exit 1
# shellcheck disable=SC2086
"$FAST_MLP" train -q $settings --arch cnn --epochs 1 --batch 8 -o cnn.bin || exit 1

no_temporary_file() { # DIRECTORY
    [ -z "$(ls -d "$1"/.mlp-* 2>/dev/null)" ] || { echo "temporary files"; ls -A "$1"; return 1; }
}

# ---------------------------------------------------------------------------------------------
# Streams

# A command line for each table that there is; the last word is the flag.
tables='eval m.bin -d data --predictions
eval m.bin -d data --mistakes
eval m.bin -d data --confusion
eval m.bin -d data --calibration
gradcheck -d data --hidden 2 --steps
gradcheck -d data --hidden 2 --nonzero
weights m.bin --csv
features m.bin -d data --csv
page m.bin -d data -o
augment -d data --csv
weights cnn.bin --csv
train -q -d data --epochs 2 --hidden 8 -o n.bin --csv
train -q -d data --epochs 2 --hidden 8 -o n.bin --csv chained.csv --chain
sweep -q -d data --epochs 2 --hidden 4,8 --csv'

untimed() { # NAME: the seconds differ from run to run
    case $1 in *--chain) cat ;; train* | sweep*) sed 's/,[0-9.]*$//' ;; *) cat ;; esac
}
# for_tables FUNCTION: calls it with each command line and a file that has its table.
for_tables() {
    echo "$tables" | while read -r line; do
        rm -f expected.csv
        # shellcheck disable=SC2086 # words
        if ! { "$FAST_MLP" $line expected.csv >/dev/null 2>&1 && untimed "$line" <expected.csv >expected &&
            [ "$(wc -l <expected)" -ge 3 ] && "$1" "$line" </dev/null; }; then
            echo "$line"
            return 1
        fi
    done
}
# shellcheck disable=SC2086
into_pipe() { # LINE: as each name of standard output, the table and nothing else
    for name in - /dev/stdout /dev/fd/1 /proc/self/fd/1; do
        [ "$name" = - ] || [ -e "$name" ] || continue
        "$bin" $1 "$name" 2>err | untimed "$1" | cmp - expected || { echo "as $name"; cat err; return 1; }
    done
    [ ! -e ./- ]
}
claim "every table goes to standard output, as - and by its names, and is all that goes there" for_tables into_pipe
# shellcheck disable=SC2086
into_file() { # LINE: the same where standard output is a file, which is not truncated
    echo before >got && "$bin" $1 /dev/stdout >>got 2>/dev/null && [ "$(head -n 1 got)" = before ] &&
        untimed "$1" <got | sed 1d | cmp - expected && : >got && same=$PWD/got &&
        "$bin" $1 "$same" >>got 2>/dev/null && untimed "$1" <got | cmp - expected
}
claim "so it does where standard output is a file, also by that file's name" for_tables into_file
# shellcheck disable=SC2086
into_descriptors() {
    { "$bin" $1 /dev/fd/4 4>&1 >/dev/null 2>&1; } | untimed "$1" | cmp - expected &&
        "$bin" $1 /dev/stderr 2>&1 >/dev/null | untimed "$1" >got && grep -vxF -f got expected | cmp - /dev/null
}
if [ -e /dev/fd/1 ]; then
    claim "every table goes to /dev/fd/N and to a standard error that is a pipe" for_tables into_descriptors
else
    skip "there is no /dev/fd: no table was written to a descriptor"
fi
# shellcheck disable=SC2086
into_fifo() { # a reader sees one table, not an end before it
    rm -f fifo && mkfifo fifo && { timeout -s KILL 20 cat fifo >got & } && timeout -s KILL 20 "$bin" $1 fifo >/dev/null 2>&1 &&
        wait && untimed "$1" <got | cmp - expected
}
if command -v timeout >/dev/null; then
    claim "every table goes into a FIFO" for_tables into_fifo
else
    skip "timeout is not installed: no FIFO was written"
fi

if command -v python3 >/dev/null; then
    cat >sockets.py <<'PYTHON'
import socket, subprocess, sys
for name in "-", "/dev/stdout", "/dev/fd/1":
    ours, theirs = socket.socketpair()
    with subprocess.Popen(sys.argv[1:] + [name], stdout=theirs, stderr=subprocess.PIPE) as child:
        theirs.close()
        table = b"".join(iter(lambda: ours.recv(65536), b""))
        print(child.stderr.read().decode())
    assert child.returncode == 0, name
    assert table == open("expected", "rb").read(), name
PYTHON
    into_socket() {
        case $1 in train* | sweep*) return 0 ;; esac # seconds
        # shellcheck disable=SC2086
        python3 sockets.py "$bin" $1
    }
    claim "every table goes into a socket, which cannot be opened by a path" for_tables into_socket
else
    skip "python3 is not installed: no socket was written"
fi
if command -v bash >/dev/null; then
    into_substitution() {
        : >got
        # shellcheck disable=SC2016
        exits 0 bash -c '"$1" eval m.bin -d data --predictions >(cat >got) >/dev/null' bash "$bin" || return 1
        tries=0 # bash does not wait for it
        until [ "$(wc -l <got)" -eq 801 ] || [ "$tries" -gt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
        [ "$(wc -l <got)" -eq 801 ]
    }
    claim "a table goes into >(COMMAND) of bash" into_substitution
else
    skip "bash is not installed: no process substitution was written"
fi

report_goes_elsewhere() {
    "$bin" eval m.bin -d data >report && "$bin" eval m.bin -d data --predictions - >table 2>err &&
        cmp report err && head -n 1 table | grep -qx 'index,label,predicted,probability' &&
        "$bin" gradcheck -d data --hidden 2 --nonzero - 2>err >table && grep -qx 'All agree.' err &&
        ! grep -q agree table
}
claim "beside a table on standard output the report goes to standard error" report_goes_elsewhere
no_two() { # WORD WORD COMMAND...
    first=$1 second=$2
    shift 2
    refuses 2 "$first" "$@" && grep -qF -e "$second" "$WORK/stderr"
}
one_thing_on_stdout() {
    for name in - /dev/stdout; do
        no_two --json --predictions "$bin" eval m.bin -d data --json --predictions "$name" &&
            no_two --json --csv "$bin" train -q -d data --json --csv "$name" -o none.bin &&
            no_two --predictions --confusion "$bin" eval m.bin -d data --predictions - --confusion "$name" &&
            no_two --steps --nonzero "$bin" gradcheck -d data --steps "$name" --nonzero - || return 1
    done
    [ ! -e none.bin ]
}
claim "JSON and a table, or two tables, on standard output are a usage error that names both" one_thing_on_stdout
model_needs_a_file() {
    for name in - /dev/stdout /dev/fd/1; do
        refuses 2 '--output' train -o "$name" && grep -q 'a model must be a regular file' "$WORK/stderr" || return 1
    done
    [ ! -e ./- ] && [ ! -e ./-.csv ] && exits 0 train -o ./- && cmp ./- m.bin && [ -e ./-.csv ] && rm ./- ./-.csv
}
claim "a model on standard output is a usage error; ./- is a file" model_needs_a_file
streams_have_no_older_rows() {
    cp m.bin r.bin && head -n 1 m.csv >wanted && echo x >./- &&
        "$bin" train -q -d data --resume r.bin --epochs 4 --csv - >got && rm ./- &&
        head -n 1 got | cmp - wanted && [ "$(tail -n +2 got | cut -d, -f1 | tr '\n' ' ')" = '3 4 ' ]
}
claim "a resumed training writes a stream the header and the new rows" streams_have_no_older_rows

broken_pipe() { # STATUS: of the writer, whose message is in err
    cat err status
    [ "$(cat status)" -eq 141 ] && [ ! -s err ]
}
reader_leaves() { # a megabyte of pixels; it reads one line
    { "$bin" eval m.bin -d data --mistakes - 2>&3 >&4; echo $? >status; } 3>err 4>&1 | head -n 1 >got
    grep -v '^mlp: ' err >report
    : >err
    broken_pipe && [ ! -s report ] && head -n 1 got | grep -q '^index,'
}
claim "a table that nobody reads ends quietly, as standard output does" reader_leaves
other_tables_are_written() { # beside one whose reader leaves, and one that cannot be written
    "$bin" eval m.bin -d data --mistakes c1.csv --confusion c2.csv >/dev/null || return 1
    rm -f c.csv
    { "$bin" eval m.bin -d data --mistakes - --confusion c.csv 2>&3 >&4; echo $? >status; } 3>err 4>&1 | head -n 1 >got
    broken_pipe && cmp c.csv c2.csv || return 1
    if [ -c /dev/full ]; then
        exits 1 "$bin" eval m.bin -d data --predictions /dev/full --mistakes d1.csv --confusion d2.csv &&
            [ "$(wc -l <"$WORK/stderr")" -eq 1 ] && grep -q '^mlp: /dev/full: ' "$WORK/stderr" &&
            cmp d1.csv c1.csv && cmp d2.csv c2.csv || return 1
    fi
}
claim "a table that cannot be written, or that nobody reads, does not cost the others" other_tables_are_written
training_survives_its_reader() {
    rm -f s.bin
    { "$FAST_MLP" train -q -d data --epochs 20000 --hidden 8 -o s.bin --csv -; echo $? >status; } 2>err | head -n 4 >got
    broken_pipe && [ "$(wc -l <got)" -eq 4 ] && exits 0 "$bin" info s.bin && no_temporary_file .
}
claim "when nobody reads the curves any more, the model is saved and the end is quiet" training_survives_its_reader
if [ -c /dev/full ]; then
    full_stdout() {
        "$bin" eval m.bin -d data --predictions - >/dev/full 2>err
        status=$?
        cat err
        [ "$status" -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q '^mlp: standard output: ' err
    }
    claim "a table on a full standard output is an error" full_stdout
fi
closed_stdout() {
    "$bin" eval m.bin -d data --predictions - >&- 2>err
    status=$?
    cat err
    [ "$status" -eq 1 ] && grep -q '^mlp: standard output: ' err
}
claim "a table on a closed standard output is an error" closed_stdout

unwritable_streams() { # there are no data: nothing was read before
    for name in /dev/stdin /dev/fd/0 /proc/self/fd/0; do
        refuses 1 "$name: is not open for writing" "$bin" train -q -d nowhere --csv "$name" </dev/null || return 1
    done
    "$bin" train -q -d nowhere --csv - >&- 2>err
    cat err
    grep -q '^mlp: standard output: ' err
}
claim "a stream that cannot be written is refused before any work" unwritable_streams

# A file that may be written, in a directory where none can be made or renamed.
unwritable_files() { # nothing is read, printed or written before, and the file that was given is named
    for line in 'eval nowhere.bin --confusion z.csv --mistakes' 'gradcheck -d nowhere --steps z.csv --nonzero' \
        'features nowhere.bin --csv' 'page nowhere.bin -o' 'sweep -d nowhere --csv' 'train -d nowhere --csv' 'train -d nowhere -o'; do
        # shellcheck disable=SC2086 # words
        refuses 1 '/proc/self/comm: cannot write in its directory' "$bin" $line /proc/self/comm || return 1
    done
    [ ! -e z.csv ]
}
if [ -w /proc/self/comm ]; then
    claim "so is a file that cannot be replaced" unwritable_files
else
    skip "no /proc/self/comm: no file that can be written, but not replaced"
fi
loop_of_links() {
    ln -sf loop1 loop2 && ln -sf loop2 loop1 && refuses 1 'loop1: is a loop of links' "$bin" train -q -d nowhere -o loop1 &&
        refuses 1 'loop1: is a loop of links' "$bin" eval m.bin -d nowhere --confusion loop1
}
claim "a link that leads to itself is refused" loop_of_links
waits_for_no_reader() { # COMMAND...: --foreground sends one SIGTERM, to the program alone
    rm -f fifo && mkfifo fifo && timeout --foreground -k 10 2 "$bin" "$@" fifo
    [ $? -eq 124 ]
}
claim "a signal ends a training that waits for the reader of its table" waits_for_no_reader train -q -d data --csv
claim "and an evaluation" waits_for_no_reader eval m.bin -d data --confusion

# ---------------------------------------------------------------------------------------------
# Files that cannot be replaced

into_mount_points() { # in a namespace of its own
    # shellcheck disable=SC2016,SC2086
    $own_mounts sh -c 'touch real.bin real.csv p.bin p.csv && mount --bind real.bin p.bin &&
        mount --bind real.csv p.csv && exec "$@"' sh "$bin" train -q -d data --epochs 2 --hidden 8 --checkpoint-every 1 -o p.bin 2>err
    status=$?
    cat err
    [ "$status" -eq 0 ] && cmp real.bin m.bin && [ "$(wc -l <real.csv)" -eq 3 ] && no_temporary_file . &&
        grep -q '^mlp: note: p.bin: was written in place' err && grep -q '^mlp: note: p.csv: was written in place' err &&
        [ "$(wc -l <err)" -eq 2 ]
}
table_into_mount_point() {
    # shellcheck disable=SC2016,SC2086
    $own_mounts sh -c 'echo a long old table of something else >real.csv && touch p.csv && mount --bind real.csv p.csv &&
        exec "$@"' sh "$bin" eval m.bin -d data --confusion p.csv >/dev/null 2>err || { cat err; return 1; }
    "$bin" eval m.bin -d data --confusion c.csv >/dev/null && cmp c.csv real.csv && [ "$(wc -l <err)" -eq 1 ] &&
        no_temporary_file .
}
full_mount_point() { # the message names the only copy of the model
    # shellcheck disable=SC2016,SC2086
    $own_mounts sh -c 'mkdir -p small && mount -t tmpfs -o size=4k tmpfs small && touch small/f p.bin &&
        mount --bind small/f p.bin && exec "$@"' sh "$bin" train -q -d data --epochs 2 --hidden 8 -o p.bin 2>err
    status=$?
    cat err
    kept=$(sed -n 's/^mlp: p.bin: .*what was written is in //p' err)
    [ "$status" -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && cmp "$kept" m.bin && rm "$kept" && grep -q '; it is as it was;' err
}
full_checkpoints() { # an old model that is as it was, and one copy of the new one
    rm -rf full && mkdir full
    # shellcheck disable=SC2016,SC2086
    $own_mounts sh -c 'mkdir -p small && mount -t tmpfs -o size=48k tmpfs small && cat m.bin >small/f && touch full/p.bin &&
        mount --bind small/f full/p.bin && { "$@" 2>err; echo $? >status; cat small/f >after.bin; }' sh \
        "$bin" train -q -d data --epochs 4 --hidden 16 --checkpoint-every 1 -o full/p.bin
    cat err status
    ls -A full
    kept=$(sed -n 's/^mlp: full\/p.bin: .*what was written is in //p' err)
    [ "$(cat status)" -eq 1 ] && cmp after.bin m.bin && exits 0 "$bin" info after.bin && [ "$(grep -c 'no checkpoint' err)" -eq 3 ] &&
        [ "$(find full -name '.mlp-*')" = "$kept" ] && exits 0 "$bin" eval "$kept" -d data && rm "$kept"
}
own_mounts='unshare -m' # for others than root, in a user namespace
[ "$(id -u)" -eq 0 ] || own_mounts='unshare -rm'
# shellcheck disable=SC2086
if touch a b && $own_mounts mount --bind a b 2>/dev/null; then
    claim "a model and its curves that are mount points are written in place, with one note each" into_mount_points
    claim "so is a table" table_into_mount_point
    claim "where that fails, too, the finished model stays, and the message says where" full_mount_point
    claim "a full disk is found before an old model is overwritten; checkpoints leave one copy" full_checkpoints
else
    skip "files cannot be mounted here: none was an output"
fi
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null && setpriv --reuid 65534 --regid 65534 --clear-groups true 2>/dev/null; then
    open_directory=$(mktemp -d)
    trap 'rm -rf "$open_directory"' EXIT
    in_sticky_directory() { # the file of someone else, which everyone may write
        cp -R data "$bin" "$open_directory" && mkdir "$open_directory/sticky" && chmod -R a+rX "$open_directory" &&
            chmod 1777 "$open_directory/sticky" && touch "$open_directory/sticky/p.bin" &&
            chmod 666 "$open_directory/sticky/p.bin" || return 1
        (cd "$open_directory/sticky" && exec setpriv --reuid 65534 --regid 65534 --clear-groups \
            ../mlp train -q -d ../data --epochs 2 --hidden 8 -o p.bin) 2>err
        status=$?
        cat err
        [ "$status" -eq 0 ] && cmp "$open_directory/sticky/p.bin" m.bin && no_temporary_file "$open_directory/sticky" &&
            grep -q '^mlp: note: p.bin: was written in place' err
    }
    claim "a file of someone else in a sticky directory is written in place" in_sticky_directory
else
    skip "nobody else can write here: no file of someone else was an output"
fi
in_closed_directory() { # a file that the user may write where no other can be made, as in a container
    closed=$1
    shift
    mkdir -p "$closed/tmp" "$closed/closed" && cp -R data "$bin" "$closed" && : >"$closed/closed/p.bin" &&
        : >"$closed/closed/p.csv" && chmod -R a+rX "$closed" && chmod 666 "$closed"/closed/p.* &&
        chmod 1777 "$closed/tmp" && chmod 555 "$closed/closed" || return 1
    (cd "$closed/closed" && TMPDIR=$closed/tmp && export TMPDIR &&
        exec "$@" ../mlp train -q -d ../data --epochs 2 --hidden 8 --checkpoint-every 1 -o p.bin) 2>err
    status=$?
    cat err
    chmod 755 "$closed/closed"
    [ "$status" -eq 0 ] && cmp "$closed/closed/p.bin" m.bin && [ "$(wc -l <"$closed/closed/p.csv")" -eq 3 ] &&
        no_temporary_file "$closed/closed" && no_temporary_file "$closed/tmp" && [ "$(wc -l <err)" -eq 2 ] &&
        grep -q '^mlp: note: p.bin: was written in place' err
}
closed_text="a file that may be written in a directory where none can be made is written in place"
if [ "$(id -u)" -ne 0 ]; then
    claim "$closed_text" in_closed_directory "$WORK/other" env
elif [ -n "${open_directory:-}" ]; then
    claim "$closed_text" in_closed_directory "$open_directory/other" setpriv --reuid 65534 --regid 65534 --clear-groups
else
    skip "nobody else can write here: no file in a closed directory was an output"
fi

# ---------------------------------------------------------------------------------------------
# A model that has no place any more

rescued() { # the message of one line names a whole model, in a place of its own
    cat err
    found=$(sed -n 's/^mlp: .*; the model is in //p' err)
    case $found in "$PWD"/tmp/mlp-*/model.bin) ;; *) return 1 ;; esac
    [ "$(wc -l <err)" -eq 1 ] && exits 0 "$bin" eval "$found" -d data && rm -r tmp
}
move_away() {
    mv out gone
}
take_name() {
    mkdir out/s.bin
}
no_place_at_the_end() { # FUNCTION: called after the first row; the pipe has no room for all rows
    rm -rf out gone tmp && mkdir out tmp
    { TMPDIR=$PWD/tmp "$FAST_MLP" train -q -d data --epochs 2000 --hidden 2 --batch 100 -o out/s.bin --csv - 2>err; echo $? >status; } |
        { read -r _ && read -r _ && "$1" && cat >/dev/null; }
    [ "$(cat status)" -eq 1 ] && rescued
}
no_place_on_a_signal() { # FUNCTION
    rm -rf out gone tmp && mkdir out tmp
    TMPDIR=$PWD/tmp "$FAST_MLP" train -q -d data --epochs 1000000 --hidden 16 -o out/s.bin 2>err &
    child=$!
    tries=0
    until [ -f out/s.csv ] || [ "$tries" -gt 200 ]; do sleep 0.02; tries=$((tries + 1)); done
    "$1" && kill -TERM "$child" && wait "$child"
    status=$?
    [ "$status" -eq 1 ] && rescued
}
for change in move_away take_name; do
    claim "a finished model that has no place any more is saved elsewhere, and the message says where ($change)" no_place_at_the_end "$change"
    claim "so is that of a training which a signal stops ($change)" no_place_on_a_signal "$change"
done
nowhere_at_all() { # nothing is left behind
    rm -rf out gone tmp && mkdir out
    { TMPDIR=$PWD/tmp "$FAST_MLP" train -q -d data --epochs 2000 --hidden 2 --batch 100 -o out/s.bin --csv - 2>err; echo $? >status; } |
        { read -r _ && read -r _ && move_away && cat >/dev/null; }
    cat err
    [ "$(cat status)" -eq 1 ] && [ "$(wc -l <err)" -eq 1 ] && grep -q '^mlp: out/s.bin: ' err && ! grep -q 'the model is in' err
}
claim "where it can be saved nowhere, the message says no more than why" nowhere_at_all

# ---------------------------------------------------------------------------------------------
# Long names

long() { # LENGTH
    printf "%0$1d" 0
}
long_names() {
    for length in 247 248 249 250 251 252 253 254 255; do
        name=$(long $((length - 4))).bin
        exits 0 train -o "$name" && cmp "$name" m.bin && [ -s "$(long $((length - 4))).csv" ] && rm 0000* || return 1
        name=$(long "$length")
        exits 0 "$bin" eval m.bin -d data --confusion "$name" && [ -s "$name" ] && rm 0000* || return 1
    done
    no_temporary_file .
}
claim "names of up to 255 characters can be written" long_names
long_plain_names() { # the table's name ends earlier, and not within a character
    for length in 250 251 252 253 254 255; do
        name=$(long "$length")
        exits 0 train -o "$name" && cmp "$name" m.bin && [ -s "$(long $((length > 251 ? 251 : length))).csv" ] && rm 0000* || return 1
    done
    e=$(printf '\303\251')
    exits 0 train -o "$(long 250)$e$e" && [ -s "$(long 250).csv" ] && rm 0000* &&
        exits 0 train -o "$(long 249)$e$e" && [ -s "$(long 249)$e.csv" ] && rm 0000*
}
claim "the table of a model with a long name has a name that is possible" long_plain_names
claim "a longer one is refused before any work" refuses 1 'File name too long' train --epochs 1000000 -o "$(long 256)"
claim "a name that ends in a slash is refused before any work" \
    refuses 1 'nothing/: names a directory, where a file is to be written' train --epochs 1000000 -o nothing/
# shellcheck disable=SC2046
long_path() { # CHARACTERS
    printf 'directory/%.0s' $(seq $(($1 / 10)))
}
reasons_are_seen() { # in one line that a screen has room for
    for length in 500 1000 1500 3000 5000 20000; do
        path=$(long_path "$length")
        for command in "eval $path" "info $path" "train -d data -o $path" "train -d data --csv $path" "train -d $path" \
            "eval m.bin -d data --predictions $path" "sweep -d $path"; do
            # shellcheck disable=SC2086
            refuses 1 directory "$bin" $command && grep -q 'No such file or directory\|File name too long\|is a directory\|too long$\|there is no such directory' \
                "$WORK/stderr" && [ "$(wc -c <"$WORK/stderr")" -lt 1100 ] || return 1
        done
    done
}
claim "a message about a long path keeps its reason" reasons_are_seen
both_ends_are_seen() { # with blanks it is not one word
    path=begin/$(printf 'a long name %.0s' $(seq 200))/end
    refuses 1 'No such file' "$bin" info "$path" && grep -q '^mlp: begin/a long' "$WORK/stderr" &&
        grep -qF '/end: ' "$WORK/stderr"
}
claim "of a long path with blanks both ends are shown" both_ends_are_seen

# ---------------------------------------------------------------------------------------------
# Signals

# A shell without job control lets its background processes ignore SIGINT; GNU env can undo that.
default_signals=
env --default-signal=INT true 2>/dev/null && default_signals='env --default-signal=INT'
five_times() { # SIGNAL
    kill "-$1" "$child" && kill "-$1" "$child" && kill "-$1" "$child" && kill "-$1" "$child" && kill "-$1" "$child"
} 2>/dev/null
many_signals() { # SIGNAL: some at once, while checkpoints are written all the time
    for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        rm -rf out && mkdir out
        # shellcheck disable=SC2086
        $default_signals "$FAST_MLP" train -q -d data --hidden 64 --epochs 1000000 --checkpoint-every 1 \
            -o out/s.bin 2>/dev/null &
        child=$!
        tries=0
        until [ -f out/s.bin ] || [ "$tries" -gt 200 ]; do sleep 0.02; tries=$((tries + 1)); done
        sleep "0.0$round"
        five_times "$1"
        wait "$child" 2>/dev/null
        { no_temporary_file out && "$FAST_MLP" info out/s.bin >/dev/null; } || { echo "round $round"; return 1; }
    done
}
many_signals_before_an_epoch() { # SIGNAL: the table is not published yet
    rm -rf out && mkdir out
    # shellcheck disable=SC2086
    $default_signals "$FAST_MLP" train -q -d data --hidden 20000 --epochs 1000 --batch 1 -o out/s.bin 2>err &
    child=$!
    tries=0
    until [ -n "$(ls -A out)" ] || [ "$tries" -gt 200 ]; do sleep 0.02; tries=$((tries + 1)); done
    ls -A out
    [ -n "$(ls -A out)" ] || { echo "no temporary file was there"; return 1; }
    five_times "$1"
    wait "$child" 2>/dev/null
    status=$?
    echo "status $status"
    [ "$status" -gt 128 ] && [ -z "$(ls -A out)" ]
}
signals=${default_signals:+INT}
[ -n "$signals" ] || skip "this env cannot undo an ignored signal: no SIGINT was sent"
for signal in $signals TERM HUP; do
    claim "five SIG$signal at once leave no temporary file, but a whole model" many_signals "$signal"
    claim "nor do five SIG$signal before the first epoch" many_signals_before_an_epoch "$signal"
done

# ---------------------------------------------------------------------------------------------
# The table's name by default

table_of() { # MODEL TABLE FLAGS...: nothing else is written
    model=$1 table=$2
    shift 2
    rm -rf by && mkdir -p by/sub
    (cd by && exits 0 "$bin" train -q -d ../data --epochs 2 --hidden 8 "$@") || return 1
    find by -type f
    [ "$(cd by && find . -type f | sort)" = "$(printf './%s\n' "$model" "$table" | sort)" ]
}
named_after_the_model() {
    table_of model.bin curves.csv && table_of model.bin curves.csv -o model.bin && table_of second.bin second.csv -o second.bin &&
        table_of sub/a.bin sub/a.csv -o sub/a.bin && table_of sub/model.bin sub/curves.csv -o sub/model.bin &&
        table_of plain plain.csv -o plain && table_of x.y x.y.csv -o x.y && table_of a.bin.bin a.bin.csv -o a.bin.bin
}
claim "the table is named after the model; that of model.bin is curves.csv" named_after_the_model
two_trainings() {
    rm -rf by && mkdir by
    (cd by && "$bin" train -q -d ../data --epochs 2 --hidden 8 && cp curves.csv kept &&
        "$bin" train -q -d ../data --epochs 2 --hidden 8 -o second.bin && cmp curves.csv kept && [ -s second.csv ] &&
        "$bin" train -q -d ../data --resume second.bin --epochs 3 && cmp curves.csv kept && [ "$(wc -l <second.csv)" -eq 4 ])
}
claim "a second training leaves the first one's curves; resuming adds to its own" two_trainings
leaves_other_files() { # there are no data: nothing was read before
    rm -rf by && mkdir by && cd by || return 1
    head -n 1 ../m.csv | cut -c 2- >line
    for text in 'sepal,petal' 'epoch' "$(cat line)" "$(head -n 1 ../m.csv)x"; do
        for model in iris.bin model.bin; do
            table=iris.csv
            [ "$model" = iris.bin ] || table=curves.csv
            echo "$text" >"$table" && cp "$table" kept && refuses 1 "$table: is not a table of curves" "$bin" train -q -d nowhere -o "$model" &&
                grep -q -e '--csv' "$WORK/stderr" && cmp "$table" kept && rm "$table" || return 1
        done
    done
    echo sepal >iris.csv && exits 0 "$bin" train -q -d ../data --epochs 2 --hidden 8 -o iris.bin --csv iris.csv || return 1
    for size in 0 1000; do # an older table, and an empty file
        head -c "$size" ../m.csv >iris.csv && exits 0 "$bin" train -q -d ../data --epochs 2 --hidden 8 -o iris.bin &&
            [ "$(wc -l <iris.csv)" -eq 3 ] || return 1
    done
    rm iris.csv && mkfifo iris.csv && { cat iris.csv >got & } && exits 0 "$bin" train -q -d ../data --epochs 2 --hidden 8 -o iris.bin &&
        wait && [ "$(wc -l <got)" -eq 3 ]
}
in_subshell() {
    ("$@")
}
claim "a file that is not a table of curves is not replaced unless --csv names it" in_subshell leaves_other_files

finish
