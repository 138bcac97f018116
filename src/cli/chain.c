// Rows of the chain: made from a model and the row before, and checked by making them again. Read
// chain.h first.
#include "chain.h"

#include "sha256.h"
#include "source.h"

#include <inttypes.h>
#include <string.h>

#define HEADER "epoch,model_sha256,chain_sha256\n"
static const char header[] = HEADER;
enum { HEX = 2 * SHA256_SIZE }; // digits of a hash

static void hash_text(char text[HEX + 1], const unsigned char hash[SHA256_SIZE])
{
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
}

static bool model_hash(char text[HEX + 1], const Model *model, Error *err)
{
    unsigned char hash[SHA256_SIZE];
    if (!model_sha256(model, hash, err))
        return false;
    hash_text(text, hash);
    return true;
}

// Replaces the last row by the one that follows it.
static void chain_follow(Chain *chain, uint64_t epoch, const char model[HEX + 1])
{
    char both[2 * CHAIN_ROW_SIZE], text[HEX + 1];
    unsigned char hash[SHA256_SIZE];
    int before = snprintf(both, sizeof both, "%s", chain->row);
    int all = before + snprintf(both + before, CHAIN_ROW_SIZE, "%" PRIu64 ",%s,", epoch, model);
    sha256(hash, both, (size_t)all);
    hash_text(text, hash);
    snprintf(chain->row, sizeof chain->row, "%s%s\n", both + before, text);
}

bool chain_add(Chain *chain, Output *out, const Model *model, Error *err)
{
    char hash[HEX + 1];
    if (!model_hash(hash, model, err))
        return false;
    chain_follow(chain, model->state.epochs, hash);
    fputs(chain->row, out->stream); // its errors are found when it is published
    return true;
}

// Where the row of an epoch begins, from 0: those before have the digits of their epoch, two
// hashes, two commas and a newline.
static size_t row_begin(uint64_t epoch)
{
    size_t at = sizeof header - 1;
    for (uint64_t digits = 1, first = 0, next = 10; first < epoch;
         digits++, first = next, next *= 10)
        at += (size_t)((epoch < next ? epoch : next) - first) * (size_t)(digits + 2 * HEX + 3);
    return at;
}

bool chain_read(ChainFile *file, Arena *arena, const char *path, uint64_t last, Error *err)
{
    const size_t most = row_begin(SETTING_MAX_EPOCHS + 1);
    unsigned char *bytes;
    size_t size, begin = sizeof header - 1;
    Chain chain = {HEADER};
    *file = (ChainFile){.path = path};
    if (!file_read(&bytes, &size, arena, path, most, "a chain of mlp train", err))
        return false;
    if (size < begin || memcmp(bytes, header, begin) != 0)
        return error_set(err, "%s: is not a chain of mlp train", path);
    file->text = (const char *)bytes;
    for (uint64_t epoch = 0; epoch <= last; epoch++) {
        size_t end = row_begin(epoch + 1);
        if (begin == size && epoch > 0 && last == UINT64_MAX)
            break;
        if (begin == size)
            return error_set(err, "%s: ends before epoch %" PRIu64, path, epoch);
        char hash[HEX + 1] = "";
        if (end <= size)
            memcpy(hash, bytes + end - 2 * HEX - 2, HEX);
        chain_follow(&chain, epoch, hash);
        if (end > size || memcmp(bytes + begin, chain.row, end - begin) != 0)
            return error_set(err,
                             "%s: line %" PRIu64 " is not a row of epoch %" PRIu64
                             " that follows from the line before",
                             path, epoch + 2, epoch);
        file->last = epoch;
        file->size = begin = end;
    }
    return true;
}

bool chain_has_model(const ChainFile *file, const Model *model, const char *who, Error *err)
{
    char hash[HEX + 1];
    uint64_t epoch = model->state.epochs;
    if (epoch > file->last)
        return error_set(err, "%s: ends with epoch %" PRIu64 ", but %s has %" PRIu64, file->path,
                         file->last, who, epoch);
    const char *named = file->text + row_begin(epoch + 1) - 2 * HEX - 2;
    if (!model_hash(hash, model, err))
        return false;
    return memcmp(named, hash, HEX) == 0 ||
           error_set(err,
                     "%s: the model of epoch %" PRIu64
                     " is %.8s... (SHA-256), but that of %s is %.8s...",
                     file->path, epoch, named, who, hash);
}

bool chain_begin(Chain *chain, Output *out, Arena *arena, const Model *model, Error *err)
{
    ChainFile old;
    uint64_t last = model->state.epochs;
    if (last == 0) {
        memcpy(chain->row, header, sizeof header);
        fputs(header, out->stream);
        return chain_add(chain, out, model, err);
    }
    if (output_is_stream(out))
        return error_set(err, "%s: does not have the rows of the epochs before, as a file would",
                         out->path);
    if (!chain_read(&old, arena, out->path, last, err) ||
        !chain_has_model(&old, model, model->name, err))
        return false;
    fwrite(old.text, 1, old.size, out->stream);
    snprintf(chain->row, sizeof chain->row, "%.*s", (int)(old.size - row_begin(last)),
             old.text + row_begin(last));
    return true;
}
