# The filters of a convolution as tiles: one row per output channel, one column per input channel; with
# one input channel eight in a row.
#
#   gnuplot -c scripts/report/filters.gp OUT.png FILE.csv
#
# FILE is written by `mlp weights --layer N --csv`. Colours as in weights.gp.

script = "filters.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/filters.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "channel,input,bias,w0,"
meaning = "a table of filters of mlp weights"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"

# Sizes decide the height, which the style wants to know.
side = int(sqrt(system(sprintf("head -n 1 %s | tr -dc , | wc -c", quoted(file))) - 2) + 0.5)
tiles = int(system(sprintf("tail -n +2 %s | wc -l", quoted(file))))
n_inputs = int(system(sprintf("${AWK:-awk} -F , 'END { print $2 + 1 }' %s", quoted(file))))
across = n_inputs > 1 ? n_inputs : 8
down = (tiles + across - 1) / across
pitch_x = side + 1
pitch_y = n_inputs > 1 ? side + 1 : side + 2
width = 900
height = int(70 + 850.0 * (down * pitch_y + 3) / (across * pitch_x))
load here . "../style.gp"

sheet = sprintf("<${AWK:-awk} -F , -v side=%d -v across=%d -v px=%d -v py=%d -v first=%d -f %s %s", \
    side, across, pitch_x, pitch_y, 4, quoted(here . "sheet.awk"), quoted(file))
scale = system(sprintf("${AWK:-awk} -F, 'NR > 1 { for (i = 4; i <= NF; i++) { a = $i < 0 ? -$i : $i; if (a > m) m = a } } \
    END { print m / 2 }' %s", quoted(file))) + 0.0

unset border
unset tics
unset grid
unset key
set cbrange [-scale:scale]
set palette defined (-1 "#04244a", -0.5 "#3b78b0", 0 "#ffffff", 0.5 "#f6b678", 1 "#d55e00")
set colorbox horizontal user origin 0.25, 45.0 / height size 0.5, 12.0 / height noborder
set cbtics nomirror out (sprintf("%.2g or less", -scale) -scale, sprintf("%.2g", -scale / 2) -scale / 2, \
    "0" 0, sprintf("%.2g", scale / 2) scale / 2, sprintf("%.2g or more", scale) scale)
set xrange [-3.5:across * pitch_x - 0.5]
set yrange [down * pitch_y - 0.5:-3]
set lmargin at screen 0.01
set rmargin at screen 0.99
set tmargin at screen 1 - 4.0 / height
set bmargin at screen 70.0 / height
left(n) = n % across * pitch_x
top(n) = n / across * pitch_y
do for [n = 0:tiles - 1] {
    set object n + 1 rectangle from left(n) - 0.5, top(n) - 0.5 to left(n) + side - 0.5, top(n) + side - 0.5 \
        fs empty border lc rgb "#bbbbbb" front
}
if (n_inputs > 1) {
    set label 1 "input" at -2, -1.7 center font ",9"
    do for [i = 0:n_inputs - 1] { set label i + 2 sprintf("%d", i) at i * pitch_x + side / 2, -1.7 center font ",9" }
    do for [o = 0:down - 1] { set label o + n_inputs + 2 sprintf("{/:Bold %d}", o) at -2, o * pitch_y + side / 2 center font ",9" }
    plot sheet matrix with image
} else {
    plot sheet matrix with image, \
         file using (left(int($0)) + side / 2):(top(int($0)) - 1):(sprintf("%d", $1)) every ::1 with labels center font ",9"
}
set output
