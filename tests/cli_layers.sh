#!/bin/sh
# Networks with several hidden layers, other activations and other channels through every command:
# each must work with any number of layers, and the model's file must hold all of them.
. tests/lib.sh

bin=$MLP
small_data "$WORK/small" 800
cd "$WORK" || exit 1

train() { # FLAGS...
    "$FAST_MLP" train -q -d small --train-size 600 --val-size 200 --epochs 3 "$@"
}
train --hidden 12,9,7 --activation tanh -o deep.bin || exit 1
train --arch cnn --hidden 11,6 --channels 3,5 --activation sigmoid --lr 0.004 -o conv.bin || exit 1
train --arch lenet5 --epochs 1 -o lenet5.bin || exit 1

describes() { # MODEL SIZES PARAMETERS TENSORS
    exits 0 "$bin" info "$1" && cat stdout && grep -q "^$1: a $2 network of $3 parameters, checksum correct" stdout &&
        [ "$(sed -n '/^tensor/,$s/^\([a-z0-9]*\.[a-z]*\)  *\([0-9,]*\) .*/\1:\2/p' stdout | tr '\n' ' ')" = "$4 " ]
}
claim "info: three hidden layers are fc1 to fc4" describes deep.bin 784-12-9-7-10 9687 \
    'fc1.weight:12,784 fc1.bias:12 fc2.weight:9,12 fc2.bias:9 fc3.weight:7,9 fc3.bias:7 fc4.weight:10,7 fc4.bias:10'
claim "info: channels and two hidden layers of a convolutional network" describes conv.bin \
    28x28-24x24x3-8x8x5-11-6-10 1491 \
    'conv1.weight:3,1,5,5 conv1.bias:3 conv2.weight:5,3,5,5 conv2.bias:5 fc1.weight:11,80 fc1.bias:11 fc2.weight:6,11 fc2.bias:6 fc3.weight:10,6 fc3.bias:10'
claim "info: LeNet-5 has 256-120-84-10 behind 6 and 16 channels, 44426 parameters" describes lenet5.bin \
    28x28-24x24x6-8x8x16-120-84-10 44426 \
    'conv1.weight:6,1,5,5 conv1.bias:6 conv2.weight:16,6,5,5 conv2.bias:16 fc1.weight:120,256 fc1.bias:120 fc2.weight:84,120 fc2.bias:84 fc3.weight:10,84 fc3.bias:10'

lenet5_is_format_2_by_its_name_alone() {
    exits 0 "$bin" info lenet5.bin && grep -qx 'format  *mlp 2' stdout && grep -qx 'architecture  *lenet5' stdout && grep -qx 'hidden  *120-84' stdout &&
        ! grep -q '^channels\|^activation' stdout
}
claim "LeNet-5's model names no setting that is its default" lenet5_is_format_2_by_its_name_alone

several_layers_are_format_2() { # which says to a program of format 1 why it cannot read them
    exits 0 "$FAST_MLP" train -q -d small --train-size 300 --val-size 100 --epochs 1 --hidden 6,5 -o two.bin &&
        "$bin" info two.bin | grep -qx 'format  *mlp 2' &&
        exits 0 "$FAST_MLP" train -q -d small --train-size 300 --val-size 100 --epochs 1 --hidden 6 -o one.bin &&
        "$bin" info one.bin | grep -qx 'format  *mlp 1'
}
claim "several hidden layers are format 2, one is format 1" several_layers_are_format_2

evaluates() { # MODEL: the same on one thread and three, on the images of every split
    for split in train validation test; do
        exits 0 "$bin" eval "$1" -d small --split "$split" --threads 1 --json && mv stdout one &&
            exits 0 "$bin" eval "$1" -d small --split "$split" --threads 3 --json && cmp one stdout || return 1
    done
}
predicts() { # MODEL: as eval answers
    exits 0 "$bin" eval "$1" -d small --predictions p.csv && exits 0 "$bin" predict "$1" small/t10k-images-idx3-ubyte || return 1
    tail -n +2 p.csv | cut -d, -f3,4 | tr , '\t' >expected && cut -f 2,3 stdout | diff expected - | head -n 5 >differ
    cat differ
    [ -s expected ] && [ ! -s differ ]
}
shows_features() { # MODEL LAYERS: every one of them
    exits 0 "$bin" features "$1" -d small --image 3 && cat stdout &&
        [ "$(sed -n 's/^\([a-z][0-9]*\)  *[a-z].*/\1/p' stdout | grep -v '^l' | tr '\n' ' ')" = "$2 " ]
}
same_with_other_threads() { # MODEL FLAGS...
    model=$1
    shift
    for threads in 1 3; do
        exits 0 "$THREAD_MLP" train -q -d small --train-size 600 --val-size 200 --epochs 3 "$@" --threads "$threads" -o again.bin &&
            cmp "$model" again.bin || return 1
    done
}
resumes() { # MODEL FLAGS...: a training in two runs ends as one run does
    model=$1
    shift
    exits 0 "$bin" train -q -d small --train-size 600 --val-size 200 --epochs 2 "$@" -o half.bin &&
        exits 0 "$bin" train -q -d small --resume half.bin --epochs 3 && cmp "$model" half.bin || return 1
    refuses 2 '--hidden' "$bin" train -q -d small --resume half.bin --hidden 12
}
for model in deep conv lenet5; do
    claim "eval of $model.bin" evaluates $model.bin
    claim "predict of $model.bin" predicts $model.bin
