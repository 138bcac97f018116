#!/bin/sh
# Several models from outside: eval and predict average their probabilities, eval --compare says where
# two models differ, and models that do not belong together are refused by name.
. tests/lib.sh

bin=$MLP
small_data "$WORK/small" 800 28
small_data "$WORK/tiny" 60 14
cd "$WORK" || exit 1
tab=$(printf '\t')
train() {
    "$FAST_MLP" train -q --epochs 3 --hidden 8 --lr 2e-3 --csv curves.csv "$@"
}
for seed in 1 2 3; do
    claim "model $seed" exits 0 train -d small --seed $seed -o $seed.bin
done
claim "a model of 14 x 14 pixels" exits 0 train -d tiny -o tiny.bin
claim "a model with class names" exits 0 train -d small --classes K-T -o named.bin
claim "a model of another split" exits 0 train -d small --val-size 90 -o split.bin
claim "a model of transposed images" exits 0 train -d small --transpose -o transposed.bin
{ printf '\0\0\010\003' && u32 20 && u32 28 && u32 28 && tail -c +17 small/t10k-images-idx3-ubyte | head -c $((20 * 784)); } >some.idx
{ printf 'P5 28 28 255\n' && tail -c +17 some.idx | head -c 784; } >seven.pgm

evaluate() {
    "$bin" eval -d small "$@"
}
value_of() { # KEY: its first value in the JSON on stdout
    sed -n "s/^ *\"$1\": \\(.*[^,]\\),*\$/\\1/p" stdout | head -n 1
}

# ---------------------------------------------------------------------------------------------
# Averaged probabilities

# All probabilities of predict --top 10, one line per image and class.
probabilities() { # MODEL...
    exits 0 "$bin" predict "$@" some.idx --top 10 && awk -F"$tab" '{ for (i = 2; i < NF; i += 2) print $1, $i, $(i + 1) }' stdout | sort
}
mean_of_three() {
    for seed in 1 2 3; do
        probabilities "$seed.bin" >"$seed.p" || return 1
    done
    probabilities 1.bin 2.bin 3.bin >all.p && [ "$(wc -l <all.p)" -eq 200 ] &&
        paste -d ' ' all.p 1.p 2.p 3.p | awk '{ mean = ($6 + $9 + $12) / 3; d = $3 - mean
            if ($1 != $4 || $2 != $5 || d * d > 1e-14) { print; exit 1 } }'
}
claim "predict averages the probabilities of three models" mean_of_three
ranked() { # the first class has the largest mean
    exits 0 "$bin" predict 1.bin 2.bin 3.bin some.idx --top 10 &&
        awk -F"$tab" '{ for (i = 5; i <= NF; i += 2) if ($i > $(i - 2)) exit 1 }' stdout
}
claim "and ranks the classes by the mean" ranked
as_eval_says() {
    exits 0 evaluate 1.bin 2.bin 3.bin --predictions p.csv && exits 0 "$bin" predict 1.bin 2.bin 3.bin some.idx &&
        sed '1d;21q' p.csv | awk -F, '{ printf "some.idx:%s\t%s\t%s\n", $1, $3, $4 }' | cmp - stdout
}
claim "eval gives the same answers, to the digit" as_eval_says
tables_agree() {
    exits 0 evaluate 1.bin 2.bin 3.bin --json --predictions p.csv --mistakes m.csv --confusion c.csv || return 1
    right=$(awk -F, 'NR > 1 && $2 == $3' p.csv | wc -l)
    [ "$(value_of correct)" -eq "$right" ] && [ "$(sed 1d m.csv | wc -l)" -eq $((800 - right)) ] &&
        [ "$(awk -F, 'NR > 1 { n += $NR } END { print n }' c.csv)" -eq "$right" ] || return 1
    tr -d '\n ' <stdout | grep -q '^{"models":\["1.bin","2.bin","3.bin"\],"data":"small","split":"test","n":800,'
}
claim "the tables and the JSON are those of the ensemble" tables_agree
text_names_all() { exits 0 evaluate 1.bin 2.bin && head -n 1 stdout && [ "$(head -n 1 stdout)" = '1.bin + 2.bin on the test images of small' ]; }
claim "the report names all models" text_names_all

