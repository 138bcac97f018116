// Runs the programs that convert pictures (convert.h): which they are, how one is watched while it
// runs, and where its output goes. child.c starts them; exif.c says how a photo is to be turned.
#define _GNU_SOURCE // mkostemp
#include "convert.h"

#include "child.h"
#include "exif.h"
#include "formats.h"
#include "numbers.h"
#include "output.h"
#include "pnm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef enum Result {
    DONE,
    NOT_FOUND, // there is no such program
    UNABLE,    // it cannot convert this; another one may
    STOPPED    // nothing else is to be tried
} Result;

enum { SAID_SIZE = 240, HEAD_SIZE = 64 };
static const int ending_signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
enum { N_ENDING_SIGNALS = sizeof ending_signals / sizeof ending_signals[0] };

// One picture, and what limits all programs that are tried on it.
typedef struct Conversion {
    const char *path; // for errors
    const Format *format;
    bool is_denied;   // the system did not let a program run
    uint64_t seconds; // in all
    double left;      // of these
    sigset_t before;  // the signals that were blocked
    sigset_t held;    // and those that wait until this is done
} Conversion;

// One run of a program.
typedef struct Run {
    Conversion *of;
    const char *program;
    pid_t child;
    int status;           // of its end, as from child_has_ended
    int out, err;         // the pipes to read; -1: at their ends
    int file;             // for the output
    uint64_t size, due;   // of it: so far, and in all; 0 until its header is complete
    char head[HEAD_SIZE]; // its beginning, and a zero
    char said[SAID_SIZE]; // the beginning of the messages, and a zero
    size_t n_said;
} Run;

// ---------------------------------------------------------------------------------------------
// Temporary files

// Opens a file without a name, which the system removes when it is closed. -1: failed.
static int open_unnamed(const char *path, Error *err)
{
    char name[4096];
    const char *directory = output_temporary_directory();
    int length = snprintf(name, sizeof name, "%s/mlp-XXXXXX", directory);
    int fd = -1;
    errno = ENAMETOOLONG;
    if (length < (int)sizeof name && (fd = mkostemp(name, O_CLOEXEC)) >= 0)
        unlink(name);
    else
        error_set_errno(err, "%s: cannot make a temporary file in %s to convert it", path,
                        directory);
    return fd;
}

static bool rewind_file(int file, const char *path, Error *err)
{
    return lseek(file, 0, SEEK_SET) == 0 ||
           error_set_errno(err, "%s: cannot be read from its beginning", path);
}

static bool write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, data, n);
        if (written < 0 && errno != EINTR)
            return false;
        data += written < 0 ? 0 : written;
        n -= written < 0 ? 0 : (size_t)written;
    }
    return true;
}

static bool copy_source(int file, Source *source, Error *err)
{
    char buffer[1 << 14];
    size_t total = 0;
    for (ptrdiff_t n; (n = source_read(source, buffer, sizeof buffer, err)) != 0;) {
        if (n < 0)
            return false;
        total += (size_t)n;
        if (total > CONVERT_MAX_INPUT)
            return error_set(err, "%s: more than %d MB are too many for a picture of a digit",
                             source->path, CONVERT_MAX_INPUT >> 20);
        if (!write_all(file, buffer, (size_t)n))
            return error_set_errno(err, "%s: writing a temporary file failed", source->path);
    }
    return true;
}

// Returns a file with all that the source has, to be read from its beginning; -1: failed. Closes
// the source.
static int source_as_file(Source *source, Error *err)
{
    Error ignored;
    if (!source->piped) // peeked at, perhaps
        return source->fd;
    int file = open_unnamed(source->path, err);
    bool ok = file >= 0 && copy_source(file, source, err);
    if (source_close(source, ok, ok ? err : &ignored) && ok)
        return file;
    if (file >= 0)
        close(file);
    return -1;
}

// ---------------------------------------------------------------------------------------------
// Signals. One that would end this process waits until the program has been killed: nothing else
// is left behind, no handler is needed, and a library's caller keeps its own.

