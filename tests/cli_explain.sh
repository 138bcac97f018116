#!/bin/sh
# mlp explain and mlp gradcheck --compare as a student uses them: the numbers agree with each other,
# with gradcheck and with a training, the report fits a screen, nobody's file is lost, and wrong arrays
# and files are named. The arithmetic is test_explain.c's.
. tests/lib.sh

bin=$MLP
project=$PWD
small_data "$WORK/small" 300
cp "$WORK/small/train-images-idx3-ubyte" "$WORK/small/train-labels-idx1-ubyte" "$WORK"
cd "$WORK" || exit 1

train() { # FLAGS...
    "$FAST_MLP" train -q -d small --train-size 200 --val-size 100 --epochs 2 "$@"
}
train -o m.bin || exit 1 # the default network
train --hidden 5 -o tiny.bin || exit 1
train --hidden 12,9,7 --activation tanh -o deep.bin || exit 1
train --hidden 11-10-9-8-7-6-5-4 --activation relu -o eight.bin || exit 1
train --arch cnn --hidden 11,6 --channels 3,5 --activation sigmoid --lr 0.004 -o conv.bin || exit 1
train --arch cnn --hidden 8 --channels 2,3 -o cnn.bin || exit 1
train --arch lenet5 --hidden 9-8 --channels 3-4 --activation tanh -o lenet5.bin || exit 1
models='m.bin tiny.bin deep.bin eight.bin conv.bin cnn.bin lenet5.bin'

# The value of a key that a JSON report has once.
value() { # KEY FILE
    sed -n "s/^ *\"$1\": \(.*[^,]\),*\$/\1/p" "$2"
}

# ---------------------------------------------------------------------------------------------
# The numbers

# The factors' product times the sum over the classes, which is computed here from nine digits, is the
# chain; that is the product of whole Jacobians to rounding (1e-10), the training code's number to 1e-5 of itself or
# single precision's 1e-6, and the differences to 1e-8 or 1e-6 of itself.
agrees() { # MODEL FLAGS...
    exits 0 "$bin" explain -d small --json "$@" || return 1
    value factor stdout >factors
    value delta stdout | tr -d '[],' | tr ' ' '\n' >delta.list
    value logits_by_unit stdout | tr -d '[],' | tr ' ' '\n' >by_unit.list
    for key in chain jacobians training_code differences; do
        echo "$key $(value "$key" stdout | tail -n 1)"
    done >numbers
    paste -d ' ' delta.list by_unit.list | awk '
        FILENAME == "factors" { product = (n++ ? product : 1) * $1; next }
        FILENAME == "numbers" { x[$1] = $2; next }
        { sum += $1 * $2 }
        function far(a, b, absolute, relative) {
            d = a - b; d = d < 0 ? -d : d; s = b < 0 ? -b : b
            if (d <= absolute + relative * s) return 0
            print "far apart: " a " and " b; return 1
        }
        END {
            if (!n) product = 1
            bad = far(x["chain"], sum * product, 1e-8, 1e-7) + far(x["jacobians"], x["chain"], 1e-14, 1e-10)
            bad += far(x["training_code"], x["chain"], 1e-6, 1e-5)
            if (x["differences"] != "null") bad += far(x["differences"], x["chain"], 1e-8, 1e-6)
            exit bad > 0
        }' factors numbers - || { cat numbers factors; return 1; }
}
for model in $models; do
    claim "$model: the largest gradient is the same number in four ways" agrees "$model" --image 7
done
claim "the differences have a value where nothing has a kink" grep -q '^differences [-0-9]' numbers
for weight in 'conv1.weight[2,0,4,3]' 'conv1.bias[1]' 'conv2.weight[4,1,0,2]' 'conv2.bias[0]' 'fc1.weight[10,17]' \
    'fc2.weight[5,10]' 'fc3.bias[9]'; do
    claim "conv.bin: $weight in four ways" agrees conv.bin --weight "$weight"
    claim "... is the weight that the report names" [ "$(value tensor stdout | tr -d '"')$(value index stdout | tr -d '"')" = "$weight" ]
