#!/bin/sh
# Proves with Frama-C's plug-in Eva that the readers have no undefined behaviour (tests/prove/PROOF.md says for
# which inputs): runs each proof, and compares the alarms that are left with those of tests/prove/alarms.txt. Fails when there
# is another, when one is gone, when a proof does not end, or when less of the readers is reached than it was.
# Arguments name the proofs to run (pnm-header idx-images); without any, all run. Prints of each how many statements of
# the functions that it entered were reached, the harness's among them, how many alarms are left, all of them listed
# unless it says FAIL, and the seconds.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${PROVE_SECONDS:=1800}" # for each proof
for tool in frama-c timeout; do
    command -v "$tool" >/dev/null || { echo "make prove: $tool is not installed" >&2; exit 1; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
selection=" $* " failed=0 ran=0

fail() {
    printf 'FAIL %s\n' "$*"
    failed=$((failed + 1))
}

# prove NAME FILE MAIN LEAST FLAGS...: LEAST statements of the reader's own files must be reached.
prove() {
    name=$1 file=$2 main=$3 least=$4
    shift 4
    case $selection in "  " | *" $name "*) ;; *) return ;; esac
    begun=$(date +%s)
    others=
    [ "$file" != model ] || others=src/io/json.c
    timeout "$PROVE_SECONDS" frama-c -machdep gcc_x86_64 \
        -cpp-extra-args="-Isrc/base -Isrc/kernels -Iinclude -Isrc/nn -Isrc/io -Itests/prove -include tests/prove/prove.h" \
        "tests/prove/$file.c" $others -eva -main "$main" -eva-no-show-progress -eva-msg-key=-initial-state,-final-states \
        "$@" >"$work/log" 2>&1
    status=$?
    ran=$((ran + 1))
    if [ "$status" -ne 0 ] || ! grep -q "done for function $main" "$work/log"; then
        cat "$work/log"
        fail "$name: Frama-C ended with status $status"
        return
    fi
    # An alarm is a line with its place, and its text, indented, or behind the place. The lines' numbers change.
    awk '/^\[eva:alarm\]/ { sub(/^\[eva:alarm\] /, ""); sub(/:[0-9]+: Warning: */, ": "); alarm = $0; next }
         alarm != "" && /^  / { sub(/^ +/, ""); alarm = alarm ($0 ~ /^\./ ? "" : " ") $0; next }
         alarm != "" { print alarm; alarm = "" }
         END { if (alarm != "") print alarm }' "$work/log" | sed 's/  */ /g' | sort >"$work/alarms"
    sed -n "s/^$name: //p" tests/prove/alarms.txt | sed 's/  */ /g' | sort >"$work/listed"
    comm -23 "$work/alarms" "$work/listed" >"$work/new"
    comm -13 "$work/alarms" "$work/listed" >"$work/gone"
    [ ! -s "$work/new" ] || fail "$name: not in tests/prove/alarms.txt: $(cat "$work/new")"
    [ ! -s "$work/gone" ] || fail "$name: listed, but there is no such alarm any more: $(cat "$work/gone")"
    ! grep -q 'NON TERMINATING' "$work/log" || fail "$name: a function does not return"
    reached=$(sed -n 's/.* \([0-9]*\) statements reached (out of [0-9]*).*/\1/p' "$work/log")
    [ "${reached:-0}" -ge "$least" ] || fail "$name: only ${reached:-0} statements were reached, where $least were before"
    printf '%s: %s %s alarms; %s s\n' "$name" "$(sed -n 's/^ *In these functions, //p' "$work/log")" \
        "$(wc -l <"$work/alarms")" "$(($(date +%s) - begun))"
}

# Precision: where states are kept apart (-eva-split-return-function, -eva-slevel-function), so that a size, a position and
# what is left are known together. Elsewhere Eva joins them, and needs few seconds whatever the length is.
prove pnm-header pnm prove_header 370 -eva-precision 3 -eva-split-return auto -eva-split-return-function source_peek:full
prove pnm-pixels pnm prove_pixels 378 -eva-precision 1 -eva-split-return-function \
    source_peek:full,source_read_some:full,read_number:0,read_sample:0,read_byte:-1,read_character:-1,skip_blanks:-1,arena_grow:0 \
    -eva-slevel-function prove_pixels:10000,read_pixels:10000 -eva-slevel-merge-after-loop read_pixels
open_idx=any_failure:0,memory_allows:0,source_open:0,idx_open:0,idx_begin:0,idx_read_header:0,idx_close:0,idx_read_data:0
for each in images:588 labels:655; do
    part=${each%%:*}
    prove "idx-$part" idx "prove_$part" "${each##*:}" -eva-precision 1 -eva-split-return-function \
        source_peek:full,source_read:full,arena_grow:full,any_sizes:full,any_header:full,other_header:full,any_byte_but:full,$open_idx \
        -eva-split-return-function any_memory:0,arena_alloc:0,idx_read_images:0,idx_finish:0,idx_read:0,add_labels:0,idx_label_bytes:0 \
        -eva-slevel-function "prove_$part:10000,any_header:10000,any_sizes:10000,idx_read_data:10000,transpose:10000" \
        -eva-slevel-function idx_read_images:1000,idx_read:1000,idx_begin:1000,idx_finish:1000,idx_read_header:1000 \
        -eva-slevel-function idx_parse_dims:100,idx_label_bytes:1000,add_labels:1000 \
        -eva-slevel-function any_memory:100,arena_grow:100,source_read:100,source_peek:100
done
prove json-values json prove_values 115 -eva-precision 1
prove json-string json prove_string 290 -eva-precision 1 -eva-ilevel 256 -eva-split-return-function \
    any_other_byte:full,json_accept:0,arena_alloc:0,utf8_length:0:1:2:3:4,json_read_escape:full,hex_value:-1,json_expect_string:0 -eva-slevel-function \
    prove_string:1000,json_expect_string:100000,json_read_escape:50,utf8_length:50,json_skip_blanks:2
for each in parts:100 end:422 beginning:421; do
    part=${each%%:*}
    prove "model-$part" model "prove_$part" "${each##*:}" -eva-precision 1 -eva-plevel 300 -eva-unroll-recursive-calls 3 \
        -eva-split-return-function json_expect_string:0,json_accept:0,json_expect:0,model_find_parts:0 -eva-slevel-function \
        prove_parts:1000,model_find_parts:100,parse_counts:100,parse_metadata_member:50,parse_tensor_member:50
done

[ "$ran" -gt 0 ] || fail "there is no proof of that name"
[ "$failed" -eq 0 ] && echo "$ran proofs hold ($(frama-c -version))"
