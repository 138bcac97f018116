// Feeds every file named on the command line to a fuzz target: how the corpus and the inputs that
// once broke something are tested with any compiler, without a fuzzer.
#include "fuzz.h"

int main(int argc, char **argv)
{
    enum { LARGEST = 1 << 20 };
    unsigned char *data = malloc(LARGEST);
    PROMISE(data != NULL);
    for (int i = 1; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (file == NULL) {
            perror(argv[i]);
            free(data);
            return EXIT_FAILURE;
        }
        size_t size = fread(data, 1, LARGEST, file);
        fclose(file);
        unsigned char *exact = exact_copy(data, size);
        (void)LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    free(data);
    printf("ok %d inputs by %s\n", argc - 1, argv[0]);
    return EXIT_SUCCESS;
}
