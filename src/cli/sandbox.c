// What a command that reads what others made may still do (sandbox.h). First how the system is told
// so, then the files. They are named before anything is read, not once they are open: tables are
// opened last, and gzip and converters start late. Linux: landlock(7), which they inherit; OpenBSD:
// unveil(2) and pledge(2), which they do not.
#define _GNU_SOURCE // O_PATH, syscall
#include "sandbox.h"

#include "idx.h"
#include "path.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

#if defined MLP_NO_SANDBOX || !(defined __OpenBSD__ || defined SYS_landlock_create_ruleset)
void sandbox_enter(const Context *context)
{
    (void)context;
}
#else

// What may be done with a file, or with all files in a directory, as the bits of
// <linux/landlock.h>, which may be older than the kernel: read files and list directories; and run;
// or and write, truncate, make and remove.
enum {
    READ = 1 << 2 | 1 << 3,
    RUN = READ | 1 << 0,
    WRITE = READ | 1 << 1 | 1 << 14 | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 12,
    FOR_FILES = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 14
};

typedef struct Rules {
    int fd;
    uint64_t handled; // the rights that the kernel knows
    Arena arena;
    Error err; // nobody reads it: what cannot be named is not allowed
} Rules;

// ---------------------------------------------------------------------------------------------
// Telling the system

// Linux: denies all that the kernel can deny: from version 3 on truncating, 4 TCP, 5 ioctl on
// devices, 6 signals to and abstract sockets of other processes. The array is the kernel's struct
// landlock_ruleset_attr, of which an older kernel knows the beginning.
static bool rules_open(Rules *r)
{
#ifndef __OpenBSD__
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
    r->handled = 0x1fff | (version >= 3 ? 1u << 14 : 0) | (version >= 5 ? 1u << 15 : 0);
    const uint64_t denied[] = {r->handled, version >= 4 ? 3 : 0, version >= 6 ? 3 : 0};
    r->fd = (int)syscall(SYS_landlock_create_ruleset, denied, sizeof denied, 0);
#endif
    return r->fd >= 0;
}

static void allow(const Rules *r, const char *path, uint64_t what)
{
    if (path == NULL)
        return;
#ifdef __OpenBSD__
    (void)r;
    (void)unveil(path, what == READ ? "r" : what == RUN ? "rx" : "rwc");
#else
    struct __attribute__((packed)) { // landlock_path_beneath_attr
        uint64_t rights;
        int32_t fd;
    } rule = {what & r->handled, open(path, O_PATH | O_CLOEXEC)};
    if (rule.fd < 0)
        return;
    if (syscall(SYS_landlock_add_rule, r->fd, 1, &rule, 0) != 0) {
        rule.rights &= FOR_FILES; // it is not a directory
        (void)syscall(SYS_landlock_add_rule, r->fd, 1, &rule, 0);
    }
    close(rule.fd);
#endif
}

static void rules_enforce(const Rules *r)
{
#ifdef __OpenBSD__
    (void)r;
    (void)pledge("stdio rpath wpath cpath fattr tty proc exec", NULL);
#else
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        (void)syscall(SYS_landlock_restrict_self, r->fd, 0);
    close(r->fd);
#endif
}

// ---------------------------------------------------------------------------------------------
// The files

// Directories and files of a list such as $PATH, the libraries beside each, and of the programs in
// it those that may be links to elsewhere.
static void allow_list(Rules *r, const char *list)
{
    static const char *const parts[] = {"", "/../lib", "/gzip", "/magick", "/convert"};
    for (size_t length; list != NULL && *list != '\0'; list += length + (list[length] == ':')) {
        length = strcspn(list, ":");
        for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
            allow(r, arena_printf(&r->arena, &r->err, "%.*s%s", (int)length, list, parts[i]), RUN);
    }
}

// A directory or DIR/SET, and the files in it. They may be links to elsewhere, and so may the
// subdirectory that has them.
static void allow_data(Rules *r, const char *data)
{
    IdxPaths paths;
    allow(r, access(data, F_OK) == 0 ? data : path_directory(&r->arena, data, &r->err), READ);
    for (mlp_part part = MLP_TRAIN_FILES; part <= MLP_TEST_FILES; part++)
        if (idx_find(&paths, data, part, &r->err)) {
            allow(r, path_directory(&r->arena, paths.images, &r->err), READ);
            allow(r, paths.images, READ);
            allow(r, paths.labels, READ);
            allow(r, paths.classes, READ);
        }
}

// A stream, or a file that is replaced (output.h). Other files of its directory can be changed,
// too.
static void allow_output(Rules *r, const char *path)
{
    bool is_open = output_descriptor(path) >= 0;
    const char *place = is_open ? NULL : path_follow(&r->arena, path, &r->err);
    if (place != NULL && !output_leads_to_stream(path)) {
        place = path_directory(&r->arena, place, &r->err);
        if (place != NULL && access(place, W_OK) != 0)
            allow(r, output_temporary_directory(), WRITE);
    }
    allow(r, place, WRITE);
}

static void allow_option(Rules *r, const Option *option)
{
    const char *path = option->role == ROLE_NONE ? NULL : *(const char *const *)option->value;
    if (option->role == ROLE_READS_DATA)
        allow_data(r, command_data_directory(path));
    else if (path != NULL && option->role >= ROLE_WRITES_MODEL)
        allow_output(r, path);
    else if (path != NULL && option->role == ROLE_WRITES_DIRECTORY)
        allow(r, access(path, F_OK) == 0 ? path : path_directory(&r->arena, path, &r->err), WRITE);
    else
        allow(r, path, READ);
}

// Whether the flag was given; true for a command that does not have it.
static bool is_on(const OptionTable *options, const char *flag)
{
    for (size_t i = 0; i < options->n; i++)
        if (strcmp(options->rows[i].name, flag) == 0)
            return *(const bool *)options->rows[i].value;
    return true;
}

void sandbox_enter(const Context *context)
{
    const OptionTable *options = &context->options;
    Rules r = {0};
    if (is_on(options, "no-sandbox") || !rules_open(&r))
        return;
    // What gzip, the converters and the limits of memory (memory.c) need.
    allow_list(
        &r,
        "/usr:/bin:/sbin:/lib:/lib32:/lib64:/opt:/nix:/gnu:/home/linuxbrew:/proc:/sys/fs/cgroup:"
        "/etc/ld.so.cache:/etc/ld.so.preload:/etc/ImageMagick-6:/etc/ImageMagick-7:/etc/fonts:"
        "/dev/urandom:/var/run/ld.so.hints");
    allow_list(&r, getenv("PATH"));
    allow_list(&r, getenv("LD_LIBRARY_PATH"));
    allow_list(&r, getenv("MAGICK_CONFIGURE_PATH"));
    allow(&r, "/dev/null", WRITE);
    if (getenv("HOME") != NULL) // the user's own policy.xml
        allow(&r, arena_printf(&r.arena, &r.err, "%s/.config/ImageMagick", getenv("HOME")), READ);
    if (!is_on(options, "no-convert") && context->words.n_files > 0)
        allow(&r, output_temporary_directory(), WRITE);
    for (size_t i = 0; i < options->n; i++)
        allow_option(&r, &options->rows[i]);
    for (size_t i = 0; i <= context->words.n_files; i++) {
        const char *word = command_model_path(context, i);
        idx_is_data(word) ? allow_data(&r, word) : allow(&r, word, READ);
    }
    arena_free(&r.arena);
    rules_enforce(&r);
}
#endif
