#!/bin/sh
# Every command of `mlp --help` on little data, and what each refuses: by a program of clang's memory sanitizer, which finds
# branches and addresses that depend on uninitialised memory, and by the plain program under valgrind, which also looks
# for leaks, and at the code that the compiler made, the vectors among it. Then exported C on arrays that end with a page.
. tests/lib.sh

project=$PWD
small_data "$WORK/data" 40
small_data "$WORK/compressed" 40 && gzip -f "$WORK"/compressed/*
small_data "$WORK/square" 30 12
mkdir "$WORK/fake"
cd "$WORK" || exit 1

export MLP_CPUS=2 # threads, on a machine of one CPU, too

# What the commands read: pictures, one of which only a converter can read, tables, names, and files with faults.
{ printf 'P5 28 28 255\n' && tail -c +17 data/t10k-images-idx3-ubyte | head -c 784; } >digit.pgm
{ printf 'P6 # a comment\n4 3\n999\n' && head -c 72 /dev/zero | tr '\0' '\1'; } >blank.ppm
printf 'P1 6 6\n111111 110011 110111 110111 110111 111111\n' >bits.pbm
printf '\211PNG\r\n\032\nand so on' >photo.png
printf '#!/bin/sh\ncat "%s/digit.pgm"\n' "$WORK" >fake/magick && chmod +x fake/magick
printf 'zero\none\n\303\244 b\n3\n4\n5\n6\n7\n8\n9\n' >names
printf 'b\na\n' >letters
{
    echo label,p0,p1,p2,p3
    for i in 1 2 3 4 5 6 7 8; do echo "cat,0,$i,20,255" && echo "\"a, dog\",9,8,$i,0"; done
} >table.csv
printf 'label,p0,p1,p2,p3\ncat,0,1,2\n' >short.csv
mkdir -p photos/a photos/b && for i in 1 2 3; do cp digit.pgm photos/a/$i.pgm && cp digit.pgm photos/b/$i.pgm; done
cp photo.png photos/a/4.png
printf 'nothing' >nothing.bin && head -c 2000 /dev/urandom >noise.bin
mkdir cut && cp data/* cut && head -c 700 data/train-images-idx3-ubyte >cut/train-images-idx3-ubyte

# Exit status and words of the shell. Each line may read what those before it wrote. Each command is here, and an error of
# each; valgrind, which takes a second for each line, leaves out those that begin with a blank, unless VALGRIND_ALL is set.
cat >commands <<'END_OF_COMMANDS'
 0 --version
 0 --help
 0 help train
0 train -d ../data --val-size 10 --epochs 3 --hidden 7 -o plain.bin --csv plain.csv --chain plain.chain --threads 2
 0 train -q -d ../data --val-size 10 --epochs 1 --hidden 7 -o first.bin --csv first.csv --json
 0 train -q -d ../data --resume first.bin --epochs 2
0 train -q -d ../data --from plain.bin --val-size 10 --epochs 1 --no-transpose -o tuned.bin --csv tuned.csv
0 train -q -d ../compressed --arch cnn --channels 3,5 --hidden 6 --batch 10 --val-size 10 --train-size 20 --epochs 1 --keep best -o cnn.bin --csv - >cnn.csv
0 train -q -d ../data --arch lenet5 --channels 2,3 --hidden 5,4 --activation tanh --optimizer adam --weight-decay 0.01 --schedule cosine --warmup 0.1 --ema 0.9 --augment --shear 0.1 --classes ../names --val-size 10 --train-size 20 --epochs 2 --patience 1 -o lenet5.bin --csv lenet5.csv --checkpoint-every 1
0 train -q -d ../square --activation relu --hidden 5,4 --momentum 0.9 --schedule one-cycle --transpose --val-size 10 --epochs 2 --batch 7 -o square.bin --csv square.csv
 0 train -q -d ../data --preset fast --val-size 2 --train-size 2 --epochs 1 --channels 2,2 --hidden 2 -o fast.bin --csv fast.csv
0 eval plain.bin -d ../data --predictions p.csv --mistakes m.csv --confusion c.csv --calibration r.csv
 0 eval cnn.bin -d ../compressed --json --split validation
 0 eval plain.bin tuned.bin -d ../data
0 eval plain.bin --compare tuned.bin --differences d.csv -d ../data
 0 predict plain.bin --top 3 --show ../digit.pgm ../bits.pbm
0 predict plain.bin tuned.bin --reject 0.99 --json ../photo.png - <../digit.pgm
0 predict cnn.bin --raw ../digit.pgm ../compressed/t10k-images-idx3-ubyte.gz
0 gradcheck -d ../data --hidden 3 --crop 8 --steps steps.csv --nonzero nonzero.csv
 0 gradcheck -d ../data --arch cnn --channels 2,2 --hidden 2 --activation relu --crop 16
 0 explain plain.bin -d ../data --image 2 --full --weight fc1.bias[2]
0 explain square.bin -d ../square --save arrays --batch 3
 0 gradcheck square.bin --compare arrays
 0 explain lenet5.bin ../photo.png --json --label one
0 info plain.bin
 0 info cnn.bin --json
0 info ../data --classes ../names
 0 info ../compressed --json
0 weights plain.bin
 0 weights cnn.bin --layer 2 --csv weights.csv
0 features plain.bin -d ../data --image 7
 0 features lenet5.bin -d ../compressed --file train --csv -
0 page plain.bin -d ../data --images 3 -o plain.html
 0 page lenet5.bin -d ../data --images 2 -o -
0 export plain.bin -o plain.onnx
 0 export lenet5.bin -o lenet5.npz
0 export cnn.bin -o cnn.c --prepare
 0 export plain.bin -o plain.c --prepare
 0 export square.bin --format c --type int8 -o - --name digit
0 augment -d ../data --rotate 30 --scale 0.3 --shear 0.2 --count 2 --epochs 2 --csv augment.csv
 0 augment -d ../square --count 1 --epochs 1
0 import ../table.csv -o table --shuffle --test-fraction 0.3
0 import ../photos -o photos --skip-bad
 0 import ../photos -o photos --force --raw-size 9x10 --classes ../letters --no-shuffle -q
0 export-data -d table --csv table.csv
 0 export-data -d ../data --file test --pictures digits -q
0 sweep -q -d ../data --hidden 3,4-3 --lr 1e-3,1e38 --train-size 20 --epochs 1 --seeds 2 --summary
 0 sweep -q -d ../data --hidden 3,4-3 --train-size 20 --epochs 1 --list
 0 sweep -q -d ../data --hidden 3,4-3 --train-size 20 --epochs 1 --only 1 --csv sweep-1.csv
 0 sweep -q -d ../data --hidden 3,4-3 --train-size 20 --epochs 1 --only 2 --csv sweep-2.csv
 0 sweep -q -d ../data --hidden 3,4-3 --train-size 20 --epochs 1 --merge sweep-1.csv sweep-2.csv --csv merged.csv
0 verify -q -d ../data plain.chain plain.bin --repeat 1
 0 verify -q -d ../data lenet5.bin
0 completion bash
 0 completion zsh
 0 completion fish
 2
 2 nonsense
2 train --lr 0,5
 2 train --hidden 1,2,3,x
 2 train --nonsense
 2 train -q -d ../data --resume plain.bin --lr 0.5
 2 eval
2 eval plain.bin --predictions - --json
2 completion tcsh
 2 sweep --lr 1e-3,0.001
 1 train -q -d ../nowhere
1 train -q -d ../cut -o none.bin --csv none.csv
 1 train -q -d ../data --lr 1e38 --hidden 4 --val-size 10 --epochs 2 -o none.bin --csv none.csv
 1 train -q -d ../data --val-size 10 --epochs 1 -o nowhere/none.bin
 1 train -q -d ../square --from plain.bin --val-size 10 --epochs 1 -o none.bin --csv none.csv
 1 eval ../nothing.bin -d ../data
 1 eval plain.bin -d ../square
 1 eval plain.bin square.bin -d ../data
 1 eval plain.bin lenet5.bin -d ../data
 3 eval plain.bin -d ../data --min-accuracy 1
1 predict plain.bin ../blank.ppm ../noise.bin ../nowhere.pgm
 1 predict plain.bin --no-convert ../photo.png
1 info ../noise.bin
 1 info ../digit.pgm
 1 info ../cut
1 explain plain.bin -d ../data --image 40
 2 explain plain.bin -d ../data --weight nonsense
1 gradcheck -d ../cut
1 import ../short.csv -o none
 1 import ../nothing.bin -o none
 1 import ../table.csv -o table
1 export-data -d ../cut --csv none.csv
1 verify -q -d ../data plain.chain tuned.bin
1 sweep -q -d ../data --hidden 5 --train-size 20 --epochs 1 --merge table.csv --csv merged.csv
1 export ../noise.bin -o none.onnx
1 page ../nothing.bin -d ../data
1 weights plain.bin --layer 9
1 features square.bin -d ../data
1 augment -d ../data --image 40
 2 augment --rotate 200
END_OF_COMMANDS
grep '^[0-9]' commands >fewer-commands

every_command_is_there() {
    "$FAST_MLP" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' >names-of-commands
    [ "$(wc -l <names-of-commands)" -gt 10 ] || { cat names-of-commands; return 1; }
    while read -r command; do
        grep -q "^0 $command\( \|\$\)" fewer-commands || { echo "mlp $command is not run"; return 1; }
        grep -q "^[12] $command\( \|\$\)" fewer-commands || { echo "no error of mlp $command is met"; return 1; }
    done <names-of-commands
}
claim "each command of mlp --help is run, and meets an error" every_command_is_there

# ends_as_expected LIST RUNNER... PROGRAM: runs the list in a directory of its own, which is made. A mistake in the use of
# memory ends with 99.
ends_as_expected() {
    list=$WORK/$1
    shift
    rm -rf run && mkdir run && cd run || return 1
    wrong=0
    while read -r expected words; do
        # The runner's words, quoted, and the list's, which are for the shell.
        actual=0
        (PATH="$WORK/fake:$PATH" && export PATH && eval '"$@"' "$words") </dev/null >stdout 2>stderr || actual=$?
        if [ "$actual" -ne "$expected" ]; then
            echo "exit status $actual, expected $expected: mlp $words"
            head -n 18 stderr
            wrong=$((wrong + 1))
        fi
    done <"$list"
    cd ..
    [ "$wrong" -eq 0 ]
}

# -O0 compiles in less than half of the time, and leaves every read where it is written. AVX-512 would take half as long
# again to compile; test_kernels compares it with the others.
sanitized() {
    "$MAKE" -s -C "$project" SAN=memory CC=clang CFLAGS='-O0 -g' CPPFLAGS=-DMLP_NO_AVX512 all
}
can_be_sanitized() { # and the program runs: not without the runtime, and not under qemu
    echo 'int main(void) { return 0; }' >empty.c && clang -fsanitize=memory -o empty empty.c && ./empty
}
a_mistake_is_seen() { # RUNNER...
    cat >mistake.c <<'END'
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    int *n = malloc(sizeof *n * (size_t)argc);
    puts(n[argc - 1] == 3 ? "three" : argv[0]);
    free(n);
}
END
    "$@" && exits 99 ${valgrind:+$valgrind -q --error-exitcode=99} ./mistake
}
if can_be_sanitized 2>stderr; then
    claim "the program builds under the memory sanitizer" sanitized
    valgrind=
    claim "the memory sanitizer sees a branch that depends on uninitialised memory" a_mistake_is_seen \
        clang -O0 -fsanitize=memory -o mistake mistake.c
    grep 'train\|eval\|augment' commands >arithmetic
    for isa in scalar sse2 avx2; do
        MLP_ISA=$isa "$FAST_MLP" --version >/dev/null 2>&1 || continue
        list=commands
        [ $isa = scalar ] || list=arithmetic
        claim "no command depends on uninitialised memory: $isa" ends_as_expected $list env MLP_ISA=$isa \
            "$project/build/memory/mlp"
    done
else
    skip "clang or its memory sanitizer is not installed: uninitialised memory was not looked for with it"
fi

# valgrind 3.19 does not know AVX-512.
if command -v valgrind >/dev/null; then
    isa=scalar
    for known in sse2 avx2 neon; do
        ! MLP_ISA=$known "$FAST_MLP" --version >/dev/null 2>&1 || isa=$known
    done
    list=fewer-commands
    [ -z "${VALGRIND_ALL-}" ] || list=commands
    valgrind=valgrind
    claim "valgrind sees a branch that depends on uninitialised memory" a_mistake_is_seen "$CC" -O0 -o mistake mistake.c
    claim "no command does what valgrind objects to, and none leaks: $isa" ends_as_expected $list env MLP_ISA=$isa \
        valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=all --show-leak-kinds=all "$FAST_MLP"
else
    skip "valgrind is not installed: its checks were not made"
fi

# The C of mlp export in the plain build's flags, on arrays that end and begin with a page. The files are those of the run.
exported_stays_within() { # FILE MODEL
    head -c 7856 data/t10k-images-idx3-ubyte | tail -c 7840 >ten && "$FAST_MLP" export "$1.bin" -o "$1.c" --prepare &&
        "$CC" -O3 -I "$project/tests" -o page_end "$project/tests/exported_page_end.c" "$1.c" && ./page_end <ten >classes &&
        [ "$(wc -l <classes)" -eq 10 ]
}
claim "models to export" exits 0 "$FAST_MLP" train -q -d data --val-size 10 --epochs 1 --hidden 7 -o dense.bin --csv m.csv
claim "and with convolutions" exits 0 "$FAST_MLP" train -q -d data --arch lenet5 --val-size 10 --epochs 1 -o convolved.bin --csv m.csv
claim "exported C uses its caller's arrays alone: dense layers" exported_stays_within dense
claim "exported C uses its caller's arrays alone: convolutions" exported_stays_within convolved

finish
