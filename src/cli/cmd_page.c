// mlp page: one HTML file that explains a model and that one can draw on. It holds the model's
// weights, some test images with their labels, and the scripts of src/page, which compute what the
// program computes. This file writes the data that those scripts read; it computes nothing itself.
//
// The page asks no server for anything, and runs no script but its own: its Content-Security-Policy
// names that one by its SHA-256. Names of models and classes come from a file that somebody else
// may have written: they are in the data only, as JSON in which no "<" can end its element, and the
// scripts show them as text.
#include "commands.h"
#include "elementary.h"
#include "page_parts.h"
#include "settings.h"
#include "sha256.h"

#include <string.h>

typedef struct PageOptions {
    const char *output, *data;
    uint64_t images;
    TransposeFlags transpose;
} PageOptions;

enum { DEFAULT_IMAGES = 40 };

static void page_options(OptionTable *table, void *values)
{
    PageOptions *o = values;
    o->output = "page.html";
    o->images = DEFAULT_IMAGES;
    const Option rows[] = {
        OPT_TABLE("output", &o->output, "write the page here (- is standard output)",
                  .letter = 'o'),
        OPT_UINT("images", &o->images, 0, 10000, "N",
                 "how many test images the page has: the first ones, and for a quarter of N the "
                 "first of the others that the model gets wrong"),
        OPT_DATA(&o->data),
        OPT_MODEL_TRANSPOSE(&o->transpose),
    };
    options_add(table, rows, sizeof rows / sizeof rows[0]);
}

// ---------------------------------------------------------------------------------------------
// The test images

typedef struct Page {
    const mlp_model *model;
    const char *path; // of the model
    const mlp_data *data;
    mlp_evaluation evaluation; // of all test images
    size_t *images;            // (n_images) their numbers, ascending
    size_t n_images;
} Page;

// Takes the first n - n / 4 images, then wrong ones as long as there are any, then what follows the
// first.
static bool choose_images(Page *page, size_t n, Context *c)
{
    static const char what[] = "the answers";
    size_t n_data = page->data->n;
    unsigned char *predicted = arena_alloc(&c->arena, n_data, 1, what, &c->err);
    bool *chosen = arena_alloc(&c->arena, n_data, sizeof *chosen, what, &c->err);
    page->images = arena_alloc(&c->arena, n_data, sizeof *page->images, what, &c->err);
    if (predicted == NULL || chosen == NULL || page->images == NULL ||
        !mlp_evaluate(page->model, page->data, MLP_ALL, command_threads(c, 0), &page->evaluation,
                      &(mlp_predictions){.predicted = predicted}, c->err.text))
        return false;
    n = n < n_data ? n : n_data;
    size_t n_first = n - n / 4, n_more = n / 4;
    for (size_t i = 0; i < n_data; i++) {
        bool is_wrong = predicted[i] != page->data->labels[i];
        chosen[i] = i < n_first || (is_wrong && n_more > 0);
        n_more -= i >= n_first && chosen[i];
    }
    for (size_t i = n_first; n_more > 0; i++) {
        n_more -= !chosen[i];
        chosen[i] = true;
    }
    for (size_t i = 0; i < n_data; i++)
        if (chosen[i])
            page->images[page->n_images++] = i;
    return true;
}

// Opens the test images. Where nobody named any, a page can do without.
static bool open_images(Page *page, const PageOptions *o, Context *c)
{
    if (o->images == 0)
        return true;
    page->data =
        command_open_data(c, MLP_TEST_FILES, o->data, command_transposed(c, &o->transpose));
    if (page->data != NULL && mlp_fits(page->model, page->data, c->err.text))
        return choose_images(page, (size_t)o->images, c);
    page->data = NULL;
    if (o->data != NULL)
        return false;
    command_note("the page has no test images: %s", c->err.text);
    c->err.text[0] = '\0';
    return true;
}

// ---------------------------------------------------------------------------------------------
// The data of the page, as JSON

// Base64 (RFC 4648), in one line.
static void print_base64(FILE *out, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i < 3 ? n - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= left > 2 ? bytes[i + 2] : 0;
        for (size_t d = 0; d < 4; d++)
            fputc(d <= left ? digits[bits >> (18 - 6 * d) & 63] : '=', out);
    }
}

