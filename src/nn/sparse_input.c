// Dense on pixels: the map of a dense layer (layers.c), y = W x + b with x[p] = value[pixel p],
// read from the bytes of the batch. It has no dx. The sum over pixels is made of N_BLOCKS partial
// sums, each begun at +0 (split-K):
//   y = (((b + partial_0) + partial_1) + ...) + partial_7
//
// Why partial sums: a block of pixels, its rows of W and its columns of the batch then belong to
// one thread, forward and in the update, and W never moves between cores. Why eight: a number that
// depended on the threads would let the result depend on them.
//
// Why sparse rows: four fifths of an image's pixels are zero, and looking for the others takes
// longer than reading where they are. Forward, an example's row says which rows of W to add up; on
// the way the pixels are transposed into a tile, so that the update finds the examples of a pixel
// side by side. The rows of images that are seen in every epoch are made once; else those of every
// batch are made from its bytes. A block is taken by chunks, nearly equal parts that fit the
// kernels; with images as small as MNIST's it is one.
#include "sparse_input.h"

#include "kernels.h"

#include <string.h>

// What the layer keeps in a workspace.
typedef struct SparseInput {
    // The transposed tile: the pixels of a batch by column, (I,TILE_EXAMPLES) for each
    // TILE_EXAMPLES examples; NULL where no weight gradient is to come.
    unsigned char *tile;
    size_t blocks_in_y; // of the present batch
} SparseInput;

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

static size_t sparse_dense_describe(Layer *layer, size_t units, size_t offset)
{
    size_t size = layer_dense_describe(layer, units, offset);
    // The partial sums. KERNEL_PAD keeps those of a block from competing for the same cache sets.
    layer->saved_bytes = (N_BLOCKS * layer->out_stride + KERNEL_PAD) * sizeof(float);
    return size;
}

// ---------------------------------------------------------------------------------------------
// Images made into sparse rows once

// Appends row r of the sparse images to the entries that end at start[0].
static void list_row(uint16_t *entries, uint32_t *start, const Layer *layer, const Dataset *data,
                     size_t r)
{
    size_t n_chunks = N_BLOCKS * chunks_per_block(layer->n_rows);
    Range pixels = layer_chunk(layer->n_rows, r % n_chunks);
    const unsigned char *row =
        data->pixels + r / n_chunks * dataset_pixels_per_image(data) + pixels.first;
    kernels->sparse_list(entries, start, &(ByteRows){&row, 1}, range_length(pixels),
                         &(ByteRows){NULL, 0});
}

static bool sparse_dense_prepare(const Layer *layer, const PreparedImages **images,
                                 const Dataset *data, Arena *arena, Error *err)
{
    static const char what[] = "the sparse images";
    size_t n_chunks = N_BLOCKS * chunks_per_block(layer->n_rows), n_rows = data->n * n_chunks;
    if (data->n >= SPARSE_MAX_PREPARED / sizeof(uint32_t) / n_chunks)
        return true;
    size_t n = 0;
    for (size_t p = 0; p < data->n * dataset_pixels_per_image(data); p++)
        n += data->pixels[p] != 0;
    if (n * sizeof(uint16_t) > SPARSE_MAX_PREPARED - n_rows * sizeof(uint32_t))
        return true;
    PreparedImages *made = arena_alloc(arena, 1, sizeof *made, what, err);
    uint32_t *start = arena_alloc(arena, n_rows + 1, sizeof *start, what, err);
    uint16_t *entries = arena_alloc(arena, n + SPARSE_SLACK, sizeof *entries, what, err);
    if (made == NULL || start == NULL || entries == NULL)
        return false;
    for (size_t r = 0; r < n_rows; r++)
        list_row(entries, start + r, layer, data, r);
    *made = (PreparedImages){entries, start, n_chunks};
    *images = made;
    return true;
}

static bool sparse_dense_open(const Layer *layer, void **state, const WorkNeeds *needs,
                              Arena *arena, Error *err)
{
    static const char what[] = "the first layer";
    SparseInput *input = arena_alloc(arena, 1, sizeof *input, what, err);
    if (input == NULL)
        return false;
    *state = input;
    if (needs->forward_only)
        return true;
    input->tile =
        arena_alloc(arena, round_up(needs->capacity, TILE_EXAMPLES), layer->n_rows, what, err);
    return input->tile != NULL;
}

