#!/bin/sh
# What a busy machine does to a training with threads: processes that compute all the time, two
# trainings at once, one CPU for two threads, a quota of one and a half CPUs, more threads than CPUs.
# Prints medians over ROUNDS rounds of the seconds of training, and their ratio to a training alone.
# The quota needs the right to make a control group, as root has outside most containers.
#
# Usage: scripts/bench-shared.sh [ROUNDS]     (5)
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-5}
work=$(mktemp -d)
case $(stat -f -c %T /sys/fs/cgroup 2>/dev/null) in
cgroup2fs) group=/sys/fs/cgroup/mlp-bench-$$ ;;
*) group=/sys/fs/cgroup/cpu/mlp-bench-$$ ;;
esac
busy=
end() {
    idle
    rmdir "$group" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT TERM

# train NAME COMMAND...: ten epochs; adds the seconds to the file of that name.
train() {
    name=$1
    shift
    "$@" ./mlp train -q --epochs 10 -o "$work/$name.bin" --csv "$work/$name.csv"
    awk -F, 'NR > 1 { s += $7 } END { print s }' "$work/$name.csv" >>"$work/$name"
}
# begin_busy N: as many processes that compute until idle; they end by themselves after ten minutes.
begin_busy() {
    while [ "$1" -gt 0 ]; do
        timeout 600 sh -c 'while :; do :; done' &
        busy="$busy $!"
        set -- $(($1 - 1))
    done
}
idle() {
    # shellcheck disable=SC2086 # numbers
    [ -z "$busy" ] || kill $busy 2>/dev/null || true
    busy=
}
# One and a half CPUs for the group, in either version of control groups.
quota() {
    mkdir -p "$group" 2>/dev/null &&
        if [ -e "$group/cpu.max" ]; then
            echo '150000 100000' >"$group/cpu.max"
        else
            echo 100000 >"$group/cpu.cfs_period_us" && echo 150000 >"$group/cpu.cfs_quota_us"
        fi 2>/dev/null
}
median() {
    sort -g "$work/$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}

round=0
while [ "$round" -lt "$rounds" ]; do
    train alone env
    train one env MLP_CPUS=1
    train first env &
    train second env
    wait
    if command -v taskset >/dev/null; then
        train quota env MLP_CPUS=2 taskset -c 0
    fi
    train eight env MLP_CPUS=8
    for n in 1 2; do
        begin_busy $n
        train "busy$n" env
        train "busy$n-one" env MLP_CPUS=1
        idle
    done
    if quota; then
        # shellcheck disable=SC2016 # for the shell that joins the group
        train group sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group"
        # shellcheck disable=SC2016
        train group-one sh -c 'echo $$ >"$0/cgroup.procs" && exec env MLP_CPUS=1 "$@"' "$group"
    fi
    round=$((round + 1))
done

alone=$(median alone)
row() { # FILE TEXT
    [ ! -f "$work/$1" ] || awk -v t="$(median "$1")" -v a="$alone" -v text="$2" \
        'BEGIN { printf "%-44s %8.3f  %5.2f\n", text, t, t / a }'
}
echo "$(uname -sm), $(getconf _NPROCESSORS_ONLN) CPUs, $(./mlp --version), medians of $rounds"
printf '%-44s %8s  %5s\n' 'ten epochs' s ratio
row alone 'alone, a thread for each CPU'
row one 'alone, one thread'
row first 'two at once, the one'
row second 'two at once, the other'
row quota 'two threads on one CPU'
row eight 'eight threads'
for n in 1 2; do
    row "busy$n" "beside $n busy, a thread for each CPU"
    row "busy$n-one" "beside $n busy, one thread"
done
row group 'quota of 1.5 CPUs, a thread for each CPU'
row group-one 'quota of 1.5 CPUs, one thread'
