# Feature maps of some images: one block of rows per image, the image first, then the layer's
# channels, sixteen in a row.
#
#   gnuplot -c scripts/report/features.gp OUT.png FILE.csv LAYER
#
# FILE has the tables that `mlp features --csv` writes of several images under one header, a column
# `label` before them. Darker is larger; each map has a scale of its own, white is its smallest value.

script = "features.gp"
if (ARGC != 3) { print "usage: gnuplot -c scripts/report/features.gp OUT.png FILE.csv LAYER"; exit status 2 }
output = ARG1
array inputs[1] = [ARG2]
wanted = "label,layer,channel,row,column,value"
meaning = "labelled tables of mlp features"
here = ARG0
while (strlen(here) > 0 && here[strlen(here):] ne "/") { here = here[1:strlen(here) - 1] }
load here . "../inputs.gp"
layer = quoted(ARG3)

across = 16
channels = int(system(sprintf("${AWK:-awk} -F, -v layer=%s '$2 == layer && $3 > m { m = $3 } END { print m + 1 }' %s", layer, quoted(file))))
side = int(system(sprintf("${AWK:-awk} -F, -v layer=%s '$2 == layer && $4 > m { m = $4 } END { print m + 1 }' %s", layer, quoted(file))))
images = int(system(sprintf("${AWK:-awk} -F, 'NR > 1 && $1 \"\" != last { n++; last = $1 \"\" } END { print n + 0 }' %s", quoted(file))))
lines = (channels + across - 1) / across
zoom = side > 0 && side < 24 ? 24 / side : 1
pitch = side * zoom + 3
block = (lines * pitch > 31 ? lines * pitch : 31) + 4
offset = 36
width = 900
height = int(890.0 * (images * block + 8) / (offset + across * pitch)) + 10
load here . "../style.gp"

sheet = sprintf("<${AWK:-awk} -F, -v layer=%s -v across=%d -v pitch=%d -v block=%d -v offset=%d -v zoom=%d \
    'NR == 1 { next } $1 \"\" != last { image = n++; last = $1 \"\" } \
    $2 == \"x\" { if ($6 > 0) at[image * block + $4, $5] = $6 / 3.3; next } \
    $2 == layer { k = image SUBSEP $3; value[k, $4, $5] = $6; if (!(k in most) || $6 > most[k]) most[k] = $6; \
        if (!(k in least) || $6 < least[k]) least[k] = $6; rows = $4 > rows ? $4 : rows; last_channel = $3 > last_channel ? $3 : last_channel } \
    END { for (i = 0; i < n; i++) for (c = 0; c <= last_channel; c++) { k = i SUBSEP c; range = most[k] - least[k]; \
              for (r = 0; r <= rows; r++) for (q = 0; q <= rows; q++) for (a = 0; a < zoom; a++) for (b = 0; b < zoom; b++) \
                  at[i * block + int(c / across) * pitch + r * zoom + a, offset + c %% across * pitch + q * zoom + b] = \
                      range > 0 ? (value[k, r, q] - least[k]) / range : 0 } \
          for (y = 0; y < n * block; y++) { line = \"\"; \
              for (x = 0; x < offset + across * pitch; x++) line = line ((y, x) in at ? at[y, x] : 0) \",\"; \
              print substr(line, 1, length(line) - 1) } }' %s", layer, across, pitch, block, offset, zoom, quoted(file))

unset border
unset tics
unset grid
unset key
unset colorbox
set palette defined (0 "#ffffff", 0.35 "#9ecae1", 0.7 "#3b78b0", 1 "#04244a")
set cbrange [0:1]
set xrange [-1:offset + across * pitch]
set yrange [images * block - 2:-10]
do for [c = 0:across - 1] {
    set label c + 1 sprintf("%d", c) at offset + c * pitch + side * zoom / 2, -5 center font ",9"
}
set lmargin at screen 0.005
set rmargin at screen 0.995
set tmargin at screen 1 - 4.0 / height
set bmargin at screen 4.0 / height
n = 0
do for [i = 0:images - 1] {
    n = n + 1
    set object n rectangle from -0.5, i * block - 0.5 to 27.5, i * block + 27.5 fs empty border lc rgb "#bbbbbb" front
    do for [c = 0:channels - 1] {
        x = offset + c % across * pitch
        y = i * block + c / across * pitch
        n = n + 1
        set object n rectangle from x - 0.5, y - 0.5 to x + side * zoom - 0.5, y + side * zoom - 0.5 \
            fs empty border lc rgb "#bbbbbb" front
    }
}
plot sheet matrix with image
set output
