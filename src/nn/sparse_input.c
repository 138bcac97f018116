// Dense over bytes: the map of a dense layer where x[p] = value[pixel p], read as bytes from the
// batch. It has no dx. The sum over pixels is split into N_BLOCKS partial sums, each begun at +0:
//   y = (((b + partial_0) + partial_1) + ...) + partial_7
//
// Why split it: a block of pixels, its rows of W and its columns of the batch then belong to one
// thread, forward and in the update, and W never moves between cores. Why eight: a number that
// depended on the threads would let the result depend on them.
//
// Why lists (LitPixels): four fifths of an image's pixels are dark, and looking for the others
// takes longer than reading where they are. Forward, an example's list says which rows of W to add
// up; on the way the pixels are transposed, so that the update finds a pixel's examples side by
// side. A block is taken by chunks, nearly equal parts that fit the kernels; of images as small as
// MNIST's it is one.
#include "kernels.h"
#include "layers.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Blocks and chunks

static size_t chunks_per_block(size_t n_rows)
{
    size_t longest = (n_rows + N_BLOCKS - 1) / N_BLOCKS;
    return longest <= SPARSE_MAX_BYTES ? 1 : (longest + SPARSE_MAX_BYTES - 1) / SPARSE_MAX_BYTES;
}

// The pixels of a chunk, counted through all blocks.
static Range layer_chunk(size_t n_rows, size_t chunk)
{
    size_t n = chunks_per_block(n_rows);
    Range block = layer_block(n_rows, chunk / n);
    Range part = range_part(range_length(block), chunk % n, n);
    return (Range){block.first + part.first, block.first + part.end};
}

static size_t block_part(size_t block, size_t n_parts)
{
    return block % n_parts;
}

// How many blocks, from the first on, part 0 adds to y itself, one after the other. The sums of the
// others are left in the notes.
static size_t blocks_in_y(const Layer *layer, size_t n_parts)
{
    if (chunks_per_block(layer->n_rows) > 1)
        return 0;
    return n_parts == 1 ? N_BLOCKS : 1;
}

static size_t dense_bytes_describe(Layer *layer, size_t units, size_t offset)
{
    size_t size = layer_dense.describe(layer, units, offset);
    // The 16 floats more keep the same block of all examples from sharing a few places of a cache.
    layer->saved_stride = N_BLOCKS * layer->out_stride + KERNEL_PAD;
    layer->n_columns = layer->n_rows;
    return size;
}

static void dense_bytes_init(const Layer *layer, float *params, uint64_t seed, uint64_t stream)
{
    layer_dense.init(layer, params, seed, stream);
}

// ---------------------------------------------------------------------------------------------
// Lists of lit pixels

static bool is_in(size_t i, Range range)
{
    return i >= range.first && i < range.end;
}

// The number of nonzero pixels in the images of two ranges, or more than max_entries, where
// counting stops.
static size_t count_entries(const Layer *layer, const Dataset *data, const Range images[2],
                            size_t max_entries)
{
    size_t size = dataset_pixels_per_image(data), n = 0;
    size_t n_chunks = N_BLOCKS * chunks_per_block(layer->n_rows);
    for (size_t i = 0; i < data->n && n <= max_entries; i++)
        for (size_t c = 0; c < n_chunks && (is_in(i, images[0]) || is_in(i, images[1])); c++) {
            uint16_t entries[SPARSE_MAX_BYTES + SPARSE_SLACK];
            uint32_t start[2] = {0, 0};
            Range pixels = layer_chunk(layer->n_rows, c);
            const unsigned char *row = data->pixels + i * size + pixels.first;
            kernels->sparse_list(entries, start, &(ByteRows){&row, 1}, range_length(pixels),
                                 &(ByteRows){NULL, 0});
            n += start[1];
        }
    return n;
}

static bool dense_bytes_list_lit(const Layer *layer, LitPixels *lit, const Dataset *data,
                                 const Range images[2], Arena *arena, Error *err)
{
    static const char what[] = "lists of pixels";
    size_t n_chunks = N_BLOCKS * chunks_per_block(layer->n_rows);
    *lit = (LitPixels){.n_chunks = n_chunks};
    if (data->n >= LAYER_MAX_LIT_BYTES / sizeof *lit->start / n_chunks)
        return true;
    size_t start_bytes = data->n * n_chunks * sizeof *lit->start;
    size_t max_entries = (LAYER_MAX_LIT_BYTES - start_bytes) / sizeof *lit->entries;
    size_t n = count_entries(layer, data, images, max_entries);
    if (n > max_entries)
        return true;
    uint32_t *start = arena_alloc(arena, data->n * n_chunks + 1, sizeof *start, what, err);
    uint16_t *entries = arena_alloc(arena, n + SPARSE_SLACK, sizeof *entries, what, err);
    if (start == NULL || entries == NULL)
        return false;
    lit->start = start;
    lit->entries = entries;
    for (uint32_t i = 0; i < data->n; i++)
        for (size_t c = 0; c < n_chunks; c++, start++) {
            start[1] = start[0]; // an empty list
            Range pixels = layer_chunk(layer->n_rows, c);
            const unsigned char *row =
                data->pixels + i * dataset_pixels_per_image(data) + pixels.first;
            if (is_in(i, images[0]) || is_in(i, images[1]))
                kernels->sparse_list(entries, start, &(ByteRows){&row, 1}, range_length(pixels),
                                     &(ByteRows){NULL, 0});
        }
    return true;
}

// ---------------------------------------------------------------------------------------------
// The passes

