// Outputs on systems that fail: files that cannot be renamed over, disks that cannot be synced.
// The test is linked with --wrap=fsync, --wrap=rename and --wrap=unlink.
#include "output.h"

#include "files.h"
#include "path.h"
#include "source.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

// ---------------------------------------------------------------------------------------------
// The system

int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

static int rename_error, file_error, directory_error; // 0: it works
static bool is_ended_in_sync; // a signal that ends the process comes while a file is synced

int __wrap_rename(const char *from, const char *to)
{
    errno = rename_error;
    return rename_error != 0 ? -1 : __real_rename(from, to);
}

int __wrap_fsync(int fd)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -1;
    if (is_ended_in_sync)
        output_remove_temporaries();
    errno = S_ISDIR(status.st_mode) ? directory_error : file_error;
    return errno != 0 ? -1 : __real_fsync(fd);
}

// ---------------------------------------------------------------------------------------------

static bool holds(const char *path, const char *text)
{
    char content[256] = "";
    size_t n = read_file(path, content, sizeof content - 1);
    return n == strlen(text) && memcmp(content, text, n) == 0;
}

// Opens an output of that name with a text printed.
static bool begin(Output *out, Arena *arena, const char *name, const char *text)
{
    Error err;
    bool ok = output_open(out, arena, work_path(name), OUTPUT_ANY_FILE, &err);
    CHECK(ok, "%s", err.text);
    return ok && fputs(text, out->stream) >= 0;
}

static void a_file_that_cannot_be_renamed_over_is_written_in_place(void)
{
    const int reasons[] = {EBUSY, EXDEV, EPERM, EACCES};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        Arena arena = {0};
        Error err;
        Output out;
        struct stat before, after;
        char temporary[512];
        write_file(work_path("place"), "an older and longer text", 24);
        REQUIRE(begin(&out, &arena, "place", "1\n") && stat(work_path("place"), &before) == 0,
                "not opened");
        snprintf(temporary, sizeof temporary, "%s", out.temporary);
        rename_error = reasons[i];
        CHECK(output_publish(&out, &err) && holds(work_path("place"), "1\n"), "first row");
        rename_error = 0;
        fputs("2\n", out.stream);
        CHECK(output_publish(&out, &err) && holds(work_path("place"), "1\n2\n"), "second row");
        CHECK(output_commit(&out, &err) && holds(work_path("place"), "1\n2\n"), "committed");
        CHECK(strstr(out.note.text, "written in place") != NULL &&
                  strstr(out.note.text, strerror(reasons[i])) != NULL,
              "the note: %s", out.note.text);
        CHECK(!file_exists(temporary), "the temporary file stayed");
        CHECK(stat(work_path("place"), &after) == 0 && before.st_ino == after.st_ino,
              "another file");
        output_discard(&out);
        arena_free(&arena);
    }
}

// While it is written in place, the temporary file is the only whole copy.
static void a_signal_leaves_the_copy_of_what_is_written_in_place(void)
{
    for (int fails = 0; fails < 2; fails++) {
        Arena arena = {0};
        Error err = {""};
        Output out;
        char temporary[512];
        write_file(work_path("place"), "an older text", 13);
        REQUIRE(begin(&out, &arena, "place", "all of it"), "not opened");
        snprintf(temporary, sizeof temporary, "%s", out.temporary);
        rename_error = EBUSY;
        is_ended_in_sync = true;
        file_error = fails ? ENOSPC : 0; // of the copy
        bool ok = output_publish(&out, &err);
        int is_kept = holds(temporary, "all of it");
        rename_error = file_error = 0;
        is_ended_in_sync = false;
        if (fails) {
            CHECK(!ok && is_kept, "lost: %s", err.text);
            CHECK(strstr(err.text, "place: cannot be replaced") != NULL &&
                      strstr(err.text, "; it is incomplete now; what was written is in ") != NULL &&
                      strstr(err.text, temporary) != NULL,
                  "%s", err.text);
            unlink(temporary);
        } else {
            CHECK(ok && holds(work_path("place"), "all of it"), "%s", err.text);
            CHECK(!file_exists(temporary), "the temporary file stayed");
        }
        output_discard(&out);
        arena_free(&arena);
    }
}

// What the file grows by is written first: a full disk costs no older byte.
static void a_full_disk_leaves_the_older_file_as_it_was(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    write_file(work_path("place"), "an older text", 13);
    REQUIRE(begin(&out, &arena, "place", "a newer and a longer text"), "not opened");
    rename_error = EBUSY;
    file_error = ENOSPC;
    CHECK(!output_publish(&out, &err) && holds(work_path("place"), "an older text"), "lost");
    rename_error = file_error = 0;
    CHECK(strstr(err.text, "; it is as it was; what was written is in ") != NULL, "%s", err.text);
    CHECK(out.kept != NULL && holds(out.kept, "a newer and a longer text"), "no copy");
    if (out.kept != NULL)
        unlink(out.kept);
    output_discard(&out);
    arena_free(&arena);
}

