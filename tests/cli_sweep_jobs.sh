#!/bin/sh
# A sweep as independent jobs: mlp sweep --list, --only and --merge, with sh, make, GNU parallel, ssh and
# Slurm, and its summary over the seeds. The daemons that this test starts are its own and end with it.
. tests/lib.sh

bin=$MLP
started='' made_sshd_directory=''
stop_daemons() {
    [ ! -e "$WORK/slurm/slurm.conf" ] || SLURM_CONF=$WORK/slurm/slurm.conf timeout 5 scancel -u root 2>/dev/null
    # shellcheck disable=SC2086 # one word per process
    [ -z "$started" ] || kill $started 2>/dev/null # each under timeout -k 5
    wait
    [ -z "$made_sshd_directory" ] || rmdir /run/sshd 2>/dev/null
    started='' made_sshd_directory=''
}
trap stop_daemons EXIT
trap 'exit 130' INT TERM HUP

small_data "$WORK/data" 200
grid='--lr 1e-2,1e38 --hidden 8,6-4 --seeds 2 --epochs 1'
sweep() { # PROGRAM FLAGS...: of the whole grid
    program=$1
    shift
    # shellcheck disable=SC2086 # flags are words
    "$program" sweep -q $grid -d "$WORK/data" "$@"
}
untimed() {
    sed 's/,[0-9.]*$//' "$1"
}
same_as_whole() { # TABLE
    untimed "$1" | diff "$WORK/whole" -
}
sweep "$FAST_MLP" --csv "$WORK/whole.csv"
untimed "$WORK/whole.csv" >"$WORK/whole"
claim "there is a sweep to compare with: eight trainings, four of which diverge" \
    test "$(grep -c ',done,' "$WORK/whole") $(grep -c ',diverged,' "$WORK/whole")" = '4 4'

# ---------------------------------------------------------------------------------------------
# List and merge

