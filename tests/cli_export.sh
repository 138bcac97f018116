#!/bin/sh
# mlp export: ONNX against ONNX's own checker and ONNX Runtime, the arrays for NumPy against the model
# file, and the command's errors. Nothing here knows the formats: other programs read them.
. tests/lib.sh

bin=$MLP project=$PWD test_images=$PWD/data/mnist/t10k-images-idx3-ubyte.gz
small_data "$WORK/small" 300
small_data "$WORK/square" 300 16
small_data "$WORK/wide" 300
for part in train t10k; do # 28 x 28 pixels, read as 16 x 49
    { printf '\0\0\010\003' && u32 300 && u32 16 && u32 49 && tail -c +17 "$WORK/small/$part-images-idx3-ubyte"; } \
        >"$WORK/wide/$part-images-idx3-ubyte"
done
cd "$WORK" || exit 1
"$FAST_MLP" train -q -d "$project/data/mnist" --epochs 5 -o model.bin --csv m.csv &&
    "$FAST_MLP" train -q -d "$project/data/mnist" --arch cnn --epochs 1 --train-size 10000 -o cnn.bin --csv m.csv || exit 1

# Every kind of layer, one to eight hidden layers, sides that differ, maps of one pixel (square), and
# names with characters of one to four bytes, large ones of each.
printf 'zero\none\n\337\220\n\357\274\241\n\364\200\200\200\n"5"\n\\n\n7\n8\nan ox\n' >names
cat >networks <<'END'
small --hidden 12 --classes names
small --hidden 9,8,7,6,5,6,7,8 --activation tanh
small --hidden 20,10 --activation relu --transpose
small --arch lenet5 --channels 3,20 --activation sigmoid
wide --arch cnn --channels 4,5 --activation tanh
square --arch lenet5
END
n=0
while read -r data flags; do
    n=$((n + 1))
    # shellcheck disable=SC2086 # words
    "$FAST_MLP" train -q -d "$data" --val-size 50 --batch 10 --epochs 4 $flags -o "net$n.bin" --csv m.csv 2>said || { cat said; exit 1; }
done <networks
models="model cnn net1 net2 net3 net4 net5 net6"

exports_all() { # FORMAT
    for model in $models; do
        exits 0 "$bin" export "$model.bin" --format "$1" -o "$model.$1" || return 1
        [ ! -s stdout ] && [ ! -s stderr ] || return 1
    done
}
claim "every network is exported to ONNX" exports_all onnx
claim "and to NumPy" exports_all npz

# ---------------------------------------------------------------------------------------------
# ONNX

if node "$project/tests/onnxruntime.js" 2>/dev/null; then
    same_answers() { # MODEL DATA IMAGES; ONNX takes images row by row, however the training files had them
        exits 0 "$FAST_MLP" eval "$1.bin" -d "$2" --no-transpose --predictions p.csv &&
            node "$project/tests/onnxruntime.js" "$1.onnx" "$3" p.csv
    }
    for model in model cnn; do
        claim "ONNX Runtime gives the classes of all 10,000 test images and the probabilities within 1e-5: $model" \
            same_answers $model "$project/data/mnist" "$test_images"
    done
    n=0
    while read -r data flags; do
        n=$((n + 1))
        claim "so it does with $flags" same_answers "net$n" "$data" "$data/t10k-images-idx3-ubyte"
    done <networks
else
    skip "node with the package onnxruntime-node is not installed: no engine ran the ONNX files"
fi

cat >check_onnx.py <<'PYTHON'
import json, sys, onnx
from onnx import numpy_helper
path, info, reader = sys.argv[1:]
model, info = onnx.load(path), json.load(open(info))
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True).graph
shapes = {v.name: [d.dim_value or d.dim_param for d in v.type.tensor_type.shape.dim]
          for v in [*inferred.input, *inferred.value_info, *inferred.output]}
