#!/bin/sh
# libxsmm_mnist.sh PROGRAM EPOCHS BATCH: the training of libxsmm-dnn's example tests/mlp/mlp_mnist, with
# one hidden layer of 64 units, reported as the other peers do: one "seconds S", the mean of the
# epochs, and "accuracy A". PROGRAM is the path of the built example.
#
# It is an easier training than that of mlp: ReLU, no biases, the same order in every epoch, whole
# batches only. Of its 60,000 images it reports the mean time of a batch; an epoch here has 50,000.
# The blocks are 32 examples, 64 units and 49 inputs, the best of those that were tried; with fewer
# units it does not learn. Threads that are not bound to a CPU share one at times, while its barriers
# spin: that takes minutes.
set -eu
program=$1 epochs=$2 batch=$3
cd "$(dirname "$program")" # it reads ../../datasets/mnist
export OMP_PROC_BIND=true
"./${program##*/}" "$epochs" "$batch" 32 64 49 0 64 | awk -v batch="$batch" '
    /^fp time = /   { printf "seconds %.6f\n", $4 * 50000 / batch; found++ }
    /^Accuracy is / { printf "accuracy %.4f\n", $3 / 100; found++ }
    /^PERFDUMP/     { split($0, field, ","); print "version libxsmm " field[3] }
    END             { exit found != 2 }'
