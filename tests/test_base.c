// Messages: one line, and the reason in it however long a path is. Numbers in every locale.
// SHA-256.
#include "base.h"
#include "numbers.h"
#include "sha256.h"

#include "test.h"

#include <errno.h>
#include <locale.h>

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
    snprintf(expected, sizeof expected, "%.*s: reason", (int)sizeof expected - 9, path);
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

// Where the system has a locale with decimal commas.
static void numbers_are_the_same_in_every_locale(void)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "C"};
    size_t i = 0;
    char text[NUMBER_SIZE];
    double value = 0.0;
    while (setlocale(LC_ALL, names[i]) == NULL)
        i++;
    CHECK(strcmp(format_g9(text, 0.5), "0.5") == 0, "%s: %s", names[i], text);
    CHECK(strcmp(format_shortest(text, 1e-4), "0.0001") == 0, "%s: %s", names[i], text);
    CHECK(parse_double("2.5", &value) && value > 2.4, "%s: %g", names[i], value);
    CHECK(strcmp(setlocale(LC_ALL, NULL), names[i]) == 0, "the locale was changed");
    setlocale(LC_ALL, "C");
}

// The hashes are those of `head -c N /dev/zero | tr '\\0' a | sha256sum`; of "abc", that of FIPS
// 180-2. The lengths are around those at which a block more is needed.
static void sha256_gives_known_hashes(void)
{
    static const struct {
        size_t n;
        const char *hash;
    } known[] = {{0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                 {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
                 {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
                 {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
                 {119, "31eba51c313a5c08226adf18d4a359cfdfd8d2e816b13f4af952f7ea6584dcfb"},
                 {120, "2f3d335432c70b580af0e8e1b3674a7c020d683aa5f73aaaedfdc55af904c21c"},
                 {1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"}};
    char letters[1000], text[2 * SHA256_SIZE + 1];
    unsigned char hash[SHA256_SIZE], scalar[SHA256_SIZE];
    memset(letters, 'a', sizeof letters);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        sha256(hash, letters, known[i].n);
        for (size_t b = 0; b < SHA256_SIZE; b++)
            snprintf(text + 2 * b, 3, "%02x", hash[b]);
        CHECK(strcmp(text, known[i].hash) == 0, "%zu bytes: %s", known[i].n, text);
        sha256_scalar(scalar, letters, known[i].n);
        CHECK(memcmp(scalar, hash, sizeof hash) == 0, "%zu bytes: another scalar hash", known[i].n);
    }
    sha256(hash, "abc", 3);
    CHECK(hash[0] == 0xba && hash[1] == 0x78 && hash[31] == 0xad, "abc: %02x%02x...%02x", hash[0],
          hash[1], hash[31]);
}

int main(void)
{
    RUN(a_message_with_long_paths_keeps_its_words);
    RUN(a_reason_survives_a_path_longer_than_any);
    RUN(a_message_that_fits_is_left_alone);
    RUN(numbers_are_the_same_in_every_locale);
    RUN(sha256_gives_known_hashes);
    return test_end();
}
