#!/bin/sh
# Times ./mlp beside other programs that do the same training on this machine: 784-64-10, the same
# 50,000 images and input scale, the same batch size, update rule and number of epochs. A peer that
# is not installed is named in the table. One epoch of --arch cnn is compared with PyTorch's.
#
#   make && scripts/bench-peers.sh [-d DIR] [-r ROUNDS] [-e EPOCHS] [-b BATCH] [-t THREADS]
#
# Every round runs every program once, with one thread and with THREADS (2), so that whatever else
# the machine does falls on all of them.
# "x mlp" is a program's time over that of mlp with as many threads, the median of the rounds. Times
# are of training alone, without reading data. mlp also adds up loss and accuracy; by hand the peers
# do not. The programs are in scripts/peers; in Debian: libopenblas-dev, python3-numpy,
# python3-sklearn, python3-torch, time. $PYTHON and $CC are used where they are set.
set -u
export LC_ALL=C

usage() {
    echo "usage: bench-peers.sh [-d DIR] [-r ROUNDS] [-e EPOCHS] [-b BATCH] [-t THREADS]" >&2
    exit 2
}

fail() {
    echo "bench-peers: $*" >&2
    exit 1
}

root=$(CDPATH='' cd "$(dirname "$0")/.." && pwd) || exit 1
mlp=$root/mlp peers=$root/scripts/peers
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
data=$root/data/mnist rounds=3 epochs=3 batch=64 threads=$((cores < 2 ? cores : 2))
while getopts d:r:e:b:t: option; do
    case $option in
    d) data=$OPTARG ;;
    r) rounds=$OPTARG ;;
    e) epochs=$OPTARG ;;
    b) batch=$OPTARG ;;
    t) threads=$OPTARG ;;
    *) usage ;;
    esac
done
[ $# -eq $((OPTIND - 1)) ] || usage
for number in "$rounds" "$epochs" "$batch" "$threads"; do
    case $number in '' | 0* | *[!0-9]*) usage ;; esac
done
[ -x "$mlp" ] || fail "there is no $mlp: run make first"
counts=1
[ "$threads" -eq 1 ] || counts="1 $threads"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

# Some machines set these, and they make OpenBLAS slow. Python must not write beside its sources.
# GNU OpenMP's threads spin for milliseconds before they sleep; where another program needs a CPU,
# that makes PyTorch ten times slower: let them spin a thousand times only.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE OMP_WAIT_POLICY MLP_DATA
export PYTHONDONTWRITEBYTECODE=1 GOMP_SPINCOUNT=1000

# ---- what is installed ----

# python MODULE: the first Python that has it, and NumPy.
python() {
    for candidate in "${PYTHON:-}" python3 /usr/bin/python3; do
        if [ -n "$candidate" ] && "$candidate" -c "import numpy, $1" >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
}
numpy=$(python numpy)
sklearn=$(python sklearn)
torch=$(python torch)

# compile ARGUMENT...: without -ffast-math, expf would be called for one number at a time.
compile() {
    "${CC:-cc}" -std=gnu11 -O3 -march=native -ffast-math -fopenmp -o "$tmp/dense_blas" "$@" \
        -lopenblas -lm
}
dense=
echo '#include <cblas.h>
int main(void) { return (int)cblas_sdsdot(0, 0, 0, 1, 0, 1); }' >"$tmp/probe.c"
if compile "$tmp/probe.c" 2>/dev/null; then
    compile "$peers/dense_blas.c" || fail "scripts/peers/dense_blas.c does not compile"
    dense=$tmp/dense_blas
fi
time=/usr/bin/time
[ -x $time ] || time=

for name in train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte \
    t10k-labels-idx1-ubyte; do
    if [ -e "$data/$name" ]; then
        cp "$data/$name" "$tmp/$name"
    else
        gzip -dc "$data/$name.gz" >"$tmp/$name"
    fi || fail "$data: $name cannot be read"
done

# ---- one run ----

# A line of $tmp/runs: what, threads, batch, round, seconds (as a,b,c), accuracy, RSS in KB.
record() {
    printf '%s\t' "$@" >>"$tmp/runs"
    echo >>"$tmp/runs"
}

# measured COMMAND...: its output goes to $tmp/out, its peak of memory to $tmp/rss.
measured() {
    echo - >"$tmp/rss"
    ${time:+$time -f %M -o "$tmp/rss"} "$@" >"$tmp/out" 2>"$tmp/err" && return
    echo "bench-peers: failed: $*" >&2
    cat "$tmp/err" >&2
    return 1
}

run_mlp() { # WHAT ARCH EPOCHS THREADS
    measured "$mlp" train --quiet --data "$data" --arch "$2" --epochs "$3" --lr 1e-3 \
        --batch "$batch" --threads "$4" --output "$tmp/model.bin" --csv "$tmp/curves.csv" || exit 1
    seconds=$(awk -F, 'NR > 1 { s = s c $7; c = "," } END { print s }' "$tmp/curves.csv")
    accuracy=$("$mlp" eval --data "$data" --json "$tmp/model.bin" |
        sed -n 's/^ *"accuracy": \([0-9.]*\).*/\1/p')
    record "$1" "$4" "$batch" "$round" "$seconds" "$accuracy" "$(tail -n 1 "$tmp/rss")"
}

