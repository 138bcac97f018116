# shellcheck shell=sh
# What the shell tests share. A script sources this file, makes claims, and ends with `finish`.
# It runs in the project's directory with MLP, the program under test (FAST_MLP and THREAD_MLP are its
# plain build and the one under the thread sanitizer), and WORK, an empty directory of
# its own, set by tests/run.sh. Lines begin with "ok", "FAIL" or "SKIP"; run.sh counts them.

failures=0

# claim TEXT COMMAND...: the command succeeds.
claim() {
    claim_text=$1
    shift
    if "$@" >"$WORK/claim.log" 2>&1; then
        echo "ok $claim_text"
    else
        failures=$((failures + 1))
        sed 's/^/  /' "$WORK/claim.log" | tail -n 20
        echo "FAIL $claim_text"
    fi
}

u32() { # the number as four big-endian bytes
    for shift in 24 16 8 0; do
        # shellcheck disable=SC2059 # the format is the byte
        printf "\\$(printf %03o $(($1 >> shift & 255)))"
    done
}

# The first N images of MNIST, raw, as files of a data directory. With a SIDE other than 28 the bytes
# are no digits any more. Call it from the project's directory, or with an absolute MNIST.
small_data() { # DIRECTORY N [SIDE]
    side=${3:-28} from=${MNIST:-data/mnist}
    mkdir -p "$1"
    for part in train t10k; do
        { printf '\0\0\010\003' && u32 "$2" && u32 "$side" && u32 "$side" &&
            gzip -dc "$from/$part-images-idx3-ubyte.gz" | tail -c +17 | head -c $(($2 * side * side)); } \
            >"$1/$part-images-idx3-ubyte"
        { printf '\0\0\010\001' && u32 "$2" &&
            gzip -dc "$from/$part-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$2"; } \
            >"$1/$part-labels-idx1-ubyte"
    done
}

# with_plain_objects DIRECTORY: the objects of the plain build, those of the shared library included, to be built upon
# with BUILD=DIRECTORY: what make then compiles is what its other variables change. Without such a build
# (TEST_BUILD of tests/run.sh) make compiles everything.
with_plain_objects() {
    mkdir -p "$1" && { [ ! -d build/plain ] || cp -Rp build/plain/. "$1"; }
}

# make_report ARGUMENTS...: the sub-make that `make report` calls, on few images and few epochs, with
# some of its recipes. FASHION is $MLP_DATA, so that it is there everywhere.
make_report() {
    "$MAKE" -f scripts/report.mk -j 2 EPOCHS=2 FEW=1 SEEDS=2 SMALL=50 RATES='1e-4 1e-3 1e38' SIZES='50 100' \
        BATCHES='16 64' HIDDEN='2 4' JACOBIAN_HIDDEN=2 STEPS_HIDDEN=1 CNN_EPOCHS=1 \
        FEW_EPOCHS=2 EXTRA=100 RECIPE_EPOCHS=2 TIMED_SEEDS=2 few='none early-stopping more-data together' \
        many='none together' accuracy='default small-data fast ensemble fashion' MODELS_accuracy.ensemble=fast \
        CALIBRATED='default.1 fast.all' TIMED_RECIPES='fast default' "$@"
}

skip() {
    echo "SKIP $1"
}

# exits STATUS COMMAND...: the command exits with this status, neither less nor more.
exits() {
    expected=$1
    shift
    "$@" >"$WORK/stdout" 2>"$WORK/stderr"
    actual=$?
    [ "$actual" -eq "$expected" ] && return 0
    echo "exit status $actual, expected $expected: $*"
    cat "$WORK/stdout" "$WORK/stderr"
    return 1
}

# refuses STATUS WORD COMMAND...: fails with this status and exactly one line on stderr, which
# begins with "mlp: " and contains WORD; nothing on stdout.
refuses() {
    status=$1 word=$2
    shift 2
    exits "$status" "$@" || return 1
    cat "$WORK/stderr"
    [ "$(wc -l <"$WORK/stderr")" -eq 1 ] || { echo "not one line"; return 1; }
    grep -q '^mlp: ' "$WORK/stderr" || { echo "does not begin with mlp:"; return 1; }
    grep -qF -e "$word" "$WORK/stderr" || { echo "does not say: $word"; return 1; }
    [ ! -s "$WORK/stdout" ] || { echo "something on stdout"; return 1; }
}

finish() {
    [ "$failures" -eq 0 ]
    exit
}
