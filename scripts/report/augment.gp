# Training images, and what augmentation makes of them: one row per image, which is the first tile, and
# then one tile per epoch.
#
#   gnuplot -c scripts/report/augment.gp OUT.png FILE.csv
#
# FILE is written by `mlp augment --csv`.

script = "augment.gp"
if (ARGC != 2) { print "usage: gnuplot -c scripts/report/augment.gp OUT.png FILE.csv"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "image,label,epoch,angle,factor,shear,shift_x,shift_y,p0"
meaning = "a table of mlp augment"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"

side = int(sqrt(system(sprintf("head -n 1 %s | tr -dc , | wc -c", quoted(file))) - 7) + 0.5)
tiles = int(system(sprintf("tail -n +2 %s | wc -l", quoted(file))))
across = int(system(sprintf("${AWK:-awk} -F, 'NR > 1 && $3 > m { m = $3 } END { print m + 1 }' %s", quoted(file))))
down = (tiles + across - 1) / across
pitch = side + 3
head = side / 3
width = 900
height = int(890.0 * (down * pitch + head) / (across * pitch)) + 10
load here . "../style.gp"

sheet = sprintf("<${AWK:-awk} -F , -v side=%d -v across=%d -v px=%d -v py=%d -v first=%d -f %s %s", \
    side, across, pitch, pitch, 9, quoted(here . "sheet.awk"), quoted(file))
left(n) = n % across * pitch
top(n) = n / across * pitch

unset border
unset tics
unset grid
unset key
unset colorbox
set palette gray negative
set cbrange [0:255]
set xrange [-1.5:across * pitch - 2.5]
set yrange [down * pitch - 2.5:-head - 0.5]
set lmargin at screen 0.005
set rmargin at screen 0.995
set tmargin at screen 1 - 4.0 / height
set bmargin at screen 4.0 / height
set label 1 "image" at side / 2.0, -head / 2.0 center
do for [e = 1:across - 1] {
    set label e + 1 sprintf(e == 1 ? "epoch %d" : "%d", e) at left(e) + side / 2.0, -head / 2.0 center
}
do for [n = 0:tiles - 1] {
    set object n + 1 rectangle from left(n) - 0.5, top(n) - 0.5 to left(n) + side - 0.5, top(n) + side - 0.5 \
        fs empty border lc rgb (n % across > 0 ? "#bbbbbb" : black) lw (n % across > 0 ? 1 : 2) front
}
plot sheet matrix with image
set output
