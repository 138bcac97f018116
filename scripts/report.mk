# The report: trainings, tables and pictures, each made again when it is missing or older than the
# program. `make report` calls this with a job for each CPU; by itself, from the project's directory:
#
#   make -f scripts/report.mk -j 2                          all of it
#   make -f scripts/report.mk -j 2 data/report/rates.png    one picture and what it needs
#
# Slow work is kept in WORK, one file per training: a sweep that was stopped resumes at its last row.
# Results are in OUT. Every training has one thread, so that several run side by side.
#
# Three parts have targets of their own, since two of them take most of the time: `basics`, `recipes` and
# `timing` (report-recipes.mk). `all` makes them and the text; `timing` last and alone, for its seconds.
# `pages` are the web pages of two models, which `basics` makes, too.

MLP     = ./mlp
# What is older than the program is made again. TRAINED_BY= (nothing) keeps what an older program
# made; that is right when the new one gives the same bytes.
TRAINED_BY = $(MLP)
OUT     = data/report
WORK    = build/report
GNUPLOT := $(if $(shell command -v gnuplot),gnuplot)
# Any awk: mawk, gawk, original-awk, 'busybox awk'. The scripts called here use it, too.
AWK    ?= awk
export AWK

# Settings. RATE was chosen on the validation images, SLOW is the learning rate of the course's report.
EPOCHS   = 100
SEEDS    = 5
SLOW     = 1e-4
RATE     = 1e-3
SMALL    = 2000
RATES    = 1e-5 3e-5 1e-4 3e-4 1e-3 3e-3 1e-2 1e-1 1e36
# Sizes of the training set. The full size is part of RATES.
SIZES    = 500 1000 2000 5000 10000 20000
# Batch sizes and hidden units: one seed, and fewer epochs, to save time.
FEW      = 10
BATCHES  = 1 2 4 8 16 32 64 128 256 512 1024
HIDDEN   = 8 16 32 64 128 256
# The convolutional network, with its own settings.
CNN_EPOCHS = 20
# The gradient check: all steps are slow at full size, and show the same at a smaller size.
JACOBIAN_HIDDEN = 64
STEPS_HIDDEN    = 16

quoted = '$(subst ','\'',$(1))'
# Make divides names at blanks, and the recipes write these as they are: they must be plain.
unplain = $(shell printf %s $(call quoted,$(1)) | LC_ALL=C tr -d 'A-Za-z0-9_./+@\200-\377-')
$(foreach name,OUT WORK MLP,$(if $(or $(call unplain,$($(name))),$(filter -%,$($(name))),$(if $($(name)),,empty)),\
    $(error $(name)=$($(name)): must have letters, digits and _ . / + @ - alone, and not begin with -)))

# $(call stamp,FILE,TEXT): a file with the text, newer than what was made with another text. Looked at
# before any job begins, which would change their order.
stamp = $(shell printf '%s\n' $(call quoted,$(2)) | cmp -s - $(1) || printf '%s\n' $(call quoted,$(2)) >$(1))
$(shell mkdir -p $(OUT) $(WORK)/recipes $(WORK)/timing)

.PHONY: all basics recipes timing pages readme
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
# The tables of parts of a sweep under one header: the same bytes as one sweep over all values.
JOIN = $(AWK) 'FNR > 1 || NR == 1'
include scripts/report-recipes.mk

# ---------------------------------------------------------------------------------------------
# Everything; the longest trainings first, so that the last ones do not run alone

RATE_SWEEPS   = $(RATES:%=$(WORK)/rate-%.csv)
SIZE_SWEEPS   = $(SIZES:%=$(WORK)/size-%.csv)
BATCH_SWEEPS  = $(BATCHES:%=$(WORK)/batch-%.csv)
HIDDEN_SWEEPS = $(HIDDEN:%=$(WORK)/hidden-%.csv)
CNN           = $(WORK)/cnn.bin
MODELS        = $(CNN) $(WORK)/slow.bin $(WORK)/default.bin $(WORK)/small-slow.bin $(WORK)/small-default.bin

