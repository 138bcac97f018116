#!/bin/sh
# Writes the report's README: its pictures, the commands for each, and its numbers, taken from the
# tables in the directory given. report.mk calls it and sets the variables. The sentences hold for
# any numbers near those of the committed tables; tests/cli_report.sh checks some of them.
set -eu
cd -- "$1"
: "${EPOCHS:?}" "${SEEDS:?}" "${SLOW:?}" "${RATE:?}" "${SMALL:?}" "${RATES:?}" "${SIZES:?}" "${FEW:?}"
: "${BATCHES:?}" "${HIDDEN:?}" "${JACOBIAN_HIDDEN:?}" "${STEPS_HIDDEN:?}" "${CNN_EPOCHS:?}"
: "${FEW_EPOCHS:?}" "${MANY_EPOCHS:?}" "${EXTRA:?}"

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
        # Without those that hold for a whole section.
        function flags(text) {
            gsub(/--(train-size|epochs) [0-9]+ ?/, "", text)
            sub(/ $/, "", text)
            return code(text)
        }
        function code(text) { return text == "" || text ~ /^eval of/ ? text : "`" text "`" }
        function spread(name) {
            return v(name "_mean") == "" ? "diverged" : \
                sprintf("%s (%s to %s)", percent(v(name "_mean")), percent(v(name "_least")), percent(v(name "_greatest")))
        }
        function with_error(name) {
            return percent(v(name "_mean")) (v(name "_se") == "" ? "" : " ± " percent(v(name "_se")))
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

\`make report\` writes this page, its tables and its pictures. Every number here is in a CSV file of this directory. Above each
picture are the commands that produce its numbers. To make one picture and what it needs, name it:
\`make -f scripts/report.mk data/report/rates.png\`. Accuracies are in percent. Train figures are running averages over the
training pass of the epoch, except in the sections on overfitting remedies and on recipes.

Settings were chosen on the validation images (the last 10,000 of the training file); test figures chose nothing. The trainings
run side by side, one thread each. The same command gives the same numbers, except for times and for the errors of finite
differences, whose rounding depends on the C library's \`exp\`.

Two more pages: [how fast it is](SPEED.md) and [how the settings were chosen](SETTINGS.md).

## The pages of two models

    ./mlp page default.bin -o page.html
    ./mlp page cnn.bin -o page-cnn.html

[page.html](page.html) is the default network, [page-cnn.html](page-cnn.html) the convolutional one. Save one and open it in a browser. One
draws a digit there and sees the answer, what every unit computes, and what a step of gradient descent changes. It computes the bits of the
program.

## Overfitting: $SMALL training images against all

    ./mlp train --epochs $EPOCHS --lr $SLOW --train-size $SMALL -o small-slow.bin --csv small-slow.csv
    ./mlp train --epochs $EPOCHS --lr $SLOW -o slow.bin --csv slow.csv
    ./mlp train --epochs $EPOCHS --lr $RATE --train-size $SMALL -o small-default.bin --csv small-default.csv
    ./mlp train --epochs $EPOCHS --lr $RATE -o default.bin --csv default.csv

At learning rate $SLOW, that of the course assignment's report ([overfit-$SLOW.csv](overfit-$SLOW.csv)):

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
After the first epochs, what the network learns from the small set does not generalise. Training accuracy keeps rising, at the
larger rate until every image is memorised, while validation accuracy does not. With all images the gap is far smaller.

### From small sets to large

END
cat <<END
    ./mlp sweep --lr $RATE --train-size $(list "$SIZES 0") --seeds $SEEDS --epochs $EPOCHS

END
picture sizes "Final train and validation accuracy against the size of the training set"
echo "Mean of the seeds, with the smallest and the largest ([sizes.csv](sizes.csv); each run:"
echo "[sizes-runs.csv](sizes-runs.csv)):"
echo
table sizes.csv 'training images | trainings | train | validation' \
    'v("train_size") OFS v("trainings") OFS spread("train") OFS spread("validation")'
cat <<'END'
The network memorises nearly every training set, whatever its size. More images raise the validation accuracy, which comes
closer to the training accuracy with each step. The bands contain every seed; they are narrow compared with the steps.

END
# The sections on recipes have targets of their own in report.mk: each is there when its tables are.
if [ -e remedies.csv ]; then
    cat <<END
## What helps against overfitting

    ./mlp train --train-size $SMALL --epochs $FEW_EPOCHS FLAGS --seed N -o few.bin --csv few.csv
    ./mlp train --epochs $MANY_EPOCHS FLAGS --seed N -o many.bin --csv many.csv
    ./mlp eval few.bin --split train
    ./mlp eval few.bin --split validation

Each remedy alone, and together, with $SMALL training images and with all. At each size every training has the same number of
epochs and, without a schedule, the default learning rate. "More data" is $EXTRA images in place of $SMALL. "Together" is weight decay, averaging,
augmentation and the best epoch; "with-schedule" is the same with a learning rate that falls to 0, which is not a remedy
against overfitting by itself. The flags were chosen on the validation images ([SETTINGS.md](SETTINGS.md#against-overfitting)).

Train figures of this section are of the finished model, on the training images as they are. So the gap means the same in
each row: the running average of a training with augmentation is of changed images.

END
    picture remedies "Final train and validation accuracy of each remedy, with few and with many training images"
    echo "Mean of the seeds, with the smallest and the largest ([remedies.csv](remedies.csv); each training:"
    echo "[remedies-runs.csv](remedies-runs.csv)); the gap is train less validation accuracy, in points:"
    echo
    table remedies.csv 'images | remedy | flags | epochs | train | validation | gap' \
        'v("images") OFS v("recipe") OFS flags(v("flags")) OFS sprintf("%.0f", v("epochs")) OFS spread("train") OFS \
         spread("validation") OFS percent(v("train_mean") - v("validation_mean"))'
    picture remedies-curves "Validation accuracy by epoch with each remedy, with few and with many training images"
    echo "Bands hold all seeds ([remedies-curves.csv](remedies-curves.csv)). Early stopping follows the curve of \"none\" and ends at"
    echo "the crosses, with the accuracy of the epoch that it keeps."
    echo
    cat <<'END'
Augmentation is the remedy that helps here: with few images it gains about as much as five times as many images do. Weight decay
gains a little. Early stopping saves time, not accuracy: the validation loss rises late in these trainings, the accuracy does
not fall. Averaging has nothing to average once the images are memorised and the weights stand still. A smaller network
memorises the few images too, and with all of them it has too few units. With all images and everything together the gap nearly
closes: most of the errors that are left are no longer overfitting.

What augmentation does:

    ./mlp augment --csv augment.csv
    gnuplot -c scripts/report/augment.gp augment.png augment.csv

END
    picture augment "Eight training images, and what each becomes in the first epochs"
    echo "The first column is the image in the file. The network sees the others, one in each epoch, and no image twice."
    echo
fi
cat <<'END'
## How well it works

### Learning rate

END
cat <<END
    ./mlp sweep --lr $(list "$RATES") --seeds $SEEDS --epochs $EPOCHS

END
picture rates "Validation and test accuracy against the learning rate"
echo "Mean of the seeds, with the smallest and the largest ([rates.csv](rates.csv); each run:"
echo "[rates-runs.csv](rates-runs.csv)). The last column is from the course assignment's report, whose default reached 90 to 91."
echo
table rates.csv 'learning rate | trainings | validation | test | the course'"'"'s report' \
    'v("learning_rate") OFS v("trainings") OFS spread("validation") OFS spread("test") OFS \
     (v("learning_rate") == 0.0001 ? "94" : v("learning_rate") == 0.00001 || v("learning_rate") == 0.001 ? "80 to 90" : "")'
cat <<'END'
Accuracy changes little over two orders of magnitude of the learning rate, and falls on both sides. The update rule sums the
gradients of a batch, so that a learning rate means the same at every batch size. A learning rate that is far too large does not
overflow: units saturate, their gradients vanish, and accuracy becomes poor and differs from seed to seed. Only a rate near the
end of float's range gives a loss that is not finite.

### Batch size

END
cat <<END
    ./mlp sweep --lr $RATE --batch $(list "$BATCHES") --epochs $FEW --threads 1

END
picture batch "Accuracy and time against the batch size"
echo "One seed and $FEW epochs, to save time ([batch.csv](batch.csv)). Seconds are of one thread, while other trainings used"
echo "the other CPUs:"
echo
table batch.csv 'batch | train | validation | test | seconds per epoch' \
    'v("batch_size") OFS percent(v("train_accuracy")) OFS percent(v("validation_accuracy")) OFS percent(v("test_accuracy")) OFS \
     (v("result") == "done" ? sprintf("%.3f", v("seconds") / v("epochs")) : "diverged")'
cat <<'END'
With the sum rule small and medium batches learn equally well, because each image moves the weights by the same amount. Only
the largest batches, with few and long steps, fall behind. A batch of one takes longest: the fixed cost of a batch is not shared.

### Hidden units

END
cat <<END
    ./mlp sweep --lr $RATE --hidden $(list "$HIDDEN") --epochs $FEW --threads 1

END
picture hidden "Accuracy and time against the number of hidden units"
echo "One seed and $FEW epochs ([hidden.csv](hidden.csv)):"
echo
table hidden.csv 'hidden units | parameters | train | validation | test | seconds per epoch' \
    'v("hidden") OFS v("parameters") OFS percent(v("train_accuracy")) OFS percent(v("validation_accuracy")) OFS \
     percent(v("test_accuracy")) OFS (v("result") == "done" ? sprintf("%.3f", v("seconds") / v("epochs")) : "diverged")'
cat <<'END'
Each doubling of the hidden units gains less than the one before. The number of parameters is proportional to the units, and so
is the time when there are many. (Times are noisy: the machine did other work too.)

## First-layer weights

END
cat <<END
    ./mlp weights default.bin --csv weights.csv
    gnuplot -c scripts/report/weights.gp weights.png weights.csv

The default model: \`./mlp train --epochs $EPOCHS --lr $RATE -o default.bin\`.

END
picture weights "The rows of W1 as pictures, grouped by the class with the unit's largest output weight"
echo "Each tile is a row of W1; white is weight 0. Above it are the class (of the largest weight in its"
echo "column of W2), the unit's number, and that weight. Units per class, from [units.csv](units.csv):"
echo
awk -F , 'NR > 1 { n[$2]++; s[$2] += $3; if (n[$2] == 1 || $3 > m[$2]) m[$2] = $3; if ($2 > last) last = $2 }
    END { print "class,units,largest,mean"; for (k = 0; k <= last; k++) print k "," n[k] + 0 "," m[k] "," (n[k] ? s[k] / n[k] : "") }' \
    units.csv | table - 'class | units | largest output weight | mean' \
    'v("class") OFS v("units") OFS (v("units") ? sprintf("%.2f", v("largest")) : "") OFS (v("units") ? sprintf("%.2f", v("mean")) : "")'
cat <<'END'
Few tiles look like a digit. Most have strokes that should be present (orange) beside strokes that should be absent (blue), and
several units together recognise a digit. At the border, where no image has ink, the weights keep their initial values near 0.

## Confusion matrix

    ./mlp eval default.bin --confusion confusion.csv --mistakes mistakes.csv

END
picture confusion "The confusion matrix on the test images"
echo "The most frequent errors, from [confusion.csv](confusion.csv):"
echo
awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) if (k != NR) printf "%d,%d,%d\n", $k, $1, k - 2 }' confusion.csv |
    sort -t , -k 1,1nr -k 2,2n -k 3,3n | awk 'BEGIN { print "n,truth,answer" } NR <= 8' | table - 'truth | answer | images' 'v("truth") OFS v("answer") OFS v("n")'
cat <<'END'
Most errors are in a few pairs of digits that look alike. The diagonal (correct answers) has no colour: beside it all errors
would look equally pale.

END
picture classes "Precision and recall of each class"
table classes.csv 'digit | images | answers | right | precision | recall' \
    'v("class") OFS v("images") OFS v("answers") OFS v("right") OFS percent(v("precision")) OFS percent(v("recall"))'
cat <<'END'
Precision is the share of a digit's answers that are right; recall is the share of a digit's images that get the right answer
([classes.csv](classes.csv)). The standard error of each figure is about half a point.

### The most confident errors

END
picture mistakes "The most confident errors on the test images"
echo "The first ten of forty ([mistakes.csv](mistakes.csv)). Image numbers are positions in the test file, from 0:"
echo
head -n 11 mistakes.csv | table - 'image | truth | answer | probability of the answer' \
    'v("index") OFS v("label") OFS v("predicted") OFS percent(v("probability"))'
cat <<'END'
A person would misread some of these too. Others are clear, and show that the probability of an answer does not measure how
clearly a digit is written. A sum over fixed pixels cannot know that a stroke is the same stroke when it moves a little.

## The Jacobians

END
cat <<END
    ./mlp gradcheck --hidden $JACOBIAN_HIDDEN --nonzero nonzero.csv

END
picture jacobians "Sparsity patterns of the Jacobians"
echo "Counted from the entries in nonzero.csv, for the first training image ([jacobians.csv](jacobians.csv)). For a Jacobian"
echo "over vec(W), \"outside\" counts nonzero entries outside the diagonal blocks; \"unlike\" counts rows whose block differs"
echo "from that of row 0:"
echo
table jacobians.csv 'Jacobian | shape | nonzero | share | outside | unlike | error' \
    'v("jacobian") OFS v("rows") "x" v("columns") OFS v("nonzero") OFS sprintf("%.2f %%", 100 * v("share")) OFS v("outside") OFS v("unlike") OFS v("error")'
cat <<'END'
Each output depends only on its own row of W, and every output depends on its row in the same way. So the Jacobian over vec(W)
is the Kronecker product of the identity with one row, f1^T or x^T. Because nearly all entries are zero, the training code
uses the outer product of two vectors and never builds these matrices.

### Step size of finite differences

END
cat <<END
    ./mlp gradcheck --hidden $STEPS_HIDDEN --steps steps.csv

END
picture steps "The error of finite differences against their step size"
echo "The largest error of the Jacobians and of the gradient's blocks ([steps.csv](steps.csv) has each). $STEPS_HIDDEN hidden units,"
echo "because the twelve checks at full size take minutes and show the same:"
echo
awk -F , 'NR == 1 { for (i = 2; i <= NF; i++) gradient[i] = $i ~ /^dL\// && $i !~ /^dL\/da/; print "step,jacobians,gradient"; next }
    { j = g = 0; for (i = 2; i <= NF; i++) if (gradient[i]) { if ($i > g) g = $i } else if ($i > j) j = $i; print $1 "," j "," g }' \
    steps.csv | table - 'step | Jacobians | gradient' 'v("step") OFS sprintf("%.1e", v("jacobians")) OFS sprintf("%.1e", v("gradient"))'
cat <<'END'
With a large step h the curvature causes the error, which falls as h^2. With a small step the rounding of the two
subtracted values causes it, which grows as 1/h. The gradient check uses a step between the two. Linear functions have no
curvature, and so only the second branch.

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
After a few epochs it is better than the dense network at its end. The same filter sees a stroke wherever it is, and max
pooling keeps only the largest of four neighbouring responses.

### Its filters

    ./mlp weights cnn.bin --layer 1 --csv filters-1.csv
    ./mlp weights cnn.bin --layer 2 --csv filters-2.csv

END
picture filters-1 "The sixteen filters of the first convolution"
cat <<'END'
The first convolution. Some filters have a positive stripe (orange) beside a negative one (blue), in one direction or another:
they respond to edges and strokes. Others have no obvious meaning.

END
picture filters-2 "The filters of the second convolution: one row per output channel, one column per input channel"
cat <<'END'
The second convolution. Each row combines what the sixteen first filters found around a point. A single filter of five by
five weights rarely has a meaning of its own; the row as a whole is what the network learned.

### Feature maps

    ./mlp features cnn.bin --image N --csv features.csv

The first test image of each class, and its feature maps: after the first pooling and ReLU (16 maps of 12 x 12), and after
the second (32 maps of 4 x 4). Each map has its own scale: white is its smallest value, dark its largest. The second row of
an image starts with map 16.

END
picture features-1 "Sixteen feature maps of one digit of each class, after the first ReLU"
cat <<'END'
The first maps show the digit again, each with the strokes of one direction or one side of each stroke.

END
picture features-2 "Thirty-two feature maps of one digit of each class, after the second ReLU"
cat <<'END'
The second maps show where on a grid of four by four a pattern was found. From these 512 numbers the dense layers tell the
digits apart.

### Its errors

    ./mlp eval cnn.bin --confusion confusion-cnn.csv --mistakes mistakes-cnn.csv

END
picture confusion-cnn "Confusion matrix of the convolutional network on the test images"
echo "On the $(awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) n += $k } END { print n + 0 }' confusion-cnn.csv) test images it makes" \
    "$(awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) if (k != NR) n += $k } END { print n + 0 }' confusion-cnn.csv) errors" \
    "([confusion-cnn.csv](confusion-cnn.csv)), the dense network" \
    "$(awk -F , 'NR > 1 { for (k = 2; k <= NF; k++) if (k != NR) n += $k } END { print n + 0 }' confusion.csv)."
echo
picture mistakes-cnn "The most confident errors of the convolutional network on the test images"
cat <<'END'
A person would not be sure about some of these either; others are clear ([mistakes-cnn.csv](mistakes-cnn.csv)). As with the
dense network, the most confident errors are as confident as right answers.

END
if [ -e accuracy.csv ]; then
    cat <<'END'
## How accurate can it be

    ./mlp train FLAGS --seed N -o model.bin
    ./mlp eval model.bin

END
    picture accuracy "Validation and test accuracy of the recipes"
    echo "Mean of the seeds with its standard error ([accuracy.csv](accuracy.csv); each training:"
    echo "[accuracy-runs.csv](accuracy-runs.csv)). Seconds are of one training on one thread of a busy machine: they only compare roughly."
    echo
    table accuracy.csv 'recipe | flags | trainings | parameters | epochs | train | validation | test | binomial | seconds' \
        'v("recipe") OFS code(v("flags")) OFS v("trainings") OFS v("parameters") OFS sprintf("%.0f", v("epochs")) OFS \
         with_error("train") OFS with_error("validation") OFS with_error("test") OFS percent(v("binomial_se")) OFS \
         sprintf("%.0f", v("seconds"))'
    cat <<'END'
The standard error after a mean says how much it would change with other seeds. The binomial one says how much the test
accuracy of one model would change with other test images; it is the larger of the two, and more seeds do not make it smaller.
No setting, seed or epoch was chosen on the test images. Most published figures are of the best epoch, seed or settings on them.

With Adam and augmentation the network of the course assignment gains more than a point, and two more hidden layers with ReLU and
weight decay bring the dense network close to the convolutional one. With 2,000 images such settings come close to what the default
reaches with all. The convolutional network needs two epochs for 99 %; more channels, augmentation, averaging and weight decay
then remove two fifths of its errors.

END
fi
if [ -e calibration.csv ]; then
    cat <<'END'
### How far can a probability be trusted

    ./mlp eval MODEL... --calibration bins.csv

END
    picture calibration "Reliability diagrams: of the answers with a probability, how many are right"
    echo "On the test images ([calibration.csv](calibration.csv)). A name is a recipe and its seed; \"all\" is the models of all its seeds, whose"
    echo "probabilities are averaged. Bars are 95 % intervals. The expected calibration error is the distance of the points from the"
    echo "diagonal, averaged over all answers; a mean probability above the accuracy means that a model is overconfident. In points:"
    echo
    awk -F , 'NR > 1 && $4 > 0 { if (!n[$1]) names[++m] = $1
            d = $6 - $5; n[$1] += $4; p[$1] += $4 * $5; a[$1] += $4 * $6; e[$1] += $4 * (d < 0 ? -d : d) }
        END { print "model,answers,accuracy,probability,error"
            for (i = 1; i <= m; i++) { k = names[i]; printf "%s,%d,%.8f,%.8f,%.8f\n", k, n[k], a[k] / n[k], p[k] / n[k], e[k] / n[k] } }' calibration.csv |
        table - 'model | answers | accuracy | mean probability | probability less accuracy | expected calibration error' \
            'v("model") OFS v("answers") OFS percent(v("accuracy")) OFS percent(v("probability")) OFS \
             sprintf("%+.2f", 100 * (v("probability") - v("accuracy"))) OFS percent(v("error"))'
    cat <<'END'
The default network is overconfident: fewer answers are right than their probabilities say. So is the convolutional network, which
expects less than half of the errors that it makes. Averaging five networks gains accuracy, but makes the probabilities too
small: where the five disagree, the mean of their probabilities falls, but the answer is mostly right. With augmentation
(`--preset accurate`) mean probability and accuracy agree: the network sees no image twice, so that it cannot memorise any. A
calibrated model, too, would have an error of one to three tenths of a point, because each bin has few answers.

END
fi
if [ -e seconds-runs.csv ]; then
    cat <<'END'
### Time to 99 %

    ./mlp train --preset fast --seed N

END
    picture seconds "Accuracy against the seconds since the start of the process"
    awk -F , 'NR == 2 { first = $1 } NR > 1 && $1 == first { print $7 "," $6 "," $3 }' seconds-runs.csv | sort -t , -k 1,1n | awk -F , '
        { seconds[NR] = $1; sum += $2; reached += $2 >= 0.99; if (NR == 1 || $2 < least) least = $2; threads = $3 }
        END {
            median = (seconds[int((NR + 1) / 2)] + seconds[int(NR / 2) + 1]) / 2
            printf "The preset `fast` with %d seeds on %d threads, from the start of the process to the finished model: median %.2f\n", NR, threads, median
            printf "seconds (%.2f to %.2f). Test accuracy %.2f %% on average; the least is %.2f %%, and %d of %d reach 99 %%\n", \
                seconds[1], seconds[NR], 100 * sum / NR, 100 * least, reached, NR
            print "([seconds-runs.csv](seconds-runs.csv); by epoch: [seconds-curves.csv](seconds-curves.csv)). Nothing else ran on the machine. Others, with one seed:"
        }'
    echo
    awk -F , 'NR == 1 { print; next } NR == 2 { first = $1 } $1 != first' seconds-runs.csv |
        table - 'recipe | epochs | validation | test | seconds' \
            'v("recipe") OFS v("epochs") OFS percent(v("validation_accuracy")) OFS percent(v("test_accuracy")) OFS sprintf("%.1f", v("seconds"))'
fi
cat <<'END'
## Accuracy and loss by epoch

The curves of the two trainings with all images, with their losses:

    gnuplot -c scripts/plot.gp curves.png slow.csv default.csv

END
picture curves "Accuracy and loss by epoch at two learning rates"
cat <<END
At the larger rate the validation loss is lowest about half way and then rises a little while accuracy holds: the network
becomes more confident in its errors. At the smaller rate it is still falling at the end.
END