static void print_shape(JsonWriter *json, const char *key, Shape shape)
{
    json_open(json, key, '[');
    json_uint(json, NULL, shape.height);
    json_uint(json, NULL, shape.width);
    json_uint(json, NULL, shape.channels);
    json_close(json, ']');
}

static void print_layer(JsonWriter *json, const Layer *layer)
{
    json_open(json, NULL, '{');
    json_string(json, "kind", layer->kind->name);
    json_string(json, "symbol", layer->symbol);
    json_string(json, "in_symbol", layer->in_symbol);
    json_uint(json, "number", layer->number);
    print_shape(json, "in", layer->in);
    print_shape(json, "out", layer->out);
    if (layer->kind == &layer_sparse_dense)
        json_bool(json, "reads_pixels", true);
    if (layer->conv.kernel_size > 0) {
        json_uint(json, "kernel_size", layer->conv.kernel_size);
        json_uint(json, "stride", layer->conv.stride);
    }
    if (layer->n_tensors > 0) {
        json_string(json, "name", layer->name);
        json_uint(json, "weights", tensor_size(&layer->tensors[0]));
    }
    json_open(json, "identity", '[');
    for (size_t i = 0; i <= layer->n_tensors && layer->kind->identity[i] != NULL; i++)
        json_string(json, NULL, layer->kind->identity[i]);
    json_close(json, ']');
    json_close(json, '}');
}

static void print_network(JsonWriter *json, const Page *page)
{
    const mlp_model *model = page->model;
    const char *slash = strrchr(page->path, '/');
    char sizes[NETWORK_SIZES_SIZE];
    network_sizes(&model->net, sizes, sizeof sizes);
    json_open(json, "network", '{');
    json_string(json, "name", slash != NULL ? slash + 1 : page->path);
    json_string(json, "sizes", sizes);
    json_uint(json, "parameters", network_count_weights(&model->net));
    json_uint(json, "epochs", model->settings.epochs);
    json_exact(json, "learning_rate", model->settings.learning_rate);
    json_exact(json, "pixel_std", model->facts.pixel_std);
    json_uint(json, "rows", mlp_rows(model));
    json_uint(json, "cols", mlp_cols(model));
    json_open(json, "classes", '[');
    for (size_t k = 0; k < mlp_classes(model); k++)
        json_string(json, NULL, mlp_class_name(model, k));
    json_close(json, ']');
    json_open(json, "layers", '[');
    for (size_t l = 0; l < model->net.n_layers; l++)
        print_layer(json, &model->net.layers[l]);
    json_close(json, ']');
    json_close(json, '}');
}

static void print_images(JsonWriter *json, const Page *page)
{
    json_open(json, "images", '{');
    json_uint(json, "n", page->evaluation.n);
    json_uint(json, "correct", page->evaluation.correct);
    json_open(json, "numbers", '[');
    for (size_t i = 0; i < page->n_images; i++)
        json_uint(json, NULL, page->images[i]);
    json_close(json, ']');
    json_open(json, "labels", '[');
    for (size_t i = 0; i < page->n_images; i++)
        json_uint(json, NULL, page->data->labels[page->images[i]]);
    json_close(json, ']');
    json_close(json, '}');
}

// The bytes of the chosen images, one after the other.
static bool gather_pixels(PagePart *pixels, const Page *page, Arena *arena, Error *err)
{
    *pixels = (PagePart){0};
    if (page->n_images == 0)
        return true;
    size_t size = dataset_pixels_per_image(page->data);
    unsigned char *bytes = arena_alloc(arena, page->n_images, size, "the images", err);
    for (size_t i = 0; bytes != NULL && i < page->n_images; i++)
        memcpy(bytes + i * size, page->data->pixels + page->images[i] * size, size);
    *pixels = (PagePart){bytes, page->n_images * size};
    return bytes != NULL;
}

