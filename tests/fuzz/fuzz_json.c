// The JSON reader: one value after another, each asked for as its first byte suggests. What comes
// out as a text is written again, and must read as the same.
#include "fuzz.h"
#include "json.h"

static void write_and_read_again(const char *text)
{
    char *bytes = NULL;
    size_t size = 0;
    Arena arena = {0};
    Error err = {""};
    JsonWriter writer = {.out = open_memstream(&bytes, &size)};
    PROMISE(writer.out != NULL);
    json_open(&writer, NULL, '{');
    json_string(&writer, "key", text);
    json_close(&writer, '}');
    PROMISE(fclose(writer.out) == 0);

    JsonReader reader = {bytes, bytes, bytes + size, &arena};
    const char *key, *value;
    PROMISE(json_expect(&reader, '{', &err) && json_expect_string(&reader, &key, &err) &&
            json_expect(&reader, ':', &err) && json_expect_string(&reader, &value, &err) &&
            json_expect(&reader, '}', &err) && json_expect_end(&reader, &err));
    PROMISE(strcmp(text, value) == 0);
    arena_free(&arena);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    char *bytes = (char *)exact_copy(data, size);
    Arena arena = {0};
    Error err = {""};
    JsonReader reader = {bytes, bytes, bytes + size, &arena};
    for (bool ok = true; ok && reader.at < reader.end;) {
        const char *before = reader.at;
        const char *text = NULL;
        uint64_t count;
        char c = *before;
        if (c == '"')
            ok = json_expect_string(&reader, &text, &err);
        else if (c >= '0' && c <= '9')
            ok = json_expect_uint(&reader, &count, &err);
        else if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            ok = json_expect_end(&reader, &err) || reader.at > before; // skips blanks
        else if (c != '\0' && strchr("{}[],:", c) != NULL)
            ok = (*before & 1) ? json_expect(&reader, c, &err) : json_accept(&reader, c);
        else
            ok = json_expect_end(&reader, &err);
        PROMISE(reader.at >= before && reader.at <= reader.end);
        if (ok)
            PROMISE(reader.at > before);
        else
            promise_reason(&err);
        if (ok && text != NULL) {
            PROMISE(strlen(text) <= (size_t)(reader.at - before) - 2);
            write_and_read_again(text);
        }
    }
    arena_free(&arena);
    free(bytes);
    return 0;
}