TABLES = $(addprefix $(OUT)/,overfit-$(SLOW).csv overfit-$(RATE).csv overfit.csv sizes.csv \
           sizes-runs.csv rates.csv rates-runs.csv batch.csv hidden.csv units.csv confusion.csv \
           classes.csv mistakes.csv jacobians.csv steps.csv cnn.csv confusion-cnn.csv mistakes-cnn.csv)
NAMES  = curves overfit-$(SLOW) overfit-$(RATE) sizes rates batch hidden weights confusion classes \
           mistakes jacobians steps curves-cnn filters-1 filters-2 features-1 features-2 \
         confusion-cnn mistakes-cnn
PAGES  = $(OUT)/page.html $(OUT)/page-cnn.html
# $(call pictures,NAMES)
pictures = $(if $(GNUPLOT),$(foreach name,$(1),$(OUT)/$(name).png $(OUT)/$(name).svg))

recipes: $(RECIPE_TABLES) $(call pictures,$(RECIPE_NAMES))
timing: $(TIMING_TABLES) $(call pictures,$(TIMING_NAMES))
basics: $(CNN) $(RATE_SWEEPS) $(MODELS) $(SIZE_SWEEPS) $(BATCH_SWEEPS) $(HIDDEN_SWEEPS) $(TABLES) $(PAGES) $(call pictures,$(NAMES))
pages: $(PAGES)

# The second make begins when nothing else runs any more.
all: recipes basics
	@$(MAKE) --no-print-directory -f scripts/report.mk timing $(OUT)/README.md
ifeq ($(GNUPLOT),)
	@echo "gnuplot is not installed: the tables in $(OUT) are made, no picture was drawn."
endif

# Everything is made again when a setting changes.
SETTINGS = $(EPOCHS) $(SEEDS) $(SLOW) $(RATE) $(SMALL) / $(RATES) / $(SIZES) / $(FEW) / $(BATCHES) / \
           $(HIDDEN) / $(CNN_EPOCHS) $(JACOBIAN_HIDDEN) $(STEPS_HIDDEN) / $(value MLP_DATA)
$(call stamp,$(WORK)/settings,$(SETTINGS))
MADE_BY = $(TRAINED_BY) $(WORK)/settings

# ---------------------------------------------------------------------------------------------
# Trainings

# A sweep's rows gather in FILE.part, which an older program's or other settings' must not be.
define sweep
@find $(WORK) -name '$(@F).part' \( ! -newer $(MLP) -o ! -newer $(WORK)/settings \) -exec rm {} +
$(MLP) sweep -q --threads 1 $(1) --csv $@.part
@mv $@.part $@
endef

$(RATE_SWEEPS): $(WORK)/rate-%.csv: $(MADE_BY)
	$(call sweep,--lr $* --seeds $(SEEDS) --epochs $(EPOCHS))

$(SIZE_SWEEPS): $(WORK)/size-%.csv: $(MADE_BY)
	$(call sweep,--lr $(RATE) --train-size $* --seeds $(SEEDS) --epochs $(EPOCHS))

$(BATCH_SWEEPS): $(WORK)/batch-%.csv: $(MADE_BY)
	$(call sweep,--lr $(RATE) --batch $* --epochs $(FEW))

$(HIDDEN_SWEEPS): $(WORK)/hidden-%.csv: $(MADE_BY)
	$(call sweep,--lr $(RATE) --hidden $* --epochs $(FEW))

# A model, and its curves beside it.
TRAIN = $(MLP) train -q --threads 1 --epochs $(EPOCHS)
FLAGS_cnn           = --arch cnn --epochs $(CNN_EPOCHS)
FLAGS_slow          = --lr $(SLOW)
FLAGS_default       = --lr $(RATE)
FLAGS_small-slow    = --lr $(SLOW) --train-size $(SMALL)
FLAGS_small-default = --lr $(RATE) --train-size $(SMALL)
$(MODELS): $(WORK)/%.bin: $(MADE_BY)
	$(TRAIN) $(FLAGS_$*) -o $@.part --csv $(WORK)/$*.csv
	@mv $@.part $@

# A file that another rule also writes is made again when it alone is missing.
$(MODELS:.bin=.csv): $(WORK)/%.csv: $(WORK)/%.bin
	@test -e $@ || $(TRAIN) $(FLAGS_$*) -o $(WORK)/$*.bin --csv $@

