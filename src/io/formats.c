// The table of formats, by their first bytes: as in file(1) and the formats' own specifications.
// pnm.c, idx.c and model.c name with it what they cannot read.
#include "formats.h"

#include "path.h"

#include <string.h>

#define CONVERT                                                                                    \
    "convert it, for example: convert FILE " FORMAT_CONVERSION " | mlp predict model.bin -"
// Not every ImageMagick reads these; another program makes a PNG of them.
#define CONVERT_OR(tool)                                                                           \
    CONVERT " (where convert cannot read it, begin with: " tool " FILE photo.png)"

typedef struct Magic {
    size_t at; // where the bytes are
    const char *bytes;
    size_t length;
    Format format;
} Magic;

// The bytes may contain zeros.
#define MAGIC(at, bytes) at, bytes, sizeof(bytes) - 1

// The first that fits counts.
static const Magic table[] = {
    {MAGIC(0, "\x89PNG"), {FORMAT_IMAGE, "a PNG image", CONVERT}},
    {MAGIC(0, "\xff\xd8\xff"), {FORMAT_IMAGE, "a JPEG image", CONVERT}},
    {MAGIC(0, "GIF8"), {FORMAT_IMAGE, "a GIF image", CONVERT}},
    {MAGIC(0, "P7"), {FORMAT_IMAGE, "a PAM image (P7)", CONVERT}},
    {MAGIC(0, "BM"), {FORMAT_IMAGE, "a BMP image", CONVERT}},
    {MAGIC(0, "II*\0"), {FORMAT_IMAGE, "a TIFF image", CONVERT}},
    {MAGIC(0, "MM\0*"), {FORMAT_IMAGE, "a TIFF image", CONVERT}},
    {MAGIC(8, "WEBP"), {FORMAT_IMAGE, "a WebP image", CONVERT}},
    {MAGIC(4, "ftyphe"), {FORMAT_IMAGE, "a HEIC image", CONVERT_OR("heif-convert")}},
    {MAGIC(4, "ftypmif1"), {FORMAT_IMAGE, "a HEIF image", CONVERT_OR("heif-convert")}},
    {MAGIC(4, "ftypavif"), {FORMAT_IMAGE, "an AVIF image", CONVERT_OR("heif-convert")}},
    {MAGIC(4, "ftyp"), {FORMAT_OTHER, "a film, or an image in such a file (MP4, QuickTime)", NULL}},
    {MAGIC(0, "\xff\x0a"), {FORMAT_IMAGE, "a JPEG XL image", CONVERT_OR("djxl")}},
    {MAGIC(0, "\0\0\0\x0cJXL "), {FORMAT_IMAGE, "a JPEG XL image", CONVERT_OR("djxl")}},
    {MAGIC(0, "8BPS"), {FORMAT_IMAGE, "a Photoshop image (PSD)", CONVERT}},
    {MAGIC(0, "gimp xcf"), {FORMAT_IMAGE, "a GIMP image (XCF)", CONVERT}},
    {MAGIC(0, "%PDF"), {FORMAT_IMAGE, "a PDF document", CONVERT}},
    {MAGIC(0, "%!PS"), {FORMAT_IMAGE, "a PostScript document", CONVERT}},
    {MAGIC(0, "<svg"), {FORMAT_IMAGE, "an SVG drawing", CONVERT}},
    {MAGIC(0, "<?xml"), {FORMAT_IMAGE, "an XML document, perhaps an SVG drawing", CONVERT}},
    {MAGIC(0, "<"), {FORMAT_OTHER, "a web page", NULL}},
    {MAGIC(0, "\n<"), {FORMAT_OTHER, "a web page", NULL}},
    {MAGIC(0, "\r\n<"), {FORMAT_OTHER, "a web page", NULL}},
    {MAGIC(0, "\xef\xbb\xbf<"), {FORMAT_OTHER, "a web page", NULL}}, // with a byte order mark
    {MAGIC(0, "\x1f\x8b"),
     {FORMAT_OTHER, "gzip data",
      "give the file a name that ends in .gz, or pipe in what 'gzip -dc' makes of it"}},
    {MAGIC(0, "PK\3\4"), {FORMAT_OTHER, "a ZIP archive", "'unzip' unpacks it"}},
    {MAGIC(0, "7z\xbc\xaf"), {FORMAT_OTHER, "a 7z archive", "'7z x' unpacks it"}},
    {MAGIC(0, "\3757zXZ"), {FORMAT_OTHER, "xz data", "'xz -d' decompresses them"}},
    {MAGIC(0, "BZh"), {FORMAT_OTHER, "bzip2 data", "'bzip2 -d' decompresses them"}},
    {MAGIC(0, "\x28\xb5\x2f\xfd"), {FORMAT_OTHER, "zstd data", "'zstd -d' decompresses them"}},
    {MAGIC(0, "\x89HDF"), {FORMAT_OTHER, "an HDF5 file", NULL}},
    {MAGIC(0, "\x93NUMPY"), {FORMAT_OTHER, "a NumPy array", "save it as a PGM or IDX file"}},
    {MAGIC(0, "version https://"),
     {FORMAT_OTHER, "a Git LFS pointer", "'git lfs pull' gets the file itself"}},
    // A header of less than 4 GB, in JSON.
    {MAGIC(4, "\0\0\0\0{"), {FORMAT_MODEL, "a model", NULL}},
};

static const Format anymap = {FORMAT_ANYMAP, "a picture", NULL};
static const Format idx = {FORMAT_IDX, "IDX data", NULL};

const Format *format_of(const unsigned char *head, size_t n)
{
    if (n >= 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6')
        return &anymap;
    // Two zeros, one of the types of data and a rank, which is never 0.
    if (n >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 0x08 && head[2] <= 0x0e &&
        head[3] != 0)
        return &idx;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const Magic *magic = &table[i];
        if (n >= magic->at + magic->length &&
            memcmp(head + magic->at, magic->bytes, magic->length) == 0)
            return &magic->format;
    }
    return NULL;
}

const Format *format_of_file(const char *path)
{
    Source source;
    Error ignored;
    unsigned char head[FORMAT_HEAD];
    struct stat status;
    // To open and close a named pipe would take its writer's reader away.
    if (path_descriptor(path, -1) >= 0 || stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
        !source_open(&source, path, &ignored))
        return NULL;
    ptrdiff_t n = source_peek(&source, head, sizeof head, &ignored);
    source_close(&source, false, &ignored);
    return n > 0 ? format_of(head, (size_t)n) : NULL;
}
