#!/bin/sh
# mlp weights: its table, its CSV against the model's own bytes, its picture on a terminal.
. tests/lib.sh

bin=$MLP
"$FAST_MLP" train -q -d data/mnist --train-size 1000 --val-size 500 --epochs 2 --hidden 12 \
    -o "$WORK/m.bin" --csv "$WORK/m.csv" || exit 1

table() {
    exits 0 "$bin" weights "$WORK/m.bin" && [ ! -s "$WORK/stderr" ] || return 1
    cat "$WORK/stdout"
    [ "$(wc -l <"$WORK/stdout")" -eq 13 ] && tail -n +2 "$WORK/stdout" | awk '{ print $2 }' | sort -c -n &&
        tail -n +2 "$WORK/stdout" | awk '{ print $1 }' | sort -n | tr '\n' ' ' | grep -qx '0 1 2 3 4 5 6 7 8 9 10 11 '
}
claim "in a pipe it is a table of all units, ordered by class" table

if command -v python3 >/dev/null; then
    cat >"$WORK/check.py" <<'PYTHON'
import csv, json, struct, sys
raw = open(sys.argv[1], "rb").read()
n = int.from_bytes(raw[:8], "little")
header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
def tensor(name):
    begin, end = header[name]["data_offsets"]
    return struct.unpack("<%df" % ((end - begin) // 4), data[begin:end])
W1, b1, W2 = tensor("fc1.weight"), tensor("fc1.bias"), tensor("fc2.weight")
rows = list(csv.DictReader(open(sys.argv[2])))
assert len(rows) == 12 and len(rows[0]) == 4 + 784
close = lambda text, value: abs(float(text) - value) <= 1e-7 * max(1, abs(value))
for row in rows:
    h = int(row["unit"])
    column = [W2[k * 12 + h] for k in range(10)]
    assert int(row["class"]) == column.index(max(column)), row["unit"]
    assert close(row["output_weight"], max(column)) and close(row["bias"], b1[h])
    assert all(close(row["w%d" % p], W1[h * 784 + p]) for p in range(784)), row["unit"]
order = [(int(r["class"]), -float(r["output_weight"])) for r in rows]
assert order == sorted(order)
PYTHON
    csv_is_the_model() {
        exits 0 "$bin" weights "$WORK/m.bin" --csv "$WORK/w.csv" && [ ! -s "$WORK/stdout" ] &&
            python3 "$WORK/check.py" "$WORK/m.bin" "$WORK/w.csv"
    }
    claim "the CSV holds the model's weights, and the class of each unit" csv_is_the_model
else
    skip "python3 is not installed: the CSV of weights was not compared with the model"
fi

# With several hidden layers the largest weight of a unit is one to another hidden unit, and says
# nothing about a class.
"$FAST_MLP" train -q -d data/mnist --train-size 1000 --val-size 500 --epochs 1 --hidden 12,7,5 -o "$WORK/deep.bin" \
    --csv "$WORK/deep.csv" || exit 1
deep_units_have_no_class() {
    exits 0 "$bin" weights "$WORK/deep.bin" && [ ! -s "$WORK/stderr" ] && cat "$WORK/stdout" &&
        [ "$(awk 'NR > 1 { print $1, $2, $3, NF }' "$WORK/stdout")" = "$(seq 0 11 | sed 's/$/ - - 6/')" ] &&
        exits 0 "$bin" weights "$WORK/deep.bin" --csv "$WORK/w.csv" || return 1
    [ "$(head -n 1 "$WORK/w.csv" | cut -d, -f1-6)" = unit,class,output_weight,bias,w0,w1 ] &&
        [ "$(tail -n +2 "$WORK/w.csv" | cut -d, -f1-3)" = "$(seq 0 11 | sed 's/$/,,/')" ] &&
        [ "$(awk -F, '{ print NF }' "$WORK/w.csv" | sort -u)" = 788 ]
}
claim "the units of a network with several hidden layers are in their order, without a class" deep_units_have_no_class
claim "its second layer has no images to show" refuses 1 'the shape of an image' "$bin" weights "$WORK/deep.bin" --layer 2
claim "nor has it a fifth one" refuses 1 'fewer layers' "$bin" weights "$WORK/deep.bin" --layer 5

if command -v script >/dev/null; then
    on_terminal() { # VARIABLES COLUMNS
        TERM=xterm PROGRAM=$bin MODEL=$WORK/m.bin \
            script -qec "stty cols $2; env $1 \"\$PROGRAM\" weights \"\$MODEL\"" "$WORK/typescript" >/dev/null </dev/null
    }
    draws() {
        on_terminal A= 130 && grep -q '48;5;' "$WORK/typescript" && grep -q "$(printf '\342\226\200')" "$WORK/typescript"
    }
    claim "on a terminal it draws" draws
    draws_deep() {
        TERM=xterm PROGRAM=$bin MODEL=$WORK/deep.bin script -qec "\"\$PROGRAM\" weights \"\$MODEL\"" "$WORK/typescript" \
            >/dev/null </dev/null && grep -q '48;5;' "$WORK/typescript" && grep -q 'hidden unit;' "$WORK/typescript" &&
            ! grep -q 'output weight' "$WORK/typescript"
    }
    claim "it names no class where there is none" draws_deep
    fits() { # COLUMNS: no line has more characters than the terminal
        on_terminal A= "$1" && sed '1d; s/\x1b\[[0-9;]*m//g; s/\xe2\x96\x80/#/g; s/\r//' "$WORK/typescript" |
            grep '#' | awk -v most="$1" 'length($0) > most + 1 { print length($0); bad = 1 } END { exit bad || NR == 0 }'
    }
    for columns in 240 130 80 20; do
        claim "$columns columns are enough" fits $columns
    done
    no_colour() { on_terminal NO_COLOR=1 130 && ! grep -q '48;5;' "$WORK/typescript" && grep -q 'output weight' "$WORK/typescript"; }
    claim "NO_COLOR makes it a table" no_colour
else
    skip "script is not installed: nothing was drawn on a terminal"
fi

cp "$WORK/m.bin" "$WORK/kept.bin"
claim "--csv must not replace the model" refuses 1 --csv "$bin" weights "$WORK/m.bin" --csv "$WORK/./m.bin"
claim "which is still there" cmp "$WORK/m.bin" "$WORK/kept.bin"
claim "--csv needs a name" refuses 2 --csv "$bin" weights "$WORK/m.bin" --csv=
claim "a CSV in a missing directory is refused" refuses 1 none "$bin" weights "$WORK/m.bin" --csv "$WORK/none/w.csv"
claim "a missing model is refused" refuses 1 none.bin "$bin" weights "$WORK/none.bin"
claim "a model must be named" refuses 2 MODEL "$bin" weights

finish
