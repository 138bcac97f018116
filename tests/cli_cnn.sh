#!/bin/sh
# mlp train --arch cnn and what the other commands make of its models.
. tests/lib.sh

ROOT=$PWD
DATA=$ROOT/data/mnist
README=$ROOT/README.md FORMATS=$ROOT/include/README.md
small_data "$WORK/small" 400
small_data "$WORK/tiny" 60 15
cd "$WORK" || exit 1
settings='-q --arch cnn --train-size 200 --val-size 100'

# shellcheck disable=SC2086 # the settings are words
train() { # PROGRAM FLAGS...
    program=$1
    shift
    "$program" train $settings -d small "$@"
}

# ---------------------------------------------------------------------------------------------
# The same bytes, whatever trains

train "$FAST_MLP" --epochs 3 -o whole.bin --csv whole.csv || exit 1
same() { # A B: models and tables, but for the seconds
    cut -d, -f1-6 "$1.csv" >table.a && cut -d, -f1-6 "$2.csv" >table.b && cmp table.a table.b &&
        cmp "$1.bin" "$2.bin"
}
sanitized() { train "$MLP" --epochs 3 -o other.bin --csv other.csv && same whole other; }
claim "the sanitized program makes the same model" sanitized
threads() { MLP_CPUS=3 train "$THREAD_MLP" --threads 3 --epochs 3 -o other.bin --csv other.csv && same whole other; }
claim "three threads under the thread sanitizer make the same model" threads
odd_batch() { # batches that leave some over, and are smaller than the threads are many
    train "$FAST_MLP" --batch 23 --epochs 1 -o a.bin --csv a.csv && MLP_CPUS=7 train "$MLP" --threads 7 --batch 23 --epochs 1 -o b.bin --csv b.csv &&
        same a b
}
claim "batches of 23 make the same model on one thread and seven" odd_batch
resumes() {
    train "$FAST_MLP" --epochs 1 -o half.bin --csv half.csv && exits 0 "$MLP" train -q -d small --resume half.bin --csv half.csv --epochs 3 &&
        same whole half
}
claim "a training that is resumed ends where the whole one does" resumes
claim "the network of a resumed training stays" refuses 2 --arch "$MLP" train -d small --arch mlp --resume half.bin --csv half.csv --epochs 5
claim "its settings too" refuses 2 --lr "$MLP" train -d small --resume half.bin --csv half.csv --lr 0.001 --epochs 5

# ---------------------------------------------------------------------------------------------
# The command line

own_defaults() {
    exits 0 "$MLP" train --arch cnn --help && cp stdout cnn.help && exits 0 "$MLP" train --help || return 1
    for flag in epochs lr hidden; do
        from=$(grep -A4 -e "--$flag " cnn.help | grep -m1 -o '(default [^)]*)')
        of_mlp=$(grep -A4 -e "--$flag " stdout | grep -m1 -o '(default [^)]*)')
        echo "$flag: $from, of mlp $of_mlp"
        if [ -z "$from" ] || [ "$from" = "$of_mlp" ]; then return 1; fi
    done
}
claim "it has defaults of its own, and --help shows them" own_defaults
claim "an unknown architecture is refused, and the known ones named" refuses 2 'mlp, cnn' "$MLP" train --arch rnn
claim "images too small for its kernels are refused" refuses 1 'need 16 x 16' "$MLP" train -q --arch cnn -d tiny -o none.bin --csv none.csv
claim "and nothing is left of it" eval '! ls none.* 2>/dev/null'

# ---------------------------------------------------------------------------------------------
# The other commands

