// Messages: one line, and the reason in it however long a path is.
#include "base.h"

#include "test.h"

#include <errno.h>

// A path of n bytes, n < 20000, of which the first and the last are known.
static const char *path_of(size_t n, const char *unit)
{
    static char path[20001];
    for (size_t i = 0; i < n; i++)
        path[i] = unit[i % strlen(unit)];
    memcpy(path, "FIRST/", 6); // an even number: no character of two bytes is cut
    memcpy(path + n - 4, "LAST", 5);
    return path;
}

static bool is_valid_utf8_of_two_bytes(const char *text) // beside ASCII
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text == 0xc3)
            text++;
        else if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

static void a_message_with_long_paths_keeps_its_words(void)
{
    static const char *const units[] = {"a", "ab/", "\303\244", "a b "};
    for (size_t i = 0; i < 4; i++)
        for (size_t n = 900; n <= 3000; n += 2) {
            Error err;
            const char *path = path_of(n, units[i]);
            errno = ENOENT;
            error_set_errno(&err, "--csv %s: cannot write", path);
            bool ok = strncmp(err.text, "--csv FIRST", 11) == 0 &&
                      strstr(err.text, "LAST: cannot write: ") != NULL &&
                      strstr(err.text, strerror(ENOENT)) != NULL;
            CHECK(ok, "%zu bytes: %s", n, err.text);
            CHECK(is_valid_utf8_of_two_bytes(err.text), "%zu bytes: %s", n, err.text);
        }
    Error err;
    const char *path = path_of(2000, "ab/");
    error_set(&err, "%s is for other images than %s, not %s", path, path, path);
    CHECK(strstr(err.text, "LAST is for other images than FIRST") != NULL &&
              strstr(err.text, "LAST, not FIRST") != NULL,
          "%s", err.text);
}

static void a_reason_survives_a_path_longer_than_any(void)
{
    Error err;
    errno = ENAMETOOLONG;
    error_set_errno(&err, "%s", path_of(20000, "ab/"));
    CHECK(strstr(err.text, strerror(ENAMETOOLONG)) != NULL, "%s", err.text);
}

static void a_message_that_fits_is_left_alone(void)
{
    Error err;
    char expected[sizeof err.text];
    const char *path = path_of(sizeof err.text - 1 - 8, "ab/");
    snprintf(expected, sizeof expected, "%s: reason", path);
    error_set(&err, "%s: reason", path);
    CHECK(strcmp(err.text, expected) == 0, "%s", err.text);
    error_set(&err, "a\nb\033[31m\177");
    CHECK(strcmp(err.text, "a?b?[31m?") == 0, "%s", err.text);
    error_set(&err, "\302\23331m \303\251 \302\240"); // a control sequence, and two characters
    CHECK(strcmp(err.text, "??31m \303\251 \302\240") == 0, "%s", err.text);
    error_set(&err, "%s and more", "a message is part of the next");
    error_set(&err, "%s!", err.text);
    CHECK(strcmp(err.text, "a message is part of the next and more!") == 0, "%s", err.text);
}

int main(void)
{
    RUN(a_message_with_long_paths_keeps_its_words);
    RUN(a_reason_survives_a_path_longer_than_any);
    RUN(a_message_that_fits_is_left_alone);
    return test_end();
}
