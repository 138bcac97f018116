// Nothing reads or writes beyond the memory that it was given: every kernel of every instruction
// set on arrays that end where a page ends and on arrays that begin where one begins, with as much
// behind them as kernels.h and kernels_conv.h say may be read; readers on inputs cut at every byte;
// and the library with its caller's arrays, and all of its own memory, there. It needs no
// sanitizer, and tests/run.sh runs it in the plain build, too, whose vector code is what users run.
// In this program aligned_alloc, from which every arena has its memory, is page_place.
#include "exif.h"
#include "idx.h"
#include "json.h"
#include "kernels.h"
#include "matrix.h"
#include "mlp.h"
#include "options.h"
#include "pnm.h"
#include "random.h"

#include "files.h"
#include "page_end.h"
#include "test.h"

#include <signal.h>
#include <sys/wait.h>

void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);
void __wrap_free(void *memory);

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    if (size % alignment != 0)
        abort();
    return page_place(size, false);
}

void __wrap_free(void *memory)
{
    if (!page_free(memory))
        __real_free(memory);
}

static bool at_start; // where `place` places
static const Kernels *reference;

static void *place(size_t size)
{
    return page_place(size, at_start);
}

// Runs a test with arrays that end at a page's end, and with such as begin at its beginning.
static void at_both_ends(void (*test)(void))
{
    for (int i = 0; i < 2; i++) {
        at_start = i == 1;
        test();
    }
}

// ---------------------------------------------------------------------------------------------
// That it works

// Whether a process that reads one byte there is ended by the system.
static bool ends_a_reader(const volatile unsigned char *at)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        signal(SIGBUS, SIG_DFL);
        _exit(*at == 0 ? 0 : 1);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return WIFSIGNALED(status) && (WTERMSIG(status) == SIGSEGV || WTERMSIG(status) == SIGBUS);
}

static void one_byte_beyond_a_placed_array_ends_the_program(void)
{
    static const size_t sizes[] = {1, 63, 4096, 70001};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *end = page_place(sizes[i], false), *start = page_place(sizes[i], true);
        CHECK(ends_a_reader(end + sizes[i]) && !ends_a_reader(end + sizes[i] - 1) &&
                  !ends_a_reader(end),
              "the end of %zu bytes", sizes[i]);
        CHECK(ends_a_reader(start - 1) && !ends_a_reader(start) &&
                  !ends_a_reader(start + sizes[i] - 1),
              "the beginning of %zu bytes", sizes[i]);
        CHECK(page_free(start) && page_free(end) && !page_free(end), "an array is freed once");
    }
}

// ---------------------------------------------------------------------------------------------
// Kernels

// Rows of `length` random floats and zeros up to `stride`, in all n floats.
static float *draws(uint64_t purpose, size_t n, size_t length, size_t stride)
{
    float *x = place(n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = i % stride < length ? random_normal(13, purpose, i) : 0.0f;
    return x;
}

static unsigned char *bytes_of(uint64_t purpose, size_t n, unsigned nonzero_of_ten)
{
    unsigned char *x = place(n);
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = random_bits(13, purpose, i);
        x[i] = bits % 10 < nonzero_of_ten ? (unsigned char)(1 + (bits >> 32) % 255) : 0;
    }
    return x;
}

// Runs a check by each instruction set: it runs `kernels` and the scalar reference, on arrays of
// which it gives none back.
static void with_each_set(void (*check)(void))
{
    const Kernels *before = kernels;
    size_t n = n_placed;
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
        kernels = kernels_available(i);
        check();
        page_free_from(n);
    }
    kernels = before;
}