described() {
    exits 0 "$MLP" info whole.bin && grep -q '28x28-24x24x16-8x8x32-128-10 network of 80202 parameters' stdout &&
        grep -q '^conv1.weight  *16,1,5,5 ' stdout && grep -q '^conv2.weight  *32,16,5,5 ' stdout &&
        grep -q '^fc1.weight  *128,512 ' stdout && grep -q '^architecture  *cnn$' stdout
}
claim "mlp info describes it" described
evaluates_alike() { # with scalar kernels, sanitized, with several threads
    : >sums
    for how in MLP_ISA= MLP_ISA=scalar MLP_CPUS=3; do
        program=$FAST_MLP
        [ "$how" != MLP_CPUS=3 ] || program=$MLP
        exits 0 env "$how" "$program" eval whole.bin -d small --predictions predictions.csv || return 1
        cksum <predictions.csv >>sums
    done
    cat sums
    [ "$(wc -l <predictions.csv)" -eq 401 ] && [ "$(sort -u sums | wc -l)" -eq 1 ]
}
claim "mlp eval gives the same in every way" evaluates_alike
predicts() {
    exits 0 "$MLP" predict whole.bin small/t10k-images-idx3-ubyte && cut -f 2 stdout >a &&
        "$FAST_MLP" eval whole.bin -d small --predictions p.csv >/dev/null && tail -n +2 p.csv | cut -d, -f3 | cmp - a
}
claim "mlp predict and mlp eval agree" predicts
features() {
    exits 0 "$MLP" features whole.bin -d small --image 3 && [ "$(grep -c '%' stdout)" -eq 10 ] || return 1
    cp stdout table
    exits 0 "$MLP" features whole.bin -d small --image 3 --csv f.csv && [ ! -s stdout ] && [ ! -s stderr ] || return 1
    # As many values as the shapes say, and the largest logit is the answer.
    awk 'NR > 1 && NF >= 7 && /%/ { split($(NF - 4), s, "x"); n += s[1] * s[2] * s[3] } END { print n }' table >values
    awk -F, 'NR > 1 && $1 == "a4" && (!seen++ || $5 > most) { most = $5; answer = $2 } NR == 1 { print > "/dev/stderr" }
             END { print NR - 1, answer }' f.csv 2>header >found
    grep -qx 'layer,channel,row,column,value' header || return 1
    echo "values: $(cat values), found: $(cat found)"
    [ "$(cut -d ' ' -f 1 found)" = "$(cat values)" ] && grep -q "predicted $(cut -d ' ' -f 2 found) " table
}
claim "mlp features shows what each layer computes from an image" features
claim "an image that the file has not is refused" refuses 1 400 "$MLP" features whole.bin -d small --image 400
claim "features do not replace the model" refuses 1 --csv "$MLP" features whole.bin -d small --csv ./whole.bin
filters() {
    exits 0 "$MLP" weights whole.bin && [ "$(wc -l <stdout)" -eq 17 ] && exits 0 "$MLP" weights whole.bin --layer 2 --csv w.csv &&
        [ "$(wc -l <w.csv)" -eq 513 ] && [ "$(head -n 1 w.csv | tr , '\n' | wc -l)" -eq 28 ]
}
claim "mlp weights shows the filters of both convolutions" filters
claim "dense layers show no pictures" refuses 1 --layer "$MLP" weights whole.bin --layer 3
claim "there is no fifth layer" refuses 1 --layer "$MLP" weights whole.bin --layer 5
sweeps() {
    exits 0 "$MLP" sweep -q --arch cnn -d small --train-size 200 --epochs 1 --lr 1e-3 --csv s.csv &&
        tail -n 1 s.csv | grep -q ',cnn,0.001,64,128,200,1,1,done,'
}
claim "mlp sweep trains it" sweeps
damaged() { # every 9,001st byte turned over
    size=$(wc -c <whole.bin)
    at=0
    while [ "$at" -lt "$size" ]; do
        { head -c "$at" whole.bin && head -c $((at + 1)) whole.bin | tail -c 1 | tr '\000-\377' '\001-\377\000' && tail -c +$((at + 2)) whole.bin; } >bad.bin
        refuses 1 bad.bin "$MLP" info bad.bin || return 1
        at=$((at + 9001))
    done
}
claim "a damaged model is refused" damaged

# ---------------------------------------------------------------------------------------------
# The gradient check