static void hold_signals(Conversion *c)
{
    struct sigaction action;
    sigemptyset(&c->held);
    pthread_sigmask(SIG_BLOCK, NULL, &c->before);
    for (size_t i = 0; i < N_ENDING_SIGNALS; i++)
        if (sigismember(&c->before, ending_signals[i]) == 0 &&
            sigaction(ending_signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(&c->held, ending_signals[i]);
    pthread_sigmask(SIG_BLOCK, &c->held, NULL);
}

static bool is_interrupted(const Conversion *c)
{
    sigset_t pending;
    sigpending(&pending);
    for (size_t i = 0; i < N_ENDING_SIGNALS; i++)
        if (sigismember(&c->held, ending_signals[i]) == 1 &&
            sigismember(&pending, ending_signals[i]) == 1)
            return true;
    return false;
}

// ---------------------------------------------------------------------------------------------
// What a program writes

static Result refuse_output(const Run *run, Error *err)
{
    error_set(err, "%s: is %s; what %s made of it is not a whole picture", run->of->path,
              run->of->format->name, run->program);
    return UNABLE;
}

// Finds out from the beginning of an anymap P4 to P6 how long it is, once its header is complete.
static Result read_header(Run *run, Error *err)
{
    unsigned long number[3] = {0, 0, 1}; // columns, rows, the largest value
    const char *at = run->head + 2;
    char kind = run->head[1];
    int i = 0, n = run->head[0] != 'P' || kind < '4' || kind > '6' ? -1 : kind == '4' ? 2 : 3;
    for (char *end; i < n; i++, at = end) {
        number[i] = strtoul(at, &end, 10);
        if (end == at || (*end != '\n' && *end != ' '))
            break;
    }
    if (i != n || number[0] == 0)
        return run->size < HEAD_SIZE - 1 ? DONE : refuse_output(run, err);
    if (number[1] > PNM_MAX_PIXELS / number[0]) {
        error_set(err, "%s: has %lu x %lu pixels, more than the %d that a digit may have",
                  run->of->path, number[0], number[1], PNM_MAX_PIXELS);
        return STOPPED;
    }
    uint64_t row = kind == '4' ? (number[0] + 7) / 8 : (uint64_t)number[0] * (kind == '6' ? 3 : 1);
    run->due = (uint64_t)(at + 1 - run->head) + row * number[1] * (number[2] > UINT8_MAX ? 2 : 1);
    return DONE;
}

// Reads what is there. At the end closes the pipe.
static size_t read_pipe(int *pipe, char *data, size_t size)
{
    ssize_t n = read(*pipe, data, size);
    if (n == 0 || (n < 0 && errno != EINTR)) {
        close(*pipe);
        *pipe = -1;
    }
    return n > 0 ? (size_t)n : 0;
}

static Result read_output(Run *run, Error *err)
{
    char data[1 << 14];
    size_t n = read_pipe(&run->out, data, sizeof data);
    if (run->size < HEAD_SIZE - 1) {
        size_t space = HEAD_SIZE - 1 - (size_t)run->size;
        memcpy(run->head + run->size, data, n < space ? n : space);
    }
    run->size += n;
    Result result = n > 0 && run->due == 0 ? read_header(run, err) : DONE;
    if (result != DONE)
        return result;
    if (run->due > 0 && run->size > run->due) {
        error_set(err, "%s: %s made more of it than the %llu bytes of one picture", run->of->path,
                  run->program, (unsigned long long)run->due);
        return STOPPED;
    }
    if (write_all(run->file, data, n))
        return DONE;
    error_set_errno(err, "%s: writing a temporary file failed", run->of->path);
    return STOPPED;
}

static void read_messages(Run *run)
{
    char data[1 << 10];
    size_t n = read_pipe(&run->err, data, sizeof data), space = SAID_SIZE - 1 - run->n_said;
    n = n < space ? n : space;
    memcpy(run->said + run->n_said, data, n);
    run->n_said += n;
}

// The first message, without the name of the program before it, and without the name of a file and
// the place in ImageMagick's source after it.
static const char *first_message(Run *run)
{
    static const char *const ends[] = {"\n", " `", " @ "};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        char *end = strstr(run->said, ends[i]);
        if (end != NULL)
            *end = '\0';
    }
    const char *colon = strstr(run->said, ": ");
    const char *message = colon != NULL ? colon + 2 : run->said;
    return strcmp(message, "no images defined") == 0 ? "it is damaged or cut short" : message;
}

// ---------------------------------------------------------------------------------------------
// The program while it runs

// Reads from the program until it has ended, or must not continue.
static Result watch(Run *run, Error *err)
{
    Conversion *c = run->of;
    Result result = DONE;
    double last = clock_seconds();
    while (result == DONE) {
        struct pollfd pipes[] = {{.fd = run->out, .events = POLLIN},
                                 {.fd = run->err, .events = POLLIN}};
        bool is_silent = run->out < 0 && run->err < 0;
        int n = poll(pipes, 2, is_silent ? 1 : 50);
        if (n > 0 && pipes[0].revents != 0)
            result = read_output(run, err);
        if (n > 0 && pipes[1].revents != 0)
            read_messages(run);
        if (is_silent && child_has_ended(run->child, &run->status))
            break;
        double now = clock_seconds(), passed = now - last;
        c->left -= passed < 1.0 ? passed : 1.0; // not while this process was suspended
        last = now;
        if (result == DONE && is_interrupted(c)) {
            error_set(err, "%s: a signal stopped its conversion", c->path);
            result = STOPPED;
        } else if (result == DONE && c->left <= 0.0) {
            error_set(err, "%s: %s took longer than %llu s (MLP_CONVERT_SECONDS) and was stopped",
                      c->path, run->program, (unsigned long long)c->seconds);
            result = STOPPED;
        }
    }
    return result;
}

// What it means that the program has ended.
static Result result_of_end(Run *run, Error *err)
{
    const char *said = first_message(run);
    int code = WIFEXITED(run->status) ? WEXITSTATUS(run->status) : 128 + WTERMSIG(run->status);
    if (code == 127 && run->n_said == 0) // a spawn may report only here that there is no program
        return NOT_FOUND;
    // ImageMagick only warns of a JPEG file that is cut short, and makes the rest grey.
    if (code == 0 && run->due > 0 && run->size == run->due && strstr(said, "remature end") == NULL)
        return DONE;
    if (said[0] == '\0' && code == 0)
        return refuse_output(run, err);
    char status[32];
    snprintf(status, sizeof status, "its status was %d", code);
    error_set(err, "%s: is %s, which %s cannot read: %s", run->of->path, run->of->format->name,
              run->program, said[0] != '\0' ? said : status);
    return UNABLE;
}

// Starts the program with pipes to read from. Sets the child's number, or returns an error number.
static int start(Run *run, char *const arguments[], int in)
{
    int out[2], err[2];
    if (!child_pipe(out))
        return errno;
    int failed = child_pipe(err) ? 0 : errno;
    if (failed == 0) {
        ChildStreams streams = {.in = in, .out = out[1], .err = err[1], .own_group = true};
        failed = child_start(&run->child, arguments, &streams);
        run->err = err[0];
        close(err[1]);
    }
    run->out = out[0];
    close(out[1]);
    if (failed == 0)
        child_limit_memory(run->child, (uint64_t)4 << 30);
    return failed;
}

// Runs a program on a file, from its beginning. On success replaces the file by the output.
static Result run_program(Conversion *c, char *const arguments[], int *file, Error *err)
{
    Run run = {.of = c, .program = arguments[0], .out = -1, .err = -1};
    if (!rewind_file(*file, c->path, err) || (run.file = open_unnamed(c->path, err)) < 0)
        return STOPPED;
    Result result = DONE;
    int failed = start(&run, arguments, *file);
    if (failed != 0) {
        bool is_missing = failed == ENOENT || failed == EACCES || failed == ENOTDIR;
        c->is_denied = c->is_denied || failed == EACCES;
        errno = failed;
        error_set_errno(err, "%s: cannot run %s", c->path, run.program);
        result = is_missing ? NOT_FOUND : STOPPED;
    } else {
        result = watch(&run, err);
        if (result != DONE)
            child_stop(run.child);
        else
            result = result_of_end(&run, err);
    }
    if (run.out >= 0)
        close(run.out);
    if (run.err >= 0)
        close(run.err);
    close(result == DONE ? *file : run.file);
    if (result == DONE)
        *file = run.file;
    return result;
}

// ---------------------------------------------------------------------------------------------
// The programs

// The format is named before the colon: ImageMagick does not guess it then. [0] is the first frame.
static Result run_magick(Conversion *c, const char *program, int *file, Error *err)
{
    char name[16], input[16], seconds[24];
    snprintf(name, sizeof name, "%s", program);
    snprintf(input, sizeof input, "%s:-[0]", c->format->coder);
    snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)c->seconds);
    char *arguments[] = {
        name,     "-limit",   "memory", "1GiB",         "-limit",      "map",   "1GiB",
        "-limit", "disk",     "4GiB",   "-limit",       "thread",      "1",     "-limit",
        "time",   seconds,    input,    "-auto-orient", "-colorspace", "sRGB",  "-background",
        "white",  "-flatten", "-strip", "-depth",       "8",           "pgm:-", NULL};
    return run_program(c, arguments, file, err);
}