same_as_alone() { # the same model once, twice, four times: powers of two divide exactly
    exits 0 evaluate 1.bin --json --predictions one.csv && sed 1,2d stdout >one.json || return 1
    for models in '1.bin 1.bin' '1.bin 1.bin 1.bin 1.bin'; do
        # shellcheck disable=SC2086 # words
        exits 0 evaluate $models --json --predictions two.csv && cmp one.csv two.csv &&
            sed '1,/"data"/d' stdout >two.json && sed 1d one.json | cmp - two.json || return 1
    done
}
claim "a model beside itself gives the answers that it gives alone" same_as_alone
threads_agree() {
    exits 0 evaluate 1.bin 2.bin 3.bin --json --threads 1 && cp stdout one && exits 0 evaluate 1.bin 2.bin 3.bin --json --threads 2 &&
        cmp one stdout && exits 0 env MLP_ISA=scalar "$FAST_MLP" eval -d small 1.bin 2.bin 3.bin --json && cmp one stdout
}
claim "threads and instruction sets change no digit" threads_agree
json_of_predict() {
    exits 0 "$bin" predict --json 1.bin 2.bin seven.pgm && tr -d '\n ' <stdout | grep -q '^{"models":\["1.bin","2.bin"\],"predictions":\[{"file":"seven.pgm"' &&
        exits 0 "$bin" predict --json 1.bin seven.pgm && tr -d '\n ' <stdout | grep -q '^{"model":"1.bin","predictions":'
}
claim "predict --json lists several models, and names one as before" json_of_predict
from_stream() { exits 0 "$bin" predict 1.bin 2.bin - <seven.pgm && cut -f 2- stdout >a && exits 0 "$bin" predict 1.bin 2.bin seven.pgm && cut -f 2- stdout | cmp - a; }
claim "a picture on standard input follows the models" from_stream
if command -v mkfifo >/dev/null && mkfifo pipe 2>/dev/null; then
    from_pipe() {
        cat seven.pgm >pipe &
        exits 0 "$bin" predict 1.bin 2.bin pipe && cut -f 2- stdout | cmp - a && wait $!
    }
    claim "so does a named pipe, whose writer is not disturbed" from_pipe
else
    skip "there are no named pipes here: none was tried"
fi
min_accuracy() { exits 3 evaluate 1.bin 2.bin --min-accuracy 0.9999 && grep -q '^mlp: 1.bin + 2.bin: accuracy .* is below' stderr; }
claim "--min-accuracy is that of the ensemble" min_accuracy

# ---------------------------------------------------------------------------------------------
# What does not belong together

refused_by_both() { # WORD MODEL
    refuses 1 "$1" evaluate 1.bin 2.bin "$2" && grep -q '1\.bin' stderr && grep -qF "$2" stderr &&
        refuses 1 "$1" "$bin" predict 1.bin 2.bin "$2" seven.pgm
}
claim "refused: models of different image sizes" refused_by_both "14 x 14" tiny.bin
claim "refused: models of different class names" refused_by_both "'K'" named.bin
claim "refused: data that are stored in two ways" refused_by_both "say --transpose or --no-transpose" transposed.bin
flag_decides() { exits 0 evaluate 1.bin transposed.bin --no-transpose && exits 0 "$bin" predict 1.bin transposed.bin some.idx --no-transpose; }
claim "unless a flag says how" flag_decides
other_split() { exits 0 evaluate 1.bin split.bin && refuses 1 "split.bin" evaluate 1.bin split.bin --split validation && grep -q '1\.bin' stderr; }
claim "refused: splits that are different images" other_split
other_data() {
    exits 0 train -d tiny -o tiny2.bin --seed 2 && mkdir other && cp tiny/* other/ &&
        { head -c 8 tiny/train-labels-idx1-ubyte && tail -c +9 tiny/train-labels-idx1-ubyte | tr '\1\2' '\2\1'; } >other/train-labels-idx1-ubyte &&
        exits 0 "$bin" eval -d other tiny.bin tiny2.bin --split train && cat stderr && [ "$(grep -c '^mlp: note: .* other data' stderr)" -eq 2 ]
}
claim "a note for each model that was trained on other data" other_data
head -c 3000 2.bin >cut.bin
claim "a damaged model keeps its own reason" refuses 1 "cut.bin: " evaluate 1.bin cut.bin
claim "so does one that is not there" refuses 1 "none.bin: No such file" evaluate 1.bin none.bin
claim "a picture is not a model" refuses 1 "seven.pgm: is a picture, where a model was expected" evaluate 1.bin seven.pgm
missing() { exits 1 "$bin" predict 1.bin none.bin seven.pgm && cat stderr && grep -q '^mlp: none.bin: No such file' stderr && [ "$(wc -l <stdout)" -eq 1 ]; }
claim "predict reports a file that is not there with the pictures" missing
late() { exits 1 "$bin" predict 1.bin seven.pgm 2.bin && cat stderr && grep -q '^mlp: 2.bin is a model; the models come first' stderr; }
claim "and a model that comes after a picture" late
keeps_models() {
    cp 2.bin kept.bin && refuses 1 "would replace the model, kept.bin" evaluate 1.bin kept.bin --predictions kept.bin &&
        refuses 1 "--compare and --confusion are the same file" evaluate 1.bin --compare kept.bin --confusion ./kept.bin && cmp 2.bin kept.bin
}
claim "no table replaces one of the models" keeps_models
claim "refused: a flag in place of the models" refuses 2 "the MODEL is written without a flag: mlp eval MODEL..." "$bin" eval --model 1.bin

# ---------------------------------------------------------------------------------------------
# A comparison

counts_agree() { # against the predictions of both, counted again
    exits 0 evaluate 1.bin 2.bin --predictions a.csv && exits 0 evaluate 3.bin --predictions b.csv --json && accuracy_b=$(value_of accuracy) &&
        exits 0 evaluate 1.bin 2.bin --compare 3.bin --differences d.csv || return 1
    cat stdout
    { echo index,label,predicted_a,predicted_b,probability_a,probability_b && paste -d , a.csv b.csv | awk -F, -v OFS=, \
        'NR > 1 && ($3 == $2) != ($7 == $6) { print $1, $2, $3, $7, $4, $8 }'; } | diff - d.csv || return 1
    paste -d , a.csv b.csv | awk -F, 'NR > 1 { n[($3 == $2) (($7 == $6) ? "+" : "-")]++ }
        END { printf "both correct %d\nonly A correct %d\nonly B correct %d\nboth wrong %d\n", n["1+"], n["1-"], n["0+"], n["0-"] }' >counts
    sed -n 's/  */ /g;/^both\|^only/p' stdout | diff - counts || return 1
    [ "$(awk '/^ *index/ { on = 1; next } on' stdout | wc -l)" -le 20 ] || return 1
    exits 0 evaluate 1.bin 2.bin --compare 3.bin --json && cp stdout json &&
        tr -d '\n ' <json | grep -q '"comparison":{"model":"3.bin",' && grep -q "\"accuracy\": $accuracy_b," json
}
claim "counts, differences and accuracies are those of the predictions" counts_agree
if command -v python3 >/dev/null; then
    cat >check.py <<'PYTHON'
