// The table of settings and the presets: texts are read and written back, values that did not come
// from text are checked, and every row and preset means what it says. What settings do to a
// training is tested where they act; the flags made of them in cli_train.sh.
#include "settings.h"
#include "test.h"

#include <math.h>

static const Setting *row(const char *key)
{
    return setting_find(settings_table, key);
}

// ---------------------------------------------------------------------------------------------
// Lists

static void lists_are_read_with_commas_or_dashes_and_written_with_dashes(void)
{
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"64", "64"},
        {"128-64", "128-64"},
        {"128,64", "128-64"},
        {"3,2-1", "3-2-1"},
        {"007-08", "7-8"},
        {"1-2-3-4-5-6-7-8", "1-2-3-4-5-6-7-8"},
        {"65536,65536,65536,65536,65536,65536,65536,65536",
         "65536-65536-65536-65536-65536-65536-65536-65536"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        mlp_settings settings, again;
        char number[NUMBER_SIZE];
        Error err = {""};
        settings_default(&settings, "lenet5"); // two sizes, which a shorter list must not leave
        CHECK(setting_parse(row("hidden"), &settings, cases[i].text, &err), "%s", err.text);
        const char *text = setting_text(row("hidden"), &settings, number);
        CHECK(strcmp(text, cases[i].written) == 0, "'%s' became '%s'", cases[i].text, text);
        settings_default(&again, "mlp");
        setting_copy(row("hidden"), &again, &settings);
        CHECK(memcmp(again.hidden, settings.hidden, sizeof again.hidden) == 0,
              "'%s' was not copied", text);
    }
}

static void what_is_not_a_list_is_refused(void)
{
    static const char *const wrong[] = {"",
                                        "-",
                                        ",",
                                        "64-",
                                        "-64",
                                        "64--32",
                                        "64,,32",
                                        "64,-32",
                                        "0",
                                        "0-64",
                                        "64-0",
                                        "65537",
                                        "64-65537",
                                        "65537-64",
                                        "1-2-3-4-5-6-7-8-9",
                                        "1-2-3-4-5-6-7-8-",
                                        "64 32",
                                        "64, 32",
                                        " 64",
                                        "64x",
                                        "x",
                                        "+64",
                                        "1.5",
                                        "1e3",
                                        "0x10",
                                        "64;32",
                                        "18446744073709551616",
                                        "18446744073709551680-64", // 64 modulo 2^64
                                        ("00000000000000000000000000000000000000000000000000000"
                                         "00000000000000000000000000000000000000000000000000064")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        mlp_settings settings;
        Error err = {""};
        settings_default(&settings, "mlp");
        CHECK(!setting_parse(row("hidden"), &settings, wrong[i], &err), "'%s' was taken", wrong[i]);
        CHECK(strstr(err.text, "is not a list of 1 to 8 whole numbers from 1 to 65536") != NULL,
              "'%s': %s", wrong[i], err.text);
    }
}

// Values that a C program may pass: they have more digits than any list that is right.
static void lists_that_did_not_come_from_text_are_checked(void)
{
    static const uint64_t huge = UINT64_C(1) << 63;
    static const uint64_t wrong[][MLP_MAX_SIZES] = {
        {0},
        {65537},
        {huge},
        {UINT64_MAX},
        {64, huge},
        {64, 65537},
        {huge, huge, huge, huge, huge, huge, huge, huge},
        {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
         UINT64_MAX},
        {65536, 65536, 65536, 65536, 65536, 65536, 65536, huge},
        {65536, 65536, 65536, 65536, 65536, 65536, 65536, 65537},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        mlp_settings settings;
        char number[NUMBER_SIZE];
        Error err = {""};
        settings_default(&settings, "mlp");
        memcpy(settings.hidden, wrong[i], sizeof settings.hidden);
        CHECK(strlen(setting_text(row("hidden"), &settings, number)) < NUMBER_SIZE, "case %zu", i);
        CHECK(!settings_check(&settings, &err), "case %zu was accepted", i);
        CHECK(strstr(err.text, "hidden: '") == err.text &&
                  strstr(err.text, "from 1 to 65536") != NULL,
              "case %zu: %s", i, err.text);
    }
}