static void check_sparse(size_t I, size_t O, size_t B)
{
    size_t S = kernel_row_stride(O), n_tiles = (B + TILE_EXAMPLES - 1) / TILE_EXAMPLES;
    const unsigned char **at = place(B * sizeof *at);
    unsigned char *bytes = bytes_of(1, B * I, 4), *tile[2];
    for (size_t e = 0; e < B; e++)
        at[e] = bytes + e * I;
    uint32_t *start[2];
    uint16_t *entries[2];
    float *value = draws(2, 256, 256, 256), *W = draws(3, I * S, O, S), *dy = draws(4, B * S, O, S),
          *sum[2], *into[2];
    for (size_t k = 0; k < 2; k++) {
        const Kernels *set = k == 0 ? kernels : reference;
        start[k] = place((B + 1) * sizeof **start);
        entries[k] = place((B * I + SPARSE_SLACK) * sizeof **entries);
        set->sparse_list(entries[k], start[k], &(ByteRows){at, B}, I, &(ByteRows){at, B});
        size_t n = start[k][B];
        uint16_t *exact = place((n + 2) * sizeof *exact);
        memcpy(exact, entries[k], n * sizeof *exact);
        entries[k] = exact;
        size_t examples = B < TILE_EXAMPLES ? B : TILE_EXAMPLES;
        SparseRow *row = place((examples + 1) * sizeof *row);
        for (size_t e = 0; e <= examples; e++)
            row[e] =
                (SparseRow){exact + start[k][e], e < examples ? start[k][e + 1] - start[k][e] : 0};
        sum[k] = draws(5, examples * S, O, S);
        tile[k] = place(n_tiles * I * TILE_EXAMPLES);
        set->sparse_forward(&(SumRows){sum[k], S, SUM_ADD}, W, S, &(SparseRows){row, examples}, I,
                            value, tile[k]);
        for (size_t e = TILE_EXAMPLES; e < B; e++)
            for (size_t p = 0; p < I; p++)
                tile[k][(e / TILE_EXAMPLES * I + p) * TILE_EXAMPLES + e % TILE_EXAMPLES] = at[e][p];
        into[k] = draws(6, I * S, O, S);
        set->sparse_weight_gradient(into[k], S, tile[k], B, I, value, dy, -0.5f, (Range){0, I});
    }
    size_t n_sums = B < TILE_EXAMPLES ? B : TILE_EXAMPLES;
    CHECK(memcmp(start[0], start[1], (B + 1) * sizeof **start) == 0 &&
              memcmp(entries[0], entries[1], start[1][B] * sizeof **entries) == 0 &&
              memcmp(sum[0], sum[1], n_sums * S * sizeof **sum) == 0 &&
              memcmp(tile[0], tile[1], n_tiles * I * TILE_EXAMPLES) == 0 &&
              memcmp(into[0], into[1], I * S * sizeof **into) == 0,
          "%s: I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);
}

static void check_dense(size_t I, size_t O, size_t B)
{
    size_t S = kernel_row_stride(O), stride = round_up(I, KERNEL_PAD);
    float *W = draws(1, I * S, O, S), *b = draws(2, S, O, S), *x = draws(3, B * stride, I, stride);
    float *dy = draws(4, B * S, O, S), *one = draws(5, 1, 1, 1), *y[2], *dx[2], *into[2], *bias[2],
          *parts[2];
    for (size_t k = 0; k < 2; k++) {
        const Kernels *set = k == 0 ? kernels : reference;
        y[k] = place(B * S * sizeof **y);
        dx[k] = place(B * stride * sizeof **dx);
        into[k] = draws(6, I * S, O, S);
        bias[k] = draws(7, S, O, S);
        parts[k] = draws(8, S, O, S);
        set->dense_forward(y[k], W, b, S, x, stride, B, I);
        set->dense_backward(dx[k], stride, W, S, dy, B, I, O);
        set->dense_weight_gradient(into[k], S, x, stride, dy, B, 0.5f, (Range){0, I});
        set->dense_weight_gradient(bias[k], S, one, 0, dy, B, 0.5f, (Range){0, 1});
        set->sum_parts(parts[k], W, I, S);
    }
    CHECK(memcmp(y[0], y[1], B * S * sizeof **y) == 0 &&
              memcmp(dx[0], dx[1], B * stride * sizeof **dx) == 0 &&
              memcmp(into[0], into[1], I * S * sizeof **into) == 0 &&
              memcmp(bias[0], bias[1], S * sizeof **bias) == 0 &&
              memcmp(parts[0], parts[1], S * sizeof **parts) == 0,
          "%s: I = %zu, O = %zu, B = %zu", kernels->isa, I, O, B);
}

static void check_activations(size_t n)
{
    float *x = draws(1, n, n, n), *dy = draws(2, n, n, n), *y[2], *dx[2];
    void (*const forward[][2])(float *, const float *,
                               size_t) = {{kernels->sigmoid_forward, reference->sigmoid_forward},
                                          {kernels->tanh_forward, reference->tanh_forward},
                                          {kernels->relu_forward, reference->relu_forward}};
    void (*const backward[][2])(float *, const float *, const float *,
                                size_t) = {{kernels->sigmoid_backward, reference->sigmoid_backward},
                                           {kernels->tanh_backward, reference->tanh_backward},
                                           {kernels->relu_backward, reference->relu_backward}};
    for (size_t f = 0; f < 3; f++) {
        for (size_t k = 0; k < 2; k++) {
            y[k] = place(n * sizeof **y);
            dx[k] = place(n * sizeof **dx);
            forward[f][k](y[k], x, n);
            backward[f][k](dx[k], y[k], dy, n);
        }
        CHECK(memcmp(y[0], y[1], n * sizeof **y) == 0 && memcmp(dx[0], dx[1], n * sizeof **dx) == 0,
              "%s: activation %zu of %zu values", kernels->isa, f, n);
    }
}

static void check_softmax(size_t C, size_t B)
{
    size_t S = kernel_row_stride(C);
    float *a = draws(1, B * S, C, S), *p[2], *loss[2];
    unsigned char *label = place(B), *predicted[2];
    for (size_t k = 0; k < 2; k++) {
        const Kernels *set = k == 0 ? kernels : reference;
        p[k] = place(B * S * sizeof **p);
        loss[k] = place(B * sizeof **loss);
        predicted[k] = place(B);
        set->softmax_cross_entropy(p[k], loss[k], predicted[k], a, S, label, B, C);
    }
    CHECK(memcmp(p[0], p[1], B * S * sizeof **p) == 0 &&
              memcmp(loss[0], loss[1], B * sizeof **loss) == 0 &&
              memcmp(predicted[0], predicted[1], B) == 0,
          "%s: B = %zu, C = %zu", kernels->isa, B, C);
}

// Arrays that begin and end anywhere in a vector.
static void check_steps(size_t n)
{
    static const AdamStep adam = {0.1f, 0.001f, 0.02f, 1.5f, 1e-8f};
    enum { P, M, V, G, A, N_ARRAYS };
    float *of[2][N_ARRAYS];
    for (size_t k = 0; k < 2; k++) {
        const Kernels *set = k == 0 ? kernels : reference;
        for (size_t j = 0; j < N_ARRAYS; j++)
            of[k][j] = draws(1 + j, n, n, n + 1);
        for (size_t i = 0; i < n; i++)
            of[k][V][i] *= of[k][V][i];
        set->decay_step(of[k][P], n, 0.03f);
        set->adam_step(of[k][P], of[k][M], of[k][V], of[k][G], n, &adam);
        set->momentum_step(of[k][P], of[k][M], of[k][G], n, 0.02f, 0.9f);
        set->average_step(of[k][A], of[k][P], n, 0.25f);
    }
    for (size_t j = 0; j < N_ARRAYS; j++)
        CHECK(memcmp(of[0][j], of[1][j], n * sizeof(float)) == 0, "%s: array %zu of %zu values",
              kernels->isa, j, n);
}

static void check_samples(size_t pitch, size_t height)
{
    size_t n = pitch * height;
    unsigned char *image = bytes_of(1, n + pitch + 1 + SAMPLE_SLACK, 9), *to[2];
    const SampleLine first = {0, (uint32_t)pitch, 0, 0};
    const SampleLine last = {pitch, (uint32_t)pitch, 0, (int32_t)((height - 1) << POSITION_BITS)};
    SampleLine *lines = place(2 * sizeof *lines);
    lines[0] = first;
    lines[1] = last;
    for (size_t k = 0; k < 2; k++) {
        const Kernels *set = k == 0 ? kernels : reference;
        QuadTable table = {place((n + SAMPLE_SLACK) * sizeof *table.quads), pitch, (uint32_t)n};
        set->make_quads(&table, image);
        uint32_t *exact = place(n * sizeof *exact);
        memcpy(exact, table.quads, n * sizeof *exact);
        table.quads = exact;
        to[k] = place(2 * pitch + SAMPLE_SLACK);
        set->sample_lines(to[k], &table, &(SampleLines){lines, 2, 1 << POSITION_BITS, 0});
    }
    CHECK(memcmp(to[0], to[1], 2 * pitch + SAMPLE_SLACK) == 0, "%s: %zu x %zu", kernels->isa,
          height, pitch);
}

static void all_but_convolutions(void)
{
    static const size_t inputs[] = {1, 6, 15, 16, 17, 50, 98, 127, 128},
                        outputs[] = {1, 10, 17, 64, 130};
    static const size_t batches[] = {1, 3, 64, 65};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        size_t n = n_placed;
        check_sparse(inputs[i], outputs[i % 5], batches[i % 4]);
        check_dense(inputs[i], outputs[(i + 1) % 5], batches[(i + 1) % 4] % 60);
        check_activations(KERNEL_PAD * inputs[i]);
        check_softmax(2 + inputs[i], batches[i % 4]);
        check_steps(inputs[i]);
        check_samples(inputs[i], 1 + inputs[i] % 5);
        page_free_from(n);
    }
}

