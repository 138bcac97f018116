// Looks at a terminal and draws in it: escape sequences of 256 colours and UTF-8's half blocks,
// which every terminal of today has.
#include "terminal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is_capable(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) != 0 && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
}

bool terminal_has_colours(int fd)
{
    const char *no_color = getenv("NO_COLOR");
    return terminal_is_capable(fd) && (no_color == NULL || no_color[0] == '\0');
}

size_t terminal_width(int fd)
{
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
#else
    (void)fd;
#endif
    return 80;
}

void terminal_draw_ink(const unsigned char *pixels, size_t rows, size_t cols)
{
    static const char *const half[] = {" ", "\u2580", "\u2584",
                                       "\u2588"}; // none, upper, lower, both
    for (size_t y = 0; y < rows; y += 2) {
        fputs("  |", stdout);
        for (size_t x = 0; x < cols; x++) {
            unsigned upper = pixels[y * cols + x] >= 128;
            unsigned lower = y + 1 < rows && pixels[(y + 1) * cols + x] >= 128;
            fputs(half[upper + 2 * lower], stdout);
        }
        fputs("|\n", stdout);
    }
}

TilesSummary tiles_summary(const Tiles *tiles, size_t first, size_t end)
{
    TilesSummary s = {(double)INFINITY, -(double)INFINITY, 0};
    for (size_t tile = first; tile < end; tile++)
        for (size_t row = 0; row < tiles->rows; row++)
            for (size_t col = 0; col < tiles->cols; col++) {
                double v = tiles->value(tiles->context, tile, row, col);
                s.zeros += v == 0.0;
                s.smallest = fmin(s.smallest, v);
                s.largest = fmax(s.largest, v);
            }
    return s;
}

typedef struct Sheet {
    const Tiles *tiles;
    size_t across; // tiles in a row
    size_t shrink; // pixels of a side that become one
    size_t width, height;
} Sheet;

// Blue through white to red, of the 256 colours that terminals have: dark at both ends, so that
// the sign is the hue and the size the darkness.
static int colour_of(double share)
{
    static const unsigned char palette[] = {18,  25,  32,  74,  117, 153, 255,
                                            224, 217, 210, 167, 160, 88};
    enum { MIDDLE = 6 };
    double clipped = fmax(-1.0, fmin(1.0, share));
    return palette[MIDDLE + (int)lrint(clipped * (double)MIDDLE)];
}

// The mean value of one point of a tile, as a share of full colour.
static double point(const Sheet *sheet, size_t tile, size_t y, size_t x)
{
    const Tiles *t = sheet->tiles;
    double sum = 0.0;
    size_t count = 0;
    for (size_t r = y * sheet->shrink; r < (y + 1) * sheet->shrink && r < t->rows; r++)
        for (size_t c = x * sheet->shrink; c < (x + 1) * sheet->shrink && c < t->cols; c++) {
            sum += t->value(t->context, tile, r, c);
            count++;
        }
    return count == 0 || t->scale <= 0.0 ? 0.0 : sum / (double)count / t->scale;
}

static Sheet sheet_for(const Tiles *tiles)
{
    enum { WANTED_ACROSS = 8, MOST_ACROSS = 16 };
    size_t width = terminal_width(STDOUT_FILENO);
    size_t wanted = tiles->across > 0 ? tiles->across : WANTED_ACROSS;
    Sheet sheet = {.tiles = tiles, .shrink = 1};
    while (sheet.shrink < 4 &&
           wanted * ((tiles->cols + sheet.shrink - 1) / sheet.shrink + 1) > width + 1)
        sheet.shrink++;
    sheet.width = (tiles->cols + sheet.shrink - 1) / sheet.shrink;
    sheet.height = (tiles->rows + sheet.shrink - 1) / sheet.shrink;
    size_t most = tiles->cols < 16 ? MOST_ACROSS : WANTED_ACROSS;
    sheet.across = (width + 1) / (sheet.width + 1);
    sheet.across = sheet.across < 1 ? 1 : sheet.across > most ? most : sheet.across;
    return sheet;
}

static void draw_line(const Sheet *sheet, size_t first, size_t y)
{
    for (size_t tile = first; tile < first + sheet->across && tile < sheet->tiles->n; tile++) {
        for (size_t x = 0; x < sheet->width; x++) {
            int upper = colour_of(point(sheet, tile, y, x));
            if (y + 1 < sheet->height)
                printf("\033[38;5;%d;48;5;%dm\xe2\x96\x80", upper,
                       colour_of(point(sheet, tile, y + 1, x)));
            else
                printf("\033[0m\033[38;5;%dm\xe2\x96\x80", upper);
        }
        printf("\033[0m ");
    }
    putchar('\n');
}

void tiles_draw(const Tiles *tiles)
{
    Sheet sheet = sheet_for(tiles);
    for (size_t first = 0; first < tiles->n; first += sheet.across) {
        for (size_t tile = first; tile < first + sheet.across && tile < tiles->n; tile++) {
            char title[48];
            tiles->title(tiles->context, tile, title, sizeof title);
            printf("%-*.*s ", (int)sheet.width, (int)sheet.width, title);
        }
        putchar('\n');
        for (size_t y = 0; y < sheet.height; y += 2)
            draw_line(&sheet, first, y);
    }
}