static void what_follows_the_end_of_a_list_means_nothing(void)
{
    mlp_settings settings;
    char number[NUMBER_SIZE];
    Error err = {""};
    settings_default(&settings, "mlp");
    settings.hidden[2] = UINT64_MAX; // after hidden[1], which is 0
    CHECK(settings_check(&settings, &err), "%s", err.text);
    CHECK(setting_is_default(row("hidden"), &settings, "mlp"), "%s",
          setting_text(row("hidden"), &settings, number));
}

// ---------------------------------------------------------------------------------------------
// All rows

static void every_default_and_every_meaning_of_absence_is_a_value(void)
{
    for (size_t a = 0; architecture_names[a] != NULL; a++) {
        mlp_settings settings;
        Error err = {""};
        settings_default(&settings, architecture_names[a]);
        CHECK(settings_check(&settings, &err), "defaults of %s: %s", architecture_names[a],
              err.text);
        settings_absent(&settings, architecture_names[a]);
        CHECK(settings_check(&settings, &err), "absent of %s: %s", architecture_names[a], err.text);
        for (const Setting *r = settings_table; r->key != NULL; r++) {
            char number[NUMBER_SIZE];
            const char *absent = setting_absent(r, architecture_names[a]);
            CHECK(r->since == 1 || absent != NULL, "%s has no value for older models", r->key);
            CHECK(absent == NULL || strcmp(setting_text(r, &settings, number), absent) == 0,
                  "%s of %s: '%s' is read as '%s'", r->key, architecture_names[a], absent,
                  setting_text(r, &settings, number));
        }
    }
}

static void values_that_did_not_come_from_text_are_checked(void)
{
    mlp_settings wrong[12], *s = wrong;
    const char *words[sizeof wrong / sizeof wrong[0]];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        settings_default(&wrong[i], "mlp");
    s->activation = NULL, words[s++ - wrong] = "activation: '' is not one of sigmoid, tanh, relu";
    s->activation = "gelu", words[s++ - wrong] = "activation: 'gelu'";
    s->optimizer = "lion", words[s++ - wrong] = "optimizer: 'lion' is not one of sgd, adam";
    s->preset = "best", words[s++ - wrong] = "preset: 'best'";
    s->momentum = 1.0, words[s++ - wrong] = "momentum: '1'";
    s->momentum = (double)NAN, words[s++ - wrong] = "momentum: 'nan'";
    s->weight_decay = -1e-4, words[s++ - wrong] = "weight_decay: '-0.0001'";
    s->ema = 1.0, words[s++ - wrong] = "ema: '1'";
    s->warmup = 1.0, words[s++ - wrong] = "warmup: '1'";
    s->rotate = (double)INFINITY, words[s++ - wrong] = "rotate: 'inf'";
    s->patience = UINT64_MAX, words[s++ - wrong] = "patience: '18446744073709551615'";
    s->keep = "", words[s++ - wrong] = "keep: ''";
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        Error err = {""};
        CHECK(!settings_check(&wrong[i], &err), "%s was accepted", words[i]);
        CHECK(strstr(err.text, words[i]) == err.text, "no \"%s\": %s", words[i], err.text);
    }
}

static void momentum_belongs_to_sgd(void)
{
    mlp_settings settings;
    Error err = {""};
    settings_default(&settings, "mlp");
    settings.momentum = 0.9;
    CHECK(settings_check(&settings, &err), "%s", err.text);
    settings.optimizer = "adam";
    CHECK(!settings_check(&settings, &err) && strstr(err.text, "momentum") != NULL &&
              strstr(err.text, "adam") != NULL,
          "%s", err.text);
    settings.momentum = 0.0;
    CHECK(settings_check(&settings, &err), "%s", err.text);
}

// ---------------------------------------------------------------------------------------------
// Presets

enum { MAX_PARAMETERS = 100000 }; // of a network that a preset makes of MNIST