typedef struct Case {
    size_t height, width, pitch, kernel_size, stride, channels;
} Case;

// The shape of a case, and the floats of two images and of their outputs: the last image ends where
// its memory does, but for what may be read behind it.
typedef struct Images {
    ConvShape s;
    size_t n_x, n_y;
} Images;
enum { N_IMAGES = 2 };

static Images images_of(const Case *c)
{
    Images i = {.s = {.height = c->height,
                      .width = c->width,
                      .pitch = c->pitch,
                      .in_channels = c->pitch,
                      .kernel_size = c->kernel_size,
                      .stride = c->stride,
                      .out_height = (c->height - c->kernel_size) / c->stride + 1,
                      .out_width = (c->width - c->kernel_size) / c->stride + 1,
                      .out_pitch = round_up(c->channels, KERNEL_PAD),
                      .channels = c->channels}};
    size_t pixels = round_up(c->height * c->width * c->pitch, KERNEL_PAD),
           outputs = conv_positions(&i.s) * i.s.out_pitch;
    i.s.image_stride = pixels + KERNEL_PAD;
    i.s.out_image_stride = outputs + KERNEL_PAD;
    i.n_x = (N_IMAGES - 1) * i.s.image_stride + pixels;
    i.n_y = (N_IMAGES - 1) * i.s.out_image_stride + outputs;
    return i;
}