done
claim "features show every layer" shows_features deep.bin 'a1 f1 a2 f2 a3 f3 a4'
claim "also those of a convolutional network" shows_features conv.bin 'x a1 p1 f1 a2 p2 f2 a3 f3 a4 f4 a5'
claim "any number of threads trains the same deep network" same_with_other_threads deep.bin --hidden 12,9,7 --activation tanh
claim "and the same convolutional one" same_with_other_threads conv.bin --arch cnn --hidden 11,6 --channels 3,5 \
    --activation sigmoid --lr 0.004
claim "a deep network is resumed byte for byte" resumes deep.bin --hidden 12,9,7 --activation tanh
claim "so is a convolutional one" resumes conv.bin --arch cnn --hidden 11,6 --channels 3,5 --activation sigmoid --lr 0.004

scalar_kernels() { # MODEL FLAGS...
    model=$1
    shift
    exits 0 env MLP_ISA=scalar "$FAST_MLP" train -q -d small --train-size 600 --val-size 200 --epochs 3 "$@" -o again.bin &&
        cmp "$model" again.bin
}
claim "the scalar reference trains the same deep network" scalar_kernels deep.bin --hidden 12,9,7 --activation tanh
claim "and the same convolutional one" scalar_kernels conv.bin --arch cnn --hidden 11,6 --channels 3,5 --activation sigmoid --lr 0.004

shows_filters() { # LAYER ROWS
    exits 0 "$bin" weights conv.bin --layer "$1" && cat stdout && [ "$(wc -l <stdout)" -eq $(($2 + 1)) ]
}
claim "weights show the filters of the first convolution" shows_filters 1 3
claim "and of the second" shows_filters 2 15
claim "dense layers behind convolutions have no images" refuses 1 'the shape of an image' "$bin" weights conv.bin --layer 3

# The lines of include/README.md that read a model in NumPy and in PyTorch, for any of these networks.
python_blocks() {
    awk '/^###? / { on = /^### Model/ } on && /^```python$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$OLDPWD/include/README.md"
}
python_blocks >both.py
sed '/^import torch/,$d; s/"model.bin"/sys.argv[1]/' both.py >numpy_reader.py
sed 's/"model.bin"/sys.argv[1]/; s/"cnn.bin"/sys.argv[1]/' both.py >torch_reader.py
cat >images.py <<'PYTHON'
import sys
from numpy import exp, frombuffer, uint8
images = frombuffer(open("small/t10k-images-idx3-ubyte", "rb").read()[16:], uint8).reshape(-1, 784).astype("f4")
def compare(a): # logits with the predictions of mlp eval
    p = exp(a - a.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = [line.split(",") for line in open("p.csv").read().splitlines()[1:]]
    wrong = [i for i, r in enumerate(rows) if int(r[2]) != p[i].argmax() or abs(float(r[3]) - p[i].max()) > 1e-4]
    sys.exit(f"images {wrong[:5]} of {len(rows)}" if wrong or len(rows) != 800 else 0)
PYTHON
same_answers() { # READER MODEL LAST-LINES
    exits 0 "$bin" eval "$2" -d small --predictions p.csv && { cat images.py "$1_reader.py" && echo "$3"; } >reader.py &&
        /usr/bin/python3 reader.py "$2"
}
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    train --hidden 10 -o plain.bin
    claim "NumPy reads the default network by the lines of include/README.md" same_answers numpy plain.bin 'compare(logits(images))'
    claim "and three layers of tanh" same_answers numpy deep.bin 'compare(logits(images))'
else
    skip "python3-numpy is not installed: its answers were not compared"
fi
if /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    for model in plain deep conv lenet5; do
        claim "PyTorch computes the same from $model.bin" same_answers torch $model.bin \
            'compare(net(torch.tensor(images.reshape(-1, 1, 28, 28)) / 255 / float(meta["pixel_std"])).detach().numpy())'
    done
else
    skip "PyTorch is not installed: its answers were not compared"
fi

learns() { # FLAGS...: with default rates, better than 6 of 10 after five epochs of 10000 images
    exits 0 "$FAST_MLP" train -q -d "$OLDPWD/data/mnist" --train-size 10000 --val-size 2000 --epochs 5 "$@" -o learn.bin || return 1
    accuracy=$(tail -n 1 learn.csv | cut -d, -f5)
    echo "validation accuracy $accuracy"
    awk -v a="$accuracy" 'BEGIN { exit !(a > 0.6) }'
}
for activation in sigmoid tanh relu; do
    claim "one layer of $activation learns at the default rate" learns --hidden 32 --activation "$activation"
    claim "so do three" learns --hidden 64,64,64 --activation "$activation"
done

finish
