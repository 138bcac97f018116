# The rows of W1 as tiles, in the order of the file: grouped by the class with a unit's largest output weight.
#
#   gnuplot -c scripts/report/weights.gp OUT.png FILE.csv
#
# FILE is written by `mlp weights --csv`. Zero is white; one scale for all, full colour from half the
# largest weight on. Positive colours are lighter than negative ones, which tells them apart in grey.

script = "weights.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/weights.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "unit,class,output_weight,bias,w0,"
meaning = "a table of mlp weights"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
width = 900
height = 1060
load here . "../style.gp"

across = 8
side = int(sqrt(system(sprintf("head -n 1 %s | tr -dc , | wc -c", quoted(file))) - 3) + 0.5)
units = int(system(sprintf("tail -n +2 %s | wc -l", quoted(file))))
down = (units + across - 1) / across
pitch_x = side + 3
pitch_y = side + 6

sheet = sprintf("<${AWK:-awk} -F , -v side=%d -v across=%d -v px=%d -v py=%d -v first=%d -f %s %s", \
    side, across, pitch_x, pitch_y, 5, quoted(here . "sheet.awk"), quoted(file))
scale = system(sprintf("${AWK:-awk} -F, 'NR > 1 { for (i = 5; i <= NF; i++) { a = $i < 0 ? -$i : $i; if (a > m) m = a } } \
    END { print m / 2 }' %s", quoted(file))) + 0.0

unset border
unset tics
unset grid
unset key
set cbrange [-scale:scale]
set palette defined (-1 "#04244a", -0.5 "#3b78b0", 0 "#ffffff", 0.5 "#f6b678", 1 "#d55e00")
set colorbox horizontal user origin 0.25, 0.035 size 0.5, 0.015 noborder
set cbtics nomirror out (sprintf("%.2g or less", -scale) -scale, sprintf("%.2g", -scale / 2) -scale / 2, \
    "0" 0, sprintf("%.2g", scale / 2) scale / 2, sprintf("%.2g or more", scale) scale)
set xrange [-1.5:across * pitch_x - 2.5]
set yrange [down * pitch_y - 6:-6]
set lmargin at screen 0.01
set rmargin at screen 0.99
set tmargin at screen 0.995
set bmargin at screen 0.07
set size noratio
left(n) = n % across * pitch_x
top(n) = n / across * pitch_y
plot sheet matrix with image, \
     file using (left(int($0)) + side / 2.0 - 0.5):(top(int($0)) - 2.6):(sprintf("{/:Bold %d}  unit %d, %+.1f", $2, $1, $3)) \
         every ::1 with labels center font ",9"
set output