static void check_convolution(const Case *c)
{
    Images images = images_of(c);
    const ConvShape *s = &images.s;
    size_t window = conv_window_length(s), w_stride = kernel_row_stride(window),
           n_W = s->channels * w_stride;
    size_t n_lists = N_IMAGES * nonzeros_per_example(s);
    float *x = draws(1, images.n_x + KERNEL_PAD, 1, 3), *W = draws(2, n_W, window, w_stride);
    float *b = draws(3, s->out_pitch, s->channels, s->out_pitch),
          *dy = draws(4, images.n_y, s->channels, s->out_pitch);
    float *y[2], *dx[2], *into[2], *bias[2];
    for (size_t k = 0; k < 2; k++) {
        const ConvKernels *set = k == 0 ? kernels->conv : reference->conv;
        Nonzero *lists = place(n_lists * sizeof *lists);
        y[k] = place(images.n_y * sizeof **y);
        dx[k] = place(images.n_x * sizeof **dx);
        into[k] = draws(5, n_W, window, w_stride);
        bias[k] = draws(6, s->out_pitch, s->channels, s->out_pitch);
        set->forward(y[k], W, w_stride, b, s, x, N_IMAGES);
        set->list_nonzeros(lists, s, dy, N_IMAGES);
        if (s->pitch % KERNEL_PAD == 0)
            set->backward(dx[k], W, w_stride, s, lists, N_IMAGES);
        set->weight_gradient(into[k], w_stride, bias[k], s, (Range){0, s->channels}, x, lists,
                             N_IMAGES, -0.5f);
    }
    CHECK(memcmp(y[0], y[1], images.n_y * sizeof **y) == 0 &&
              memcmp(dx[0], dx[1], images.n_x * sizeof **dx) == 0 &&
              memcmp(into[0], into[1], n_W * sizeof **into) == 0 &&
              memcmp(bias[0], bias[1], s->out_pitch * sizeof **bias) == 0,
          "%s: %zu x %zu x %zu", kernels->isa, s->height, s->width, s->pitch);
}