import json, math
from fractions import Fraction
s = json.load(open("json"))
c, n = s["comparison"], s["n"]
a, b = c["only_a_correct"], c["only_b_correct"]
assert c["both_correct"] + a + b + c["both_wrong"] == n
assert c["both_correct"] + a == s["correct"] and c["both_correct"] + b == c["correct"]
assert a + b == len(c["differences"]) > 0
x = [1] * a + [-1] * b + [0] * (n - a - b)
d = sum(x) / n
assert abs(c["difference"] - d) < 1e-9, d
assert abs(c["difference_se"] - math.sqrt(sum((v - d) ** 2 for v in x) / n / n)) < 1e-9
p = min(Fraction(1), 2 * sum(Fraction(math.comb(a + b, i), 2 ** (a + b)) for i in range(min(a, b) + 1)))
assert abs(c["mcnemar_p"] - float(p)) < 1e-8 * float(p), (c["mcnemar_p"], float(p))
for x in c["differences"]:
    assert (x["predicted_a"] == x["label"]) != (x["predicted_b"] == x["label"])
PYTHON
    claim "the JSON's difference, its standard error and McNemar's p are right" python3 check.py
else
    skip "python3 is not installed: McNemar's p of the command was not computed again"
fi
with_itself() {
    exits 0 evaluate 1.bin --compare 1.bin --differences - 2>/dev/null && [ "$(cat stdout)" = index,label,predicted_a,predicted_b,probability_a,probability_b ] &&
        grep -q '^A minus B  *0.00 points, standard error 0.00 points' stderr && grep -q '^McNemar.*p = 1 ' stderr && ! grep -q '^images' stderr
}
claim "a model compared with itself differs nowhere" with_itself
other_way() { # differences change their sign, p does not change
    exits 0 evaluate 1.bin --compare 3.bin --json && p=$(value_of mcnemar_p) d=$(value_of difference) &&
        exits 0 evaluate 3.bin --compare 1.bin --json && [ "$(value_of mcnemar_p)" = "$p" ] && echo "$d $(value_of difference)" | awk '{ exit $1 + $2 != 0 }'
}
claim "the other way round only the sign changes" other_way
compare_splits() {
    exits 0 evaluate 1.bin --compare 2.bin --split validation --differences d.csv && awk -F, 'NR > 1 && ($1 < 667 || $1 > 799) { exit 1 }' d.csv &&
        refuses 1 "split.bin" evaluate 1.bin --compare split.bin --split validation
}
claim "--split chooses the images of both, which must be the same" compare_splits
named() { exits 0 evaluate named.bin --compare named.bin && refuses 1 "class 0 is '0' in 1.bin, but 'K' in named.bin" evaluate 1.bin --compare named.bin; }
claim "refused: a comparison with other class names" named
claim "refused: a comparison with another image size" refuses 1 "tiny.bin" evaluate 1.bin --compare tiny.bin
claim "refused: a comparison with data stored in another way" refuses 1 "say --transpose" evaluate 1.bin --compare transposed.bin
claim "refused: a comparison with a model that is not there" refuses 1 "none.bin: No such file" evaluate 1.bin --compare none.bin
claim "refused: --differences alone" refuses 2 "--differences needs --compare" evaluate 1.bin --differences d.csv
claim "refused: --compare without a value" refuses 2 "--compare needs a value" evaluate 1.bin --compare

finish
