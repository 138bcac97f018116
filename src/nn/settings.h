// The table of settings: one row for each member of mlp_settings. All that is said or done with a
// setting by its name comes from this table: the flags of `mlp train` and their help, the metadata
// of a model, the check of what --resume may change, the axes and columns of `mlp sweep`, the
// reports. What a setting does is elsewhere, where it acts (train.c, network.c). src/README.md
// says how to add one.
#ifndef MLP_SETTINGS_H
#define MLP_SETTINGS_H

#include "base.h"
#include "mlp.h"
#include "network.h"
#include "numbers.h"

typedef enum SettingType {
    SETTING_UINT,   // uint64_t, from min to max
    SETTING_DOUBLE, // double, from min to max
    SETTING_BOOL,   // bool
    SETTING_LIST,   // uint64_t[MLP_MAX_SIZES], each from min to max, the first 0 ends it: "128-64"
    SETTING_CHOICE, // const char *, one of choices
    SETTING_STRING, // const char *, NULL for none
    SETTING_CRC32   // uint32_t, written as eight hexadecimal digits
} SettingType;

enum {
    SETTING_AXIS = 1,   // sweep trains with each of a list of values
    SETTING_COLUMN = 2, // a key column of sweep's table; an axis is one too
    SETTING_RUN = 4,    // of a run, not of its model: --resume may change it
    SETTING_FILE = 8,   // the flag's value may be the name of a file to read
    SETTING_SHAPE = 16  // of the network: a training that starts from a model keeps it
};

enum { SETTING_MAX_EPOCHS = 1000000 };

typedef struct Setting {
    const char *key; // in the metadata, in reports and as a column
    SettingType type;
    size_t offset; // in mlp_settings, or in what else the table is of
    double min, max;
    unsigned flags;
    unsigned since; // the first version of the model format that has it
    // As text, in the order of architecture_names; NULL: as the first.
    const char *defaults[N_ARCHITECTURES];
    const char *absent[N_ARCHITECTURES]; // what a file without the key means; see below
    const char *flag;                    // of the commands, without dashes; NULL: none
    const char *placeholder, *help;      // in --help
    const char *default_text;   // shown for the default in --help; NULL: the default itself
    const char *const *choices; // ends with NULL
} Setting;

// `absent` is the value of every model and table from before there was the setting. It is never
// changed, whatever becomes of the default: old files keep their meaning. A row that is newer than
// format 1 needs it. All NULL: every file has the key.

// All settings, in the order of --help; a NULL key ends the table.
extern const Setting settings_table[];

// The row with that key of a table, NULL for none.
const Setting *setting_find(const Setting *table, const char *key);

// A preset: settings that belong together, for one architecture.
typedef struct PresetValue {
    const char *key, *text;
} PresetValue;
enum { PRESET_MAX_VALUES = 16 };
typedef struct Preset {
    const char *name, *architecture;
    PresetValue values[PRESET_MAX_VALUES]; // that differ from the defaults; a NULL key ends them
} Preset;

// All presets, a NULL name ends the table. Several architectures may have one of the same name.
extern const Preset presets[];

// The amounts of augmentation that suit handwritten digits, as of --augment.
extern const PresetValue augmentation_values[];

// The preset of that name for an architecture, or, where that is NULL, the first of that name.
// Fails when there is none of that name, or for other architectures only: err says for which.
const Preset *preset_find(const char *name, const char *architecture, Error *err);

// The text that a list of values, ended by a NULL key, has for a key, or NULL.
const char *preset_text(const PresetValue *values, const char *key);

// Sets every setting to its default for that architecture, a name of architecture_names.
void settings_default(mlp_settings *settings, const char *architecture);

// Sets every setting to what a file without its key means: the default where every file has it.
void settings_absent(mlp_settings *settings, const char *architecture);

// The value of a setting as text: a string itself ("" for none), else written into number. `from`
// is the struct that the row's offset is of.
const char *setting_text(const Setting *row, const void *from, char number[NUMBER_SIZE]);

// Sets one setting to its value in another struct; texts are not copied.
void setting_copy(const Setting *row, void *into, const void *from);

// The default for that architecture, as text. That of the setting `architecture` is its name.
const char *setting_default(const Setting *row, const char *architecture);

// What the absence of a setting means in a file of that architecture, as text, or NULL.
const char *setting_absent(const Setting *row, const char *architecture);

// Whether the value is the default for that architecture.
bool setting_is_default(const Setting *row, const void *from, const char *architecture);

// Whether models and reports name it: always, or only where its absence means something else.
bool setting_is_shown(const Setting *row, const void *from, const char *architecture);

// The first version of the model format that has this value: that of the setting, but format 1 has
// lists of one size alone, and fewer architectures.
unsigned setting_since(const Setting *row, const void *from);

// Sets a setting from text, which must outlive it where it is a string. Fails when the text is not
// a value of its type and range: err then says what was expected, "a whole number from 1 to 65536".
bool setting_parse(const Setting *row, void *into, const char *text, Error *err);

// Checks every setting, for those that did not come from text. err names the key.
bool settings_check(const mlp_settings *settings, Error *err);

#endif