// ---------------------------------------------------------------------------------------------
// Stage 1: partial sums

// Part 0 adds the sums of this many blocks, from the first on, to y itself, one after the other.
// All other sums are saved, until forward adds them in their order.
static size_t blocks_in_y(const Layer *layer, size_t n_parts)
{
    if (chunks_per_block(layer->n_rows) > 1)
        return 0;
    return n_parts == 1 ? N_BLOCKS : 1;
}

// Where the sums of a block go, from example `first` on.
static SumRows block_sums(const Layer *layer, const LayerView *view, size_t block, size_t in_y,
                          size_t first)
{
    size_t S = layer->out_stride, stride = layer->saved_bytes / sizeof(float);
    if (block < in_y)
        return (SumRows){view->y + first * S, S, SUM_ADD};
    return (SumRows){(float *)view->saved + first * stride + block * S, stride, SUM_STORE};
}

// Examples of a batch, at most TILE_EXAMPLES from `first` on, and those of the next batch, as far
// as the order says, whose pixels are to be prefetched.
typedef struct Tile {
    size_t first;
    Batch batch, next;
} Tile;

static Tile batch_tile(const Batch *batch, size_t first)
{
    Tile tile = {first, *batch, *batch};
    size_t left = batch->size - first;
    tile.batch.first += first;
    tile.batch.size = left < TILE_EXAMPLES ? left : TILE_EXAMPLES;
    tile.next.first = tile.batch.first + batch->size;
    left = tile.next.first < batch->n ? batch->n - tile.next.first : 0;
    tile.next.size = left < tile.batch.size ? left : tile.batch.size;
    return tile;
}

// The lists of a chunk of a tile's examples. The last row has none: kernels look one list ahead.
typedef struct Lists {
    SparseRow row[TILE_EXAMPLES + 1];
    uint16_t entries[TILE_EXAMPLES * SPARSE_MAX_BYTES + SPARSE_SLACK]; // of lists made here
    uint32_t start[TILE_EXAMPLES + 1];
} Lists;

static const uint32_t *prepared_start(const PreparedImages *images, const Batch *batch, size_t e,
                                      size_t chunk)
{
    return images->start + batch_image(batch, e) * images->n_chunks + chunk;
}

// Looks up prepared lists, before any is read, so that the cache misses of the look-ups overlap,
// and prefetches those of the next batch.
static void find_lists(Lists *lists, const PreparedImages *images, const Tile *tile, size_t chunk)
{
    for (size_t e = 0; e < tile->batch.size; e++) {
        const uint32_t *start = prepared_start(images, &tile->batch, e, chunk);
        lists->row[e] = (SparseRow){images->entries + start[0], start[1] - start[0]};
    }
    for (size_t e = 0; e < tile->next.size; e++) {
        const uint32_t *start = prepared_start(images, &tile->next, e, chunk);
        __builtin_prefetch(images->entries + start[0], 0, 2);
        __builtin_prefetch(images->entries + start[1], 0, 2);
    }
    lists->row[tile->batch.size] = (SparseRow){images->entries, 0};
}

static ByteRows byte_rows(const Batch *batch, size_t pixel, const unsigned char *row[TILE_EXAMPLES])
{
    for (size_t e = 0; e < batch->size; e++)
        row[e] = batch_pixels(batch, e) + pixel;
    return (ByteRows){row, batch->size};
}

// Lists the pixels of images that have not been prepared.
static void make_lists(Lists *lists, const Tile *tile, Range pixels)
{
    const unsigned char *row[TILE_EXAMPLES], *next_row[TILE_EXAMPLES];
    ByteRows bytes = byte_rows(&tile->batch, pixels.first, row);
    ByteRows next = byte_rows(&tile->next, pixels.first, next_row);
    lists->start[0] = 0;
    kernels->sparse_list(lists->entries, lists->start, &bytes, range_length(pixels), &next);
    uint16_t *end = lists->entries + lists->start[bytes.n];
    end[0] = end[1] = 0;
    for (size_t e = 0; e < bytes.n; e++)
        lists->row[e] =
            (SparseRow){lists->entries + lists->start[e], lists->start[e + 1] - lists->start[e]};
    lists->row[bytes.n] = (SparseRow){end, 0};
}

