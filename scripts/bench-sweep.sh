#!/bin/sh
# What a sweep gains from threads: the same trainings by one sweep, by one sweep with one thread, and
# side by side with make, one thread each, as many at once as there are CPUs: a sweep for each
# learning rate, and a program for each training, which reads the data each time. Then whether one
# training that is small loses by having threads. Prints medians over ROUNDS rounds of the seconds,
# and their ratio to the first line of each block.
#
# Usage: scripts/bench-sweep.sh [ROUNDS]     (5)
set -eu
cd "$(dirname "$0")/.."
rounds=${1:-5}
cpus=$(getconf _NPROCESSORS_ONLN)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

for file in data/mnist/*.gz; do # gzip is not what is measured
    gzip -dc "$file" >"$work/$(basename "$file" .gz)"
done
cat >"$work/Makefile" <<'END'
sweeps: $(RATES:%=sweep-%)
sweep-%:
	./mlp sweep -q $(FLAGS) --seeds $(words $(SEEDS)) --threads 1 --lr $* --csv $(WORK)/$@.csv
programs: $(foreach rate,$(RATES),$(SEEDS:%=train-$(rate)-%))
train-%:
	./mlp train -q $(FLAGS) --threads 1 --lr $(subst -, --seed ,$*) -o $(WORK)/$@.bin
END

# timed NAME COMMAND...: adds the seconds that the command takes to the file of that name.
timed() {
    into=$1
    shift
    rm -f "$work"/*.csv "$work"/*.bin
    started=$(date +%s.%N)
    "$@" >/dev/null
    ended=$(date +%s.%N)
    awk -v s="$started" -v e="$ended" 'BEGIN { print e - s }' >>"$work/$into"
}
# block NAME RATES SEEDS FLAGS: the same trainings in four ways. RATES without a dash, for make.
block() {
    name=$1 rates=$2 seeds=$3 flags=$4
    # shellcheck disable=SC2086 # several flags
    set -- ./mlp sweep -q -d "$work" $flags --lr "$(echo "$rates" | tr ' ' ,)" \
        --seeds "$seeds" --csv "$work/all.csv"
    timed "$name" "$@"
    timed "$name-one" "$@" --threads 1
    for way in sweeps programs; do
        timed "$name-$way" make -s -f "$work/Makefile" -j "$cpus" "$way" WORK="$work" \
            FLAGS="-d $work $flags" RATES="$rates" SEEDS="$(seq -s ' ' "$seeds")"
    done
}
# small NAME FLAGS...: ten epochs of 2,000 images, in a process of its own.
small() {
    name=$1
    shift
    timed "$name" ./mlp train -q -d "$work" --epochs 10 --train-size 2000 -o "$work/small.bin" "$@"
    awk -F, 'NR > 1 { s += $7 } END { print s }' "$work/small.csv" >>"$work/$name-training"
}

round=0
while [ "$round" -lt "$rounds" ]; do
    block few '0.0001 0.0003 0.001 0.003' 5 '--epochs 10 --train-size 2000'
    block all '0.0001 0.001 0.003' 1 '--epochs 10'
    for _ in 1 2 3; do
        small threads
        small thread --threads 1
    done
    round=$((round + 1))
done

median() {
    sort -g "$work/$1" | awk '{ a[NR] = $1 } END { print a[int((NR + 1) / 2)] }'
}
row() { # FILE BASE TEXT
    awk -v t="$(median "$1")" -v b="$(median "$2")" -v text="$3" \
        'BEGIN { printf "%-50s %8.3f  %5.2f\n", text, t, t / b }'
}
echo "$(uname -sm), $cpus CPUs, $(./mlp --version), medians of $rounds"
for name in few all; do
    case $name in
    few) title='20 trainings, 2,000 images' ;;
    all) title='3 trainings, 50,000 images' ;;
    esac
    printf '%-50s %8s  %5s\n' "$title, 10 epochs" s ratio
    row $name $name 'sweep'
    row $name-one $name 'sweep --threads 1'
    row $name-sweeps $name "make -j $cpus, a sweep for each learning rate"
    row $name-programs $name "make -j $cpus, a program for each training"
done
printf '%-50s %8s  %5s\n' '1 training, 2,000 images, 10 epochs' s ratio
row threads threads 'a thread for each CPU'
row thread threads 'one thread'
row threads-training threads-training 'a thread for each CPU, training alone'
row thread-training threads-training 'one thread, training alone'
