// mlp weights: the rows of W1 as pictures, and the class that each hidden unit speaks for.
#include "commands.h"
#include "numbers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char *weights_csv;

static const Option option_table[] = {
    {"csv", 0, OPTION_TEXT, &weights_csv, "FILE",
     "write a row a hidden unit here: unit,class,output_weight,bias and the weights of the pixels",
     0, 0, NULL, NULL},
    {0},
};

// ---------------------------------------------------------------------------------------------
// The units

// A hidden unit, and the answer that it argues for most: the largest weight in its column of W2.
typedef struct Unit {
    size_t number, class;
    double output_weight;
} Unit;

// What is shown of a model: a network of two dense layers.
typedef struct Units {
    const Model *model;
    const Tensor *W1, *b1, *W2;
    size_t n, n_pixels, rows, cols;
    Unit *list; // (n) by class, the strongest first
} Units;

static double weight(const Units *units, const Tensor *tensor, size_t e)
{
    return (double)units->model->params[tensor_index(tensor, e)];
}

static int compare_units(const void *a, const void *b)
{
    const Unit *u = a, *v = b;
    if (u->class != v->class)
        return u->class < v->class ? -1 : 1;
    if (u->output_weight != v->output_weight)
        return u->output_weight > v->output_weight ? -1 : 1;
    return (u->number > v->number) - (u->number < v->number);
}

static bool find_units(Units *units, const Model *model, Arena *arena, Error *err)
{
    const Network *net = &model->net;
    *units = (Units){.model = model,
                     .W1 = net->tensors[0],
                     .b1 = net->tensors[1],
                     .W2 = net->tensors[2],
                     .n = net->architecture.hidden,
                     .n_pixels = shape_size(net->layers[0].in),
                     .rows = net->architecture.rows,
                     .cols = net->architecture.cols};
    units->list = arena_alloc(arena, units->n, sizeof *units->list, "the hidden units", err);
    if (units->list == NULL)
        return false;
    for (size_t h = 0; h < units->n; h++) {
        Unit *unit = &units->list[h];
        *unit = (Unit){.number = h, .output_weight = weight(units, units->W2, h)};
        for (size_t k = 1; k < net->architecture.classes; k++) {
            double w = weight(units, units->W2, k * units->n + h);
            if (w > unit->output_weight)
                unit->class = k, unit->output_weight = w;
        }
    }
    qsort(units->list, units->n, sizeof *units->list, compare_units);
    return true;
}

static double largest_weight(const Units *units)
{
    double largest = 0.0;
    for (size_t e = 0; e < units->n * units->n_pixels; e++)
        largest = fmax(largest, fabs(weight(units, units->W1, e)));
    return largest;
}

// ---------------------------------------------------------------------------------------------
// As numbers

static void print_row(FILE *out, const Units *units, const Unit *unit)
{
    char text[NUMBER_SIZE];
    fprintf(out, "%zu,%zu,%s", unit->number, unit->class,
            number_measured(text, unit->output_weight));
    fprintf(out, ",%s", number_measured(text, weight(units, units->b1, unit->number)));
    for (size_t p = 0; p < units->n_pixels; p++)
        fprintf(
            out, ",%s",
            number_measured(text, weight(units, units->W1, unit->number * units->n_pixels + p)));
    fputc('\n', out);
}

static void print_csv(FILE *out, const void *context)
{
    const Units *units = context;
    fputs("unit,class,output_weight,bias", out);
    for (size_t p = 0; p < units->n_pixels; p++)
        fprintf(out, ",w%zu", p);
    fputc('\n', out);
    for (size_t i = 0; i < units->n; i++)
        print_row(out, units, &units->list[i]);
}

static void print_table(const Units *units)
{
    printf("%6s  %6s  %13s  %9s  %9s  %9s\n", "unit", "class", "output weight", "bias", "smallest",
           "largest");
    for (size_t i = 0; i < units->n; i++) {
        const Unit *unit = &units->list[i];
        double smallest = (double)INFINITY, largest = -(double)INFINITY;
        for (size_t p = 0; p < units->n_pixels; p++) {
            double w = weight(units, units->W1, unit->number * units->n_pixels + p);
            smallest = fmin(smallest, w);
            largest = fmax(largest, w);
        }
        printf("%6zu  %6zu  %13.4f  %9.4f  %9.4f  %9.4f\n", unit->number, unit->class,
               unit->output_weight, weight(units, units->b1, unit->number), smallest, largest);
    }
}

// ---------------------------------------------------------------------------------------------
// As pictures, in half blocks: a character is two pixels, one above the other

typedef struct Sheet {
    size_t across; // tiles in a row
    size_t shrink; // pixels of a side that become one
    size_t width, height;
    double scale; // the weight that has full colour
} Sheet;