// The sums over a chunk, of a tile's examples. Leaves the chunk's pixels in the transposed tile.
static void chunk_sums(const Layer *layer, const float *params, const SparseInput *input,
                       const SumRows *sums, size_t chunk, const Tile *tile)
{
    Range pixels = layer_chunk(layer->n_rows, chunk);
    size_t S = layer->out_stride, I = range_length(pixels);
    const float *W = params + layer->tensors[0].offset + pixels.first * S;
    const float *value = tile->batch.scale->value;
    unsigned char *transposed = input->tile;
    if (transposed != NULL)
        transposed += tile->first * layer->n_rows + pixels.first * TILE_EXAMPLES;
    Lists lists;
    if (tile->batch.prepared != NULL)
        find_lists(&lists, tile->batch.prepared, tile, chunk);
    else
        make_lists(&lists, tile, pixels);
    SparseRows rows = {lists.row, tile->batch.size};
    kernels->sparse_forward(sums, W, S, &rows, I, value, transposed);
}

static void sparse_dense_load(const Layer *layer, const float *params, const LayerView *view,
                              Part part)
{
    const Batch *batch = &view->batch;
    SparseInput *input = view->state;
    size_t S = layer->out_stride, n_chunks = chunks_per_block(layer->n_rows);
    size_t in_y = blocks_in_y(layer, part.of);
    if (part.number == 0) {
        input->blocks_in_y = in_y;
        for (size_t e = 0; e < batch->size; e++)
            memcpy(view->y + e * S, params + layer->tensors[1].offset, S * sizeof *params);
    }
    for (size_t block = part.number; block < N_BLOCKS; block += part.of)
        for (size_t c = block * n_chunks; c < (block + 1) * n_chunks; c++)
            for (size_t first = 0; first < batch->size; first += TILE_EXAMPLES) {
                Tile tile = batch_tile(batch, first);
                SumRows sums = block_sums(layer, view, block, in_y, first);
                if (c > block * n_chunks)
                    sums.mode = SUM_CONTINUE;
                chunk_sums(layer, params, input, &sums, c, &tile);
            }
}

// ---------------------------------------------------------------------------------------------
// Stages 2 and 3

static void sparse_dense_forward(const Layer *layer, const float *params, const LayerView *view)
{
    (void)params;
    size_t S = layer->out_stride, stride = layer->saved_bytes / sizeof(float);
    size_t in_y = ((const SparseInput *)view->state)->blocks_in_y;
    for (size_t e = 0; in_y < N_BLOCKS && e < view->batch.size; e++)
        kernels->sum_parts(view->y + e * S, (const float *)view->saved + e * stride + in_y * S,
                           N_BLOCKS - in_y, S);
}

// The bias belongs to part 0.
static void sparse_dense_weight_gradient(const Layer *layer, const LayerView *view, Part part,
                                         float scale, float *into)
{
    const SparseInput *input = view->state;
    size_t S = layer->out_stride, B = view->batch.size, I = layer->n_rows;
    for (size_t block = part.number; block < N_BLOCKS; block += part.of)
        kernels->sparse_weight_gradient(into + layer->tensors[0].offset, S, input->tile, B, I,
                                        view->batch.scale->value, view->dy, scale,
                                        layer_block(I, block));
    if (part.number == 0)
        layer_dense_bias_gradient(layer, view, scale, into);
}

const LayerKind layer_sparse_dense = {
    .name = "dense",
    .describe = sparse_dense_describe,
    .init = layer_init,
    .prepare = sparse_dense_prepare,
    .open = sparse_dense_open,
    .load = sparse_dense_load,
    .forward = sparse_dense_forward,
    .weight_gradient = sparse_dense_weight_gradient,
    .part_ranges = layer_dense_part_ranges,
    .reference_forward = layer_dense_reference_forward,
    .reference_row = layer_dense_reference_row,
    .formula = LAYER_DENSE_FORMULA,
    .identity = LAYER_DENSE_IDENTITY,
};
