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

#define IMAGE(name, remedy, coder)                                                                 \
    {                                                                                              \
        FORMAT_IMAGE, name, remedy, coder                                                          \
    }
#define OTHER(name, remedy)                                                                        \
    {                                                                                              \
        FORMAT_OTHER, name, remedy, NULL                                                           \
    }

// The first that fits counts.
static const Magic table[] = {
    {MAGIC(0, "\x89PNG"), IMAGE("a PNG image", CONVERT, "png")},
    {MAGIC(0, "\xff\xd8\xff"), IMAGE("a JPEG image", CONVERT, "jpeg")},
    {MAGIC(0, "GIF8"), IMAGE("a GIF image", CONVERT, "gif")},
    {MAGIC(0, "P7"), IMAGE("a PAM image (P7)", CONVERT, "pam")},
    {MAGIC(0, "BM"), IMAGE("a BMP image", CONVERT, "bmp")},
    {MAGIC(0, "II*\0"), IMAGE("a TIFF image", CONVERT, "tiff")},
    {MAGIC(0, "MM\0*"), IMAGE("a TIFF image", CONVERT, "tiff")},
    {MAGIC(8, "WEBP"), IMAGE("a WebP image", CONVERT, "webp")},
    {MAGIC(4, "ftyphe"), IMAGE("a HEIC image", CONVERT_OR("heif-convert"), "heic")},
    {MAGIC(4, "ftypmif1"), IMAGE("a HEIF image", CONVERT_OR("heif-convert"), "heic")},
    {MAGIC(4, "ftypavif"), IMAGE("an AVIF image", CONVERT_OR("heif-convert"), "avif")},
    {MAGIC(4, "ftyp"), OTHER("a film, or an image in such a file (MP4, QuickTime)", NULL)},
    {MAGIC(0, "\xff\x0a"), IMAGE("a JPEG XL image", CONVERT_OR("djxl"), "jxl")},
    {MAGIC(0, "\0\0\0\x0cJXL "), IMAGE("a JPEG XL image", CONVERT_OR("djxl"), "jxl")},
    {MAGIC(0, "8BPS"), IMAGE("a Photoshop image (PSD)", CONVERT, NULL)},
    {MAGIC(0, "gimp xcf"), IMAGE("a GIMP image (XCF)", CONVERT, NULL)},
    {MAGIC(0, "%PDF"), IMAGE("a PDF document", CONVERT, NULL)},
    {MAGIC(0, "%!PS"), IMAGE("a PostScript document", CONVERT, NULL)},
    {MAGIC(0, "<svg"), IMAGE("an SVG drawing", CONVERT, NULL)},
    {MAGIC(0, "<?xml"), IMAGE("an XML document, perhaps an SVG drawing", CONVERT, NULL)},
    {MAGIC(0, "<"), OTHER("a web page", NULL)},
    {MAGIC(0, "\n<"), OTHER("a web page", NULL)},
    {MAGIC(0, "\r\n<"), OTHER("a web page", NULL)},
    {MAGIC(0, "\xef\xbb\xbf<"), OTHER("a web page", NULL)}, // with a byte order mark
    {MAGIC(0, "\x1f\x8b"),
     OTHER("gzip data",
           "give the file a name that ends in .gz, or pipe in what 'gzip -dc' makes of it")},
    {MAGIC(0, "PK\3\4"), OTHER("a ZIP archive", "'unzip' unpacks it")},
    {MAGIC(0, "7z\xbc\xaf"), OTHER("a 7z archive", "'7z x' unpacks it")},
    {MAGIC(0, "\3757zXZ"), OTHER("xz data", "'xz -d' decompresses them")},
    {MAGIC(0, "BZh"), OTHER("bzip2 data", "'bzip2 -d' decompresses them")},
    {MAGIC(0, "\x28\xb5\x2f\xfd"), OTHER("zstd data", "'zstd -d' decompresses them")},
    {MAGIC(0, "\x89HDF"), OTHER("an HDF5 file", NULL)},
    {MAGIC(0, "\x93NUMPY"), OTHER("a NumPy array", "save it as a PGM or IDX file")},
    {MAGIC(0, "version https://"),
     OTHER("a Git LFS pointer", "'git lfs pull' gets the file itself")},
    // A header of less than 4 GB, in JSON.
    {MAGIC(4, "\0\0\0\0{"), {FORMAT_MODEL, "a model", NULL, NULL}},
};

static const Format anymap = {FORMAT_ANYMAP, "a picture", NULL, NULL};
static const Format idx = {FORMAT_IDX, "IDX data", NULL, NULL};

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
        READER_STEPS(1);
        if (n >= magic->at + magic->length &&
            memcmp(head + magic->at, magic->bytes, magic->length) == 0)
            return &magic->format;
    }
    return NULL;
}

bool format_of_source(const Format **format, Source *source, Error *err)
{
    unsigned char head[FORMAT_HEAD];
    Error ignored;
    ptrdiff_t n = source_peek(source, head, sizeof head, err);
    *format = n > 0 ? format_of(head, (size_t)n) : NULL;
    if (n < 0)
        source_close(source, false, &ignored);
    return n >= 0;
}

const Format *format_of_file(const char *path)
{
    Source source;
    Error ignored;
    const Format *format;
    struct stat status;
    // To open and close a named pipe would take its writer's reader away.
    if (path_descriptor(path, -1) >= 0 || stat(path, &status) != 0 || !S_ISREG(status.st_mode) ||
        !source_open(&source, path, &ignored) || !format_of_source(&format, &source, &ignored))
        return NULL;
    source_close(&source, false, &ignored);
    return format;
}