# Awkward for a shell in every way that a path can be, but for a line end.
awkward="$WORK/it's a \"place\" \$HOME;\`x\` *"
mkdir "$awkward" && cp -R "$WORK/data" "$awkward/data"
lists_commands() {
    # shellcheck disable=SC2086
    exits 0 "$bin" sweep -q $grid -d "$awkward/data" --csv "$awkward/part.csv" --list &&
        cp "$WORK/stdout" "$WORK/jobs" && cat "$WORK/jobs" && [ ! -s "$WORK/stderr" ] && [ "$(wc -l <"$WORK/jobs")" -eq 8 ] &&
        [ "$(ls -A "$awkward")" = data ]
}
claim "--list prints one line per training, and trains nothing" lists_commands
runs_anywhere() { # in another order, without this environment
    sed -n '1!G;h;$p' "$WORK/jobs" >"$WORK/reversed" && (cd / && env -i PATH=/usr/bin:/bin sh -e "$WORK/reversed") &&
        [ "$(find "$awkward" -name 'part-*.csv' | wc -l)" -eq 8 ] && sed -n 1p "$WORK/whole" >"$WORK/head" || return 1
    for i in 1 2 3 4 5 6 7 8; do
        { cat "$WORK/head" && sed -n "$((i + 1))p" "$WORK/whole"; } >"$WORK/expected" &&
            untimed "$awkward/part-$i.csv" | diff "$WORK/expected" - || return 1
    done
}
claim "each runs alone, anywhere, in any order; line N makes row N" runs_anywhere
merges() {
    exits 0 sweep "$bin" --csv "$WORK/merged.csv" --merge "$awkward"/part-?.csv && [ ! -s "$WORK/stdout" ] && [ ! -s "$WORK/stderr" ] &&
        same_as_whole "$WORK/merged.csv"
}
claim "--merge makes the table of one sweep, but for seconds" merges
again() {
    cp "$WORK/merged.csv" "$WORK/kept" && exits 0 "$bin" sweep --csv "$WORK/merged.csv" --lr 1e-2,1e38 --hidden 8,6-4 --seeds 2 \
        --epochs 1 -d "$WORK/data" --merge "$awkward"/part-?.csv && grep -q 'all 8 trainings already' "$WORK/stderr" &&
        cmp "$WORK/merged.csv" "$WORK/kept"
}
claim "merged again, it stays as it is" again
repeated() { # out of order, the headers between the rows, some in several
    cat "$awkward"/part-5.csv "$awkward"/part-1.csv "$awkward"/part-5.csv >"$WORK/a.csv" &&
        { cat "$awkward"/part-8.csv && tail -n +2 "$WORK/whole.csv" | sed -n '7p;2p;4p;6p;3p'; } >"$WORK/b.csv" &&
        rm -f "$WORK/m.csv" && exits 0 sweep "$bin" --merge "$WORK/b.csv" --csv "$WORK/m.csv" "$WORK/a.csv" "$WORK/b.csv" &&
        same_as_whole "$WORK/m.csv"
}
claim "tables of several rows, interleaved and repeated, make the same" repeated
through_streams() {
    # shellcheck disable=SC2086
    "$FAST_MLP" sweep -q $grid -d "$WORK/data" --csv - --list | sh | sweep "$bin" --merge - --csv - | untimed /dev/stdin |
        diff "$WORK/whole" -
}
claim "so do streams: no file at all" through_streams
continues() { # the rows of the table count, and keep their places; other sweeps' rows stay
    sweep "$FAST_MLP" --lr 0.5 --hidden 8 --seeds 1 --csv "$WORK/c.csv" && sed -n '4p;3p' "$WORK/whole.csv" >>"$WORK/c.csv" &&
        cp "$WORK/c.csv" "$WORK/begun" && exits 0 sweep "$bin" --csv "$WORK/c.csv" --merge "$awkward"/part-[14-8].csv &&
        head -n 4 "$WORK/c.csv" | cmp - "$WORK/begun" && untimed "$WORK/c.csv" | sed 2d | sort >"$WORK/a" &&
        sort "$WORK/whole" | diff - "$WORK/a"
}
claim "rows are added to a table that has some" continues
from_environment() {
    # shellcheck disable=SC2086
    MLP_DATA=$WORK/data exits 0 "$FAST_MLP" sweep $grid --list --csv "$WORK/e.csv" && head -n 1 "$WORK/stdout" >"$WORK/job" &&
        cat "$WORK/job" && (cd / && sh "$WORK/job") && [ "$(wc -l <"$WORK/e-1.csv")" -eq 2 ] &&
        tail -n 1 "$WORK/e-1.csv" | sed 's/,[0-9.]*$//' | grep -qxF "$(sed -n 2p "$WORK/whole")"
}
claim "a command names the data of \$MLP_DATA" from_environment
repeats_flags() { # in the place of what --list adds, the user's own
    exits 0 "$FAST_MLP" sweep -q -d "$WORK/data" --preset fast --channels 2-3,3-2 --hidden 8 --augment --transpose --threads 3 --list \
        --csv=-x && cat "$WORK/stdout" &&
        [ "$(sed -n '2s/.*mlp.* sweep --p/--p/p' "$WORK/stdout")" = "--preset fast --hidden 8 --channels 2-3,3-2 --transpose --augment \
--quiet --data $WORK/data --threads 3 --only 2 --csv=-x-2" ]
}
claim "a command repeats the flags; without --threads it has one thread" repeats_flags

# ---------------------------------------------------------------------------------------------
# Jobs that die, rows that are missing

wait_for() { # DIRECTORY PATTERN: a file in it
    tries=0
    while [ -z "$(find "$1" -name "$2")" ] && [ "$tries" -lt 200 ]; do sleep 0.05; tries=$((tries + 1)); done
}
dies() { # SIGNAL: while it trains
    mkdir "$WORK/dies$1"
    "$FAST_MLP" sweep -q -d "$WORK/data" --hidden 1024 --epochs 100000 --only 1 --csv "$WORK/dies$1/part-1.csv" 2>/dev/null &
    child=$!
    wait_for "$WORK/dies$1" '.mlp-*'
    kill "-$1" "$child"
    wait "$child"
    [ "$?" -eq $((128 + $1)) ] && ls -A "$WORK/dies$1" && [ ! -e "$WORK/dies$1/part-1.csv" ]
}
claim "a job that is killed leaves no part" dies 9
claim "nor one that is ended" dies 15
missing() {
    rm -f "$WORK/m.csv"
    exits 1 sweep "$bin" --csv "$WORK/m.csv" --merge "$awkward"/part-[1245678].csv && cat "$WORK/stderr" "$WORK/stdout" && [ ! -e "$WORK/m.csv" ] &&
        grep -qx "mlp: $WORK/m.csv: 1 of 8 rows are missing; standard output has the commands that make them" "$WORK/stderr" &&
        [ "$(wc -l <"$WORK/stdout")" -eq 1 ] && grep -q -e "--only 3 --csv $WORK/m-3.csv" "$WORK/stdout" && sh "$WORK/stdout" &&
        exits 0 sweep "$bin" --csv "$WORK/m.csv" --merge "$awkward"/part-[1245678].csv "$WORK/m-3.csv" && same_as_whole "$WORK/m.csv"
}
claim "a missing row is listed as the command that makes it; without it no table is written" missing
none_at_all() {
    exits 1 sweep "$bin" --csv "$WORK/none.csv" --merge /dev/null && [ "$(wc -l <"$WORK/stdout")" -eq 8 ] && [ ! -e "$WORK/none.csv" ]
}
claim "an empty part has no rows" none_at_all
keeps_old() {
    cp "$WORK/c.csv" "$WORK/old.csv" && sed -i 2,5d "$WORK/old.csv" && cp "$WORK/old.csv" "$WORK/kept" &&
        exits 1 sweep "$bin" --csv "$WORK/old.csv" --merge "$awkward"/part-1.csv && cmp "$WORK/old.csv" "$WORK/kept"
}
claim "an older table stays as it was" keeps_old