# ---------------------------------------------------------------------------------------------
# Tables: joined, shortened and summarised from the program's output

# Their rules are in this file.
$(TABLES): scripts/report.mk

# Without the CRC-32 of the data and the architecture; without the seconds, which differ from run to run.
TIMED   = cut -d , -f 3-
UNTIMED = cut -d , -f 3-16

$(OUT)/rates-runs.csv: $(RATE_SWEEPS)
	@$(JOIN) $(RATE_SWEEPS) | $(UNTIMED) >$@

$(OUT)/sizes-runs.csv: $(SIZE_SWEEPS) $(WORK)/rate-$(RATE).csv
	@$(JOIN) $(SIZE_SWEEPS) $(WORK)/rate-$(RATE).csv | $(UNTIMED) >$@

$(OUT)/rates.csv: $(OUT)/rates-runs.csv scripts/report/spread.awk
	@$(AWK) -v by=learning_rate -f scripts/report/spread.awk $< >$@

$(OUT)/sizes.csv: $(OUT)/sizes-runs.csv scripts/report/spread.awk
	@$(AWK) -v by=train_size -f scripts/report/spread.awk $< >$@

$(OUT)/batch.csv: $(BATCH_SWEEPS)
	@$(JOIN) $(BATCH_SWEEPS) | $(TIMED) >$@

$(OUT)/hidden.csv: $(HIDDEN_SWEEPS)
	@$(JOIN) $(HIDDEN_SWEEPS) | $(TIMED) >$@

# Two curves under one header, each row with the number of training images; without the seconds.
define curves
@all=$$($(MLP) info --json $(2:.csv=.bin) | sed -n 's/.*"train_size": "\([0-9]*\)".*/\1/p') && \
$(AWK) -F , -v OFS=, -v small=$(SMALL) -v all="$$all" \
  'NR == 1 { print "images", $$1, $$2, $$3, $$4, $$5, $$6 } \
   FNR > 1 { print (FNR == NR ? small : all), $$1, $$2, $$3, $$4, $$5, $$6 }' $(1) $(2) >$@
endef

$(OUT)/overfit-$(SLOW).csv: $(WORK)/small-slow.csv $(WORK)/slow.csv
	$(call curves,$(WORK)/small-slow.csv,$(WORK)/slow.csv)

$(OUT)/overfit-$(RATE).csv: $(WORK)/small-default.csv $(WORK)/default.csv
	$(call curves,$(WORK)/small-default.csv,$(WORK)/default.csv)

# The last epoch of each; the gap is train less validation accuracy.
$(OUT)/overfit.csv: $(OUT)/overfit-$(SLOW).csv $(OUT)/overfit-$(RATE).csv
	@{ echo learning_rate,images,epochs,train_accuracy,validation_accuracy,gap && \
	  for rate in $(SLOW) $(RATE); do \
	    $(AWK) -F , -v OFS=, -v rate=$$rate -v epochs=$(EPOCHS) \
	      '$$2 == epochs { print rate, $$1, $$2, $$4, $$6, sprintf("%.6g", $$4 - $$6) }' \
	      $(OUT)/overfit-$$rate.csv || exit; \
	  done; } >$@

$(WORK)/weights.csv: $(WORK)/default.bin
	$(MLP) weights $< --csv $@

$(OUT)/units.csv: $(WORK)/weights.csv
	@cut -d , -f 1-4 $< >$@

EVALUATE = $(MLP) eval --threads 1 $(WORK)/default.bin --confusion $(OUT)/confusion.csv \
          --mistakes $(WORK)/mistakes.csv >$(WORK)/eval.txt
$(OUT)/confusion.csv: $(WORK)/default.bin
	$(EVALUATE)

$(WORK)/mistakes.csv: $(OUT)/confusion.csv
	@test -e $@ || $(EVALUATE)

$(OUT)/mistakes.csv: $(WORK)/mistakes.csv
	@head -n 41 $< | cut -d , -f 1-4 >$@