static void what_cannot_be_written_at_all_stays_and_is_named(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    char temporary[512];
    rmdir(work_path("taken"));
    REQUIRE(begin(&out, &arena, "taken", "all of it"), "not opened");
    snprintf(temporary, sizeof temporary, "%s", out.temporary);
    REQUIRE(mkdir(work_path("taken"), 0777) == 0, "no directory");
    CHECK(!output_commit(&out, &err), "committed over a directory");
    output_discard(&out);
    CHECK(strstr(err.text, temporary) != NULL && strstr(err.text, "incomplete") == NULL, "%s",
          err.text);
    CHECK(holds(temporary, "all of it"), "the temporary file has lost what was written");
    rmdir(work_path("taken"));
    unlink(temporary);
    arena_free(&arena);
}

static void a_temporary_file_that_somebody_removed_costs_nothing(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    unlink(work_path("again"));
    REQUIRE(begin(&out, &arena, "again", "all of it") && unlink(out.temporary) == 0, "not opened");
    CHECK(output_commit(&out, &err), "%s", err.text);
    CHECK(holds(work_path("again"), "all of it"), "lost");
    arena_free(&arena);
}

// A signal's handler removes it when the process ends at once: the older file stays.
static void without_its_temporary_file_an_output_overwrites_nothing(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    write_file(work_path("good"), "a good older file", 17);
    REQUIRE(begin(&out, &arena, "good", "new"), "not opened");
    output_remove_temporaries();
    CHECK(!output_commit(&out, &err), "committed");
    CHECK(strstr(err.text, "good: cannot be replaced") != NULL &&
              strstr(err.text, "incomplete") == NULL,
          "%s", err.text);
    output_discard(&out);
    CHECK(holds(work_path("good"), "a good older file"), "overwritten");
    arena_free(&arena);
}

