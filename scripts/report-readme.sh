#!/bin/sh
# Writes the report's README: its figures, how each is made, and its numbers, taken from the tables
# in the directory given. Called by report.mk, which sets the variables; what is said in words holds
# for any numbers near those of the committed tables, and tests/cli_report.sh looks at some of it.
set -eu
cd -- "$1"
: "${EPOCHS:?}" "${SEEDS:?}" "${SLOW:?}" "${RATE:?}" "${SMALL:?}" "${RATES:?}" "${SIZES:?}" "${FEW:?}"
: "${BATCHES:?}" "${HIDDEN:?}" "${JACOBIAN_HIDDEN:?}" "${STEPS_HIDDEN:?}" "${CNN_EPOCHS:?}"

# shellcheck disable=SC2086 # it may have several words: busybox awk
awk() {
    command ${AWK:-awk} "$@"
}

list() { # words as a list between commas
    echo "$1" | tr ' ' ,
}

# table FILE HEADING EXPRESSION: a row for each row of FILE. EXPRESSION is awk's, its cells are
# joined by OFS; v("name") is the column of that name, percent(x) a fraction in percent.
table() {
    columns=$(echo "$2" | tr -dc '|' | wc -c)
    echo "| $2 |"
    printf '|'
    awk -v n="$columns" 'BEGIN { for (i = 0; i <= n; i++) printf " --- |"; print "" }'
    awk -F , -v OFS=' | ' '
        function v(name) { return $at[name] }
        function percent(x) { return x == "" ? "" : sprintf("%.2f", 100 * x) }
        function spread(name) {
            return v(name "_mean") == "" ? "diverged" : \
                sprintf("%s (%s to %s)", percent(v(name "_mean")), percent(v(name "_least")), percent(v(name "_greatest")))
        }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { line = '"$3"'; print "| " line " |" }' "$1"
    echo
}

picture() { # NAME WHAT-IT-SHOWS
    echo "![$2]($1.png)"
    echo
    echo "([SVG]($1.svg))"
    echo
}

cat <<END
# The report