# A part that a job wrote to a stream may end anywhere: after every byte it is one row, or none.
cut_anywhere() {
    part=$awkward/part-1.csv size=$(wc -c <"$awkward/part-1.csv") header=$(head -n 1 "$WORK/whole.csv" | wc -c) at=0
    tail -n +3 "$WORK/whole.csv" >"$WORK/rest" && { head -n 1 "$WORK/whole.csv" && cat "$WORK/rest"; } >"$WORK/others.csv" || return 1
    while [ "$at" -lt "$size" ]; do
        program=$FAST_MLP
        [ $((at % 20)) -ne 0 ] || program=$bin
        head -c "$at" "$part" >"$WORK/cut.csv"
        exits 1 sweep "$program" --csv "$WORK/x.csv" --merge "$WORK/others.csv" "$WORK/cut.csv" || return 1
        if ! grep -q ' 1 of 8 rows' "$WORK/stderr" || [ -e "$WORK/x.csv" ]; then
            echo "cut at $at"
            return 1
        fi
        notes=$(grep -c 'cut.csv:[12]: is cut short, and left out$' "$WORK/stderr")
        [ "$notes" -eq $((at > 0 && at != header)) ] || { cat "$WORK/stderr"; echo "notes at $at: $notes"; return 1; }
        at=$((at + 7))
    done
    exits 0 sweep "$bin" --csv "$WORK/x.csv" --merge "$WORK/others.csv" "$part" && same_as_whole "$WORK/x.csv"
}
claim "a part that ends anywhere gives no half row, and a note" cut_anywhere

# ---------------------------------------------------------------------------------------------
# What is refused

disagrees() { # WORD LINE SED: that line of the table, edited, is refused
    sed "$2$3" "$WORK/whole.csv" >"$WORK/edited.csv"
    refuses 1 "edited.csv:$2: $1" sweep "$bin" --csv "$WORK/refused.csv" --merge "$WORK/whole.csv" "$WORK/edited.csv" &&
        [ ! -e "$WORK/refused.csv" ]
}
claim "rows of other data are refused with file and line" disagrees "data_crc32 is '00000000', not " 3 's/^[0-9a-f]*/00000000/'
claim "so are those of other settings" disagrees "learning_rate is '0.25'" 5 's/,1e+38,/,0.25,/'
claim "and of another seed" disagrees "seed is '3'" 2 's/,1,1,done/,3,1,done/'
claim "and of other epochs" disagrees "epochs is '2'" 2 's/,1,1,done/,1,2,done/'
claim "and other figures of the same training" disagrees 'differs from line 2 of ' 2 's/,done,\([0-9]*\.\)/,done,1\1/'
claim "and another outcome" disagrees 'differs from line 4 of ' 4 's/diverged,,,,,,/done,1,1,1,1,1,1/'
claim "and a row that is too short" disagrees 'is not a complete row' 2 's/,[0-9]*,[0-9.]*$//'
claim "and one that is too long" disagrees 'is not a complete row' 2 's/$/,1/'
claim "and figures that are no numbers" disagrees 'is not a complete row' 2 's/,done,[0-9.]*,/,done,nan,/'
claim "and an empty line" disagrees "data_crc32 is ''" 9 's/.*//'
claim "and other columns" disagrees 'the columns are not those of this sweep' 1 's/train_size/size/'
claim "and a line that never ends" disagrees "data_crc32 is ''" 3 "s/.*/$(head -c 200 /dev/zero | tr '\0' 7)/"
with_zero() {
    printf 'a\0b\n' >"$WORK/zero.csv"
    refuses 1 'zero.csv: is not a table of a sweep' sweep "$bin" --csv "$WORK/refused.csv" --merge "$WORK/zero.csv"
}
claim "a file that is no text is refused" with_zero
claim "so is one without end" refuses 1 '/dev/zero: is too large for a table of a sweep' sweep "$FAST_MLP" --csv "$WORK/refused.csv" --merge /dev/zero
claim "and a part that is not there" refuses 1 nowhere.csv sweep "$bin" --csv "$WORK/refused.csv" --merge "$WORK/nowhere.csv"
claim "and a directory" refuses 1 "$WORK/data" sweep "$bin" --csv "$WORK/refused.csv" --merge "$WORK/data"
claim "tables without --merge are refused" refuses 2 --merge sweep "$bin" "$WORK/whole.csv"
claim "and --merge without tables" refuses 2 TABLE sweep "$bin" --merge
claim "training 0 is refused" refuses 2 --only sweep "$bin" --only 0
claim "and 9 of 8" refuses 2 'this sweep has 8 trainings' sweep "$bin" --only 9 --csv "$WORK/refused.csv"
for pair in '--list --merge' '--list --only 1' '--only 1 --merge' '--list --summary' '--list --json'; do
    # shellcheck disable=SC2086
    claim "$pair is refused" refuses 2 'cannot be combined' sweep "$bin" $pair "$WORK/whole.csv"