# Precision: right answers among a class's answers; recall: among its images.
$(OUT)/classes.csv: $(OUT)/confusion.csv
	@$(AWK) -F , -v OFS=, 'NR == 1 { print "class", "images", "answers", "right", "precision", "recall"; next } \
	  { for (k = 2; k <= NF; k++) { images[NR] += $$k; answers[k] += $$k } right[NR] = $$NR } \
	  END { for (k = 2; k <= NR; k++) \
	          print k - 2, images[k], answers[k], right[k], \
	                answers[k] ? sprintf("%.6f", right[k] / answers[k]) : "", \
	                images[k] ? sprintf("%.6f", right[k] / images[k]) : "" }' $< >$@

# The convolutional network's curves, without the seconds; its mistakes; its filters.
$(OUT)/cnn.csv: $(WORK)/cnn.csv
	@cut -d , -f 1-6 $< >$@

EVALUATE_CNN = $(MLP) eval --threads 1 $(CNN) --confusion $(OUT)/confusion-cnn.csv \
              --mistakes $(WORK)/mistakes-cnn.csv --predictions $(WORK)/predictions-cnn.csv >$(WORK)/eval-cnn.txt
$(OUT)/confusion-cnn.csv: $(CNN)
	$(EVALUATE_CNN)

$(WORK)/mistakes-cnn.csv $(WORK)/predictions-cnn.csv: $(OUT)/confusion-cnn.csv
	@test -e $@ || $(EVALUATE_CNN)

$(OUT)/mistakes-cnn.csv: $(WORK)/mistakes-cnn.csv
	@head -n 41 $< | cut -d , -f 1-4 >$@

$(WORK)/filters-1.csv $(WORK)/filters-2.csv: $(WORK)/filters-%.csv: $(CNN)
	$(MLP) weights $< --layer $* --csv $@

# What it makes of the first test image of each class, one table behind the other.
$(WORK)/features.csv: $(CNN) $(WORK)/predictions-cnn.csv
	@echo label,layer,channel,row,column,value >$@.part
	@$(AWK) -F , 'NR > 1 && !seen[$$2]++ { print $$2, $$1 }' $(WORK)/predictions-cnn.csv | sort -n | \
	  while read -r label image; do \
	    $(MLP) features $< --image "$$image" --csv $(WORK)/image.csv && \
	    sed "1d; s/^/$$label,/" $(WORK)/image.csv >>$@.part || exit; \
	  done
	@mv $@.part $@

# The scripts of a page are part of the program: TRAINED_BY= keeps the models, not the pages.
$(OUT)/page.html: $(WORK)/default.bin
$(OUT)/page-cnn.html: $(CNN)
$(PAGES): $(MADE_BY) $(MLP)
	$(MLP) page $(filter %.bin,$^) -o $@

NONZERO = $(MLP) gradcheck --hidden $(JACOBIAN_HIDDEN) --nonzero $(WORK)/nonzero.csv >$(WORK)/gradcheck.txt
$(WORK)/nonzero.csv: $(MADE_BY)
	$(NONZERO)

$(WORK)/gradcheck.txt: $(WORK)/nonzero.csv
	@test -e $@ || $(NONZERO)

$(OUT)/jacobians.csv: $(WORK)/gradcheck.txt $(WORK)/nonzero.csv scripts/report/jacobians.awk
	@$(AWK) -f scripts/report/jacobians.awk $(WORK)/gradcheck.txt $(WORK)/nonzero.csv >$@

$(OUT)/steps.csv: $(MADE_BY)
	$(MLP) gradcheck --hidden $(STEPS_HIDDEN) --steps $@ >$(WORK)/steps.txt

$(OUT)/README.md: $(TABLES) $(RECIPE_TABLES) $(TIMING_TABLES)

# Only the text, from the tables as they are.
readme $(OUT)/README.md: scripts/report-readme.sh
	@EPOCHS='$(EPOCHS)' SEEDS='$(SEEDS)' SLOW='$(SLOW)' RATE='$(RATE)' SMALL='$(SMALL)' RATES='$(RATES)' \
	  SIZES='$(SIZES)' FEW='$(FEW)' BATCHES='$(BATCHES)' HIDDEN='$(HIDDEN)' \
	  JACOBIAN_HIDDEN='$(JACOBIAN_HIDDEN)' STEPS_HIDDEN='$(STEPS_HIDDEN)' \
	  CNN_EPOCHS='$(CNN_EPOCHS)' FEW_EPOCHS='$(FEW_EPOCHS)' MANY_EPOCHS='$(MANY_EPOCHS)' EXTRA='$(EXTRA)' \
	  sh scripts/report-readme.sh $(OUT) >$(WORK)/README.part && mv $(WORK)/README.part $(OUT)/README.md