static void check_pool(const Case *c)
{
    Images images = images_of(c);
    const ConvShape *s = &images.s;
    size_t outputs = conv_positions(s) * s->out_pitch,
           n_winners = (N_IMAGES - 1) * (outputs + KERNEL_PAD) + outputs;
    float *x = draws(1, images.n_x, 1, 1), *dy = draws(2, images.n_y, 1, 1), *y[2], *dx[2];
    unsigned char *winner[2];
    for (size_t k = 0; k < 2; k++) {
        const ConvKernels *set = k == 0 ? kernels->conv : reference->conv;
        y[k] = place(images.n_y * sizeof **y);
        dx[k] = place(images.n_x * sizeof **dx);
        winner[k] = place(n_winners);
        set->pool_forward(y[k], winner[k], outputs + KERNEL_PAD, s, x, N_IMAGES);
        set->pool_backward(dx[k], winner[k], outputs + KERNEL_PAD, s, dy, N_IMAGES);
    }
    CHECK(memcmp(y[0], y[1], images.n_y * sizeof **y) == 0 &&
              memcmp(dx[0], dx[1], images.n_x * sizeof **dx) == 0 &&
              memcmp(winner[0], winner[1], n_winners) == 0,
          "%s: %zu x %zu x %zu", kernels->isa, s->height, s->width, s->pitch);
}

static void convolutions(void)
{
    static const Case convolved[] = {
        {28, 28, 1, 5, 1, 16}, {12, 12, 16, 5, 1, 32}, {13, 14, 32, 3, 1, 50}, {5, 6, 96, 3, 1, 32},
        {5, 5, 16, 1, 1, 16},  {9, 10, 16, 3, 2, 17},  {4, 12, 1, 3, 1, 5},    {8, 10, 1, 7, 1, 2}};
    static const Case pooled[] = {
        {24, 24, 16, 2, 2, 16}, {9, 7, 32, 2, 2, 32}, {9, 10, 16, 3, 3, 16}, {9, 10, 16, 2, 3, 16}};
    for (size_t i = 0; i < sizeof convolved / sizeof convolved[0]; i++)
        check_convolution(&convolved[i]);
    for (size_t i = 0; i < sizeof pooled / sizeof pooled[0]; i++)
        check_pool(&pooled[i]);
}

static void kernels_of_each_set(void)
{
    with_each_set(all_but_convolutions);
}

static void convolutions_of_each_set(void)
{
    with_each_set(convolutions);
}

static void kernels_use_their_arrays_alone(void)
{
    at_both_ends(kernels_of_each_set);
}

static void convolutions_use_their_arrays_and_what_they_may_read_behind_them(void)
{
    at_both_ends(convolutions_of_each_set);
}

// ---------------------------------------------------------------------------------------------
// Readers

static bool read_member(void *context, const char *key, Error *err)
{
    JsonReader *json = context;
    const char *text;
    uint64_t number;
    return key[0] == 'n' ? json_expect_uint(json, &number, err)
                         : json_expect_string(json, &text, err);
}

