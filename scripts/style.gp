# How every picture looks. A script loads inputs.gp, which is beside this file, sets width and height
# of the picture in pixels, and loads this file.

if (output[strlen(output) - 3:] eq ".svg") {
    set terminal svg size width, height font "sans-serif,14" background "white"
} else { if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
    set terminal pngcairo size width, height font "sans,12" background "white"
} else {
    set terminal png size width, height background "#ffffff"
}}
set output path(output)

# Okabe and Ito's palette, safe for the colour-blind. Their greys are near one another: in print
# without colours its mark and its dashes show which series it is.
blue = "#0072b2"
vermillion = "#d55e00"
green = "#009e73"
purple = "#cc79a7"
black = "#000000"
orange = "#e69f00"
dim = "#555555"
array colours[6] = [blue, vermillion, green, purple, black, orange]
colour(i) = colours[(i - 1) % 6 + 1]
mark(i) = (i - 1) % 6 * 2 + 4

set datafile separator comma
set border 3 lc rgb dim
set tics nomirror out
set grid lc rgb "#dddddd" lt 1
set key noenhanced samplen 4
