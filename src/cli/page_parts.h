// The parts of the page that `mlp page` writes: the files of src/page, which the Makefile turns
// into arrays.
#ifndef MLP_PAGE_PARTS_H
#define MLP_PAGE_PARTS_H

#include <stddef.h>

typedef struct PagePart {
    const unsigned char *bytes;
    size_t size;
} PagePart;

extern const PagePart page_body;   // body.html
extern const PagePart page_style;  // page.css
extern const PagePart page_script; // all scripts, in the order in which they are to be read

#endif