static void a_directory_that_fails_to_be_synced_is_reported(void)
{
    const struct {
        int error;
        bool told;
    } cases[] = {{EIO, true},    {ENOSPC, true},   {EDQUOT, true},  {EINVAL, false}, {0, false},
                 {EBADF, false}, {ENOTSUP, false}, {EACCES, false}, {EROFS, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Arena arena = {0};
        Error err = {""};
        Output out;
        REQUIRE(begin(&out, &arena, "synced", "all of it"), "not opened");
        directory_error = cases[i].error;
        CHECK(output_commit(&out, &err), "%s", err.text);
        directory_error = 0;
        CHECK(holds(work_path("synced"), "all of it"), "not in place");
        CHECK((strstr(out.note.text, "power cut") != NULL) == cases[i].told &&
                  (out.note.text[0] != '\0') == cases[i].told,
              "%s: the note: %s", strerror(cases[i].error), out.note.text);
        arena_free(&arena);
    }
}

static void a_note_on_the_directory_replaces_no_earlier_one(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    write_file(work_path("place"), "an older text", 13);
    REQUIRE(begin(&out, &arena, "place", "all of it"), "not opened");
    rename_error = EBUSY;
    directory_error = EIO;
    CHECK(output_commit(&out, &err), "%s", err.text);
    rename_error = directory_error = 0;
    CHECK(strstr(out.note.text, "written in place") != NULL, "the note: %s", out.note.text);
    arena_free(&arena);
}

static void a_file_that_fails_to_be_synced_replaces_nothing(void)
{
    Arena arena = {0};
    Error err = {""};
    Output out;
    write_file(work_path("old"), "old", 3);
    REQUIRE(begin(&out, &arena, "old", "new"), "not opened");
    file_error = EIO;
    CHECK(!output_commit(&out, &err) && strstr(err.text, strerror(EIO)) != NULL, "%s", err.text);
    file_error = 0;
    output_discard(&out);
    CHECK(holds(work_path("old"), "old"), "replaced");
    arena_free(&arena);
}

static void temporary_files_can_be_removed_at_any_time(void)
{
    Arena arena = {0};
    Output first, second, third;
    REQUIRE(begin(&first, &arena, "1", "x") && begin(&second, &arena, "2", "x") &&
                begin(&third, &arena, "3", "x"),
            "not opened");
    char gone[512];
    snprintf(gone, sizeof gone, "%s", second.temporary);
    output_discard(&second);
    write_file(gone, "of someone else", 15);
    output_remove_temporaries();
    CHECK(!file_exists(first.temporary) && !file_exists(third.temporary), "one is still there");
    CHECK(file_exists(gone), "a file was removed that is not a temporary one any more");
    unlink(gone);
    output_discard(&first);
    output_discard(&third);
    arena_free(&arena);
}

// Without opening them: a pipe that is opened and closed has sent its reader away.
static void a_stream_that_cannot_be_written_is_refused_by_a_try(void)
{
    Error err = {""};
    char name[32];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listening = socket(AF_UNIX, SOCK_STREAM, 0), reading = open("/dev/null", O_RDONLY);
    snprintf(address.sun_path, sizeof address.sun_path, "/tmp/.mlp-test-%ld", (long)getpid());
    unlink(address.sun_path);
    REQUIRE(bind(listening, (struct sockaddr *)&address, sizeof address) == 0 && reading >= 0,
            "no socket");
    CHECK(!output_try(address.sun_path, OUTPUT_ANY_FILE, &err) &&
              strstr(err.text, "is a socket, which cannot be opened by its name") != NULL,
          "a socket: %s", err.text);
    unlink(address.sun_path);
    snprintf(name, sizeof name, "/dev/fd/%d", reading);
    CHECK(!output_try(name, OUTPUT_ANY_FILE, &err) &&
              strstr(err.text, "is not open for writing") != NULL,
          "for reading alone: %s", err.text);
    close(reading);
    CHECK(!output_try(name, OUTPUT_ANY_FILE, &err) && strstr(err.text, strerror(EBADF)) != NULL,
          "closed: %s", err.text);
    CHECK(output_try("/dev/null", OUTPUT_ANY_FILE, &err), "%s", err.text);
    close(listening);
    unlink(work_path("fifo"));
    REQUIRE(mkfifo(work_path("fifo"), 0400) == 0, "no FIFO");
    CHECK(geteuid() == 0 || (!output_try(work_path("fifo"), OUTPUT_ANY_FILE, &err) &&
                             strstr(err.text, strerror(EACCES)) != NULL),
          "without permission: %s", err.text);
}

static void standard_output_is_known_by_all_its_names(void)
{
    CHECK(output_descriptor("-") == 1 && output_descriptor("/dev/stdout") == 1, "- or /dev/stdout");
    CHECK(output_descriptor("/dev/stderr") == 2 && output_descriptor("/dev/fd/1") == 1,
          "/dev/stderr or /dev/fd/1");
    CHECK(output_descriptor("./-") == -1 && output_descriptor("/dev/fd/x") == -1 &&
              output_descriptor("/dev/null") == -1,
          "a file taken for a descriptor");
}

static void a_descriptor_has_the_same_names_for_reading_and_writing(void)
{
    static const struct {
        const char *path;
        int fd;
    } names[] = {{"-", 7},
                 {"/dev/stdin", 0},
                 {"/dev/stdout", 1},
                 {"/dev/stderr", 2},
                 {"/dev/fd/12", 12},
                 {"/proc/self/fd/12", 12},
                 {"/dev/fd/", -1},
                 {"/dev/fd/-1", -1},
                 {"/dev/fd/99999999999", -1},
                 {"/proc/self/fd/x", -1},
                 {"/dev/fd", -1},
                 {"./-", -1}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        CHECK(path_descriptor(names[i].path, 7) == names[i].fd, "%s: %d", names[i].path,
              path_descriptor(names[i].path, 7));
    CHECK(source_is_input("/proc/self/fd/0") && source_is_input("/dev/fd/0") &&
              source_is_input("-") && !source_is_input("/proc/self/fd/1"),
          "standard input");
}

int main(void)
{
    RUN(a_file_that_cannot_be_renamed_over_is_written_in_place);
    RUN(a_signal_leaves_the_copy_of_what_is_written_in_place);
    RUN(a_full_disk_leaves_the_older_file_as_it_was);
    RUN(what_cannot_be_written_at_all_stays_and_is_named);
    RUN(a_temporary_file_that_somebody_removed_costs_nothing);
    RUN(without_its_temporary_file_an_output_overwrites_nothing);
    RUN(a_directory_that_fails_to_be_synced_is_reported);
    RUN(a_note_on_the_directory_replaces_no_earlier_one);
    RUN(a_file_that_fails_to_be_synced_replaces_nothing);
    RUN(temporary_files_can_be_removed_at_any_time);
    RUN(a_stream_that_cannot_be_written_is_refused_by_a_try);
    RUN(standard_output_is_known_by_all_its_names);
    RUN(a_descriptor_has_the_same_names_for_reading_and_writing);
    return test_end();
}
