// Pictures in other formats than those that pnm.h reads: another program decodes them, ImageMagick
// (magick or convert) or else netpbm, whichever is on the PATH. Read source.h and formats.h before.
//
// The program is run without a shell. It gets the file as its standard input, never a name, and is
// told which of our formats to decode, so that neither a name nor the contents choose what else
// would run. Limits: CONVERT_SECONDS, or $MLP_CONVERT_SECONDS; CONVERT_MAX_INPUT bytes from a
// stream; PNM_MAX_PIXELS; the length that the picture's header says; and, on Linux, the program's
// memory. It is killed with all it has started when it exceeds one, and when a signal ends this
// process.
#ifndef MLP_CONVERT_H
#define MLP_CONVERT_H

#include "source.h"

enum { CONVERT_SECONDS = 30, CONVERT_MAX_INPUT = 1 << 28 };

// Replaces a source that begins with an image that must be converted, of which nothing has been
// read but by source_peek, by what a program makes of it: a portable anymap, whose length has been
// checked, in an unnamed temporary file (output_temporary_directory). It is the first frame or
// page, turned as the camera says, transparent parts white; ImageMagick makes it grey with 8 bits.
// Any other source stays as it is. On failure closes the source and says why, in one line with its
// path; where a conversion is not allowed, says so (--no-convert), and how to convert it.
bool convert_source(Source *source, bool is_allowed, Error *err);

#endif
