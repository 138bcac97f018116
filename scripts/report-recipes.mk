# The report's sections on recipes: what helps against overfitting, how accurate the presets are, and
# how soon they get there. report.mk includes this file. The trainings here are the longest of the
# report, so they have targets of their own:
#
#   make -f scripts/report.mk -j 2 recipes    the tables and pictures of the first two sections
#   make -f scripts/report.mk timing          those of the third; nothing else should run meanwhile
#
# A recipe is a name and its flags. To add one, write FLAGS_GROUP.NAME = ... and add NAME to the list
# of the group. Each seed is a training, and a row in WORK/recipes, that is made again when the program
# or the flags of its recipe have changed; the other recipes keep theirs.

# What helps against overfitting: with few and with many images, a fixed number of epochs. The flags
# were chosen on the validation images (data/report/SETTINGS.md). EXTRA is the size for "more data".
FEW_EPOCHS  = 300
MANY_EPOCHS = $(EPOCHS)
EXTRA       = 10000
few  = none weight-decay early-stopping averaging augmentation smaller-network more-data together with-schedule
many = none weight-decay early-stopping averaging augmentation smaller-network together with-schedule

FLAGS_few.none            =
FLAGS_few.weight-decay    = --weight-decay 0.001
FLAGS_few.early-stopping  = --patience 20 --keep best
FLAGS_few.averaging       = --ema 0.999
FLAGS_few.augmentation    = --augment
FLAGS_few.smaller-network = --hidden 32
FLAGS_few.more-data       =
FLAGS_few.together        = $(FLAGS_few.weight-decay) $(FLAGS_few.averaging) $(FLAGS_few.augmentation) --keep best
FLAGS_few.with-schedule   = $(FLAGS_few.together) --schedule cosine --lr 0.004

FLAGS_many.none            =
FLAGS_many.weight-decay    = --weight-decay 0.0003
FLAGS_many.early-stopping  = --patience 20 --keep best
FLAGS_many.averaging       = --ema 0.999
FLAGS_many.augmentation    = --augment
FLAGS_many.smaller-network = --hidden 32
# Weaker than alone: with augmentation, stronger decay costs accuracy.
FLAGS_many.together        = --weight-decay 0.0001 $(FLAGS_many.averaging) $(FLAGS_many.augmentation) --keep best
FLAGS_many.with-schedule   = $(FLAGS_many.together) --schedule cosine --lr 0.004

# How accurate it can be: presets and other good settings. EPOCHS_accuracy.NAME if not the preset's,
# SEEDS_accuracy.NAME if not SEEDS, DATA_accuracy.NAME a directory if not the usual one. A name with
# MODELS_accuracy.NAME is not a training: the models of all seeds of that recipe answer together.
FASHION ?= /usr/share/datasets/fashion-mnist
accuracy = course default accurate deep small-data cnn fast accurate-lenet5 accurate-cnn ensemble-cnn fashion fashion-cnn

FLAGS_accuracy.course          = --preset course
FLAGS_accuracy.default         =
FLAGS_accuracy.accurate        = --preset accurate
FLAGS_accuracy.deep            = --preset accurate --hidden 64-64-64 --activation relu --lr 0.001 --weight-decay 0.1
FLAGS_accuracy.small-data      = --preset accurate --train-size $(SMALL) --activation relu --lr 0.001 --weight-decay 0.1 \
                                 --rotate 12 --scale 0.15 --shift 2 --shear 0.1
FLAGS_accuracy.cnn             = --arch cnn
FLAGS_accuracy.fast            = --preset fast
FLAGS_accuracy.accurate-lenet5 = --arch lenet5 --preset accurate
FLAGS_accuracy.accurate-cnn    = --arch cnn --preset accurate
MODELS_accuracy.ensemble-cnn   = accurate-cnn
FLAGS_accuracy.fashion         = --preset accurate --rotate 0 --scale 0 --shift 0.7 --weight-decay 0.01
FLAGS_accuracy.fashion-cnn     = --arch cnn --preset accurate --channels 32-64 --hidden 128 --weight-decay 0.005 \
                                 --rotate 0 --scale 0.05 --shift 1
EPOCHS_accuracy.small-data     = 1500
EPOCHS_accuracy.fashion-cnn    = 15
SEEDS_accuracy.cnn             = 3
SEEDS_accuracy.fashion         = 3
SEEDS_accuracy.fashion-cnn     = 3
DATA_accuracy.fashion          = $(FASHION)
DATA_accuracy.fashion-cnn      = $(FASHION)
# Whose probabilities are measured: models of the list above as RECIPE.SEED, and as RECIPE.all the models
# of all its seeds, which answer together.
CALIBRATED = default.1 default.all accurate.1 cnn.1
# How soon: recipes of the list above that are timed on all CPUs, the first of them with many seeds.
TIMED_RECIPES = fast course accurate cnn
TIMED_SEEDS   = 20

