#!/bin/sh
# mlp export --format c: the file compiles without warnings and without a library, and gives the bits
# of `mlp predict --raw` with compilers, levels and flags that differ, and on other machines. Its
# int8 form gives the same bits everywhere, and loses at most 0.1 points.
. tests/lib.sh

bin=$MLP project=$PWD
small_data "$WORK/small" 300
small_data "$WORK/square" 300 16
gzip -dc data/mnist/t10k-images-idx3-ubyte.gz >"$WORK/images"
gzip -dc data/mnist/t10k-labels-idx1-ubyte.gz >"$WORK/labels"
cd "$WORK" || exit 1
"$FAST_MLP" train -q -d "$project/data/mnist" --epochs 5 -o default.bin --csv m.csv &&
    "$FAST_MLP" train -q -d "$project/data/mnist" --arch cnn --channels 8,16 --hidden 16 --epochs 1 --train-size 20000 \
        -o cnn.bin --csv m.csv || exit 1

# Every kind of layer, one to eight hidden layers, odd sizes, maps of one pixel (square), and names
# that C must not misread.
printf '"0"\n\\n\n??/\n\303\244\n*/\n5%%d\n//\n7\n8\nan ox\n' >names
cat >networks <<'END'
small --hidden 13 --activation relu --classes names
small --hidden 9,8,7,6,5,6,7,8 --activation tanh
small --arch lenet5 --channels 3,20 --activation sigmoid
small --arch cnn --channels 5,7 --hidden 9,11 --activation tanh
square --arch lenet5
END
n=0
while read -r data flags; do
    n=$((n + 1))
    # shellcheck disable=SC2086 # words
    "$FAST_MLP" train -q -d "$data" --val-size 50 --batch 10 --epochs 4 $flags -o "net$n.bin" --csv m.csv 2>notes || exit 1
done <networks

# first N: an IDX file of the first test images, "images" and N.
first() {
    { head -c 4 images && u32 "$1" && tail -c +9 images | head -c $((8 + $1 * 28 * 28)); } >"images$1"
}
first 1000 && first 200 && first 20

exports_all() {
    for model in default cnn net1 net2 net3 net4 net5; do
        exits 0 "$bin" export "$model.bin" -o "$model.c" && exits 0 "$bin" export "$model.bin" --type int8 -o "$model.int8.c" ||
            return 1
        [ ! -s stdout ] && [ ! -s stderr ] || return 1
    done
    exits 0 "$bin" export cnn.bin --prepare -o prepared.c
}
claim "every network is exported to C, in float32 and in int8" exports_all

# answers FILE IMAGES RUNNER COMPILER FLAGS...: of each image the class and the probabilities of all.
answers() {
    file=$1 images=$2 runner=$3
    shift 3
    rm -f run
    "$@" -o run "$project/scripts/examples/exported.c" "$file" && $runner ./run "$images" >answers
}
# The same from `mlp predict --raw`, whose classes are numbers.
predicted() { # MODEL IMAGES
    "$FAST_MLP" predict "$1.bin" --raw --top 10 "$2" | awk -F '\t' -v OFS='\t' '{
        for (i = 2; i < NF; i += 2) p[$i] = $(i + 1)
        print $2, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9] }'
}
same_answers() { # MODEL IMAGES RUNNER COMPILER FLAGS...
    [ -e "$1.$2" ] || predicted "$1" "$2" >"$1.$2" || return 1
    expected=$1.$2 model=$1
    shift
    answers "$model.c" "$@" && [ -s answers ] && cmp answers "$expected"
}
same_int8_answers() { # MODEL IMAGES RUNNER COMPILER FLAGS...: as those of "$CC" -O1
    expected=$1.int8.$2 model=$1
    [ -e "$expected" ] || { answers "$1.int8.c" "$2" '' "$CC" -O1 && mv answers "$expected"; } || return 1
    shift
    answers "$model.int8.c" "$@" && [ -s answers ] && cmp answers "$expected"
}

claim "the answers of float32 are those of mlp predict --raw on all 10,000 test images: $CC -O3" same_answers default images '' \
    "$CC" -O3