// Where the sums of a block go, from example `first` on.
static SumRows block_sums(const Layer *layer, const LayerView *view, size_t block, size_t in_y,
                          size_t first)
{
    size_t S = layer->out_stride;
    if (block < in_y)
        return (SumRows){view->y + first * S, S, SUM_ADD};
    return (SumRows){view->saved + first * layer->saved_stride + block * S, layer->saved_stride,
                     SUM_STORE};
}

// The sums over a chunk, of at most TILE_EXAMPLES examples.
static void chunk_sums(const Layer *layer, const float *params, const LayerView *view,
                       const SumRows *sums, size_t chunk, Range examples)
{
    const Batch *batch = &view->batch;
    const Dataset *data = batch->data;
    const float *value = batch->scale->value;
    Range pixels = layer_chunk(layer->n_rows, chunk);
    size_t S = layer->out_stride, I = range_length(pixels), n = range_length(examples);
    const float *W = params + layer->tensors[0].offset + pixels.first * S;
    unsigned char *columns = view->columns;
    if (columns != NULL)
        columns += examples.first * layer->n_rows + pixels.first * TILE_EXAMPLES;
    const uint32_t *index = batch->index + examples.first, *next = batch->next;
    size_t n_next = 0;
    if (batch->next_size > examples.first) {
        next += examples.first;
        n_next = batch->next_size - examples.first < n ? batch->next_size - examples.first : n;
    }

    const LitPixels *lit = data->lit;
    if (lit != NULL) {
        SparseRows rows = {lit->entries, lit->start + chunk, lit->n_chunks, index, n}, later = rows;
        later.index = next;
        later.n = n_next;
        kernels->sparse_forward(sums, W, S, &rows, I, value, columns, &later);
        return;
    }
    uint16_t entries[TILE_EXAMPLES * SPARSE_MAX_BYTES + SPARSE_SLACK];
    uint32_t start[TILE_EXAMPLES + 1] = {0}, own[TILE_EXAMPLES];
    for (size_t e = 0; e < n; e++)
        own[e] = (uint32_t)e;
    const unsigned char *row[TILE_EXAMPLES], *next_row[TILE_EXAMPLES];
    for (size_t e = 0; e < n; e++)
        row[e] = data->pixels + index[e] * dataset_pixels_per_image(data) + pixels.first;
    for (size_t e = 0; e < n_next; e++)
        next_row[e] = data->pixels + next[e] * dataset_pixels_per_image(data) + pixels.first;
    ByteRows bytes = {row, n}, later = {next_row, n_next};
    SparseRows rows = {entries, start, 1, own, n}, none = {0};
    kernels->sparse_list(entries, start, &bytes, I, &later);
    kernels->sparse_forward(sums, W, S, &rows, I, value, columns, &none);
}

static void dense_bytes_partial_sums(const Layer *layer, const float *params, const LayerView *view,
                                     Part part)
{
    size_t B = view->batch.size, n_chunks = chunks_per_block(layer->n_rows);
    size_t in_y = blocks_in_y(layer, part.of);
    for (size_t e = 0; part.number == 0 && e < B; e++)
        memcpy(view->y + e * layer->out_stride, params + layer->tensors[1].offset,
               layer->out_stride * sizeof *params);
    for (size_t block = 0; block < N_BLOCKS; block++) {
        if (block_part(block, part.of) != part.number)
            continue;
        for (size_t c = 0; c < n_chunks; c++)
            for (size_t first = 0; first < B; first += TILE_EXAMPLES) {
                Range examples = {first, B - first < TILE_EXAMPLES ? B : first + TILE_EXAMPLES};
                SumRows sums = block_sums(layer, view, block, in_y, first);
                if (c > 0)
                    sums.mode = SUM_CONTINUE;
                chunk_sums(layer, params, view, &sums, block * n_chunks + c, examples);
            }
    }
}

static void dense_bytes_forward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    size_t S = layer->out_stride, in_y = blocks_in_y(layer, view->n_parts);
    for (size_t e = 0; in_y < N_BLOCKS && e < view->batch.size; e++) {
        float *y = view->y + e * S;
        const float *others = view->saved + e * layer->saved_stride + in_y * S;
        kernels->sum_parts(y, others, N_BLOCKS - in_y, S);
    }
}

// The bias goes with the first part of the weights.
static void dense_bytes_weight_gradient(const Layer *layer, const LayerView *view, Part part,
                                        float scale, float *into)
{
    const float *value = view->batch.scale->value;
    size_t S = layer->out_stride, B = view->batch.size, I = layer->n_rows;
    float *W = into + layer->tensors[0].offset, *b = into + layer->tensors[1].offset;
    for (size_t block = 0; block < N_BLOCKS; block++)
        if (block_part(block, part.of) == part.number)
            kernels->sparse_weight_gradient(W, S, view->columns, B, I, value, view->dy, scale,
                                            layer_block(I, block));
    if (part.number == 0)
        kernels->bias_gradient(b, S, view->dy, B, scale);
}

static void dense_bytes_reference_forward(const Layer *layer, const double *const argument[],
                                          double *y)
{
    layer_dense.reference_forward(layer, argument, y);
}

static void dense_bytes_reference_jacobian(const Layer *layer, const double *const argument[],
                                           size_t which, double *J)
{
    layer_dense.reference_jacobian(layer, argument, which, J);
}

const LayerKind layer_dense_bytes = {
    .name = "dense",
    .describe = dense_bytes_describe,
    .init = dense_bytes_init,
    .partial_sums = dense_bytes_partial_sums,
    .list_lit = dense_bytes_list_lit,
    .forward = dense_bytes_forward,
    .weight_gradient = dense_bytes_weight_gradient,
    .reference_forward = dense_bytes_reference_forward,
    .reference_jacobian = dense_bytes_reference_jacobian,
    .identity = {"@W (1)", "I_@O (x) @x^T (5)", "I (3)"},
};