// All tensors in the order of the layers and of the model file, float32, little-endian.
static bool gather_weights(PagePart *weights, const mlp_model *model, Arena *arena, Error *err)
{
    size_t n = 0;
    unsigned char *bytes =
        arena_alloc(arena, network_count_weights(&model->net), 4, "the weights", err);
    for (size_t t = 0; bytes != NULL && t < model->net.n_tensors; t++) {
        const Tensor *tensor = model->net.tensors[t];
        for (size_t e = 0; e < tensor_size(tensor); e++) {
            uint32_t bits = f32_bits(model->params[tensor_index(tensor, e)]);
            for (int shift = 0; shift < 32; shift += 8)
                bytes[n++] = (unsigned char)(bits >> shift);
        }
    }
    *weights = (PagePart){bytes, n};
    return bytes != NULL;
}

// ---------------------------------------------------------------------------------------------
// The page

// An element whose text is an array of bytes.
typedef struct Element {
    const char *begin, *end;
} Element;

static const Element style_element = {"<style>", "</style>\n"},
                     script_element = {"<script>", "</script>\n"},
                     weights_element = {"<script type=\"text/plain\" id=\"weights\">",
                                        "</script>\n"},
                     pixels_element = {"<script type=\"text/plain\" id=\"pixels\">", "</script>\n"};

static void print_part(FILE *out, const Element *element, const PagePart *part)
{
    fputs(element->begin, out);
    fwrite(part->bytes, 1, part->size, out);
    fputs(element->end, out);
}

static void print_encoded(FILE *out, const Element *element, const PagePart *part)
{
    fputs(element->begin, out);
    print_base64(out, part->bytes, part->size);
    fputs(element->end, out);
}

static void print_source(FILE *out, const char *directive, const PagePart *part)
{
    unsigned char hash[SHA256_SIZE];
    sha256(hash, part->bytes, part->size);
    fprintf(out, "; %s 'sha256-", directive);
    print_base64(out, hash, sizeof hash);
    fputc('\'', out);
}

static void print_head(FILE *out)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'",
          out);
    print_source(out, "script-src", &page_script);
    print_source(out, "style-src", &page_style);
    fputs("; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
          "trusted-types 'none'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n"
          "<title>mlp</title>\n",
          out);
    print_part(out, &style_element, &page_style);
    fputs("</head>\n", out);
}

typedef struct PageData {
    const Page *page;
    PagePart weights, pixels;
} PageData;

static void print_page(CsvWriter *csv, const void *context)
{
    const PageData *data = context;
    FILE *out = csv->out;
    JsonWriter json = {.out = out, .in_html = true};
    print_head(out);
    fwrite(page_body.bytes, 1, page_body.size, out);
    fputs("<script type=\"application/json\" id=\"data\">", out);
    json_open(&json, NULL, '{');
    json_string(&json, "program", mlp_version());
    print_network(&json, data->page);
    print_images(&json, data->page);
    json_close(&json, '}');
    fputs("</script>\n", out);
    print_encoded(out, &weights_element, &data->weights);
    print_encoded(out, &pixels_element, &data->pixels);
    print_part(out, &script_element, &page_script);
    fputs("</body>\n</html>\n", out);
}

static int run(Context *c)
{
    const PageOptions *o = c->values;
    int status = command_begin(c);
    if (status != STATUS_DONE)
        return status;
    Page page = {.model = c->model, .path = c->words.model};
    PageData data = {.page = &page};
    if (!open_images(&page, o, c) || !gather_pixels(&data.pixels, &page, &c->arena, &c->err) ||
        !gather_weights(&data.weights, c->model, &c->arena, &c->err))
        return STATUS_FAILED;
    return command_write_tables(c, &(Table){o->output, print_page, &data}, 1);
}

const Command command_page = {
    .name = "page",
    .arguments = "MODEL",
    .summary = "write a web page that explains a model and answers for what one draws",
    .about = "Writes one HTML file that needs no server and no network: open it in a browser. One "
             "draws a digit there, or drops a picture, and sees the model's answer, what every "
             "hidden unit or feature map computes, the derivative of the loss by each weight as a "
             "product of its factors, and how steps of gradient descent change the weights. It "
             "computes the same bits as the program. It prints as a worksheet.",
    .examples = {"mlp page model.bin", "mlp page cnn.bin -o cnn.html"},
    .values_size = sizeof(PageOptions),
    .options = page_options,
    .run = run,
};