done
claim "a path with a line end is not listed" refuses 2 'control characters' sweep "$bin" --list --csv "$WORK/a
b.csv"
claim "nor is it when rows are missing" refuses 1 'control characters' sweep "$bin" --merge /dev/null --csv "$WORK/a
b.csv"
claim "nothing of these is left" test ! -e "$WORK/refused.csv"

# ---------------------------------------------------------------------------------------------
# The summary

# Mean, deviation and interval by awk, in the layout of the text; t(0.975) of 2 degrees of freedom is 4.302653.
sweep "$FAST_MLP" --lr 1e-2,2e-2,1e38 --hidden 8 --seeds 3 --csv "$WORK/s.csv" --summary >"$WORK/summary"
expected_summary() {
    awk -F, 'NR > 1 && $9 == "done" { n[$3]++; for (f = 13; f <= 15; f += 2) { sum[$3, f] += $f; x[$3, f, n[$3]] = $f } }
        function column(rate, f,   mean, squares, i, sd, half) {
            mean = sum[rate, f] / 3
            for (i = 1; i <= 3; i++) squares += (x[rate, f, i] - mean) ^ 2
            sd = sqrt(squares / 2); half = 4.302653 * sd / sqrt(3)
            return sprintf(" %.2f %.2f %.2f to %.2f", 100 * mean, 100 * sd, 100 * (mean - half), 100 * (mean + half))
        }
        END { print "0.01 3" column("0.01", 13) column("0.01", 15); print "0.02 3" column("0.02", 13) column("0.02", 15)
            print "1e+38 0 - - - - - - 3 diverged" }' "$1"
}
summary_is_right() {
    expected_summary "$WORK/s.csv" >"$WORK/expected" && cat "$WORK/summary" &&
        grep -q '95 % confidence interval' "$WORK/summary" && tail -n 3 "$WORK/summary" | tr -s ' ' | sed 's/^ //' | diff "$WORK/expected" -
}
claim "--summary has mean, deviation and Student's interval over the seeds" summary_is_right
summary_again() {
    exits 0 sweep "$bin" --lr 1e-2,2e-2,1e38 --hidden 8 --seeds 3 --csv "$WORK/s.csv" --summary && diff "$WORK/summary" "$WORK/stdout" &&
        exits 0 sweep "$bin" --lr 1e-2,2e-2,1e38 --hidden 8 --seeds 3 --csv "$WORK/s2.csv" --merge "$WORK/s.csv" --summary &&
        diff "$WORK/summary" "$WORK/stdout"
}
claim "it is the same of a table that is there, and after --merge" summary_again
summary_beside_table() {
    exits 0 sweep "$bin" --lr 1e-2,2e-2,1e38 --hidden 8 --seeds 3 --csv - --summary && diff "$WORK/summary" "$WORK/stderr" &&
        untimed "$WORK/stdout" >"$WORK/a" && untimed "$WORK/s.csv" | diff - "$WORK/a"
}
claim "beside a table on standard output it is on standard error" summary_beside_table
summary_as_json() {
    exits 0 sweep "$bin" --lr 1e-2,2e-2,1e38 --hidden 8 --seeds 3 --csv "$WORK/s.csv" --json && cat "$WORK/stdout" || return 1
    ! command -v python3 >/dev/null && return 0
    python3 - "$WORK/stdout" "$WORK/s.csv" <<'END'
import csv, json, statistics, sys
report, rows = json.load(open(sys.argv[1])), list(csv.DictReader(open(sys.argv[2])))
assert report["table"] == sys.argv[2] and len(report["combinations"]) == 3
for c in report["combinations"]:
    own = [r for r in rows if float(r["learning_rate"]) == c["learning_rate"]]
    done = [r for r in own if r["result"] == "done"]
    assert (c["seeds"], c["diverged"], c["hidden"]) == (len(done), len(own) - len(done), 8)
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "test_loss", "test_accuracy"):
        values, e = [float(r[name]) for r in done], c[name]
        if not values:
            assert e == {"mean": None, "sd": None, "ci95": None}
            continue
        sd = statistics.stdev(values)
        for got, wanted in (e["mean"], statistics.mean(values)), (e["sd"], sd), (e["ci95"], 4.3026527297 * sd / 3 ** 0.5):
            assert abs(got - wanted) <= 1e-8 * max(1, abs(wanted)), (name, got, wanted)
