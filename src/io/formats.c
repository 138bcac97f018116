// The table of formats; see formats.h. The numbers are those of file(1) and of the formats' own
// specifications.
#include "formats.h"

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

// A row of the table: n bytes that hold zeros, too.
#define MAGIC(at, bytes, kind, name, remedy)                                                       \
    {                                                                                              \
        at, bytes, sizeof(bytes) - 1,                                                              \
        {                                                                                          \
            kind, name, remedy                                                                     \
        }                                                                                          \
    }
#define IMAGE(at, bytes, name) MAGIC(at, bytes, FORMAT_IMAGE, name, CONVERT)
#define HEIF(brand, name)      MAGIC(4, "ftyp" brand, FORMAT_IMAGE, name, CONVERT_OR("heif-convert"))

// The first that fits counts.
static const Magic table[] = {
    IMAGE(0, "\x89PNG", "a PNG image"),
    IMAGE(0, "\xff\xd8\xff", "a JPEG image"),
    IMAGE(0, "GIF8", "a GIF image"),
    IMAGE(0, "P7", "a PAM image (P7)"),
    IMAGE(0, "PF", "a PFM image"),
    IMAGE(0, "Pf", "a PFM image"),
    IMAGE(0, "BM", "a BMP image"),
    IMAGE(0, "II*\0", "a TIFF image"),
    IMAGE(0, "MM\0*", "a TIFF image"),
    IMAGE(0, "II+\0", "a TIFF image"), // with 64-bit offsets
    IMAGE(0, "MM\0+", "a TIFF image"),
    IMAGE(8, "WEBP", "a WebP image"),
    HEIF("heic", "a HEIC image"),
    HEIF("heix", "a HEIC image"),
    HEIF("heim", "a HEIC image"),
    HEIF("heis", "a HEIC image"),
    HEIF("hevc", "a HEIC image"),
    HEIF("mif1", "a HEIF image"),
    HEIF("msf1", "a HEIF image"),
    HEIF("avif", "an AVIF image"),
    HEIF("avis", "an AVIF image"),
    MAGIC(4, "ftyp", FORMAT_OTHER, "a film, or an image in such a file (MP4, QuickTime)", NULL),
    MAGIC(0, "\xff\x0a", FORMAT_IMAGE, "a JPEG XL image", CONVERT_OR("djxl")),
    MAGIC(0, "\0\0\0\x0cJXL ", FORMAT_IMAGE, "a JPEG XL image", CONVERT_OR("djxl")),
    IMAGE(0, "\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    IMAGE(0, "\xff\x4f\xff\x51", "a JPEG 2000 image"),
    IMAGE(0, "8BPS", "a Photoshop image (PSD)"),
    IMAGE(0, "gimp xcf", "a GIMP image (XCF)"),
    IMAGE(0, "\x76\x2f\x31\x01", "an OpenEXR image"),
    IMAGE(0, "DDS ", "a DDS image"),
    IMAGE(0, "qoif", "a QOI image"),
    IMAGE(0, "/* XPM */", "an XPM image"),
    IMAGE(0, "\x0a\x05\x01", "a PCX image"),
    IMAGE(0, "\x01\xda\x00", "an SGI image"),
    IMAGE(0, "\x01\xda\x01", "an SGI image"),
    IMAGE(0, "%PDF", "a PDF document"),
    IMAGE(0, "%!PS", "a PostScript document"),
    IMAGE(0, "\xc5\xd0\xd3\xc6", "an EPS document"),
    IMAGE(0, "<svg", "an SVG drawing"),
    IMAGE(0, "<?xml", "an XML document, perhaps an SVG drawing"),
    MAGIC(0, "<", FORMAT_OTHER, "a web page", NULL),
    MAGIC(0, "\n<", FORMAT_OTHER, "a web page", NULL),
    MAGIC(0, "\r\n<", FORMAT_OTHER, "a web page", NULL),
    MAGIC(0, "\xef\xbb\xbf<", FORMAT_OTHER, "a web page", NULL), // in UTF-8 of Windows
    MAGIC(0, "\x1f\x8b", FORMAT_OTHER, "gzip data",
          "pipe in what 'gzip -dc' makes of it, or give a file of it a name that ends in .gz"),
    MAGIC(0, "PK\3\4", FORMAT_OTHER, "a ZIP archive", "'unzip' unpacks it"),
    MAGIC(0, "7z\xbc\xaf", FORMAT_OTHER, "a 7z archive", "'7z x' unpacks it"),
    MAGIC(0, "\3757zXZ", FORMAT_OTHER, "xz data", "'xz -d' decompresses them"),
    MAGIC(0, "BZh", FORMAT_OTHER, "bzip2 data", "'bzip2 -d' decompresses them"),
    MAGIC(0, "\x28\xb5\x2f\xfd", FORMAT_OTHER, "zstd data", "'zstd -d' decompresses them"),
    MAGIC(0, "\x89HDF", FORMAT_OTHER, "an HDF5 file", NULL),
    MAGIC(0, "\x93NUMPY", FORMAT_OTHER, "a NumPy array", "save it as a PGM or IDX file"),
    MAGIC(0, "version https://", FORMAT_OTHER, "a Git LFS pointer",
          "'git lfs pull' gets the file itself"),
    // A header of less than 4 GB, in JSON.
    MAGIC(4, "\0\0\0\0{", FORMAT_MODEL, "a model", NULL),
};

static const Format anymap = {FORMAT_ANYMAP, "a picture", NULL};
static const Format idx = {FORMAT_IDX, "IDX data", NULL};
static const Format icon = {FORMAT_IMAGE, "an icon (ICO)", CONVERT};
static const Format targa = {FORMAT_IMAGE, "a TGA image", CONVERT};

// Two zeros, one of the types of data and a rank, which is never 0.
static bool is_idx(const unsigned char *head, size_t n)
{
    return n >= 4 && head[0] == 0 && head[1] == 0 && head[2] >= 0x08 && head[2] <= 0x0e &&
           head[3] != 0;
}

// An icon or a cursor: reserved, type 1 or 2, and how many there are, which is not 0.
static bool is_icon(const unsigned char *head, size_t n)
{
    return n >= 6 && head[0] == 0 && head[1] == 0 && (head[2] == 1 || head[2] == 2) &&
           head[3] == 0 && head[4] != 0 && head[5] == 0;
}

// TGA has no magic number: every field of its header must be one that is in use.
static bool is_targa(const unsigned char *head, size_t n)
{
    enum { MAPPED = 1, GREY = 3, COMPRESSED = 8, HEADER = 18 };
    if (n < HEADER || head[1] > 1 || (head[2] & ~COMPRESSED) < MAPPED ||
        (head[2] & ~COMPRESSED) > GREY || (head[17] & 0xc0) != 0)
        return false;
    unsigned type = head[2] & ~(unsigned)COMPRESSED, depth = head[16];
    bool has_map = head[1] == 1,
         has_size = (head[12] | head[13]) != 0 && (head[14] | head[15]) != 0;
    static const unsigned char no_map[5] = {0};
    bool map_is_right = has_map ? (head[5] | head[6]) != 0 && (head[7] == 24 || head[7] == 32)
                                : memcmp(head + 3, no_map, sizeof no_map) == 0;
    bool depth_is_right = type == MAPPED || type == GREY
                              ? depth == 8 || depth == 16
                              : depth == 16 || depth == 24 || depth == 32;
    return has_map == (type == MAPPED) && has_size && map_is_right && depth_is_right;
}

const Format *format_of(const unsigned char *head, size_t n)
{
    if (n >= 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6')
        return &anymap;
    if (is_idx(head, n))
        return &idx;
    if (is_icon(head, n))
        return &icon;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const Magic *magic = &table[i];
        if (n >= magic->at + magic->length &&
            memcmp(head + magic->at, magic->bytes, magic->length) == 0)
            return &magic->format;
    }
    return is_targa(head, n) ? &targa : NULL;
}

const Format *format_of_file(const char *path)
{
    Source source;
    Error ignored;
    unsigned char head[FORMAT_HEAD];
    if (!source_open(&source, path, &ignored))
        return NULL;
    ptrdiff_t n = source_peek(&source, head, sizeof head, &ignored);
    source_close(&source, false, &ignored);
    return n > 0 ? format_of(head, (size_t)n) : NULL;
}