static void json_is_read_up_to_its_end(void)
{
    static const char text[] =
        "{\"a\":\"\\u0041\\n\\\\\", \"n\" : 12345 , \"\xc3\xa4\":\"\xe2\x82\xac\xf0\x9f\x98\x80\"}";
    for (size_t n = 0; n < sizeof text; n++) { // the last without the end: sizeof counts the 0
        Arena arena = {0};
        Error err = {""};
        char *copy = page_copy(text, n);
        JsonReader json = {copy, copy, copy + n, &arena};
        bool ok =
            json_expect_object(&json, read_member, &json, &err) && json_expect_end(&json, &err);
        CHECK(ok == (n == sizeof text - 1), "%zu bytes: %s", n, err.text);
        for (size_t i = 0; i < n; i++)
            CHECK(utf8_length((const unsigned char *)copy + i, n - i) <= n - i,
                  "a character of byte %zu", i);
        arena_free(&arena);
        page_free(copy);
    }
}

static void exif_is_read_up_to_its_end(void)
{
    static const char *const files[] = {"tests/fuzz/corpus/exif/big-endian",
                                        "tests/fuzz/corpus/exif/little-endian"};
    for (size_t f = 0; f < 2; f++) {
        unsigned char bytes[4096];
        size_t size = read_file(files[f], bytes, sizeof bytes);
        REQUIRE(size > 20, "%s has %zu bytes", files[f], size);
        int whole = exif_orientation(bytes, size);
        CHECK(whole > 1, "%s: %d", files[f], whole);
        for (size_t n = 0; n <= size; n++) {
            unsigned char *copy = page_copy(bytes, n);
            int found = exif_orientation(copy, n);
            CHECK(found == whole || (found == 1 && n < size), "%s: %d of %zu bytes", files[f],
                  found, n);
            page_free(copy);
        }
    }
}

static void command_lines_are_read_up_to_the_end_of_each_word(void)
{
    static bool flag;
    static uint64_t count;
    static double real;
    static const char *text;
    static OptionTable table;
    static const Command command = {
        .name = "more", .arguments = "MODEL FILE...", .about = "A command."};
    static const char *const lines[][6] = {{"m", "f", "--count=12", "-r", "0.5", "--flag"},
                                           {"-c7", "-", "--", "-x", "--real=1e-1", ""},
                                           {"--coun", "3", "-t", "file", "m", "f"},
                                           {"--count", "12x", "m", "f", "g", "h"},
                                           {"--", "-fr", "--real", "=", "-", "--"},
                                           {"-fr.", "-f-", "--=", "-=", "--flag=1", "m"}};
    for (size_t l = 0; l < sizeof lines / sizeof lines[0]; l++)
        for (size_t length = 0; length <= strlen(lines[l][0]) + 4; length++) {
            size_t first = n_placed;
            char **argv = page_place(7 * sizeof *argv, false);
            for (size_t w = 0; w < 6; w++) { // the words cut at every length
                size_t n = strlen(lines[l][w]);
                n = n < length ? n : length;
                argv[w] = page_place(n + 1, false);
                memcpy(argv[w], lines[l][w], n);
            }
            const Option rows[] = {OPT_BOOL("flag", &flag, "a flag", .letter = 'f'),
                                   OPT_UINT("count", &count, 1, 100, "N", "a count", .letter = 'c'),
                                   OPT_DOUBLE("real", &real, -1, 1, "R", "a number", .letter = 'r'),
                                   OPT_STRING("text", &text, "FILE", "a text", .letter = 't')};
            count = 1, real = 0.5, text = "default";
            table.n = 0;
            options_add(&table, rows, sizeof rows / sizeof rows[0]);
            Arguments arguments;
            Error err = {""};
            ParseResult result = options_parse(&command, &table, NULL, &arguments, 6, argv, &err);
            CHECK(result == PARSE_OK ? arguments.model != NULL && arguments.n_files > 0
                                     : err.text[0] != '\0',
                  "line %zu, length %zu: %s", l, length, err.text);
            page_free_from(first);
        }
}