typedef struct Decoder {
    const char *coder;
    char *arguments[5];
} Decoder;

// netpbm's. All read standard input, and write the first image.
static const Decoder decoders[] = {
    {"png", {"pngtopam", "-quiet", "-mix", "-background=white", NULL}},
    {"jpeg", {"jpegtopnm", "-quiet", NULL}},
    {"gif", {"giftopnm", "-quiet", NULL}},
    {"bmp", {"bmptopnm", "-quiet", NULL}},
    {"tiff", {"tifftopnm", "-quiet", NULL}}, // which turns it itself
    {"pam", {"pamtopnm", "-quiet", NULL}},
};

static const Decoder *decoder_of(const Format *format)
{
    for (size_t i = 0; i < sizeof decoders / sizeof decoders[0]; i++)
        if (strcmp(decoders[i].coder, format->coder) == 0)
            return &decoders[i];
    return NULL;
}

static Result run_netpbm(Conversion *c, int *file, Error *err)
{
    // By the orientation of EXIF: what is done to the picture so that it is upright.
    static char *const turns[] = {
        NULL,         NULL,         "-leftright", "-rotate180",
        "-topbottom", "-transpose", "-rotate270", "-xform=transpose,leftright,topbottom",
        "-rotate90"};
    unsigned char head[1 << 16];
    const Decoder *decoder = decoder_of(c->format);
    if (decoder == NULL)
        return NOT_FOUND;
    ssize_t n = pread(*file, head, sizeof head, 0);
    int orientation =
        strcmp(decoder->coder, "jpeg") == 0 && n > 0 ? exif_orientation(head, (size_t)n) : 1;
    Result result = run_program(c, decoder->arguments, file, err);
    if (result != DONE || orientation == 1)
        return result;
    char *turn[] = {"pamflip", "-quiet", turns[orientation], NULL};
    result = run_program(c, turn, file, err);
    return result == NOT_FOUND ? UNABLE : result;
}

