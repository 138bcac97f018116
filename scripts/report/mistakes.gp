# The most confident errors: truth, answer, and the probability of the answer.
#
#   gnuplot -c scripts/report/mistakes.gp OUT.png FILE.csv
#
# FILE is written by `mlp eval --mistakes`; the first 40 rows are drawn.

script = "mistakes.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/mistakes.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "index,label,predicted,probability,p0,"
meaning = "a table of mistakes of mlp eval"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 740
load here . "../style.gp"

across = 8
most = 40
side = int(sqrt(system(sprintf("head -n 1 %s | tr -dc , | wc -c", quoted(file))) - 3) + 0.5)
pitch_x = side + 3
pitch_y = side + 10

sheet = sprintf("<${AWK:-awk} -F , -v side=%d -v across=%d -v px=%d -v py=%d -v first=%d -v most=%d -f %s %s", \
    side, across, pitch_x, pitch_y, 5, most, quoted(here . "sheet.awk"), quoted(file))
shown = int(system(sprintf("head -n %d %s | tail -n +2 | wc -l", most + 1, quoted(file))))
down = (shown + across - 1) / across

unset border
unset tics
unset grid
unset key
unset colorbox
set palette gray negative
set cbrange [0:255]
set xrange [-1.5:across * pitch_x - 2.5]
set yrange [down * pitch_y - 9:-10]
set lmargin at screen 0.01
set rmargin at screen 0.99
set tmargin at screen 0.99
set bmargin at screen 0.01
left(n) = n % across * pitch_x
top(n) = n / across * pitch_y
do for [n = 0:shown - 1] {
    set object n + 1 rectangle from left(n) - 0.5, top(n) - 0.5 to left(n) + side - 0.5, top(n) + side - 0.5 \
        fs empty border lc rgb "#bbbbbb" front
}
plot sheet matrix with image, \
     file using (left(int($0)) + side / 2.0 - 0.5):(top(int($0)) - 7.2):(sprintf("{/:Bold %d}, said {/:Bold %d}\n%.2f %%", \
         $2, $3, 100 * $4)) every ::1::most with labels center font ",9"
set output