// Sets what a preset says, each of it a setting, once. Returns how many of them are not defaults.
static size_t apply(const Preset *preset, mlp_settings *settings)
{
    size_t n_changed = 0;
    settings_default(settings, preset->architecture);
    for (const PresetValue *value = preset->values; value->key != NULL; value++) {
        const Setting *found = row(value->key);
        char number[NUMBER_SIZE];
        Error err = {""};
        CHECK(found != NULL && found->flag != NULL && strcmp(value->key, "architecture") != 0 &&
                  strcmp(value->key, "preset") != 0 && strcmp(value->key, "seed") != 0,
              "%s must not set %s", preset->name, value->key);
        CHECK(found == NULL || setting_parse(found, settings, value->text, &err), "%s, %s: %s",
              preset->name, value->key, err.text);
        if (found == NULL || err.text[0] != '\0')
            continue;
        CHECK(strcmp(setting_text(found, settings, number), value->text) == 0, "%s, %s: %s, not %s",
              preset->name, value->key, value->text, setting_text(found, settings, number));
        CHECK(preset_text(preset->values, value->key) == value->text, "%s has %s twice",
              preset->name, value->key);
        n_changed += !setting_is_default(found, settings, preset->architecture);
    }
    return n_changed;
}

static void every_preset_is_made_of_valid_settings_that_go_together(void)
{
    for (const Preset *preset = presets; preset->name != NULL; preset++) {
        mlp_settings settings;
        Network net;
        Error err = {""};
        CHECK(setting_parse(row("preset"), &settings, preset->name, &err), "%s", err.text);
        CHECK(apply(preset, &settings) > 0, "%s of %s is nothing but defaults", preset->name,
              preset->architecture);
        CHECK(settings_check(&settings, &err), "%s of %s: %s", preset->name, preset->architecture,
              err.text);
        Architecture architecture = architecture_of(&settings, 28, 28, 10);
        REQUIRE(network_build(&net, &architecture, &err), "%s of %s: %s", preset->name,
                preset->architecture, err.text);
        CHECK(network_count_weights(&net) <= MAX_PARAMETERS, "%s of %s has %zu parameters",
              preset->name, preset->architecture, network_count_weights(&net));
        CHECK(preset_find(preset->name, preset->architecture, &err) == preset,
              "%s of %s is there twice", preset->name, preset->architecture);
    }
}

static void every_name_of_a_preset_has_one(void)
{
    for (const char *const *name = row("preset")->choices; *name != NULL; name++) {
        Error err = {""};
        const Preset *preset = preset_find(*name, NULL, &err);
        bool is_none = strcmp(*name, "none") == 0;
        CHECK((preset == NULL) == is_none, "%s: %s", *name, err.text);
    }
}

static void presets_that_are_not_there_are_named(void)
{
    Error err = {""};
    CHECK(preset_find("best", NULL, &err) == NULL && strstr(err.text, "'best'") != NULL, "%s",
          err.text);
    CHECK(preset_find("course", "cnn", &err) == NULL && strstr(err.text, "'course'") != NULL &&
              strstr(err.text, "mlp, not cnn") != NULL,
          "%s", err.text);
    CHECK(preset_find("accurate", "rnn", &err) == NULL && strstr(err.text, "mlp, cnn") != NULL,
          "%s", err.text);
}

int main(void)
{
    RUN(lists_are_read_with_commas_or_dashes_and_written_with_dashes);
    RUN(what_is_not_a_list_is_refused);
    RUN(lists_that_did_not_come_from_text_are_checked);
    RUN(what_follows_the_end_of_a_list_means_nothing);
    RUN(every_default_and_every_meaning_of_absence_is_a_value);
    RUN(values_that_did_not_come_from_text_are_checked);
    RUN(momentum_belongs_to_sgd);
    RUN(every_preset_is_made_of_valid_settings_that_go_together);
    RUN(every_name_of_a_preset_has_one);
    RUN(presets_that_are_not_there_are_named);
    return test_end();
}
