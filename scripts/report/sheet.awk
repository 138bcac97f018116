# A table's rows of side x side values as one matrix, tile beside tile, and 0, which is white, between
# them: what gnuplot draws with image.
#
#   awk -F , -v side=28 -v across=8 -v px=31 -v py=34 -v first=5 [-v most=40] -f sheet.awk FILE.csv
#
# first is the column of a tile's first value; tiles lie px and py apart; no more than most are taken.

NR > 1 && (!most || NR <= most + 1) {
    tile = NR - 2
    for (i = 0; i < side * side; i++)
        at[int(tile / across) * py + int(i / side), tile % across * px + i % side] = $(first + i)
}

END {
    for (y = 0; y < int(tile / across) * py + side; y++) {
        line = ""
        for (x = 0; x < (across - 1) * px + side; x++)
            line = line (x ? "," : "") ((y, x) in at ? at[y, x] : 0)
        print line
    }
}
