# The confusion matrix: counts; the more errors, the darker.
#
#   gnuplot -c scripts/report/confusion.gp OUT.png FILE.csv
#
# FILE is written by `mlp eval --confusion`. The diagonal (correct answers) has no colour: beside it all
# errors would look alike.

script = "confusion.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/confusion.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "label,0,1"
meaning = "a confusion matrix of mlp eval"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 760
load here . "../style.gp"

stats file matrix rowheaders columnheaders using ($1 == $2 ? 0 : $3) nooutput
most = STATS_max > 0 ? STATS_max : 1
classes = int(system(sprintf("head -n 1 %s | tr -dc , | wc -c", quoted(file))))

set border 15
unset grid
unset key
set xrange [-0.5:classes - 0.5]
set yrange [classes - 0.5:-0.5]
set xtics scale 0 0, 1
set ytics scale 0 0, 1
set xlabel "answer"
set ylabel "truth"
set cbrange [0:most]
set cblabel "mistakes (images)"
set palette defined (0 "#ffffff", 0.35 "#9ecae1", 0.7 "#3b78b0", 1 "#04244a")
do for [k = 0:classes - 1] {
    set object k + 1 rectangle center k, k size 1, 1 fc rgb "#eeeeee" fs solid noborder behind
}
plot file matrix rowheaders columnheaders using 1:2:($1 == $2 ? NaN : $3) with image, \
     file matrix rowheaders columnheaders using 1:2:($1 != $2 && $3 > 0.6 * most ? sprintf("%d", $3) : "") \
         with labels tc rgb "white", \
     file matrix rowheaders columnheaders using 1:2:($1 == $2 || $3 <= 0.6 * most ? sprintf("%d", $3) : "") \
         with labels tc rgb black
set output
