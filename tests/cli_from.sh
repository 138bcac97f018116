#!/bin/sh
# mlp train --from from outside: a new training starts from a model's weights, keeps its network, its
# classes and its input scale, says from which model, and loses nothing.
. tests/lib.sh

bin=$MLP fast=$FAST_MLP
ROOT=$PWD
small_data "$WORK/data" 400 28
small_data "$WORK/tiny" 60 14
cd "$WORK" || exit 1
mkdir other twelve && cp data/* other/ && cp data/* twelve/
# Other labels, and one beyond the model's classes.
{ head -c 8 data/train-labels-idx1-ubyte && tail -c +9 data/train-labels-idx1-ubyte | tr '\1\2\3' '\2\3\1'; } >other/train-labels-idx1-ubyte
{ head -c 8 data/train-labels-idx1-ubyte && printf '\013' && tail -c +10 data/train-labels-idx1-ubyte; } >twelve/train-labels-idx1-ubyte

train() {
    "$bin" train -q -d data "$@"
}
fact() { # MODEL KEY
    "$fast" info "$1" | awk -v key="$2" '$1 == key { print $2 }'
}
tensors() { # MODEL: its parameters, as they are in the file
    tail -c $((4 * (784 * 16 + 16 + 160 + 10))) "$1"
}
claim "a model to start from" exits 0 train --epochs 3 --hidden 16 -o base.bin

# ---------------------------------------------------------------------------------------------
# What is new, and what is kept

starts_there() { # with a learning rate that changes nothing
    exits 0 train --from base.bin --lr 1e-30 --epochs 1 -o same.bin && tensors base.bin >a && tensors same.bin | cmp - a
}
claim "the training starts from the weights of the model" starts_there
is_new() {
    exits 0 train --from base.bin --epochs 2 --batch 16 --seed 5 --momentum 0.9 -o new.bin --json && cat stdout &&
        grep -q '"from": "base.bin"' stdout && [ "$(cut -d, -f1 new.csv | tr '\n' ' ')" = 'epoch 1 2 ' ] || return 1
    for expected in 'epochs 2' 'batch_size 16' 'seed 5' 'momentum 0.9' 'hidden 16' 'learning_rate 0.001' 'format mlp' \
        "from_crc32 $(fact base.bin checksum_crc32)" "pixel_std $(fact base.bin pixel_std)"; do
        [ "$(fact new.bin "${expected% *}")" = "${expected#* }" ] || { echo "not $expected"; return 1; }
    done
    [ -z "$(fact base.bin from_crc32)" ] && grep -q '"format":"mlp 2"' new.bin && grep -q '"format":"mlp 1"' base.bin
}
claim "settings, epochs and curves are new; the network is kept and the model named" is_new
says_so() {
    exits 0 "$bin" train -d data --from base.bin --epochs 1 -o said.bin && cat stderr && grep -qx 'starts from the weights of base.bin' stderr
}
claim "the report says where it starts" says_so
same_bytes() {
    exits 0 env MLP_ISA=scalar "$fast" train -q -d data --threads 1 --from base.bin --epochs 2 --batch 16 --seed 5 --momentum 0.9 -o scalar.bin &&
        cmp new.bin scalar.bin
}
claim "the same command gives the same bytes" same_bytes
resumed() { # in two parts
    exits 0 train --from base.bin --epochs 1 --batch 16 --seed 5 --momentum 0.9 -o part.bin &&
        exits 0 train --resume part.bin --epochs 2 && cmp new.bin part.bin
}
claim "it is resumed byte for byte" resumed
planned() {
    exits 0 train --from base.bin --epochs 2 --schedule cosine -o planned.bin && exits 0 train --from planned.bin --epochs 3 --schedule cosine -o more.bin &&
        [ "$(fact more.bin epochs)" = 3 ] && [ "$(fact more.bin from_crc32)" = "$(fact planned.bin checksum_crc32)" ]
}
claim "a model whose schedule is complete can be a start" planned
agreeing_flags() { exits 0 train --from base.bin --epochs 1 --arch mlp --hidden 16 --activation sigmoid -o agree.bin; }
claim "flags that agree with the model are accepted" agreeing_flags
convolutional() { # its architecture decides the defaults and the preset
    exits 0 train --arch cnn --epochs 1 --hidden 8 --channels 4-8 -o cnn.bin && exits 0 train --from cnn.bin --epochs 1 -o c2.bin &&
        exits 0 train --from cnn.bin --epochs 1 --channels 4-8 --preset accurate -o c3.bin || return 1
    for expected in 'architecture cnn' 'channels 4-8' 'hidden 8' 'learning_rate 0.002'; do
        [ "$(fact c2.bin "${expected% *}")" = "${expected#* }" ] || { echo "not $expected"; return 1; }
    done
    [ "$(fact c3.bin preset)" = accurate ] && [ "$(fact c3.bin channels)" = 4-8 ] && [ "$(fact c3.bin ema)" = 0.999 ]
}
claim "a convolutional model needs no --arch, and has the defaults and presets of its own" convolutional
earlier() { # a model of format 1, which every version must read
    "$fast" info "$ROOT/tests/models/mlp.bin" >/dev/null || return 1
    side=$(fact "$ROOT/tests/models/mlp.bin" image_rows)
    MNIST=$ROOT/data/mnist small_data side 60 "$side" && exits 0 "$bin" train -q -d side --from "$ROOT/tests/models/mlp.bin" --epochs 1 -o e.bin &&
        [ "$(fact e.bin from_crc32)" = "$(fact "$ROOT/tests/models/mlp.bin" checksum_crc32)" ]
}
claim "a model of format 1 can be a start" earlier

# ---------------------------------------------------------------------------------------------
# Other data

other_data() {
    exits 0 "$bin" train -q -d other --from base.bin --epochs 1 -o other.bin && [ "$(fact other.bin data_crc32)" != "$(fact base.bin data_crc32)" ] &&
        [ "$(fact other.bin pixel_std)" = "$(fact base.bin pixel_std)" ] && exits 0 "$bin" train -q -d other --resume other.bin --epochs 2
}
claim "other data are trained on with the model's input scale" other_data
claim "refused: images of another size" refuses 1 "14 x 14" "$bin" train -q -d tiny --from base.bin -o x.bin
claim "refused: a label that the model does not have" refuses 1 "12 classes" "$bin" train -q -d twelve --from base.bin -o x.bin
names() {
    exits 0 train --epochs 1 --classes K-T -o named.bin && exits 0 train --from named.bin --epochs 1 -o n2.bin &&
        "$fast" info n2.bin | grep -q '^class_names  *K, L, M' && exits 0 train --from named.bin --epochs 1 --classes K-T -o n3.bin && cmp n2.bin n3.bin &&
        refuses 1 "keeps its classes" train --from named.bin --epochs 1 --classes A-J -o x.bin
}
claim "the names of the classes are the model's" names
stored() {
    exits 0 train --epochs 1 --transpose -o t.bin && exits 0 train --from t.bin --epochs 1 -o t2.bin && [ "$(fact t2.bin transposed)" = true ] &&
        exits 0 train --from t.bin --epochs 1 --no-transpose -o t3.bin && [ -z "$(fact t3.bin transposed)" ] &&
        exits 0 train --from base.bin --epochs 1 --transpose -o t4.bin && [ "$(fact t4.bin transposed)" = true ]
}
claim "how the data are stored is remembered, unless a flag says it" stored

# ---------------------------------------------------------------------------------------------
# What is refused, and nothing lost

contradicts() { # FLAG VALUE WORDS
    refuses 2 "$3" train --from base.bin "$1" "$2" -o x.bin
}
claim "refused: other hidden units" contradicts --hidden 32 "--hidden 32: base.bin has 16, and a training that starts from a model keeps its network"
claim "refused: more layers" contradicts --hidden 16,8 "--hidden 16-8: base.bin has 16"
claim "refused: another architecture" contradicts --arch cnn "--arch cnn: base.bin has mlp"
claim "refused: another activation" contradicts --activation relu "--activation relu: base.bin has sigmoid"
claim "refused: channels of a model without" contradicts --channels 4-8 "--channels 4-8: base.bin has none"
claim "refused: channels when such a model is resumed" refuses 2 "--channels 4-8: base.bin was trained with none" train --resume base.bin --channels 4-8
claim "refused: a setting out of range" contradicts --momentum 1 "--momentum"
claim "refused: settings that contradict each other" refuses 2 momentum train --from base.bin --optimizer adam --momentum 0.5 -o x.bin
claim "refused: --resume, too" refuses 2 "--resume and --from cannot be combined" train --from base.bin --resume base.bin
claim "refused: --no-transpose without --from" refuses 2 "--no-transpose needs --from" train --no-transpose
claim "refused: no value" refuses 2 "--from needs a value" train --from
claim "refused: a model that is not there" refuses 1 "none.bin: No such file" train --from none.bin -o x.bin
head -c 3000 base.bin >cut.bin
claim "refused: a damaged model" refuses 1 "cut.bin: " train --from cut.bin -o x.bin
nothing_is_lost() {
    cp base.bin model.bin && ln -sf model.bin link.bin && cp base.bin model.csv.bin || return 1
    refuses 1 "--from model.bin: the new model would replace it; name another file with --output" train --from model.bin --epochs 1 &&
        refuses 1 "would replace it" train --from link.bin --epochs 1 -o ./model.bin &&
        refuses 1 "--from and --csv are the same file" train --from model.bin --epochs 1 -o x.bin --csv model.bin &&
        cmp base.bin model.bin && [ ! -e x.bin ]
}
claim "the model that it starts from is not replaced" nothing_is_lost
help() { exits 0 "$bin" train --from none.bin --help && grep -q -e '--from MODEL' stdout; }
claim "--help wins" help

finish