// Tries one program after the other. What the first that is there cannot do is the reason to give.
static bool run_any(Conversion *c, int *file, Error *err)
{
    static const char *const magicks[] = {"magick", "convert", NULL};
    bool is_found = false;
    for (int i = 0; i < 3; i++) {
        Error reason;
        Result result = magicks[i] != NULL ? run_magick(c, magicks[i], file, &reason)
                                           : run_netpbm(c, file, &reason);
        if (result == DONE)
            return true;
        if (result == STOPPED || (result == UNABLE && !is_found))
            *err = reason;
        if (result == STOPPED)
            return false;
        is_found = is_found || result == UNABLE;
    }
    if (!is_found)
        error_set(err, "%s: is %s; to read it, install ImageMagick (package imagemagick)%s%s",
                  c->path, c->format->name, decoder_of(c->format) != NULL ? " or netpbm" : "",
                  c->is_denied ? "; running one that is in the PATH was denied, see --no-sandbox"
                               : "");
    return false;
}

// ---------------------------------------------------------------------------------------------

static bool read_seconds(Conversion *c, Error *err)
{
    const char *text = getenv("MLP_CONVERT_SECONDS");
    c->seconds = CONVERT_SECONDS;
    if (text != NULL && text[0] != '\0' &&
        (!parse_uint(text, &c->seconds) || c->seconds < 1 || c->seconds > 86400))
        return error_set(err,
                         "%s: MLP_CONVERT_SECONDS=%.40s: must be a whole number from 1 to 86400",
                         c->path, text);
    c->left = (double)c->seconds;
    return true;
}

// Replaces the source by what a program makes of it.
static bool replace_source(Conversion *c, Source *source, Error *err)
{
    int file = source_as_file(source, err);
    if (file < 0)
        return false;
    hold_signals(c);
    bool ok = run_any(c, &file, err);
    off_t size = lseek(file, 0, SEEK_END);
    ok = ok && rewind_file(file, c->path, err);
    if (!ok)
        close(file);
    pthread_sigmask(SIG_SETMASK, &c->before, NULL);
    if (ok)
        *source = (Source){.path = c->path, .fd = file, .size = (uint64_t)size};
    return ok;
}

bool convert_source(Source *source, bool is_allowed, Error *err)
{
    Conversion c = {.path = source->path};
    Error ignored;
    if (!format_of_source(&c.format, source, err))
        return false;
    if (c.format == NULL || c.format->kind != FORMAT_IMAGE)
        return true;
    if (!is_allowed)
        error_set(err, "%s: is %s, and --no-convert was given; %s", c.path, c.format->name,
                  c.format->remedy);
    else if (c.format->coder == NULL)
        error_set(err, "%s: is %s; %s", c.path, c.format->name, c.format->remedy);
    else if (read_seconds(&c, err))
        return replace_source(&c, source, err);
    source_close(source, false, &ignored);
    return false;
}