done
for weight in 'fc1.weight[4,350]' 'fc1.bias[3]' 'fc2.weight[9,4]' 'fc2.bias[0]'; do
    claim "tiny.bin: $weight in four ways" agrees tiny.bin --weight "$weight" --label 3
done

# yhat - y is what the Jacobian of softmax and that of -log make: columns 5 and 6, to four digits.
softmax_is_consistent() {
    exits 0 "$bin" explain tiny.bin -d small --label 4 || return 1
    g=$(sed -n 's/^Softmax .* -1\/yhat\[4\] = \(.*\), and$/\1/p' stdout)
    awk -v g="$g" '/^ *k / { on = 1; next } /sum/ { on = 0 } on { n++; d = g * $5 - $6; d = d < 0 ? -d : d; s = $6 < 0 ? -$6 : $6
        if (d > 2e-3 * s) { print; exit 1 } total += $6 } END { exit !(n == 10 && total < 2e-3 && total > -2e-3) }' stdout
}
claim "softmax's row times -1/yhat is yhat - y" softmax_is_consistent

# A product (m x n) (n x p) takes m n p multiplications. SIZES: of the first layer's input, of what each
# Jacobian of the chain to W1 makes, last to first.
counts() { # MODEL INPUTS SIZE...
    model=$1
    shift
    exits 0 "$bin" explain "$model" -d small --json || return 1
    echo "$*" | awk '{ W = $1 * $NF
        for (i = 2; i < NF; i++) { left += $i * $(i + 1); right += $i * $(i + 1) * W }
        printf "%.0f %.0f\n", left + $NF * W, right + $2 * W }' >expected
    echo "$(value left stdout | awk '{ printf "%.0f", $1 }') $(value right stdout | awk '{ printf "%.0f", $1 }')" | diff expected -
}
claim "m.bin: products from both sides are as the shapes say" counts m.bin 784 10 64 64
claim "those of the default network are 3.2 and 238 million" grep -qx '3216000 238135296' expected
claim "deep.bin: products are as the shapes say" counts deep.bin 784 10 7 7 9 9 12 12