END
}
claim "--json has the same of all figures, null where there is none" summary_as_json
one_seed() {
    exits 0 sweep "$bin" --lr 1e-2 --hidden 8 --seeds 1 --csv "$WORK/one.csv" --summary && cat "$WORK/stdout" &&
        tail -n 1 "$WORK/stdout" | tr -s ' ' | grep -qx ' 1 [0-9.]* - - [0-9.]* - -'
}
claim "one seed has no deviation" one_seed
claim "--json and a table on standard output are refused" refuses 2 'standard output' sweep "$bin" --json --csv -

# ---------------------------------------------------------------------------------------------
# The programs that run the jobs. Daemons end after five minutes, even if this test is killed.

# runs COMMAND...: the jobs of a fresh list, in a directory of its own; the merged table is that of one sweep.
runs() (
    rm -rf "$WORK/a place" && mkdir "$WORK/a place" && cd "$WORK/a place" &&
        sweep "$FAST_MLP" --list >./jobs && "$@" && sweep "$bin" --merge sweep-?.csv && same_as_whole sweep.csv
)

cat >"$WORK/jobs.mk" <<'END'
N := $(shell seq $$(wc -l <jobs))
.PHONY: all $(N)
all: $(N)
$(N): ; @sed -n $@p jobs | sh
END
claim "make -j runs them" runs "$MAKE" -s -k -j 2 -f "$WORK/jobs.mk"
claim "sh does" runs sh jobs

parallel_here() {
    HOME=$WORK parallel --will-cite -j 2 <./jobs
}
gnu_parallel=
if parallel --version 2>/dev/null | grep -q '^GNU parallel'; then
    gnu_parallel=yes
    claim "GNU parallel does" runs parallel_here
else
    skip "GNU parallel is not installed: it was not tried"
fi