rows, cols, classes = (int(info["settings"][key]) for key in ("image_rows", "image_cols", "classes"))
assert shapes["pixels"] == ["N", 1, rows, cols] and shapes["probabilities"] == shapes["logits"] == ["N", classes], shapes
assert all(node.output[0] in shapes and node.name for node in model.graph.node), shapes
assert model.opset_import[0].version >= 13 and len(model.opset_import) == 1
assert {p.key: p.value for p in model.metadata_props} == info["settings"]
exec(open(reader).read())
weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
scale = weights.pop("input_scale")
assert scale.shape == () and abs(scale * 255 * float(meta["pixel_std"]) - 1) < 1e-7
assert weights.keys() == w.keys() and all(weights[n].tobytes() == w[n].tobytes() and weights[n].shape == w[n].shape for n in w)
assert model.SerializeToString() == open(path, "rb").read()
PYTHON
# Defines `meta` and `w`, what the model file has: the first lines of include/README.md on it.
reader() { # MODEL
    sed -n '/^### Model/,/^### Exports/p' "$project/include/README.md" |
        sed -n '/^import json/,/^meta, w/p' | sed "s/\"model.bin\"/\"$1.bin\"/"
}
python_accepts() { # SCRIPT MODEL EXPORT
    exits 0 "$FAST_MLP" info --json "$2.bin" && cp stdout info.json && reader "$2" >reader.py &&
        /usr/bin/python3 "$1" "$3" info.json reader.py
}
if /usr/bin/python3 -c 'import onnx' 2>/dev/null; then
    checker_accepts() {
        for model in $models; do
            python_accepts check_onnx.py "$model" "$model.onnx" || { echo "$model"; return 1; }
        done
    }
    claim "ONNX's checker accepts every network; shapes, metadata and weights are those of the model" checker_accepts
else
    skip "python3-onnx is not installed: its checker read no ONNX file"
fi

# ---------------------------------------------------------------------------------------------
# NumPy

cat >check_npz.py <<'PYTHON'
import json, sys, zipfile, numpy
path, info, reader = sys.argv[1:]
archive, info = zipfile.ZipFile(path), json.load(open(info))
assert archive.testzip() is None
assert all(f.compress_type == zipfile.ZIP_STORED and f.date_time[:3] == (1980, 1, 1) for f in archive.infolist())
arrays = dict(numpy.load(path, allow_pickle=False))
exec(open(reader).read())
names = info["settings"].get("class_names", "").split("\n")
names += [""] * (int(info["settings"]["classes"]) - len(names))
assert list(arrays.pop("class_names")) == [name or str(k) for k, name in enumerate(names)]
default = "sigmoid" if info["settings"]["architecture"] == "mlp" else "relu"
assert str(arrays.pop("activation")) == info["settings"].get("activation", default)
std = arrays.pop("pixel_std")
assert std.shape == () and std.dtype == float and std == float(meta["pixel_std"])
assert arrays.keys() == w.keys()
for name, array in arrays.items():
    assert array.dtype == "<f4" and array.shape == w[name].shape and array.tobytes() == w[name].tobytes(), name
PYTHON
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    arrays_are_the_model() {
        for model in $models; do
            python_accepts check_npz.py "$model" "$model.npz" || { echo "$model"; return 1; }
        done
    }
    claim "NumPy reads every network without pickles; the arrays are the model's, bit for bit" arrays_are_the_model
    documented() { # the lines of include/README.md
        # shellcheck disable=SC2016 # backquotes are meant
        sed -n '/^### Exports/,/^### Tables/p' "$project/include/README.md" |
            sed -n '/^```python$/,/^```$/p' | sed '/^```/d' >classify.py
        (cd "$project" && sed "s,\"model.npz\",\"$WORK/model.npz\"," "$WORK/classify.py" | /usr/bin/python3 -) >said &&
            exits 0 "$FAST_MLP" eval model.bin -d "$project/data/mnist" --predictions p.csv && cat said || return 1
        awk -F, 'NR == 2 { first = $3 } NR > 1 { n++; right += $2 == $3 }
            END { printf "%.2f%% %s\n", 100 * right / n, first }' p.csv | cmp - said
    }
    claim "the lines of include/README.md give the accuracy of mlp eval" documented
