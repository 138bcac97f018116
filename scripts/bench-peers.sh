#!/bin/sh
# Times ./mlp beside other programs that do the same training on this machine: 784-64-10, the same
# 50,000 images and input scale, the same batch size, update rule and number of epochs. A peer that
# is not installed is named in the table. One epoch of --arch cnn is compared with PyTorch's.
#
#   make && scripts/bench-peers.sh [-d DIR] [-r ROUNDS] [-e EPOCHS] [-b BATCH] [-t THREADS] [-p PEERS]
#
# PEERS are some of openblas, onednn, libxsmm, tiny-dnn, torch, dataloader, manual, numpy, sklearn and
# cnn, with commas between them; all of them unless it is given. A peer that is not installed is one
# line, "not here: ...".
#
# Every round runs every program once, with one thread and with THREADS (2), so that whatever else
# the machine does falls on all of them.
# "x mlp" is a program's time over that of mlp with as many threads, the median of the rounds. Times
# are of training alone, without reading data. mlp shuffles, and adds up loss and accuracy; the last
# column says what a peer leaves out. The programs are in scripts/peers; in Debian: libopenblas-dev,
# libdnnl-dev, python3-numpy, python3-sklearn, python3-torch, time, and for tiny-dnn g++, tiny-dnn,
# libcereal-dev, libgemmlowp-dev and libstb-dev. $PYTHON, $CC and $CXX are used where they are set.
#
# libxsmm-dnn (github.com/libxsmm/libxsmm-dnn) is not in Debian. $LIBXSMM_MNIST is the path of its
# built tests/mlp/mlp_mnist; it reads MNIST from datasets/mnist of its own tree. Tested with its commit
# b2c9f82 and the libxsmm that it names (321478e). It has ReLU and no biases, and does not shuffle.
set -u
export LC_ALL=C

usage() {
    echo "usage: bench-peers.sh [-d DIR] [-r ROUNDS] [-e EPOCHS] [-b BATCH] [-t THREADS] [-p PEERS]" >&2
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
known="openblas onednn libxsmm tiny-dnn torch dataloader manual numpy sklearn cnn" chosen=$known
while getopts d:r:e:b:t:p: option; do
    case $option in
    d) data=$OPTARG ;;
    r) rounds=$OPTARG ;;
    e) epochs=$OPTARG ;;
    b) batch=$OPTARG ;;
    t) threads=$OPTARG ;;
    p) chosen=$(echo "$OPTARG" | tr , ' ') ;;
    *) usage ;;
    esac
done
[ $# -eq $((OPTIND - 1)) ] || usage
for number in "$rounds" "$epochs" "$batch" "$threads"; do
    case $number in '' | 0* | *[!0-9]*) usage ;; esac
done
for name in $chosen; do
    case " $known " in *" $name "*) ;; *) fail "there is no peer $name, but: $known" ;; esac
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

# wanted NAME...: one of these peers was chosen.
wanted() {
    for name; do
        case " $chosen " in *" $name "*) return ;; esac
    done
    return 1
}

missing() { # WHAT PACKAGES
    echo "not here: $1 ($2)"
}

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
! wanted numpy || [ -n "$numpy" ] || missing NumPy python3-numpy
! wanted sklearn || [ -n "$sklearn" ] || missing scikit-learn python3-sklearn
! wanted torch dataloader manual cnn || [ -n "$torch" ] || missing PyTorch python3-torch

# compiled COMMAND SOURCE WHAT PACKAGES: makes $tmp/COMMAND, if COMMAND can compile standard input.
compiled() {
    probe=$tmp/probe.${2##*.}
    cat >"$probe"
    if ! "$1" -o "$tmp/probe" "$probe" 2>/dev/null; then
        missing "$3" "$4"
        return 1
    fi
    "$1" -o "$tmp/$1" "$peers/$2" 2>"$tmp/err" && return
    cat "$tmp/err" >&2
    fail "scripts/peers/$2 does not compile"
}

# Without -ffast-math, expf would be called for one number at a time.
dense() {
    "${CC:-cc}" -std=gnu11 -O3 -march=native -ffast-math -fopenmp "$@" -lm
}
dense_openblas() {
    dense "$@" -lopenblas
}
dense_onednn() {
    dense -DWITH_ONEDNN "$@" -ldnnl
}
tiny_dnn() { # its headers look for those of stb in third_party
    "${CXX:-c++}" -std=c++14 -O3 -march=native -fopenmp -pthread -DCNN_USE_AVX -DCNN_USE_OMP -I"$tmp" "$@" -lstb
}
mkdir "$tmp/third_party" && ln -s /usr/include/stb "$tmp/third_party/stb"

openblas='' onednn='' tiny_dnn=''
if wanted openblas && compiled dense_openblas dense_blas.c OpenBLAS libopenblas-dev <<'END'; then
#include <cblas.h>
int main(void) { return (int)cblas_sdsdot(0, 0, 0, 1, 0, 1); }
END
    openblas=$tmp/dense_openblas
fi
if wanted onednn && compiled dense_onednn dense_blas.c oneDNN libdnnl-dev <<'END'; then
#include <oneapi/dnnl/dnnl.h>
int main(void) { return dnnl_version()->major == 0; }
END
    onednn=$tmp/dense_onednn
fi
if wanted tiny-dnn && compiled tiny_dnn tiny_dnn_train.cpp tiny-dnn \
    "g++, tiny-dnn, libcereal-dev, libgemmlowp-dev, libstb-dev" <<'END'; then
#include <cereal/cereal.hpp>
#include <gemmlowp/public/gemmlowp.h>
#include <third_party/stb/stb_image.h>
#include <tiny_dnn/config.h>
int main() {}
END
    tiny_dnn=$tmp/tiny_dnn
fi
libxsmm=${LIBXSMM_MNIST:-}
if wanted libxsmm && [ ! -x "$libxsmm" ]; then
    missing libxsmm-dnn "LIBXSMM_MNIST is not the path of its mlp_mnist"
    libxsmm=
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

# A line of $tmp/runs: what, threads, batch, round, seconds (as a,b,c), accuracy, RSS in KB, what it
# leaves out.
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
        sed -n 's/^  "accuracy": \([0-9.]*\).*/\1/p')
    record "$1" "$4" "$batch" "$round" "$seconds" "$accuracy" "$(tail -n 1 "$tmp/rss")" -
}