# For a trial of the whole: this many epochs for every recipe.
RECIPE_EPOCHS =

# ---------------------------------------------------------------------------------------------
# Trainings

GROUPS  = few many accuracy
# The flags that a whole group has.
FLAGS_few      = --train-size $(if $(filter %.more-data,$(1)),$(EXTRA),$(SMALL))
FLAGS_many     =
FLAGS_accuracy =
$(foreach name,$(few),$(eval EPOCHS_few.$(name) = $(FEW_EPOCHS)))
$(foreach name,$(many),$(eval EPOCHS_many.$(name) = $(MANY_EPOCHS)))

RECIPES   := $(foreach group,$(GROUPS),$(addprefix $(group).,$($(group))))
ifeq ($(wildcard $(FASHION)/train-images-idx3-ubyte*),)
  RECIPES := $(foreach recipe,$(RECIPES),$(if $(filter $(FASHION),$(DATA_$(recipe))),,$(recipe)))
endif
ENSEMBLES := $(foreach recipe,$(RECIPES),$(if $(MODELS_$(recipe)),$(recipe)))
SEED_LIST := $(shell i=0; while [ $$i -lt 100 ]; do i=$$((i + 1)); echo $$i; done)
epochs_of  = $(or $(RECIPE_EPOCHS),$(EPOCHS_$(1)))
flags_of   = $(strip $(call FLAGS_$(basename $(1)),$(1)) $(FLAGS_$(1)) $(addprefix --epochs ,$(call epochs_of,$(1))))
seeds_of   = $(wordlist 1,$(or $(SEEDS_$(1)),$(SEEDS)),$(SEED_LIST))
# Names of rows: GROUP.NAME.SEED, and GROUP.NAME.all of several models together.
trained    = $(foreach seed,$(call seeds_of,$(1)),$(1).$(seed))
rows_of    = $(foreach recipe,$(1),$(if $(MODELS_$(recipe)),$(recipe).all,$(call trained,$(recipe))))
row_files  = $(patsubst %,$(WORK)/recipes/%.csv,$(call rows_of,$(1)))

# Trainings depend on the program, on the data and on the flags of their recipe, tables on the list of rows.
$(call stamp,$(WORK)/data,$(value MLP_DATA))
$(call stamp,$(WORK)/rows,$(foreach recipe,$(RECIPES),$(call rows_of,$(recipe))))
$(foreach recipe,$(RECIPES),$(call stamp,$(WORK)/recipes/$(recipe).flags,$(call flags_of,$(recipe)) / $(MODELS_$(recipe)) $(DATA_$(recipe))))
$(call stamp,$(WORK)/timing/seeds,$(TIMED_SEEDS) $(firstword $(TIMED_RECIPES)))

# $(call make_row,GROUP.NAME.SEED,FLAGS): its row, made by one training or from several models
make_row = sh scripts/report/recipe.sh $(MLP) $(WORK)/recipes/$(1).csv $(subst ., ,$(1)) $(call quoted,$(DATA_$(basename $(1)))) $(2)
TRAINED := $(call rows_of,$(filter-out $(ENSEMBLES),$(RECIPES)))

.SECONDEXPANSION:
$(TRAINED:%=$(WORK)/recipes/%.csv): $(WORK)/recipes/%.csv: $(TRAINED_BY) $(WORK)/data $(WORK)/recipes/$$(basename $$*).flags scripts/report/recipe.sh
	$(call make_row,$*,$(call flags_of,$(basename $*)))

# A file that comes along with a row is made again when it alone is missing.
$(foreach end,bin curves.csv,$(TRAINED:%=$(WORK)/recipes/%.$(end))): $$(basename $$(subst .curves.,.,$$@)).csv
	@test -e $@ || $(call make_row,$(notdir $(basename $<)),$(call flags_of,$(basename $(notdir $(basename $<)))))

members_of = $(call row_files,$(basename $(1)).$(MODELS_$(1)))
$(ENSEMBLES:%=$(WORK)/recipes/%.all.csv): $(WORK)/recipes/%.all.csv: $(WORK)/recipes/%.flags $$(foreach row,$$(call members_of,$$*),$$(row) $$(row:.csv=.bin))
	$(call make_row,$*.all,$(call members_of,$*))

# One after the other, each on all CPUs.
TIMES = $(TIMED_RECIPES:%=$(WORK)/timing/%.csv)
define timing
$(WORK)/timing/$(2).csv: $(TRAINED_BY) $(WORK)/data $(WORK)/recipes/accuracy.$(2).flags $(WORK)/timing/seeds scripts/report/timing.sh $(if $(1),| $(WORK)/timing/$(1).csv)
endef
$(foreach name,$(TIMED_RECIPES),$(eval $(call timing,$(before),$(name)))$(eval before := $(name)))
TIME = sh scripts/report/timing.sh $(MLP) $(WORK)/timing/$(1).csv $(WORK)/timing/$(1).curves.csv $(1) \
         $(if $(filter $(1),$(firstword $(TIMED_RECIPES))),$(TIMED_SEEDS),1) $(call flags_of,accuracy.$(1))