else
    skip "python3-numpy is not installed: it read no arrays"
fi

# ---------------------------------------------------------------------------------------------
# The command

same_bytes() { # FORMAT: from another directory, under another name, a year later for all that it knows
    mkdir -p elsewhere && cp model.bin elsewhere/other.bin &&
        (cd elsewhere && TZ=Asia/Tokyo LC_ALL=C.UTF-8 exits 0 "$FAST_MLP" export other.bin -o "other.$1") &&
        cmp "model.$1" "elsewhere/other.$1"
}
defaults() { # FORMAT
    mkdir -p "new$1" && (cd "new$1" && WORK=. exits 0 "$bin" export ../model.bin --format "$1" && cmp "../model.$1" "model.$1") &&
        [ "$(echo "new$1"/model*)" = "new$1/model.$1" ]
}
to_stdout() { "$bin" export model.bin --format "$1" -o - | cmp "model.$1" -; }
for format in onnx npz; do
    claim "$format: the same model gives the same bytes" same_bytes $format
    claim "$format: the file is named after the format" defaults $format
    claim "$format: to standard output" to_stdout $format
done
onnx_by_default() { (cd elsewhere && rm -f ./*.onnx && WORK=. exits 0 "$bin" export ../cnn.bin && cmp ../cnn.onnx model.onnx); }
claim "without a format and a file it is ONNX" onnx_by_default
named_after_neither() { exits 0 "$bin" export model.bin --format npz -o weights.onnx && cmp weights.onnx model.npz; }
claim "--format is stronger than the ending" named_after_neither

echo kept >old.onnx
keeps() { # STATUS WORD ARGUMENTS...: refused, and the older file is there
    status=$1 word=$2
    shift 2
    refuses "$status" "$word" "$bin" export "$@" && [ "$(cat old.onnx)" = kept ] && [ -z "$(find . -name '.mlp-*')" ]
}
damaged() { head -c 5000 model.bin >damaged.bin && keeps 1 'damaged.bin' damaged.bin -o old.onnx; }
cp model.bin kept.bin
ln -s model.bin link.onnx
mkdir directory.npz
claim "an unknown format" keeps 2 "'torch' is not one of" model.bin --format torch -o old.onnx
claim "an unknown ending" keeps 2 '--output weights.dat: ' model.bin -o weights.dat
claim "no ending" keeps 2 '--output ./a.npz/weights: ' model.bin -o ./a.npz/weights
claim "standard output without a format" keeps 2 '--format' model.bin -o -
claim "no model" keeps 2 MODEL -o old.onnx
claim "two models" keeps 2 cnn.bin model.bin cnn.bin -o old.onnx
claim "a missing model" keeps 1 none.bin none.bin -o old.onnx
claim "a damaged model" damaged
claim "a file that is not a model" keeps 1 'model.npz' model.npz -o old.onnx
claim "an output that is the model" keeps 1 'would replace the model' model.bin --format onnx -o ./model.bin
claim "or a link to it" keeps 1 'would replace the model' model.bin -o link.onnx
claim "which is still there" cmp model.bin kept.bin
claim "a missing directory" keeps 1 none/m.onnx model.bin -o none/m.onnx
claim "an output that is a directory" keeps 1 'is a directory' model.bin -o directory.npz
full_disk() { # it is said once
    [ ! -c /dev/full ] || refuses 1 '/dev/full: ' "$bin" export model.bin --format "$1" -o /dev/full
}
claim "onnx on a full disk" full_disk onnx
claim "npz on a full disk" full_disk npz

finish