# run WHAT PROGRAM THREADS BATCH OMP_THREADS BLAS_THREADS COMMAND...: PROGRAM is empty where
# something is missing.
run() {
    what=$1 program=$2 n=$3 b=$4
    export OMP_NUM_THREADS="$5" OPENBLAS_NUM_THREADS="$6"
    shift 6
    if [ -z "$program" ]; then
        record "$what" "$n" "$b" "$round" "not installed" - -
    elif measured "$program" "$@"; then
        seconds=$(awk '$1 == "seconds" { s = s c $2; c = "," } END { print s }' "$tmp/out")
        accuracy=$(awk '$1 == "accuracy" { print $2 }' "$tmp/out")
        record "$what" "$n" "$b" "$round" "$seconds" "$accuracy" "$(tail -n 1 "$tmp/rss")"
        sed -n 's/^version //p' "$tmp/out" >>"$tmp/versions"
    else
        record "$what" "$n" "$b" "$round" failed - -
    fi
}

# Every batch size is run; the table shows $batch and the fastest.
batches=$(printf '%s\n' "$batch" 64 128 256 512 | awk '!seen[$0]++')
run_dense() { # WHAT THREADS OMP_THREADS BLAS_THREADS
    for size in $batches; do
        [ -n "$dense" ] || [ "$size" -eq "$batch" ] || continue
        run "$1" "$dense" "$2" "$size" "$3" "$4" "$tmp" "$epochs" "$size" "$3"
    done
}

run_torch() { # WHAT WAY EPOCHS THREADS
    run "$1" "$torch" "$4" "$batch" "$4" "$4" "$peers/torch_train.py" "$2" "$data" "$3" "$batch" "$4"
}

# ---- the rounds ----

machine=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -n 1)
load=$(cut -d ' ' -f 1 /proc/loadavg 2>/dev/null)
echo "$(date -u +%Y-%m-%d), ${machine:-$(uname -m)}, $cores cores," \
    "load ${load:-unknown} at the start; rounds: $rounds, epochs: $epochs"

round=1
while [ "$round" -le "$rounds" ]; do
    echo "round $round of $rounds" >&2
    for n in $counts; do
        run_mlp mlp mlp "$epochs" "$n"
    done
    run_dense "C, OpenBLAS" 1 1 1
    if [ "$threads" -gt 1 ]; then
        run_dense "C, OpenBLAS, its threads" "$threads" 1 "$threads"
        run_dense "C, OpenBLAS, OpenMP threads" "$threads" "$threads" 1
    fi
    for n in $counts; do
        run_torch "PyTorch, autograd" autograd "$epochs" "$n"
        run_torch "PyTorch, DataLoader" dataloader "$epochs" "$n"
        run_torch "PyTorch, backward by hand" manual "$epochs" "$n"
        run "NumPy, backward by hand" "$numpy" "$n" "$batch" "$n" "$n" \
            "$peers/numpy_train.py" "$data" "$epochs" "$batch"
        run "scikit-learn, MLPClassifier" "$sklearn" "$n" "$batch" "$n" "$n" \
            "$peers/sklearn_train.py" "$data" "$epochs" "$batch"
        run_mlp "mlp, cnn" cnn 1 "$n"
        run_torch "PyTorch, cnn" cnn 1 "$n"
    done
    round=$((round + 1))
done

# ---- the table ----

awk -F '\t' -v batch="$batch" '
    function median(list,    v, n, i, j, t) { # of "a,b,c"
        n = split(list, v, ",")
        for (i = 2; i <= n; i++)
            for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) {
                t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
            }
        return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
    }
    function joined(list, item) { return list == "" ? item : list "," item }

    {
        key = $1 FS $2 FS $3
        if (!(key in accuracy)) order[++rows] = key
        accuracy[key] = $6
        if ($7 > rss[key]) rss[key] = $7
        if ($5 !~ /^[0-9]/) { wrong[key] = $5; next }
        network = $1 ~ /, cnn$/ ? "cnn" : "mlp"
        if ($1 ~ /^mlp/) own[network, $2, $4] = median($5)
        all[key] = joined(all[key], $5)
        ratios[key] = joined(ratios[key], median($5) / own[network, $2, $4])
    }
    END {
        for (r = 1; r <= rows; r++) {
            key = order[r]
            split(key, k, FS)
            program = k[1] FS k[2]
            if (key in wrong) continue
            ms[key] = 1000 * median(all[key])
            if (!(program in best) || ms[key] < ms[best[program]]) best[program] = key
        }
        printf "%-28s %7s %9s %12s %7s %9s %7s\n",
               "what", "threads", "batch", "ms per epoch", "x mlp", "test acc.", "RSS, MB"
        for (r = 1; r <= rows; r++) {
            key = order[r]
            split(key, k, FS)
            fastest = best[k[1] FS k[2]] == key
            if (k[3] != batch && !fastest && !(key in wrong)) continue
            printf "%-28s %7s %9s ", k[1], k[2], k[3] (k[3] != batch ? " (best)" : "")
            if (key in wrong) { print wrong[key]; continue }
            printf "%12.0f %7.2f %9.4f %7s\n", ms[key], median(ratios[key]), accuracy[key],
                   (rss[key] == "-" ? "-" : sprintf("%.0f", rss[key] / 1024))
        }
    }' "$tmp/runs"
[ ! -e "$tmp/versions" ] || awk '!seen[$0]++' "$tmp/versions"
[ -n "$time" ] || echo "GNU time is not installed: no RSS"