// The buffer that pictures are read into is the last member of its struct.
static void pictures_are_read_up_to_the_end_of_the_buffer(void)
{
    _Static_assert(offsetof(PnmReader, buffer) + PNM_BUFFER == sizeof(PnmReader),
                   "it ends with the struct");
    enum { SIDE = 300 };
    static char bytes[64 + 6 * SIDE * SIDE];
    static const size_t sizes[] = {2 * SIDE * SIDE - 1, 6 * SIDE * SIDE - 1, (SIDE + 7) / 8 * SIDE,
                                   SIDE * SIDE, 3 * SIDE * SIDE};
    for (int kind = '2'; kind <= '6'; kind++) {
        size_t size = (size_t)snprintf(bytes, 64, kind == '4' ? "P%c %d %d\n" : "P%c %d %d 255\n",
                                       kind, SIDE, SIDE);
        for (size_t i = 0; i < 6 * SIDE * SIDE; i++) // numbers of one digit, or bytes
            bytes[size + i] = i % 2 == 0 ? '7' : ' ';
        size += sizes[kind - '2'];
        for (int cut = 0; cut < 2; cut++) {
            write_file(work_path("page.pnm"), bytes, size - (size_t)cut);
            PnmReader *reader = page_place(sizeof *reader, false);
            Arena arena = {0};
            Error err = {""};
            Source source;
            GreyImage image = {0};
            REQUIRE(source_open(&source, work_path("page.pnm"), &err), "%s", err.text);
            pnm_begin(reader, &source);
            bool ok = pnm_read(reader, &image, &arena, &err);
            CHECK(ok == (cut == 0), "P%c, cut by %d: %s", kind, cut, err.text);
            arena_free(&arena);
            page_free(reader);
        }
    }
}

static void data_files_and_matrices_are_read_into_their_memory(void)
{
    const unsigned char images[16 + 64] = {0, 0, 8, 3, 0, 0, 0, 1, 0,
                                           0, 0, 8, 0, 0, 0, 8, 5}; // of 64 bytes
    unsigned char labels[8 + 64] = {0, 0, 8, 1, 0, 0, 0, 1, 3};
    static const char text[] = "1,2 3\n4 5,6 # and a comment, so that the file is 63 bytes long 1";
    Arena arena = {0};
    Error err = {""};
    Dataset data = {0};
    Matrix matrix = {0};
    write_file(work_path("page-images"), images, sizeof images);
    for (size_t n = 0; n <= 9; n++) {
        write_file(work_path("page-labels"), labels, n);
        bool ok = idx_read(&data, &arena, work_path("page-images"), work_path("page-labels"),
                           n % 2 == 0, &err);
        CHECK(ok == (n == 9), "%zu bytes of labels: %s", n, err.text);
    }
    CHECK(data.n == 1 && data.rows == 8 && data.pixels[0] == 5 && data.labels[0] == 3,
          "another image");
    for (size_t n = sizeof images - 1; n > 0; n -= n > 20 ? 9 : 1) {
        write_file(work_path("page-images"), images, n);
        CHECK(!idx_read(&data, &arena, work_path("page-images"), work_path("page-labels"), false,
                        &err),
              "%zu bytes", n);
    }
    for (size_t n = 1; n < sizeof text; n++) {
        write_file(work_path("page-matrix"), text, n);
        if (matrix_read(&matrix, &arena, work_path("page-matrix"), &err))
            CHECK(matrix.rows <= 2 && matrix.cols <= 3, "%zu x %zu", matrix.rows, matrix.cols);
        else
            CHECK(n < 12, "%zu bytes: %s", n, err.text);
    }
    CHECK(sizeof text == 64 + 1 && matrix.rows == 2 && matrix.at[5] == 6.0,
          "the last matrix has %zu rows", matrix.rows);
    arena_free(&arena);
}

// ---------------------------------------------------------------------------------------------
// The library