Made by \`make report\`, tables and text included: every number here stands in a CSV file of this directory. One figure
and what it needs is made by naming it, \`make -f scripts/report.mk data/report/rates.png\`; above each stand the
commands of \`mlp\` that its numbers come from. Accuracies are in percent; train figures are those that the training pass saw.

Settings were chosen on the validation images (the last 10,000 of the training file). Test figures are given for the
record and chose nothing. The trainings run side by side, one thread each. The same command gives the same numbers, but
for times, and for the errors of finite differences: the C library's \`exp\` has a part in their rounding.

## Overfitting: $SMALL training images against all

    ./mlp train --epochs $EPOCHS --lr $SLOW --train-size $SMALL -o small-slow.bin --csv small-slow.csv
    ./mlp train --epochs $EPOCHS --lr $SLOW -o slow.bin --csv slow.csv
    ./mlp train --epochs $EPOCHS --lr $RATE --train-size $SMALL -o small-default.bin --csv small-default.csv
    ./mlp train --epochs $EPOCHS --lr $RATE -o default.bin --csv default.csv

At learning rate $SLOW, that of the course's report ([overfit-$SLOW.csv](overfit-$SLOW.csv)):

END
picture "overfit-$SLOW" "Train and validation accuracy by epoch at learning rate $SLOW"
cat <<END
At learning rate $RATE, the default ([overfit-$RATE.csv](overfit-$RATE.csv)):

END
picture "overfit-$RATE" "Train and validation accuracy by epoch at learning rate $RATE"
echo "The last epoch of each ([overfit.csv](overfit.csv)); the gap is train less validation accuracy, in points:"
echo
table overfit.csv 'learning rate | training images | train | validation | gap' \
    'v("learning_rate") OFS v("images") OFS percent(v("train_accuracy")) OFS percent(v("validation_accuracy")) OFS percent(v("gap"))'
cat <<'END'
Beyond the first epochs what is learned from the small set does not carry over: training accuracy goes on rising, at the
larger rate until every image is learned by heart, while validation accuracy stays. With all images the same network
has far less room between the two.

### From small sets to large

END
cat <<END
    ./mlp sweep --lr $RATE --train-size $(list "$SIZES 0") --seeds $SEEDS --epochs $EPOCHS

END
picture sizes "Final train and validation accuracy against the size of the training set"
echo "Mean of the seeds, and the least and greatest of them ([sizes.csv](sizes.csv); each training:"
echo "[sizes-runs.csv](sizes-runs.csv)):"
echo
table sizes.csv 'training images | trainings | train | validation' \
    'v("train_size") OFS v("trainings") OFS spread("train") OFS spread("validation")'
cat <<'END'
Every size is learned all but by heart; what more images buy is validation accuracy, which climbs towards that of
training with each step. The bands, which hold every seed, are narrow beside the distance from one size to the next.

## How well it works

### Learning rate

END
cat <<END
    ./mlp sweep --lr $(list "$RATES") --seeds $SEEDS --epochs $EPOCHS

END
picture rates "Validation and test accuracy against the learning rate"
echo "Mean of the seeds, and the least and greatest of them ([rates.csv](rates.csv); each training:"
echo "[rates-runs.csv](rates-runs.csv)). The last column is what the course's report found; by default it reached 90 to 91."
echo
table rates.csv 'learning rate | trainings | validation | test | the course'"'"'s report' \
    'v("learning_rate") OFS v("trainings") OFS spread("validation") OFS spread("test") OFS \
     (v("learning_rate") == 0.0001 ? "94" : v("learning_rate") == 0.00001 || v("learning_rate") == 0.001 ? "80 to 90" : "")'
cat <<'END'
Accuracy changes little over two orders of magnitude of the learning rate, and falls off on both sides; the rule adds up
the gradients of a batch, so that a rate means the same at every batch size. Far too large a rate does not overflow: units
saturate, their gradients vanish, and the answers become poor and differ from seed to seed; only a rate near the end of
float's range makes a loss that is not finite.

### Batch size

END
cat <<END
    ./mlp sweep --lr $RATE --batch $(list "$BATCHES") --epochs $FEW --threads 1

END
picture batch "Accuracy and time against the batch size"
echo "One seed and $FEW epochs, to save time ([batch.csv](batch.csv); seconds are those of training on one thread, beside as"
echo "many other trainings as there are CPUs):"
echo
table batch.csv 'batch | train | validation | test | seconds an epoch' \
    'v("batch_size") OFS percent(v("train_accuracy")) OFS percent(v("validation_accuracy")) OFS percent(v("test_accuracy")) OFS \
     (v("result") == "done" ? sprintf("%.3f", v("seconds") / v("epochs")) : "diverged")'
cat <<'END'
Under the sum rule small and middling batches learn alike, since each image moves the weights by as much; only the largest
ones, whose steps are few and long, fall behind. A batch of one takes longest, since nothing shares what each batch costs.

### Hidden units

END
cat <<END
    ./mlp sweep --lr $RATE --hidden $(list "$HIDDEN") --epochs $FEW --threads 1

END
picture hidden "Accuracy and time against the number of hidden units"
echo "One seed and $FEW epochs ([hidden.csv](hidden.csv)):"
echo
table hidden.csv 'hidden units | parameters | train | validation | test | seconds an epoch' \
    'v("hidden") OFS v("parameters") OFS percent(v("train_accuracy")) OFS percent(v("validation_accuracy")) OFS \
     percent(v("test_accuracy")) OFS (v("result") == "done" ? sprintf("%.3f", v("seconds") / v("epochs")) : "diverged")'
cat <<'END'
Each doubling of the hidden units buys less than the one before. Parameters grow in step with the units, and so, where there
are many, does the time (which is noisy: whatever else the machine did is in it).

## What the hidden units look for

END
cat <<END
    ./mlp weights default.bin --csv weights.csv
    gnuplot -c scripts/report/weights.gp weights.png weights.csv

The default model: \`./mlp train --epochs $EPOCHS --lr $RATE -o default.bin\`.

END
picture weights "The rows of W1 as pictures, by the class that each unit speaks for"
echo "A tile is a row of W1, white where a pixel does not matter. Above it stand the class that the unit speaks for, which is"
echo "that of the largest weight in its column of W2, its number, and that weight. Units for each class, from [units.csv](units.csv):"
echo
awk -F , 'NR > 1 { n[$2]++; s[$2] += $3; if (n[$2] == 1 || $3 > m[$2]) m[$2] = $3; if ($2 > last) last = $2 }
    END { print "class,units,largest,mean"; for (k = 0; k <= last; k++) print k "," n[k] + 0 "," m[k] "," (n[k] ? s[k] / n[k] : "") }' \
    units.csv | table - 'class | units | largest output weight | mean' \
    'v("class") OFS v("units") OFS (v("units") ? sprintf("%.2f", v("largest")) : "") OFS (v("units") ? sprintf("%.2f", v("mean")) : "")'
cat <<'END'
Few tiles look like a digit: most have strokes that should be there (orange) beside strokes that should not (blue), and
a digit is recognised by several of them together. The frame, where no image has ink, keeps its initial weights near 0.

## What it confuses

    ./mlp eval default.bin --confusion confusion.csv --mistakes mistakes.csv

END
picture confusion "The confusion matrix on the test images"
echo "The most frequent mistakes, from [confusion.csv](confusion.csv):"
echo
awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) if (k != NR) printf "%d,%d,%d\n", $k, $1, k - 2 }' confusion.csv |
    sort -t , -k 1,1nr -k 2,2n -k 3,3n | awk 'BEGIN { print "n,truth,answer" } NR <= 8' | table - 'truth | answer | images' 'v("truth") OFS v("answer") OFS v("n")'
cat <<'END'
Mistakes gather in a few pairs of digits that are written alike. The diagonal, what is right, is left without colour:
beside it all mistakes would be equally pale.

END
picture classes "Precision and recall of each class"
table classes.csv 'digit | images | answers | right | precision | recall' \
    'v("class") OFS v("images") OFS v("answers") OFS v("right") OFS percent(v("precision")) OFS percent(v("recall"))'
cat <<'END'
Precision is the share of a digit's answers that are right, recall the share of its images that are found
([classes.csv](classes.csv)). The standard error of each figure is about half a point.

### The worst mistakes

END
picture mistakes "The test images most confidently mistaken"
echo "The first ten of forty ([mistakes.csv](mistakes.csv)); the number is the image's in the test file, from 0:"
echo
head -n 11 mistakes.csv | table - 'image | truth | answer | probability of the answer' \
    'v("index") OFS v("label") OFS v("predicted") OFS percent(v("probability"))'
cat <<'END'
Some of these a person would mistake as well; others are plain, and show that the probability of an answer is no measure
of how well an image is written. A sum over fixed pixels cannot know that a stroke moved a little is the same stroke.

## The Jacobians

END
cat <<END
    ./mlp gradcheck --hidden $JACOBIAN_HIDDEN --nonzero nonzero.csv

END
picture jacobians "Which entries of the Jacobians are not zero"
echo "Counted from the entries that the program lists, for the first training image ([jacobians.csv](jacobians.csv)). Of a"
echo "Jacobian over vec(W), \"outside\" counts the entries outside the blocks of the diagonal that are not zero, \"unlike\" the"
echo "rows whose block is not that of row 0:"
echo
table jacobians.csv 'Jacobian | shape | not zero | share | outside | unlike | error' \
    'v("jacobian") OFS v("rows") "x" v("columns") OFS v("nonzero") OFS sprintf("%.2f %%", 100 * v("share")) OFS v("outside") OFS v("unlike") OFS v("error")'
cat <<'END'
An output depends on its own row of W alone, and in the same way as every other output on its own: so the Jacobian over
vec(W) is the Kronecker product of the identity with one row, f1^T or x^T. The zeros are why the training code takes the
outer product of two vectors and never builds these matrices.

### How small a step

END
cat <<END
    ./mlp gradcheck --hidden $STEPS_HIDDEN --steps steps.csv

END
picture steps "The error of finite differences against their step"
echo "The largest error of the Jacobians and of the gradient's blocks ([steps.csv](steps.csv) has each; $STEPS_HIDDEN hidden units,"
echo "since the twelve checks at full size take minutes and say the same):"
echo
awk -F , 'NR == 1 { for (i = 2; i <= NF; i++) gradient[i] = $i ~ /^dL\// && $i !~ /^dL\/da/; print "step,jacobians,gradient"; next }
    { j = g = 0; for (i = 2; i <= NF; i++) if (gradient[i]) { if ($i > g) g = $i } else if ($i > j) j = $i; print $1 "," j "," g }' \
    steps.csv | table - 'step | Jacobians | gradient' 'v("step") OFS sprintf("%.1e", v("jacobians")) OFS sprintf("%.1e", v("gradient"))'
cat <<'END'
A large step errs by the curvature that it leaves out, as h^2; a small one by the rounding of the two values that it
subtracts, as 1/h. Between the two lies the step of the gradient check; functions that are linear have no curvature to
leave out, and only the second branch.

## The convolutional network

END
cat <<END
    ./mlp train --arch cnn --epochs $CNN_EPOCHS -o cnn.bin --csv cnn.csv
    gnuplot -c scripts/plot.gp curves-cnn.png default.csv cnn.csv

END
picture curves-cnn "Accuracy and loss by epoch of the dense and the convolutional network"
echo "Every fourth epoch of the convolutional network ([cnn.csv](cnn.csv)):"
echo
awk 'NR == 1 || NR == 2 || NR % 4 == 1' cnn.csv | table - 'epoch | train loss | train | validation loss | validation' \
    'v("epoch") OFS sprintf("%.4f", v("train_loss")) OFS percent(v("train_accuracy")) OFS sprintf("%.4f", v("validation_loss")) OFS percent(v("validation_accuracy"))'
cat <<'END'
After few epochs it is ahead of where the dense network ends. A stroke that moved is met by the same filter, and only the
largest of its four neighbouring answers goes on.

### Its filters

    ./mlp weights cnn.bin --layer 1 --csv filters-1.csv
    ./mlp weights cnn.bin --layer 2 --csv filters-2.csv

END
picture filters-1 "The sixteen filters of the first convolution"
cat <<'END'
Of the first convolution: in some a positive stripe, orange, lies beside a negative one, blue, in one direction or another:
they answer to edges and strokes. Others look like nothing that has a name.

END
picture filters-2 "The filters of the second convolution, a row an output channel, a column an input channel"
cat <<'END'
Of the second convolution: a row combines what the sixteen first filters found around a point. With five by five weights
each, few look like anything by themselves; the row as a whole is what has been learned.

### Feature maps

    ./mlp features cnn.bin --image N --csv features.csv

The first test image of each class, and what the network makes of it: behind the first pooling and ReLU (16 maps of 12 x
12), and behind the second (32 maps of 4 x 4). Each map has a scale of its own: white is its smallest value, dark its largest. A
second row of an image goes on with map 16.

END
picture features-1 "Sixteen feature maps of one digit of each class, behind the first ReLU"
cat <<'END'
The first maps are the digit once more, each with strokes of one direction or one side of a stroke.

END
picture features-2 "Thirty-two feature maps of one digit of each class, behind the second ReLU"
cat <<'END'
The second maps say little more than where on a grid of four by four something was found; from these 512 numbers the dense
layers tell the digits apart.

### Its mistakes

    ./mlp eval cnn.bin --confusion confusion-cnn.csv --mistakes mistakes-cnn.csv

END
picture confusion-cnn "Confusion matrix of the convolutional network on the test images"
echo "On the $(awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) n += $k } END { print n + 0 }' confusion-cnn.csv) test images it makes" \
    "$(awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) if (k != NR) n += $k } END { print n + 0 }' confusion-cnn.csv) mistakes" \
    "([confusion-cnn.csv](confusion-cnn.csv)), the dense network" \
    "$(awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) if (k != NR) n += $k } END { print n + 0 }' confusion.csv)."
echo
picture mistakes-cnn "The test images that the convolutional network mistakes most confidently"
cat <<'END'
Of some of these a person would not be sure either; others are plain ([mistakes-cnn.csv](mistakes-cnn.csv)). As with the
dense network, the most confident mistakes are as sure as right answers are.

## Accuracy and loss by epoch

The curves of the two trainings with all images, once more with their losses:

    gnuplot -c scripts/plot.gp curves.png slow.csv default.csv

END
picture curves "Accuracy and loss by epoch at two learning rates"
cat <<END
At the larger rate the validation loss is at its lowest about half way and rises a little from there while accuracy holds:
the network grows surer of its mistakes. At the smaller rate it is still falling at the end.
END