# ---------------------------------------------------------------------------------------------
# Pictures: $(call picture,NAME,SCRIPT,FILE,ARGUMENTS) is NAME.png and NAME.svg, drawn from FILE

define picture
$(OUT)/$(1).png $(OUT)/$(1).svg: $(3) scripts/report/$(2) scripts/report/sheet.awk scripts/inputs.gp scripts/style.gp
	$$(GNUPLOT) -c scripts/report/$(2) $$@ $(3) $(4)
endef

$(eval $(call picture,remedies,remedies.gp,$(OUT)/remedies.csv))
$(eval $(call picture,remedies-curves,remedies-curves.gp,$(OUT)/remedies-curves.csv $(OUT)/remedies-runs.csv))
$(eval $(call picture,augment,augment.gp,$(WORK)/augment.csv))
$(eval $(call picture,accuracy,accuracy.gp,$(OUT)/accuracy.csv))
$(eval $(call picture,calibration,calibration.gp,$(OUT)/calibration.csv))
$(eval $(call picture,seconds,seconds.gp,$(OUT)/seconds-curves.csv $(OUT)/seconds-runs.csv))

$(eval $(call picture,overfit-$(SLOW),overfit.gp,$(OUT)/overfit-$(SLOW).csv))
$(eval $(call picture,overfit-$(RATE),overfit.gp,$(OUT)/overfit-$(RATE).csv))
$(eval $(call picture,sizes,sizes.gp,$(OUT)/sizes.csv))
$(eval $(call picture,rates,rates.gp,$(OUT)/rates.csv))
$(eval $(call picture,batch,costs.gp,$(OUT)/batch.csv,batch_size))
$(eval $(call picture,hidden,costs.gp,$(OUT)/hidden.csv,hidden))
$(eval $(call picture,weights,weights.gp,$(WORK)/weights.csv))
$(eval $(call picture,confusion,confusion.gp,$(OUT)/confusion.csv))
$(eval $(call picture,classes,classes.gp,$(OUT)/classes.csv))
$(eval $(call picture,mistakes,mistakes.gp,$(WORK)/mistakes.csv))
$(eval $(call picture,jacobians,jacobians.gp,$(WORK)/nonzero.csv $(OUT)/jacobians.csv))
$(eval $(call picture,steps,steps.gp,$(OUT)/steps.csv))

$(eval $(call picture,filters-1,filters.gp,$(WORK)/filters-1.csv))
$(eval $(call picture,filters-2,filters.gp,$(WORK)/filters-2.csv))
$(eval $(call picture,features-1,features.gp,$(WORK)/features.csv,f1))
$(eval $(call picture,features-2,features.gp,$(WORK)/features.csv,f2))
$(eval $(call picture,confusion-cnn,confusion.gp,$(OUT)/confusion-cnn.csv))
$(eval $(call picture,mistakes-cnn,mistakes.gp,$(WORK)/mistakes-cnn.csv))

# Runs in the directory of the curves: their file names are the legend. The project's directory may have any name.
here = at=$$PWD && case $@ in /*) to=$@ ;; *) to=$$at/$@ ;; esac
$(OUT)/curves-cnn.png $(OUT)/curves-cnn.svg: $(WORK)/default.csv $(WORK)/cnn.csv scripts/plot.gp scripts/inputs.gp scripts/style.gp
	$(here) && cd $(WORK) && $(GNUPLOT) -c "$$at/scripts/plot.gp" "$$to" default.csv cnn.csv

$(OUT)/curves.png $(OUT)/curves.svg: $(WORK)/slow.csv $(WORK)/default.csv scripts/plot.gp scripts/inputs.gp scripts/style.gp
	$(here) && cd $(WORK) && $(GNUPLOT) -c "$$at/scripts/plot.gp" "$$to" slow.csv default.csv
