// What a file is, by its first bytes: for readers that refuse it by its name, and for commands that
// are given files in the wrong order. Reads no file beyond these bytes.
#ifndef MLP_FORMATS_H
#define MLP_FORMATS_H

#include "source.h"

// The conversion that messages and documents show. A photo's orientation is applied, transparent
// parts become paper, and the samples get 8 bits.
#define FORMAT_CONVERSION "-auto-orient -colorspace sRGB -background white -flatten -depth 8 pgm:-"

typedef enum FormatKind {
    FORMAT_ANYMAP, // P1 to P6, which pnm reads
    FORMAT_IDX,    // which idx reads, or refuses with its own reason
    FORMAT_IMAGE,  // which must be converted
    FORMAT_MODEL,  // safetensors, as model reads them
    FORMAT_OTHER
} FormatKind;

typedef struct Format {
    FormatKind kind;
    const char *name;   // with its article: "a PNG image"
    const char *remedy; // how to make of it what can be read; NULL: there is none, or no need
    const char *coder;  // what convert.h calls the format; NULL: it does not convert that
} Format;

enum { FORMAT_HEAD = SOURCE_MAX_AHEAD }; // so many bytes are looked at

// Returns the format of a file that begins with these n bytes, or NULL when it is not known.
const Format *format_of(const unsigned char *head, size_t n);

// The same, in *format, of a source of which nothing has been read; what is looked at stays to be
// read. On failure closes the source.
bool format_of_source(const Format **format, Source *source, Error *err);

// The same of a regular file, compressed or not. NULL too when it cannot be read, and for a stream
// or a descriptor, whose bytes somebody will want.
const Format *format_of_file(const char *path);

// Says whether it is what mlp predict answers, or would after a conversion.
static inline bool format_is_picture(const Format *format)
{
    return format != NULL && format->kind <= FORMAT_IMAGE;
}

#endif