// One training of an architecture: of its caller's arrays, each ends or begins at a page.
static void check_library(const char *architecture, const char *activation, const char *optimizer,
                          size_t rows, size_t cols)
{
    enum { N = 70, CLASSES = 10 };
    size_t first = n_placed, pixels = rows * cols;
    char error[MLP_ERROR_SIZE] = "";
    unsigned char *images = bytes_of(1, N * pixels, 3), *labels = place(N);
    for (size_t i = 0; i < N; i++)
        labels[i] = (unsigned char)(i % CLASSES);
    mlp_settings settings;
    REQUIRE(mlp_settings_default(&settings, architecture, error), "%s", error);
    settings.activation = activation;
    settings.optimizer = optimizer;
    settings.hidden[0] = 5;
    settings.batch_size = 33;
    settings.validation_size = 3;
    settings.ema = 0.9;
    settings.rotate = 20;
    mlp_data *data = mlp_data_from_memory(images, labels, N, rows, cols, error);
    mlp_model *model = data == NULL ? NULL : mlp_create(&settings, data, error);
    REQUIRE(model != NULL && mlp_train(model, data, 1, 1, NULL, error) == MLP_DONE, "%s: %s",
            architecture, error);

    float *p = place(N * CLASSES * sizeof *p), *logits = place(N * CLASSES * sizeof *logits);
    unsigned char *ordinary = malloc(N * pixels + 64);
    float *same = malloc(N * CLASSES * sizeof *same);
    REQUIRE(ordinary != NULL && same != NULL, "no memory");
    memcpy(ordinary, images, N * pixels);
    CHECK(mlp_classify(model, images, N, p, logits, error) &&
              mlp_classify(model, ordinary, N, same, NULL, error) &&
              memcmp(p, same, N * CLASSES * sizeof *same) == 0,
          "%s: answers differ: %s", architecture, error);
    unsigned char *predicted = place(N);
    mlp_predictions each = {predicted, place(N * sizeof *each.probability),
                            place(N * sizeof *each.loss)};
    mlp_evaluation evaluation;
    CHECK(mlp_evaluate(model, data, MLP_ALL, 1, &evaluation, &each, error) && evaluation.n == N,
          "%s", error);
    mlp_ensemble ensemble = {(const mlp_model *[]){model, model}, 2};
    CHECK(mlp_classify_ensemble(&ensemble, images, N, p, error), "%s", error);

    unsigned char *picture = place(31 * 17), *prepared = place(pixels);
    memset(picture, 255, 31 * 17);
    for (size_t row = 4; row < 27; row++)
        picture[row * 17 + 8] = picture[row * 17 + 9] = 10;
    CHECK(mlp_prepare(model, picture, 31, 17, prepared, NULL, error), "%s", error);
    mlp_affine map = {10, 1.1, 0.1, 1, -1};
    CHECK(mlp_affine_apply(&map, data, N - 1, prepared, error), "%s", error);

    static unsigned char bytes[1 << 20];
    CHECK(mlp_save(model, work_path("page.bin"), error), "%s", error);
    size_t size = read_file(work_path("page.bin"), bytes, sizeof bytes);
    for (size_t n = 0; n <= size; n += n < 300 || n + 40 > size ? 1 : size / 50) {
        unsigned char *copy = page_copy(bytes, n);
        mlp_model *read = mlp_open_memory(copy, n, error);
        CHECK((read != NULL) == (n == size), "%zu of %zu bytes: %s", n, size, error);
        mlp_close(read);
        page_free(copy);
    }
    mlp_close(model);
    mlp_data_close(data);
    free(ordinary);
    free(same);
    page_free_from(first);
}

static void library_of_each_set(void)
{
    const Kernels *before = kernels;
    for (size_t i = 0; kernels_available(i) != NULL; i++) {
        kernels = kernels_available(i);
        check_library("mlp", "sigmoid", "sgd", 9, 7);
        check_library("cnn", "relu", "adam", 16, 17);
    }
    kernels = before;
}

static void the_library_uses_its_callers_arrays_and_its_own_memory_alone(void)
{
    at_both_ends(library_of_each_set);
}

int main(void)
{
    Error err;
    if (!kernels_choose(NULL, &err))
        return EXIT_FAILURE;
    reference = kernels_available(0);
    RUN(one_byte_beyond_a_placed_array_ends_the_program);
    RUN(kernels_use_their_arrays_alone);
    RUN(convolutions_use_their_arrays_and_what_they_may_read_behind_them);
    RUN(json_is_read_up_to_its_end);
    RUN(exif_is_read_up_to_its_end);
    RUN(command_lines_are_read_up_to_the_end_of_each_word);
    RUN(pictures_are_read_up_to_the_end_of_the_buffer);
    RUN(data_files_and_matrices_are_read_into_their_memory);
    RUN(the_library_uses_its_callers_arrays_and_its_own_memory_alone);
    return test_end();
}