# A server of our own: keys, port, nothing of the machine's own configuration.
port=$((20000 + $$ % 3000 * 4))
start_sshd() {
    mkdir -p "$WORK/ssh" "$WORK/bin" && cd "$WORK/ssh" || return 1
    ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f user && cp user.pub authorized || return 1
    cat >server <<END
Port $port
ListenAddress 127.0.0.1
HostKey "$PWD/host"
AuthorizedKeysFile "$PWD/authorized"
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
END
    printf 'Host node\nHostName 127.0.0.1\nPort %s\nUser root\nIdentityFile "%s"\nIdentitiesOnly yes\nUserKnownHostsFile "%s"\nBatchMode yes\n' \
        "$port" "$PWD/user" "$PWD/known" >client
    echo "[127.0.0.1]:$port $(cut -d ' ' -f 1,2 host.pub)" >known
    # shellcheck disable=SC2016 # of the script
    printf '#!/bin/sh\nexec %s -F "%s" "$@"\n' "$(command -v ssh)" "$PWD/client" >"$WORK/bin/ssh" && chmod +x "$WORK/bin/ssh"
    cd - >/dev/null || return 1
    [ -d /run/sshd ] || { mkdir -m 755 /run/sshd && made_sshd_directory=yes; }
    timeout -k 5 300 "$(PATH=$PATH:/usr/sbin command -v sshd)" -D -e -f "$WORK/ssh/server" >"$WORK/ssh/log" 2>&1 &
    started="$started $!"
    tries=0
    until timeout 5 "$WORK/bin/ssh" node true || [ "$tries" -gt 20 ]; do sleep 0.2; tries=$((tries + 1)); done
    timeout 5 "$WORK/bin/ssh" node true || { cat "$WORK/ssh/log"; return 1; }
}
parallel_by_ssh() {
    HOME=$WORK PATH=$WORK/bin:$PATH timeout 60 parallel --will-cite --sshlogin 2/node --workdir "$PWD" <./jobs
}
ssh_without_files() {
    # shellcheck disable=SC2086
    "$FAST_MLP" sweep -q $grid -d "$WORK/data" --csv - --list |
        HOME=$WORK PATH=$WORK/bin:$PATH timeout 60 parallel --will-cite --sshlogin 2/node |
        sweep "$FAST_MLP" --csv - --merge - | untimed /dev/stdin | diff "$WORK/whole" -
}
if [ -z "$gnu_parallel" ] || ! PATH=$PATH:/usr/sbin command -v sshd >/dev/null; then
    skip "GNU parallel or sshd is not installed: jobs over ssh were not tried"
elif [ "$(id -u)" -ne 0 ]; then
    skip "only root can log in to a server of this test's own: jobs over ssh were not tried"
else
    claim "a server of its own lets ssh in" start_sshd
    claim "GNU parallel runs them over ssh" runs parallel_by_ssh
    claim "also without a common file system, the tables through standard output" ssh_without_files
    stop_daemons
fi

# A cluster of one node, with daemons, keys and ports of our own.
start_slurm() {
    mkdir -p "$WORK/slurm/state" "$WORK/slurm/spool" && cd "$WORK/slurm" || return 1
    name=$(hostname -s)
    (umask 077 && head -c 1024 /dev/urandom >munge.key)
    cat >slurm.conf <<END
ClusterName=test
SlurmctldHost=$name(127.0.0.1)
SlurmctldPort=$((port + 1))
SlurmdPort=$((port + 2))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$PWD/munge.socket
StateSaveLocation=$PWD/state
SlurmdSpoolDir=$PWD/spool
SlurmctldPidFile=$PWD/slurmctld.pid
SlurmdPidFile=$PWD/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
SchedulerParameters=sched_interval=1
NodeName=$name NodeAddr=127.0.0.1 CPUs=1
PartitionName=all Nodes=ALL Default=YES MaxTime=5
END
    SLURM_CONF=$PWD/slurm.conf
    export SLURM_CONF
    # --force: the directories of this test are its user's alone.
    timeout -k 5 300 munged -F --force --key-file="$PWD/munge.key" --socket="$PWD/munge.socket" --pid-file="$PWD/munge.pid" \
        --log-file="$PWD/munge.log" --seed-file="$PWD/munge.seed" >munged.out 2>&1 &
    started="$started $!"
    wait_for . munge.socket
    timeout -k 5 300 slurmctld -D >slurmctld.out 2>&1 &
    started="$started $!"
    timeout -k 5 300 slurmd -D -N "$name" >slurmd.out 2>&1 &
    started="$started $!"
    tries=0
    until timeout 5 sinfo -h -o %t 2>/dev/null | grep -q idle || [ "$tries" -gt 60 ]; do sleep 0.5; tries=$((tries + 1)); done
    sinfo && tail -n 3 munged.out slurmctld.out slurmd.out
    cd - >/dev/null && timeout 5 sinfo -h -o %t | grep -q idle
}
job_array() {
    # shellcheck disable=SC2016 # of the job
    timeout 90 sbatch --wait --array="1-$(wc -l <./jobs)" --output=/dev/null --wrap 'sed -n "${SLURM_ARRAY_TASK_ID}p" jobs | sh'
}
PATH=$PATH:/usr/sbin
if ! command -v munged >/dev/null || ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v sbatch >/dev/null; then
    skip "Slurm or munge is not installed: a job array was not tried"
elif [ "$(id -u)" -ne 0 ]; then
    skip "only root can start a Slurm cluster of one node: a job array was not tried"
else
    claim "a Slurm cluster of one node starts" start_slurm
    claim "a Slurm job array runs them" runs job_array
    stop_daemons
fi

finish
