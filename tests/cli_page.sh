#!/bin/sh
# mlp page: the command and its file; then the page in a real browser, compared bit for bit with the
# program (check_page.py; browser.py drives Chromium). PAGE_SCREENSHOTS=DIR keeps its screenshots.
. tests/lib.sh

bin=$MLP
DATA=$PWD/data/mnist TESTS=$PWD/tests
export DATA TESTS PYTHONDONTWRITEBYTECODE=1
cd "$WORK" || exit 1
train() { # NAME FLAGS...
    trained=$1
    shift
    "$FAST_MLP" train -q -d "$DATA" --train-size 3000 --val-size 500 --epochs 2 -o "$trained.bin" --csv "$trained.csv" "$@" || exit 1
}
train m
MNIST=$DATA small_data small 300

# ---------------------------------------------------------------------------------------------
# The command

writes_page() {
    export MLP_DATA="$DATA"
    exits 0 "$bin" page m.bin && [ ! -s stdout ] && [ ! -s stderr ] && [ -s page.html ] &&
        exits 0 "$bin" page m.bin -o other.html && cmp page.html other.html && "$FAST_MLP" page m.bin -o - >piped.html && cmp page.html piped.html &&
        MLP_CPUS=1 "$FAST_MLP" page m.bin -o one.html && cmp page.html one.html
    status=$?
    unset MLP_DATA
    return "$status"
}
claim "the page goes to page.html, to a file or to standard output, the same bytes each time" writes_page
is_small() { wc -c page.html && [ "$(wc -c <page.html)" -lt 600000 ]; }
claim "the page of a network of the default size has less than 600 KB" is_small
claim "it has a policy for its own script and style, and nothing else" grep -q \
    "content=\"default-src 'none'; script-src 'sha256-[A-Za-z0-9+/]*='; style-src 'sha256-[A-Za-z0-9+/]*='; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'\"" page.html
no_addresses() { ! grep -n 'https\{0,1\}://' page.html | grep -v 'http://www.w3.org/2000/svg'; }
claim "it names no address on the network" no_addresses

# The page without images is smaller, and is written where there are no data.
without_images() {
    exits 0 "$bin" page m.bin --images 0 -o none.html && [ ! -s stderr ] && [ "$(wc -c <none.html)" -lt "$(wc -c <page.html)" ] &&
        MLP_DATA=$PWD/nothing exits 0 "$bin" page m.bin -o noted.html && cat stderr && [ "$(wc -l <stderr)" -eq 1 ] &&
        grep -q '^mlp: note: the page has no test images: .*nothing' stderr && cmp none.html noted.html
}
claim "without data the page has no test images, and a note says so" without_images
claim "refused: data that are named, and not there" refuses 1 nowhere "$bin" page m.bin -d nowhere
few_images() { exits 0 "$bin" page m.bin -d small --images 5000 -o few.html && grep -q '"n": 300,' few.html; }
claim "all images, where there are fewer than wanted" few_images
other_size() { MNIST=$DATA small_data tiny 60 14 && refuses 1 "14 x 14" "$bin" page m.bin -d tiny; }
claim "refused: images of another size" other_size
for bad in -1 x 10001 1.5; do
    claim "refused: --images=$bad" refuses 2 --images "$bin" page m.bin "--images=$bad"
done
cp m.bin kept.bin
claim "refused: a page in place of the model" refuses 1 --output "$bin" page m.bin -d small -o ./m.bin
claim "which is still there" cmp m.bin kept.bin
claim "refused: a page in place of the data" refuses 1 "a file of the data" "$bin" page m.bin -d small -o small/t10k-images-idx3-ubyte
claim "refused: a missing directory" refuses 1 none/p.html "$bin" page m.bin -d small -o none/p.html
claim "refused: no model" refuses 2 MODEL "$bin" page
claim "refused: a model that is not there" refuses 1 none.bin "$bin" page none.bin
claim "refused: a picture as the model" refuses 1 seven.pgm "$bin" page "$DATA/../seven.pgm"

# ---------------------------------------------------------------------------------------------
# In a browser

if ! command -v python3 >/dev/null; then
    skip "python3 is not installed: the page was not looked at"
    finish
fi
claim "the policy names the script and the style by their SHA-256" python3 "$TESTS/check_page.py" hashes page.html
if ! command -v chromedriver >/dev/null; then
    skip "chromedriver (Debian: chromium-driver) is not installed: no browser opened the page"
    finish
fi

train cnn --arch cnn --train-size 1000 --epochs 1
train lenet --arch lenet5 --activation tanh --train-size 1000 --epochs 1
train filters --arch cnn --channels 3,5 --hidden 9,7 --activation sigmoid --train-size 1000 --epochs 1
train deep --hidden 24,12 --activation relu
train thin --hidden 7,6,5 --activation tanh --momentum 0.9

in_browser() { # CHECK ARGUMENTS...: a line for check_page.py, which makes all of them in one browser
    printf '%s\t' "$@" >>checks && echo >>checks
}
for model in m cnn; do
    in_browser answers $model.bin 200
done
for model in lenet filters deep thin; do
    in_browser answers $model.bin 40
done
in_browser draws m.bin
in_browser draws cnn.bin
in_browser prepares m.bin
for model in m cnn lenet filters deep thin; do
    in_browser learns $model.bin
done
in_browser explains m.bin
in_browser explains cnn.bin
in_browser explains filters.bin
in_browser explains thin.bin

# Names that somebody else may have chosen.
# shellcheck disable=SC2016 # nothing is to be expanded
printf '%s\n' '</script><script>window.hacked=1</script>' '<img src=x onerror=window.hacked=1>' '<!--<script>' \
    '"><b id=bold>x</b>' "' onclick='window.hacked=1" '&lt;i&gt;' '${window.hacked=1}' ']]>' 'ünïcode ☃' '\u003c/script>' >names
name='<img src=x onerror="window.hacked=1"><script>window.hacked=1<!--.bin'
train hostile --classes names && mv hostile.bin "$name"
in_browser hostile "./$name" names
in_browser holds m.bin
in_browser holds cnn.bin
in_browser safe m.bin
in_browser looks m.bin
in_browser looks cnn.bin
in_browser looks none.html
# It prints lines of its own.
MLP=$bin FAST_MLP=$FAST_MLP python3 "$TESTS/check_page.py" <checks || failures=$((failures + 1))

finish