$(TIMES): $(WORK)/timing/%.csv:
	$(call TIME,$*)

$(TIMES:.csv=.curves.csv): $(WORK)/timing/%.curves.csv: $(WORK)/timing/%.csv
	@test -e $@ || $(call TIME,$*)

# How far the probabilities of a model, or of several, can be trusted: the bins of mlp eval.
calibrated_models = $(patsubst %,$(WORK)/recipes/%.bin,$(if $(filter %.all,$(1)),$(call trained,accuracy.$(basename $(1))),accuracy.$(1)))
BINS = $(CALIBRATED:%=$(WORK)/recipes/bins.%.csv)
$(call stamp,$(WORK)/calibrated,$(CALIBRATED) / $(foreach model,$(CALIBRATED),$(call calibrated_models,$(model))))
$(BINS): $(WORK)/recipes/bins.%.csv: $(WORK)/calibrated $$(call calibrated_models,$$*)
	$(MLP) eval --threads 1 $(filter %.bin,$^) --calibration $@ >$(@:.csv=.txt)

# ---------------------------------------------------------------------------------------------
# Tables

RECIPE_TABLES = $(addprefix $(OUT)/,remedies.csv remedies-runs.csv remedies-curves.csv accuracy.csv accuracy-runs.csv calibration.csv)
TIMING_TABLES = $(addprefix $(OUT)/,seconds-runs.csv seconds-curves.csv)
RECIPE_NAMES  = remedies remedies-curves augment accuracy calibration
TIMING_NAMES  = seconds
$(RECIPE_TABLES) $(TIMING_TABLES): scripts/report-recipes.mk $(WORK)/rows

REMEDIES := $(filter few.% many.%,$(RECIPES))
$(OUT)/remedies-runs.csv: $(call row_files,$(REMEDIES))
	@$(JOIN) $(filter %.csv,$^) | cut -d , -f 1-9 >$@

$(OUT)/remedies.csv: $(OUT)/remedies-runs.csv scripts/report/spread.awk
	@$(AWK) -v by=group,recipe,flags,images -v of=train,validation -v means=parameters,epochs -f scripts/report/spread.awk $< >$@

# Every fiftieth part of a curve; not of those that stop early, which are others cut short.
CURVES := $(patsubst %,$(WORK)/recipes/%.curves.csv,$(call rows_of,$(filter-out %.early-stopping,$(REMEDIES))))
$(OUT)/remedies-curves.csv: $(CURVES) scripts/report/spread.awk
	@$(AWK) -F , -v OFS=, -v few=$(FEW_EPOCHS) -v many=$(MANY_EPOCHS) \
	  'FNR == 1 { n = split(FILENAME, path, "/"); split(path[n], name, "."); every = int((name[1] == "few" ? few : many) / 50); \
	              if (NR == 1) print "group", "recipe", "epoch", "validation_accuracy"; next } \
	   FNR == 2 || every < 2 || $$1 % every == 0 { print name[1], name[2], $$1, $$5 }' $(CURVES) | \
	  $(AWK) -v by=group,recipe,epoch -v of=validation -f scripts/report/spread.awk >$@

# What an augmented training sees of some images.
$(WORK)/augment.csv: $(TRAINED_BY) $(WORK)/data
	$(MLP) augment --csv $@

$(OUT)/accuracy-runs.csv: $(call row_files,$(filter accuracy.%,$(RECIPES)))
	@$(JOIN) $(filter %.csv,$^) | cut -d , -f 2- >$@

$(OUT)/accuracy.csv: $(OUT)/accuracy-runs.csv scripts/report/spread.awk
	@$(AWK) -v by=recipe,flags -v of=train,validation,test -v se=1 -v means=images,parameters,epochs,binomial_se,seconds -f scripts/report/spread.awk $< >$@

# The name of a model before each of its rows.
$(OUT)/calibration.csv: $(BINS)
	@$(AWK) -v OFS=, 'FNR == 1 { n = split(FILENAME, path, "/"); name = substr(path[n], 6, length(path[n]) - 9); \
	                             if (NR == 1) print "model", $$0; next } { print name, $$0 }' $(BINS) >$@

$(OUT)/seconds-runs.csv: $(TIMES)
	@$(JOIN) $(TIMES) >$@

$(OUT)/seconds-curves.csv: $(TIMES:.csv=.curves.csv)
	@$(JOIN) $(TIMES:.csv=.curves.csv) >$@