checks() { # MODEL OR FLAGS...: shapes of the derivation, and errors below their limits
    exits 0 "$FAST_MLP" gradcheck -d "$DATA" "$@" && grep -q '^All agree' stdout || return 1
    awk '/  ok$/ { n++; if ($1 ~ /^dL\/d(b|vec)/) { if ($4 >= 1e-6 || $5 >= 1e-5) bad = 1 }
                   else if ($(NF - 2) >= 1e-6) bad = 1 }
         END { exit bad || n != 26 }' stdout || { cat stdout; return 1; }
}
claim "every Jacobian and gradient of a fresh network is right" checks --arch cnn
shapes() { # convolution: 12 x 12 x 16 outputs of 16 x 16 pixels; 25 nonzeros per row; pooling selects
    for row in 'da1/dx .* 2304x256 *57600 ' 'da1/dvec(W1) .* 2304x400 ' 'dp1/da1 .* 576x2304 *576 ' 'da2/dvec(W2) .* 128x12800 ' 'da1/db1 .* 2304x16 *2304 '; do
        grep -q "^$row" stdout || { echo "missing: $row"; cat stdout; return 1; }
    done
}
claim "in the shapes of the derivation" shapes
small_values() { # a ReLU that is just on: its float error is large beside it, not beside the gradient
    exits 0 "$FAST_MLP" gradcheck -d "$DATA" --arch cnn --hidden 3 --image 1 --seed 2 && grep -q '^All agree' stdout
}
claim "a gradient that is small beside the others is not called wrong" small_values
dead() { # no unit of fc1 is on
    exits 1 "$FAST_MLP" gradcheck -d "$DATA" --arch cnn --hidden 3 --image 1 --seed 1 && ! grep -q WRONG stdout && grep -q 'all zero' stdout
}
claim "a gradient of zeros checks nothing, and is not called wrong" dead
other_image() { exits 0 "$FAST_MLP" gradcheck -d "$DATA" --arch cnn --image 59999 --seed 3 --crop 18; }
claim "at another image, of 18 x 18 pixels, too" other_image
claim "a crop larger than the image is refused" refuses 1 --crop "$MLP" gradcheck -d small --arch cnn --crop 29

# ---------------------------------------------------------------------------------------------
# Learning, and for others

learns() {
    exits 0 "$FAST_MLP" train -q --arch cnn -d "$DATA" --epochs 2 --train-size 20000 -o m.bin --csv m.csv &&
        exits 0 "$FAST_MLP" eval m.bin -d "$DATA" --split validation --min-accuracy 0.975
}
claim "two epochs of 20,000 images reach 97.5 % on validation" learns

if /usr/bin/python3 -c 'import torch' 2>/dev/null; then
    # The lines of include/README.md, then the first 20 test images: logits as features prints them.
    sed -n '/^### Model/,/^### Exports/p' "$FORMATS" | awk '/^```python$/ { on = 1; next } /^```$/ { on = 0 } on' | sed 's/"cnn.bin"/"m.bin"/; s/"model.bin"/"mlp.bin"/' >module.py
    cat >>module.py <<'PYTHON'
import csv, gzip, sys
images = gzip.open(sys.argv[1] + "/t10k-images-idx3-ubyte.gz").read()[16:]
pixels = torch.tensor(list(images[:20 * 784]), dtype=torch.float32).reshape(-1, 1, 28, 28)
with torch.no_grad():
    logits = net(pixels / 255 / float(meta["pixel_std"]))
worst = 0.0
for i in range(20):
    rows = csv.DictReader(open("f%d.csv" % i))
    ours = torch.tensor([float(row["value"]) for row in rows if row["layer"] == "a4"])
    worst = max(worst, (ours - logits[i]).abs().max().item())
print("largest difference of a logit:", worst)
assert worst < 1e-4
PYTHON
    pytorch_agrees() {
        i=0
        while [ "$i" -lt 20 ]; do
            "$FAST_MLP" features m.bin -d "$DATA" --image "$i" --csv "f$i.csv" || return 1
            i=$((i + 1))
        done
        "$FAST_MLP" train -q -d small --train-size 200 --val-size 100 --epochs 1 -o mlp.bin --csv mlp.csv && /usr/bin/python3 module.py "$DATA"
    }
    claim "PyTorch loads the model by the lines of include/README.md and gives the same logits within 1e-4" pytorch_agrees
else
    skip "PyTorch is not installed: its logits were not compared"
fi

# The full size: what the README promises to everyone.
if command -v sha256sum >/dev/null; then
    promised=$(sed -n 's/^ *\([0-9a-f]\{64\}\)  cnn.bin$/\1/p' "$README")
    gives_the_promised_model() {
        exits 0 "$FAST_MLP" train -q --arch cnn -d "$DATA" -o full.bin --csv full.csv || return 1
        sha256sum full.bin
        [ -n "$promised" ] && [ "$(sha256sum <full.bin | cut -d ' ' -f 1)" = "$promised" ]
    }
    claim "the default training gives the model whose SHA-256 the README states" gives_the_promised_model
    reaches_its_accuracy() { exits 0 "$FAST_MLP" eval full.bin -d "$DATA" --min-accuracy 0.99; }
    claim "which is right about 99 % of the test images" reaches_its_accuracy
else
    skip "sha256sum is not installed: the model of full size was not compared"
fi

finish