# cell COMPILER IMAGES CNN_IMAGES RUNNER FLAGS...: float32 and int8 of both architectures
cell() {
    compiler=$1 images=$2 cnn_images=$3 runner=$4
    shift 4
    if ! command -v "$compiler" >/dev/null || { [ -n "$runner" ] && ! command -v "$runner" >/dev/null; }; then
        skip "$compiler${runner:+ or $runner} is not installed: exported C was not compiled with it"
        return
    fi
    claim "the answers of float32 are the same with $compiler $*" same_answers default "$images" "$runner" "$compiler" "$@"
    claim "and of the convolutional network" same_answers cnn "$cnn_images" "$runner" "$compiler" "$@"
    claim "those of int8, too" same_int8_answers default "$images" "$runner" "$compiler" "$@"
    claim "and of the convolutional network, too" same_int8_answers cnn "$cnn_images" "$runner" "$compiler" "$@"
}
# Where the machine has a fused multiply-add, the third may use it wherever a product is added to.
for compiler in gcc clang; do
    cell "$compiler" images200 images20 '' -O0
    cell "$compiler" images1000 images200 '' -O3
    cell "$compiler" images1000 images200 '' -O3 -march=native -ffp-contract=fast
done
cell aarch64-linux-gnu-gcc images200 images20 qemu-aarch64 -O3 -ffp-contract=fast -static
cell s390x-linux-gnu-gcc images200 images20 qemu-s390x -O2 -static
cell arm-linux-gnueabi-gcc images200 images20 qemu-arm -Os -static

# The small networks have every kind of layer; the large ones would only take longer.
warnings='-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Wmissing-prototypes -Werror'
clean() { # COMPILER
    for file in net1 net2 net3 net4 net1.int8 net2.int8 net3.int8 net4.int8 prepared; do
        # shellcheck disable=SC2086 # words
        "$1" $warnings -O1 -c -o object.o "$file.c" || return 1
    done
}
for compiler in gcc clang; do
    if command -v $compiler >/dev/null; then
        claim "$compiler compiles them without a warning" clean $compiler
    else
        skip "$compiler is not installed: its warnings on exported C were not looked for"
    fi
done

other_networks() { # with the program's own memory checked
    for model in net2 net3 net4; do
        same_answers "$model" images200 '' "$CC" -O1 -fsanitize=address,undefined -fno-sanitize-recover=all || return 1
        same_int8_answers "$model" images200 '' "$CC" -O1 -fsanitize=address,undefined -fno-sanitize-recover=all || return 1
    done
}
claim "eight layers, LeNet-5, odd sizes: the same answers, and nothing beyond an array" other_networks
maps_of_one_pixel() {
    { printf '\0\0\010\003' && u32 200 && u32 16 && u32 16 && tail -c +17 images | head -c $((200 * 256)); } >square16 &&
        same_answers net5 square16 '' "$CC" -O1
}
claim "images of 16 x 16, whose maps end as one pixel" maps_of_one_pixel
own_names() {
    answers net1.c images200 '' "$CC" -O1 && cut -f 1 answers >named &&
        "$FAST_MLP" predict net1.bin --raw images200 | cut -f 2 | diff named - && [ "$(sort -u named | wc -l)" -gt 4 ]
}
claim "names of classes come back, whatever they are" own_names

needs_nothing() { # but what a compiler calls of itself
    for file in default cnn default.int8 cnn.int8; do
        "$CC" -O2 -ffreestanding -c -o object.o "$file.c" || return 1
        nm object.o | sed -n 's/^ *U _*//p' | grep -v -x 'mem[a-z]*\|GLOBAL_OFFSET_TABLE_\|stack_chk_fail' && return 1
        nm -g --defined-only object.o | awk '{ print $NF }' | sort | tr '\n' ' ' | grep -x 'model_class_name model_classify ' ||
            return 1
    done
}
if command -v nm >/dev/null; then
    claim "they call no library, and define two names" needs_nothing
else
    skip "nm is not installed: what exported C calls was not looked at"
fi

refused_by_the_file() {
    ! "$CC" -ffast-math -c -o object.o default.c 2>said && grep -q 'ffast-math' said
}
claim "-ffast-math is refused" refused_by_the_file
static_memory() {
    answers cnn.c images20 '' "$CC" -O1 -Dmodel_memory=static && predicted cnn images20 | cmp answers -
}
claim "the memory of a call may be static" static_memory

accuracy() { # FILE: correct answers among the test images
    rm -f run
    "$CC" -O3 -o run "$project/scripts/examples/exported.c" "$1" && ./run images labels |
        sed -n 's/^accuracy .* (\([0-9]*\) of 10000)$/\1/p'
}
loses_little() { # MODEL
    float=$(accuracy "$1.c") int8=$(accuracy "$1.int8.c") own=$("$FAST_MLP" eval "$1.bin" --json -d "$project/data/mnist" |
        sed -n 's/^ *"correct": \([0-9]*\).*/\1/p' | head -n 1)
    echo "float32 $float, int8 $int8, mlp eval $own"
    [ -n "$own" ] && [ "$float" -eq "$own" ] && [ "$int8" -gt $((float - 10)) ]
}
claim "the example counts what mlp eval counts, and int8 loses less than 0.1 points" loses_little default
claim "and so it is with the convolutional network" loses_little cnn