# Names, identities, shapes and nonzeros are those of gradcheck, which builds every Jacobian in full; and
# that of a first convolution by the pixels, which nobody needs.
jacobians_as_gradcheck() { # MODEL
    exits 0 "$FAST_MLP" gradcheck "$1" -d small --image 5 || return 1
    label=$(sed -n 's/.*label taken as \([0-9]*\) .*/\1/p' stdout)
    sed -n '/^Jacobian/,/^$/s/ *[^ ]* *[0-9 ]* ok$//p' stdout | sed 's/  */ /g' | grep -v /dx >expected
    exits 0 "$bin" explain "$1" -d small --file train --image 5 --label "$label" --json || return 1
    sed -n '/"jacobians": \[/,/^  \]/p' stdout | awk -F'": ' '
        { text = $2; gsub(/,$/, "", text); gsub(/"/, "", text) }
        /"name"/ { name = text } /"identity"/ { identity = text } /"rows"/ { rows = text } /"columns"/ { cols = text }
        /"nonzero"/ { print name, identity, rows "x" cols, text }' | diff expected -
}
for model in tiny.bin deep.bin cnn.bin; do
    claim "$model: Jacobians are those of gradcheck" jacobians_as_gradcheck "$model"
done

# One image, one batch, one epoch, plain descent: the weight is what explain says it becomes.
updates_as_training() { # MODEL WEIGHT
    exits 0 "$bin" explain "$1" -d small --file train --image 0 --weight "$2" --json || return 1
    updated=$(value updated stdout) rate=$(value learning_rate stdout)
    before=$(value value stdout)
    exits 0 "$bin" train -q --from "$1" -d small --train-size 1 --val-size 1 --batch 1 --epochs 1 --lr "$rate" \
        -o after.bin --csv after.csv || return 1
    exits 0 "$bin" explain after.bin -d small --weight "$2" --json || return 1
    after=$(value value stdout)
    echo "before $before, updated $updated, after training $after"
    [ -n "$updated" ] && [ "$updated" = "$after" ] && [ "$updated" != "$before" ]
}
train --hidden 6 --lr 0.01 -o coarse.bin || exit 1
claim "the update is that of a training with this one image" updates_as_training coarse.bin 'fc1.weight[2,350]'
claim "... of a bias, too" updates_as_training coarse.bin 'fc2.bias[3]'
claim "... of a convolution" updates_as_training cnn.bin 'conv2.weight[1,1,2,2]'

# ---------------------------------------------------------------------------------------------
# The report

fits_a_screen() { # MODEL FLAGS...
    exits 0 "$bin" explain -d small "$@" || return 1
    awk 'length > 80 { print length ": " $0; long = 1 } END { print NR " lines"; exit long || NR > 60 || NR < 40 }' stdout
}
for model in $models; do
    claim "$model: the report has at most 60 lines of 80 columns" fits_a_screen "$model"
done
claim "that of a convolution's weight, too" fits_a_screen conv.bin --weight 'conv1.weight[0,0,0,0]'

# Every nonzero entry, every value.
full_is_all() {
    exits 0 "$bin" explain tiny.bin -d small --full || return 1
    wanted=$(sed -n 's|^da1/dvec(W1)  .* 5x3920 *\([0-9]*\) .*|\1|p' stdout)
    listed=$(sed -n '/^da1\/dvec(W1) .* 5x3920 /,/^Rows are/p' stdout | grep -o '\[[0-9]*,[0-9]*\]' | wc -l)
    echo "$wanted nonzero, $listed listed"
    [ "$wanted" -gt 100 ] && [ "$wanted" -eq "$listed" ] && ! grep -q 'more: --full' stdout
}
claim "--full lists every nonzero entry" full_is_all
names_the_label() {
    exits 0 "$bin" explain m.bin "$project/data/seven.pgm" && sed -n 2p stdout && sed -n 2p stdout | grep -q 'no label is given' || return 1
    exits 0 "$bin" explain m.bin --label 2 - <"$project/data/seven.pgm" && grep -q '^label 2 (of --label), ' stdout &&
        grep -q 'L    = -log yhat\[2\]' stdout
}
claim "a picture's label is the class predicted, or that of --label" names_the_label
as_predict() { # the same answer as predict for the same picture
    "$bin" predict m.bin "$project/data/seven.pgm" | awk -F'\t' '{ printf "predicted %s with probability %.4f\n", $2, $3 }' >expected
    "$bin" explain m.bin "$project/data/seven.pgm" | sed -n '2s/.*, predicted/predicted/p' | diff expected -
}
claim "a picture is prepared as predict does" as_predict
named_classes() {
    printf '%s\n' zero one two three four five six seven eight nine >names && train --hidden 3 --classes names -o named.bin || return 1
    exits 0 "$bin" explain named.bin -d small --label three && grep -q '^label three (of --label)' stdout
}
claim "--label takes the name of a class" named_classes

# ---------------------------------------------------------------------------------------------
# Arrays

saves() { # MODEL FLAGS...: gradcheck --compare agrees with all of them
    rm -rf arrays
    exits 0 "$bin" explain -d small --save arrays "$@" && n=$(find arrays -name '*.csv' | wc -l) &&
        exits 0 "$bin" gradcheck "$1" --compare arrays || return 1
    cat stdout
    grep -q "^All $n agree" stdout && [ ! -s stderr ] && ! grep -q DISAGREES stdout
}
for model in $models; do
    claim "$model: saved arrays agree, of one image" saves "$model" --image 3
done
claim "saved arrays agree, of a batch" saves tiny.bin --batch 20
shapes() {
    for file in arrays/*.csv; do
        awk -F, -v name="$(basename "$file" .csv)" '{ if (NR > 1 && NF != n) exit 1; n = NF } END { print name, NR "x" n }' "$file"
    done | LC_ALL=C sort | tr '\n' ' '
}
claim "arrays have a row for each image, or the shape of the tensor" \
    [ "$(shapes)" = "L 20x1 a1 20x5 a2 20x10 delta_a1 20x5 delta_a2 20x10 delta_f1 20x5 f1 20x5 fc1.bias 5x1 fc1.bias.grad 5x1 fc1.weight 5x784 fc1.weight.grad 5x784 fc2.bias 10x1 fc2.bias.grad 10x1 fc2.weight 10x5 fc2.weight.grad 10x5 x 20x784 y 20x10 yhat 20x10 " ]
sums_over_images() { # the gradient of the bias is the sum of delta over the images
    awk -F, '{ for (i = 1; i <= NF; i++) s[i] += $i } END { for (i = 1; i <= NF; i++) printf "%.6f\n", s[i] }' arrays/delta_a2.csv >expected
    awk '{ printf "%.6f\n", $1 }' arrays/fc2.bias.grad.csv | diff expected -
}
claim "gradients are sums over the images" sums_over_images
json_has_the_arrays() {
    exits 0 "$bin" explain tiny.bin -d small --batch 20 --json || return 1
    sed -n '/"name": "delta_a2"/,/"values"/s/.*"values": \[\(.*\)\].*/\1/p' stdout | tr -d ' ' >values
    tr '\n' ',' <arrays/delta_a2.csv | sed 's/,$//' >expected && echo >>expected && diff expected values
}
claim "--json has the arrays that --save writes" json_has_the_arrays
numpy_text() { # savetxt writes blanks and 18 digits; a comment; a bias as a row
    mkdir -p spaced && cp arrays/x.csv arrays/y.csv spaced && { echo '# f1'; tr ',' ' ' <arrays/f1.csv; } >spaced/f1.csv &&
        tr '\n' ' ' <arrays/fc1.bias.grad.csv >spaced/fc1.bias.grad.csv && exits 0 "$bin" gradcheck tiny.bin --compare spaced &&
        grep -q '^All 4 agree' stdout
}
claim "numbers may be separated by blanks, a vector may be a row" numpy_text

# A wrong array, made from the right ones: what it is called.
wrong() { # NAME TEXT: mine/NAME.csv is standard input
    rm -rf mine && mkdir mine && cp arrays/x.csv arrays/y.csv mine && cat >"mine/$1.csv" || return 1
    exits 1 "$bin" gradcheck tiny.bin --compare mine || return 1
    cat stdout
    grep -q "^$1 .*DISAGREES$" stdout && ! grep -q nan stdout && grep -qF "looks like: $2" stdout && grep -q '^1 of 3 disagree' stdout && [ ! -s stderr ]
}
transpose() {
    awk -F, '{ for (i = 1; i <= NF; i++) line[i] = line[i] (NR > 1 ? "," : "") $i } END { for (i = 1; i <= NF; i++) print line[i] }' "$1"
}
each() { # EXPRESSION FILE: of every number, x
    awk -F, -v OFS=, "{ for (i = 1; i <= NF; i++) { x = \$i; \$i = $1 } print }" "$2"
}
transpose arrays/fc1.weight.grad.csv >in
claim "named: transposed" wrong fc1.weight.grad transposed <in
each '-x' arrays/fc2.weight.grad.csv >in
claim "named: wrong sign" wrong fc2.weight.grad 'wrong sign' <in
each 'x / 20' arrays/fc1.weight.grad.csv >in
claim "named: mean instead of sum" wrong fc1.weight.grad 'mean over the 20 images instead of the sum' <in
each 'x * 20' arrays/fc1.bias.grad.csv >in
claim "named: the reverse" wrong fc1.bias.grad '20 times too large' <in
claim "named: a factor f1 (1 - f1) missing in delta" wrong delta_a1 'the factor f1 * (1 - f1) is missing (df1/da1)' <arrays/delta_f1.csv
# delta_f1^T x, and the sum of yhat over the images
paste -d , arrays/delta_f1.csv arrays/x.csv | awk -F, '{ for (h = 1; h <= 5; h++) for (i = 1; i <= 784; i++) g[h, i] += $h * $(5 + i) }
    END { for (h = 1; h <= 5; h++) for (i = 1; i <= 784; i++) printf "%.9g%s", g[h, i], i < 784 ? "," : "\n" }' >in
claim "named: the same in the gradient of W1" wrong fc1.weight.grad 'the factor f1 * (1 - f1) is missing (df1/da1)' <in
claim "named: y is not subtracted" wrong delta_a2 'y is not subtracted' <arrays/yhat.csv
awk -F, '{ for (i = 1; i <= NF; i++) s[i] += $i } END { for (i = 1; i <= NF; i++) print s[i] }' arrays/yhat.csv >in
claim "named: y is not subtracted, in the bias' gradient" wrong fc2.bias.grad 'y is not subtracted' <in
cut -d , -f 2- arrays/fc1.weight.grad.csv | sed 's/$/,0/' >in
claim "named: off by one index" wrong fc1.weight.grad 'off by one index: column j has what belongs to column j+1' <in
paste -d , arrays/yhat.csv arrays/y.csv | awk -F, '{ for (i = 1; i <= 10; i++) printf "%.9g%s", $i - $(10 + (i + 8) % 10 + 1), i < 10 ? "," : "\n" }' >in
claim "named: off by one in the label" wrong delta_a2 'off by one index: y is subtracted at a neighbour' <in
# x W1^T without b1
awk -F, 'FILENAME == ARGV[1] { for (i = 1; i <= NF; i++) W[FNR, i] = $i; next }
    { for (h = 1; h <= 5; h++) { a = 0; for (i = 1; i <= NF; i++) a += W[h, i] * $i; printf "%.9g%s", a, h < 5 ? "," : "\n" } }' \
    arrays/fc1.weight.csv arrays/x.csv >in
claim "named: bias forgotten" wrong a1 'the bias b1 is forgotten' <in
each '0.25 * x' arrays/fc1.weight.grad.csv >in
claim "named: another factor" wrong fc1.weight.grad '0.25 times what is expected' <in
awk -F, -v OFS=, 'NR == 2 { $300 += 1 } { print }' arrays/fc1.weight.grad.csv >in
claim "what is not known is called so" wrong fc1.weight.grad 'nothing that is known here' <in
one_number() { # of which every other is a multiple
    exits 0 "$bin" explain tiny.bin -d small --image 3 --save single && rm -rf mine && mkdir mine &&
        cp single/x.csv single/y.csv mine && each "$1 * x" single/L.csv >mine/L.csv || return 1
    rm -rf single
    exits 1 "$bin" gradcheck tiny.bin --compare mine && cat stdout && grep -qF "looks like: $2" stdout
}
claim "one number proves no factor" one_number 3 'nothing that is known here'
claim "... nor a negative one" one_number -3 'nothing that is known here'
claim "... but a wrong sign" one_number -1 'wrong sign'
head -n 4 arrays/fc1.weight.grad.csv >in
claim "named: another shape" wrong fc1.weight.grad 'its shape is 4x784, expected is 5x784' <in

# ---------------------------------------------------------------------------------------------
# Bad files

bad_array() { # TEXT: mine/a1.csv is standard input; the line on standard error says it
    rm -rf mine && mkdir mine && cp arrays/x.csv arrays/y.csv mine && cat >mine/a1.csv || return 1
    exits 1 "$bin" gradcheck tiny.bin --compare mine || return 1
    cat stderr stdout
    [ "$(wc -l <stderr)" -eq 1 ] && grep -qF -e "$1" stderr && grep -q '^x .*agrees' stdout && ! grep -q '^a1' stdout
}
for word in nan inf -inf 1e999 0x10 one 1_000 ''; do
    awk -F, -v OFS=, -v word="$word" 'NR == 3 { $1 = word } { print }' arrays/a1.csv >in
    claim "refused: '$word' in line 3, by file and line" bad_array "mlp: mine/a1.csv, line 3: " <in
done
{ echo a,b,c,d,e; cat arrays/a1.csv; } >in
claim "refused: a header" bad_array "mine/a1.csv, line 1: 'a' is not a finite number" <in
claim "refused: an empty file" bad_array "mine/a1.csv: has no numbers" </dev/null
head -c 3000 /dev/urandom >in
claim "refused: noise" bad_array "mine/a1.csv" <in
printf '1,2\0003,4,5\n' >in
claim "refused: a zero byte" bad_array "mine/a1.csv: has a zero byte" <in

refuses_images() { # WORD COMMAND: changes a copy of x.csv and y.csv
    rm -rf mine && mkdir mine && cp arrays/x.csv arrays/y.csv arrays/a1.csv mine && (cd mine && eval "$2") &&
        refuses 1 "$1" "$bin" gradcheck tiny.bin -d small --compare mine
}
claim "refused: x without y" refuses_images 'mine/y.csv: ' 'rm y.csv'
claim "refused: y without x" refuses_images 'mine/x.csv: ' 'rm x.csv'
sed 2s/1/2/ arrays/y.csv >in
wrong_labels() {
    rm -rf mine && mkdir mine && cp arrays/x.csv mine && cp in mine/y.csv && exits 1 "$bin" gradcheck tiny.bin --compare mine &&
        grep -q '^y .*DISAGREES' stdout
}
claim "labels that are not one-hot disagree" wrong_labels
claim "refused: fewer labels than images" refuses_images '20 images, y.csv has 19' 'head -n 19 y.csv >t && mv t y.csv'
claim "refused: images of another size" refuses_images 'has 783 numbers in a row, the model needs 784' 'cut -d , -f 2- x.csv >t && mv t x.csv'
claim "refused: x with nan" refuses_images "line 20: 'nan'" 'sed 20s/^0,/nan,/ x.csv >t && mv t x.csv'
mkdir nothing
claim "refused: a directory without arrays" refuses 1 'nothing/x.csv: ' "$bin" gradcheck tiny.bin -d small --compare nothing
claim "refused: a directory that is not there" refuses 1 'nowhere' "$bin" gradcheck tiny.bin -d small --compare nowhere
claim "refused: a file for a directory" refuses 1 'tiny.bin' "$bin" gradcheck tiny.bin -d small --compare tiny.bin
claim "refused: --compare without a model" refuses 2 '--compare needs a MODEL' "$bin" gradcheck --compare arrays
for flags in '--steps -' '--nonzero -' '--image 3'; do
    # shellcheck disable=SC2086 # two words
    claim "refused: --compare with $flags" refuses 2 '--compare' "$bin" gradcheck tiny.bin --compare arrays $flags
done

# ---------------------------------------------------------------------------------------------
# --save keeps what is there

mkdir kept && echo mine >kept/fc1.weight.grad.csv
claim "refused: a directory that is not empty" refuses 1 'kept: is not empty' "$bin" explain tiny.bin -d small --save kept
claim "... whose file is as it was" grep -qx mine kept/fc1.weight.grad.csv
claim "refused: a file for a directory" refuses 1 '--save tiny.bin' "$bin" explain tiny.bin -d small --save tiny.bin
claim "refused: a directory in none" refuses 1 'none/arrays' "$bin" explain tiny.bin -d small --save none/arrays
mkdir empty
claim "an empty directory is used" exits 0 "$bin" explain tiny.bin -d small --save empty
leaves_none() { # x.csv fits, fc1.weight.csv does not
    # shellcheck disable=SC3045 # where a shell has no such limit, nothing fails
    (ulimit -f 20 && "$FAST_MLP" explain tiny.bin -d small --save full) >out 2>err
    status=$?
    cat err
    ls full
    [ "$status" -eq 1 ] && [ "$(grep -c '^mlp: ' err)" -eq 1 ] && [ -z "$(ls -A full)" ]
}
claim "a save that fails leaves no array behind" leaves_none

# ---------------------------------------------------------------------------------------------
# What is refused

for weight in 'fc1.weight[5,0]' 'fc1.weight[0,784]' 'fc1.weight[0]' 'fc1.weight' 'fc3.weight[0,0]' 'fc1.weight[-1,0]' \
    'fc1.weight[0,0' 'fc1.weight[0,0]]' '[0,0]' 'W1[0,0]'; do
    claim "refused: --weight $weight" refuses 2 '--weight: ' "$bin" explain tiny.bin -d small --weight "$weight"
done
no_directory() {
    refuses 2 '--weight: ' "$bin" explain tiny.bin -d small --weight W1 --save x && [ ! -e x ]
}
claim "... and makes no directory" no_directory
claim "refused: an image that is not there" refuses 1 'has 300 images' "$bin" explain tiny.bin -d small --image 300
claim "refused: a batch beyond the last image" refuses 1 'has 300 images' "$bin" explain tiny.bin -d small --image 299 --batch 2 --save x
claim "... which makes no directory" [ ! -e x ]
claim "refused: --batch without arrays" refuses 2 '--batch' "$bin" explain tiny.bin -d small --batch 2
claim "refused: a label that is not a class" refuses 1 "'10'" "$bin" explain tiny.bin -d small --label 10
claim "refused: --json with --full" refuses 2 '--full' "$bin" explain tiny.bin -d small --json --full
claim "refused: a label for a batch" refuses 2 '--label' "$bin" explain tiny.bin -d small --label 1 --batch 2 --save x
claim "refused: --image beside a FILE" refuses 2 '--image' "$bin" explain tiny.bin "$project/data/seven.pgm" --image 1
claim "refused: two files" refuses 2 'unexpected argument' "$bin" explain tiny.bin a.pgm b.pgm
claim "refused: a file that is not a picture" refuses 1 'tiny.bin' "$bin" explain tiny.bin tiny.bin
claim "refused: no model" refuses 2 'needs a MODEL' "$bin" explain
claim "refused: data of other images" refuses 1 mlp "$bin" explain tiny.bin -d nowhere

# ---------------------------------------------------------------------------------------------
# The worked example of src/README.md

if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    # shellcheck disable=SC2016 # backquotes are meant
    sed -n '/^```python$/,/^```$/p' "$project/src/README.md" | sed '/^```/d' >backward.py
    example() { # MODEL's one hidden layer
        rm -rf arrays mine && exits 0 "$bin" explain "$1" -d small --batch 64 --save arrays && mkdir mine &&
            exits 0 /usr/bin/python3 backward.py && exits 0 "$bin" gradcheck "$1" --compare mine && cat stdout &&
            grep -q '^All .* agree' stdout && grep -q '^fc1.weight.grad .*agrees' stdout
    }
    claim "the NumPy of src/README.md agrees" example m.bin
    breaks() { # TEXT SED: the example with a mistake
        sed "$2" backward.py >broken.py && ! cmp -s backward.py broken.py && rm -rf mine && mkdir mine &&
            exits 0 /usr/bin/python3 broken.py && exits 1 "$bin" gradcheck m.bin --compare mine && cat stdout &&
            grep -qF "looks like: $1" stdout
    }
    claim "... without f1 (1 - f1) it does not" breaks 'the factor f1 * (1 - f1) is missing' 's/ \* f1 \* (1 - f1)//'
    claim "... nor with y - yhat" breaks 'wrong sign' 's/^delta2 = \(.*\) - y$/delta2 = y - \1/'
    claim "... nor without the bias" breaks 'the bias b1 is forgotten' 's/ + b1\.T//'
else
    skip "python3-numpy is not installed: the NumPy of src/README.md was not run"
fi

finish
