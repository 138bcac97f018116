// Older tables, found and recognised. Read tables.h first.
#include "tables.h"

#include "source.h"

#include <string.h>
#include <sys/stat.h>

static bool is_empty(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 || status.st_size == 0;
}

static bool check_header(const char *text, size_t size, const char *path, const char *header,
                         const char *what, Error *err)
{
    size_t length = strlen(header);
    return (size >= length && memcmp(text, header, length) == 0) ||
           error_set(err, "%s: is not %s, and would be replaced; name another file with --csv",
                     path, what);
}

bool table_read_old(char **text, size_t *size, const Output *out, const char *header,
                    const char *what, Arena *arena, Error *err)
{
    const size_t max_size = (size_t)1 << 30;
    unsigned char *bytes;
    *text = NULL;
    if (output_is_stream(out) || is_empty(out->path))
        return true;
    if (!file_read(&bytes, size, arena, out->path, max_size, what, err))
        return false;
    *text = (char *)bytes;
    return check_header(*text, *size, out->path, header, what, err);
}

bool table_may_replace(const char *path, const char *header, const char *what, Error *err)
{
    char text[256] = "";
    if (output_leads_to_stream(path) || is_empty(path))
        return true;
    FILE *file = fopen(path, "rb"); // what cannot be read is not known to be a table
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text, file);
    if (file != NULL)
        fclose(file);
    return check_header(text, size, path, header, what, err);
}