// Blue through white to red, of the 256 colours that terminals have: dark at both ends, so that
// the sign is the hue and the size the darkness.
static int colour_of(double share)
{
    static const unsigned char palette[] = {18,  25,  32,  74,  117, 153, 255,
                                            224, 217, 210, 167, 160, 88};
    enum { MIDDLE = 6 };
    double clipped = fmax(-1.0, fmin(1.0, share));
    return palette[MIDDLE + (int)lrint(clipped * MIDDLE)];
}

// The mean weight of one point of a tile.
static double point(const Units *units, const Sheet *sheet, const Unit *unit, size_t y, size_t x)
{
    double sum = 0.0;
    size_t count = 0;
    for (size_t r = y * sheet->shrink; r < (y + 1) * sheet->shrink && r < units->rows; r++)
        for (size_t c = x * sheet->shrink; c < (x + 1) * sheet->shrink && c < units->cols; c++) {
            size_t p = unit->number * units->n_pixels + r * units->cols + c;
            sum += weight(units, units->W1, p);
            count++;
        }
    return count == 0 ? 0.0 : sum / (double)count / sheet->scale;
}

static Sheet sheet_for(const Units *units)
{
    enum { WANTED_ACROSS = 8 };
    size_t width = 80;
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        width = size.ws_col;
#endif
    Sheet sheet = {.shrink = 1};
    while (sheet.shrink < 4 &&
           WANTED_ACROSS * ((units->cols + sheet.shrink - 1) / sheet.shrink + 1) > width + 1)
        sheet.shrink++;
    sheet.width = (units->cols + sheet.shrink - 1) / sheet.shrink;
    sheet.height = (units->rows + sheet.shrink - 1) / sheet.shrink;
    sheet.across = (width + 1) / (sheet.width + 1);
    sheet.across = sheet.across < 1               ? 1
                   : sheet.across > WANTED_ACROSS ? WANTED_ACROSS
                                                  : sheet.across;
    sheet.scale = largest_weight(units) / 2.0; // the largest alone would leave the rest pale
    return sheet;
}

static void draw_line(const Units *units, const Sheet *sheet, size_t first, size_t y)
{
    for (size_t t = first; t < first + sheet->across && t < units->n; t++) {
        const Unit *unit = &units->list[t];
        for (size_t x = 0; x < sheet->width; x++) {
            int upper = colour_of(point(units, sheet, unit, y, x));
            if (y + 1 < sheet->height)
                printf("\033[38;5;%d;48;5;%dm\xe2\x96\x80", upper,
                       colour_of(point(units, sheet, unit, y + 1, x)));
            else
                printf("\033[0m\033[38;5;%dm\xe2\x96\x80", upper);
        }
        printf("\033[0m ");
    }
    putchar('\n');
}

static void draw(const Units *units)
{
    Sheet sheet = sheet_for(units);
    for (size_t first = 0; first < units->n; first += sheet.across) {
        for (size_t t = first; t < first + sheet.across && t < units->n; t++) {
            char title[48];
            snprintf(title, sizeof title, "%zu: %zu", units->list[t].number, units->list[t].class);
            printf("%-*.*s ", (int)sheet.width, (int)sheet.width, title);
        }
        putchar('\n');
        for (size_t y = 0; y < sheet.height; y += 2)
            draw_line(units, &sheet, first, y);
    }
    printf("Each tile: a hidden unit and the class that it speaks for; its weights, negative blue, "
           "positive red,\nfull colour from %.3g on.\n",
           sheet.scale);
}

// ---------------------------------------------------------------------------------------------
// The command

static bool can_draw(void)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0 &&
           (no_color == NULL || no_color[0] == '\0');
}

static bool weights(const char *path, Arena *arena, Error *err)
{
    Model model;
    Units units;
    if (weights_csv != NULL && path_is_same(weights_csv, path))
        return error_set(err, "--csv would replace the model, %s", path);
    if (weights_csv != NULL && idx_is_data_file(command_data_folder(NULL), weights_csv))
        return error_set(err, "--csv would replace a file of the data, %s", weights_csv);
    if (!model_read(&model, arena, path, err) || !find_units(&units, &model, arena, err))
        return false;
    if (weights_csv != NULL)
        return command_write_table(weights_csv, print_csv, &units, arena, err);
    can_draw() ? draw(&units) : print_table(&units);
    return true;
}

static int run(int argc, char **argv)
{
    const char *path;
    int status;
    if (!command_begin(&command_weights, option_table, &path, argc, argv, &status))
        return status;
    Arena arena = {0};
    Error err;
    status = weights(path, &arena, &err) ? STATUS_DONE : command_fail(&err);
    arena_free(&arena);
    return command_end(status);
}

const Command command_weights = {
    .name = "weights",
    .arguments = "MODEL",
    .summary = "show what each hidden unit looks for, and which class it speaks for",
    .about =
        "Shows the hidden units of a model, ordered by the class that each speaks for: that of "
        "the largest weight from the unit to an output. On a terminal the weights from the "
        "pixels are drawn as pictures, otherwise a table is printed; --csv writes all of them.",
    .examples = {"mlp weights model.bin", "mlp weights model.bin --csv weights.csv"},
    .run = run,
};