# run WHAT THREADS BATCH OMP_THREADS BLAS_THREADS LEAVES_OUT COMMAND...
run() {
    what=$1 n=$2 b=$3 lacks=$6
    export OMP_NUM_THREADS="$4" OPENBLAS_NUM_THREADS="$5"
    shift 6
    if measured "$@"; then
        seconds=$(awk '$1 == "seconds" { s = s c $2; c = "," } END { print s }' "$tmp/out")
        accuracy=$(awk '$1 == "accuracy" { print $2 }' "$tmp/out")
        record "$what" "$n" "$b" "$round" "$seconds" "$accuracy" "$(tail -n 1 "$tmp/rss")" "$lacks"
        sed -n 's/^version //p' "$tmp/out" >>"$tmp/versions"
    else
        record "$what" "$n" "$b" "$round" failed - - "$lacks"
    fi
}

# Every batch size is run; the table shows $batch and the fastest.
batches=$(printf '%s\n' "$batch" 64 128 256 512 | awk '!seen[$0]++')
run_dense() { # WHAT PROGRAM THREADS ITS_THREADS OMP_THREADS BLAS_THREADS
    [ -n "$2" ] || return 0
    for size in $batches; do
        run "$1" "$3" "$size" "$5" "$6" "loss, accuracy" "$2" "$tmp" "$epochs" "$size" "$4"
    done
}

run_python() { # NAME WHAT PYTHON THREADS LEAVES_OUT SCRIPT ARGUMENT...
    if wanted "$1" && [ -n "$3" ]; then
        what=$2 program=$3 n=$4 lacks=$5
        shift 5
        run "$what" "$n" "$batch" "$n" "$n" "$lacks" "$program" "$@"
    fi
}

run_torch() { # NAME WHAT WAY EPOCHS THREADS LEAVES_OUT
    run_python "$1" "$2" "$torch" "$5" "$6" "$peers/torch_train.py" "$3" "$data" "$4" "$batch" "$5"
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
    run_dense "C, OpenBLAS" "$openblas" 1 1 1 1
    run_dense "C, oneDNN" "$onednn" 1 1 1 1
    if [ "$threads" -gt 1 ]; then
        run_dense "C, OpenBLAS, its threads" "$openblas" "$threads" 1 1 "$threads"
        run_dense "C, OpenBLAS, OpenMP threads" "$openblas" "$threads" "$threads" "$threads" 1
        run_dense "C, oneDNN, its threads" "$onednn" "$threads" 1 "$threads" 1
        run_dense "C, oneDNN, OpenMP threads" "$onednn" "$threads" "$threads" "$threads" 1
    fi
    for n in $counts; do
        if wanted libxsmm && [ -n "$libxsmm" ]; then
            run "libxsmm-dnn, mlp_mnist" "$n" "$batch" "$n" 1 "shuffle, biases, sigmoid, accuracy" \
                "$peers/libxsmm_mnist.sh" "$libxsmm" "$epochs" "$batch"
        fi
        if [ -n "$tiny_dnn" ]; then # it is slow: one epoch
            run "tiny-dnn" "$n" "$batch" "$n" 1 "shuffle, loss, accuracy" "$tiny_dnn" "$tmp" 1 "$batch"
        fi
        run_torch torch "PyTorch, autograd" autograd "$epochs" "$n" accuracy
        run_torch dataloader "PyTorch, DataLoader" dataloader "$epochs" "$n" accuracy
        run_torch manual "PyTorch, backward by hand" manual "$epochs" "$n" "loss, accuracy"
        run_python numpy "NumPy, backward by hand" "$numpy" "$n" "loss, accuracy" \
            "$peers/numpy_train.py" "$data" "$epochs" "$batch"
        run_python sklearn "scikit-learn, MLPClassifier" "$sklearn" "$n" accuracy \
            "$peers/sklearn_train.py" "$data" "$epochs" "$batch"
        if wanted cnn; then
            run_mlp "mlp, cnn" cnn 1 "$n"
            run_torch cnn "PyTorch, cnn" cnn 1 "$n" accuracy
        fi
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
        lacks[key] = $8
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
        printf "%-28s %7s %9s %12s %7s %9s %7s  %s\n",
               "what", "threads", "batch", "ms per epoch", "x mlp", "test acc.", "RSS, MB", "without"
        for (r = 1; r <= rows; r++) {
            key = order[r]
            split(key, k, FS)
            fastest = best[k[1] FS k[2]] == key
            if (k[3] != batch && !fastest && !(key in wrong)) continue
            printf "%-28s %7s %9s ", k[1], k[2], k[3] (k[3] != batch ? " (best)" : "")
            if (key in wrong) { print wrong[key]; continue }
            printf "%12.0f %7.2f %9.4f %7s  %s\n", ms[key], median(ratios[key]), accuracy[key],
                   (rss[key] == "-" ? "-" : sprintf("%.0f", rss[key] / 1024)), lacks[key]
        }
    }' "$tmp/runs"
[ ! -e "$tmp/versions" ] || awk '!seen[$0]++' "$tmp/versions"
[ -n "$time" ] || echo "GNU time is not installed: no RSS"