fast_enough() { # a quarter of what it must reach where nothing else runs
    "$CC" -O3 -o run "$project/scripts/examples/exported.c" default.c && ./run images labels 2 >said && cat said &&
        [ "$(sed -n 's/ images\/s$//p' said)" -gt 75000 ]
}
claim "the default network classifies more than 75,000 images per second" fast_enough

same_name() {
    exits 0 "$bin" export default.bin --format c --name digit -o - && sed 's/digit_/model_/g' stdout | cmp - default.c &&
        "$CC" -O1 -DNAME=digit -o run "$project/scripts/examples/exported.c" -x c stdout && ./run images20
}
claim "--name is what names begin with" same_name

# Clean pictures three times as large: the digits of MNIST have their size and place again, and so nearly
# always the class that the library's whole preparation gives.
if command -v python3 >/dev/null; then
    python3 - <<'END'
pixels = open("images200", "rb").read()[16:]
rows = [pixels[28 * i:28 * i + 28] for i in range(200 * 28)]
large = b"".join(3 * bytes(v for v in row for _ in range(3)) for row in rows)
open("large200", "wb").write(bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (200, 84, 84)) + large)
open("large200.pgm", "wb").write(b"".join(b"P5 84 84 255 " + large[7056 * i:7056 * i + 7056] for i in range(200)))
END
    prepares() {
        answers prepared.c large200 '' "$CC" -O1 -DPREPARE=784 -fsanitize=address,undefined -fno-sanitize-recover=all &&
            cut -f 1 answers >classes && "$FAST_MLP" predict cnn.bin large200.pgm 2>notes | cut -f 2 >whole || return 1
        n=$(paste classes whole | awk '$1 == $2' | wc -l)
        echo "$n of 200 as mlp predict"
        [ "$n" -ge 197 ] && [ "$(wc -l <whole)" -eq 200 ]
    }
    claim "--prepare adds a function that prepares clean pictures as mlp predict does, nearly always" prepares
else
    skip "python3 is not installed: the preparation of pictures was not run"
fi
blank_or_too_large() {
    cat >edges.c <<'END'
int model_prepare(unsigned char *pixels, const unsigned char *image, int rows, int columns);
int main(void)
{
    static unsigned char image[4001], pixels[784], one = 200;
    pixels[0] = 1;
    if (model_prepare(pixels, image, 1, 4000) != 0 || pixels[0] != 0 || model_prepare(pixels, image, 1, 4001) != 0 ||
        model_prepare(pixels, image, 0, 5) != 0 || model_prepare(pixels, image, 5, -1) != 0)
        return 1;
    image[3999] = 1;
    return !model_prepare(pixels, image, 4000, 1) || !model_prepare(pixels, &one, 1, 1) || pixels[14 * 28 + 14] != 255;
}
END
    "$CC" -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -o run edges.c prepared.c && ./run
}
claim "it says that a black picture or one that is too large has no digit, and takes one of a pixel" blank_or_too_large
for name in 7up two-words 'a b' '' _a "$(printf %080d 1 | tr 01 ab)"; do
    claim "--name '$name' is refused" refuses 2 '--name' "$bin" export default.bin --format c --name="$name" -o bad.c
done
claim "--type of another format is refused" refuses 2 '--type' "$bin" export default.bin --format npz --type int8
claim "--prepare, too" refuses 2 '--prepare' "$bin" export default.bin --format npz --prepare
claim "--name, too" refuses 2 '--name' "$bin" export default.bin --format onnx --name digit
claim "an unknown type is refused" refuses 2 '--type' "$bin" export default.bin --format c --type int4
claim "nothing was written" [ ! -e bad.c ]

# 640,000 pixels: sums of whole numbers that do not fit 32 bits.
large_sums() {
    small_data large 12 800 && "$FAST_MLP" train -q -d large --val-size 2 --hidden 1 --epochs 1 -o large.bin --csv m.csv &&
        echo old >large.c && refuses 1 'large.bin: fc1.weight: sums of 640000 inputs' "$bin" export large.bin --type int8 -o large.c &&
        echo old | cmp large.c - && exits 0 "$bin" export large.bin -o large.c
}
MNIST=$project/data/mnist
claim "int8 is refused where its sums could be too large, and float32 is not" large_sums

finish
