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

// Which part has the block. Two parts have half of the image each, which are about as full.
static size_t block_part(size_t block, size_t n_parts)
{
    return n_parts == 2 ? block / (N_BLOCKS / 2) : block % n_parts;
}

// The part that has the first block adds up this many of its blocks in y itself, one after the
// other; the sums of the others are left in the notes.
static size_t blocks_in_y(const Layer *layer, size_t n_parts)
{
    size_t n = 0;
    while (chunks_per_block(layer->n_rows) == 1 && n < N_BLOCKS && block_part(n, n_parts) == 0)
        n++;
    return n;
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

// Some pixels of n images.
static ByteRows image_bytes(const Dataset *data, Range pixels, const uint32_t *index, size_t n)
{
    return (ByteRows){data->pixels + pixels.first, dataset_pixels_per_image(data), index, n};
}

static bool is_in(size_t i, Range range)
{
    return i >= range.first && i < range.end;
}

// How many of n bytes are not zero.
static size_t count_lit(const unsigned char *x, size_t n)
{
    enum { FEW = 128 }; // counts that a byte can hold make wide vectors
    size_t lit = 0;
    for (size_t first = 0; first < n; first += FEW) {
        size_t end = n - first < FEW ? n : first + FEW;
        unsigned char few = 0;
        for (size_t i = first; i < end; i++)
            few = (unsigned char)(few + (x[i] != 0));
        lit += few;
    }
    return lit;
}

// Their number in the images of two ranges, or more than max_entries, where counting stops.
static size_t count_entries(const Dataset *data, const Range images[2], size_t max_entries)
{
    size_t size = dataset_pixels_per_image(data), n = 0;
    for (size_t i = 0; i < data->n && n <= max_entries; i++)
        if (is_in(i, images[0]) || is_in(i, images[1]))
            n += count_lit(data->pixels + i * size, size);
    return n;
}

static bool dense_bytes_list_lit(const Layer *layer, LitPixels *lit, const Dataset *data,
                                 const Range images[2], Arena *arena, Error *err)
{
    static const char what[] = "lists of pixels";
    const ByteRows none = {0};
    size_t n_chunks = N_BLOCKS * chunks_per_block(layer->n_rows);
    *lit = (LitPixels){.n_chunks = n_chunks};
    if (kernels->lists_zeros || data->n >= LAYER_MAX_LIT_BYTES / sizeof *lit->start / n_chunks)
        return true;
    size_t start_bytes = data->n * n_chunks * sizeof *lit->start;
    size_t max_entries = (LAYER_MAX_LIT_BYTES - start_bytes) / sizeof *lit->entries;
    size_t n = count_entries(data, images, max_entries);
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
            ByteRows row = image_bytes(data, pixels, &i, 1);
            if (is_in(i, images[0]) || is_in(i, images[1]))
                kernels->sparse_list(entries, start, &row, range_length(pixels), &none);
        }
    return true;
}

// Fetches where the lists of the batch after the next one begin: the lists themselves are fetched
// a batch later.
static void prefetch_starts(const Batch *batch)
{
    const LitPixels *lit = batch->data->lit;
    for (size_t e = batch->size; lit != NULL && e < batch->next_size; e++) {
        const uint32_t *start = lit->start + batch->next[e] * lit->n_chunks;
        __builtin_prefetch(start);
        __builtin_prefetch(start + lit->n_chunks);
    }
}

// ---------------------------------------------------------------------------------------------
// The passes

// Where the sums of a block go, from example `first` on.
static SumRows block_sums(const Layer *layer, const float *params, const LayerView *view,
                          size_t block, size_t in_y, size_t first)
{
    size_t S = layer->out_stride;
    if (block >= in_y)
        return (SumRows){.at = view->saved + first * layer->saved_stride + block * S,
                         .stride = layer->saved_stride};
    float *y = view->y + first * S;
    if (block > 0)
        return (SumRows){.at = y, .stride = S, .before = y, .before_stride = S};
    return (SumRows){.at = y, .stride = S, .before = params + layer->tensors[1].offset};
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
    ByteRows bytes = image_bytes(data, pixels, index, n);
    ByteRows later = image_bytes(data, pixels, next, n_next);
    SparseRows rows = {entries, start, 1, own, n}, none = {0};
    kernels->sparse_list(entries, start, &bytes, I, &later);
    kernels->sparse_forward(sums, W, S, &rows, I, value, columns, &none);
}

static void dense_bytes_partial_sums(const Layer *layer, const float *params, const LayerView *view,
                                     Part part)
{
    size_t B = view->batch.size, n_chunks = chunks_per_block(layer->n_rows);
    size_t in_y = blocks_in_y(layer, part.of);
    prefetch_starts(&view->batch);
    for (size_t block = 0; block < N_BLOCKS; block++) {
        if (block_part(block, part.of) != part.number)
            continue;
        for (size_t c = 0; c < n_chunks; c++)
            for (size_t first = 0; first < B; first += TILE_EXAMPLES) {
                Range examples = {first, B - first < TILE_EXAMPLES ? B : first + TILE_EXAMPLES};
                SumRows sums = block_sums(layer, params, view, block, in_y, first);
                sums.goes_on = c > 0;
                chunk_sums(layer, params, view, &sums, block * n_chunks + c, examples);
            }
    }
}

static void dense_bytes_forward(const Layer *layer, const float *params, const LayerView *view)
{
    const float *b = params + layer->tensors[1].offset;
    size_t S = layer->out_stride, in_y = blocks_in_y(layer, view->n_parts);
    for (size_t e = 0; in_y < N_BLOCKS && e < view->batch.size; e++) {
        float *y = view->y + e * S;
        const float *others = view->saved + e * layer->saved_stride + in_y * S;
        kernels->sum_parts(y, in_y > 0 ? y : b, others, N_BLOCKS - in_y, S);
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
