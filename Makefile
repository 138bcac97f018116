# make              builds ./mlp
# make run          builds, trains, judges and draws: the main job
# make report       trains, measures and draws all of data/report, in some minutes
# make check        all tests
# make check-repro  the builds that must give the same bytes
# make fuzz         a minute of hostile inputs for each reader (FUZZ_SECONDS)
# make coverage     which lines the tests run
# make lint         static analysis
# make bench        how fast it is here, against what a dense program could do
# make help         the other targets
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS are yours; PREFIX and DESTDIR say where to install;
# SAN=address or SAN=thread builds with those sanitizers in a directory of its own; HARDEN= (empty)
# leaves out the hardening flags; AWK names another awk for the report.

PREFIX  = /usr/local
BINDIR  = $(PREFIX)/bin
MANDIR  = $(PREFIX)/share/man/man1
DATADIR = $(PREFIX)/share/mlp

CFLAGS ?= -O3 -g
SAN     =

WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow

# $(call quoted,TEXT): one word for the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'
# ... and as a string literal of C.
literal = "$(subst ",\",$(subst \,\\,$(1)))"

# _FILE_OFFSET_BITS: files beyond 2 GB where long has 32 bits.
DEFINES = -D_FILE_OFFSET_BITS=64 -DMLP_INSTALLED_DATA=$(call quoted,$(call literal,$(DATADIR)/mnist))

ifeq ($(SAN),)
  BUILD    = build/plain
  PROGRAM  = mlp
  SANFLAGS =
else ifeq ($(SAN),address)
  BUILD    = build/address
  PROGRAM  = $(BUILD)/mlp
  SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(SAN),thread)
  BUILD    = build/thread
  PROGRAM  = $(BUILD)/mlp
  SANFLAGS = -fsanitize=thread
else ifeq ($(SAN),fuzz)
  BUILD    = build/fuzz
  PROGRAM  = $(BUILD)/mlp
  SANFLAGS = -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all \
             -fno-omit-frame-pointer
else
  $(error SAN must be address, thread or fuzz)
endif

COMMA := ,

# $(call takes,FLAGS): the flags, where compiler and linker know all of them.
takes = $(shell f=$$(mktemp) && echo 'int main(void) { return 0; }' | \
          $(CC) $(CFLAGS) $(LDFLAGS) -Werror $(1) -o "$$f" -x c - >/dev/null 2>&1 && \
          echo '$(1)'; rm -f "$$f")

# What the compiler says of itself, with the user's flags.
MACROS := $(shell echo | $(CC) $(CPPFLAGS) $(CFLAGS) -dM -E - | \
            awk '$$2 ~ /^(__x86_64__|__AARCH64EL__|__OPTIMIZE__|_FORTIFY_SOURCE|__clang__)$$/ { print $$2 }')

# After the user's flags: what the results depend on. -std=gnu11 keeps float arithmetic in float
# (gcc's -std=c11 does not on every machine). -ffast-math, -Ofast and each of their parts are undone:
# no sum is reordered, no product is fused with a sum, no constant loses bits, NaN and -0 are what
# they are. What cannot be undone is refused in elementary.h.
STANDARD := -std=gnu11 -fno-fast-math -fno-associative-math -fno-reciprocal-math \
            -fno-finite-math-only -fsigned-zeros -ffp-contract=off
ifneq ($(filter __clang__,$(MACROS)),)
  STANDARD += $(call takes,-fno-approx-func) $(call takes,-fdenormal-fp-math=ieee)
else
  STANDARD += -fno-unsafe-math-optimizations $(call takes,-fno-single-precision-constant) \
              $(call takes,-fno-allow-store-data-races)
endif

# Hardening that costs no time. HARDEN= leaves it out; so do the sanitizers, which see more. Each
# part is used where compiler and linker take it (ld of macOS knows no -z), -pie not beside -static,
# and _FORTIFY_SOURCE where it works, in an optimised build, unless it is already set.
HARDEN       = yes
HARDEN_STACK = -fstack-protector-strong
HARDEN_LINK  = -Wl,-z,relro,-z,now -Wl,-z,noexecstack
HARDEN_PLACE = -fPIE -pie
ifneq ($(filter -static% -no-pie -fno-pie -fno-PIE,$(CC) $(CFLAGS) $(LDFLAGS)),)
  HARDEN_PLACE =
endif
ifeq ($(filter __OPTIMIZE__ _FORTIFY_SOURCE,$(MACROS)),__OPTIMIZE__)
  FORTIFY = -D_FORTIFY_SOURCE=2
endif
ifneq ($(and $(HARDEN),$(if $(SAN),,plain)),)
  TAKEN := $(or $(call takes,$(HARDEN_STACK) $(HARDEN_LINK) $(HARDEN_PLACE)), \
             $(call takes,$(HARDEN_STACK)) $(call takes,$(HARDEN_LINK)) $(call takes,$(HARDEN_PLACE)))
  HARDEN_CFLAGS  := $(filter -f%,$(TAKEN)) $(FORTIFY)
  HARDEN_LDFLAGS := $(filter-out -f%,$(TAKEN))
endif

ALL_CFLAGS = $(CFLAGS) $(WARNINGS) $(STANDARD) $(SANFLAGS) -pthread
COMPILE    = $(CC) $(DEFINES) $(HARDEN_CFLAGS) $(CPPFLAGS) $(ALL_CFLAGS)
LINK       = $(CC) $(HARDEN_CFLAGS) $(HARDEN_LDFLAGS) $(ALL_CFLAGS) $(LDFLAGS)

ifeq ($(call takes,-Wl$(COMMA)--wrap=aligned_alloc),)
  UNLINKED = tests/test_hostile.c tests/test_allocation.c tests/test_output.c
endif

# The kernels are compiled once for each instruction set of the machine that is compiled for whose
# flags the compiler knows, and chosen when the program starts.
MACHINE = $(filter __x86_64__ __AARCH64EL__,$(MACROS))
ISAS_OF___x86_64__  = sse2 avx2 avx512
ISAS_OF___AARCH64EL__ = neon
FLAGS_OF_sse2       = -DKERNELS_SSE2
FLAGS_OF_avx2       = -DKERNELS_AVX2 -mavx2 -mbmi
FLAGS_OF_avx512     = -DKERNELS_AVX512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mbmi
FLAGS_OF_neon       = -DKERNELS_NEON
ISAS := $(foreach isa,$(ISAS_OF_$(MACHINE)),$(if $(call takes,$(FLAGS_OF_$(isa))),$(isa)))
DEFINES += $(ISAS:%=-DHAVE_KERNELS_%)

# Each directory of src may include headers of itself and of those before it in this list: what lies
# above it is not found.
DIRECTORIES     = base kernels nn io cli
INCLUDE_base    = -Isrc/base
INCLUDE_kernels = $(INCLUDE_base) -Isrc/kernels
INCLUDE_nn      = $(INCLUDE_kernels) -Iinclude -Isrc/nn
INCLUDE_io      = $(INCLUDE_nn) -Isrc/io
INCLUDE_cli     = $(INCLUDE_io) -Isrc/cli

VECTORS = kernels/simd kernels/simd_conv
SOURCES = $(filter-out $(VECTORS:%=src/%.c),$(wildcard src/*/*.c))
OBJECTS = $(SOURCES:src/%.c=$(BUILD)/%.o) $(foreach file,$(VECTORS),$(ISAS:%=$(BUILD)/$(file)_%.o))
LIBRARY = $(filter-out $(BUILD)/cli/main.o,$(OBJECTS))
TESTS   = $(patsubst tests/%.c,$(BUILD)/%,$(filter-out $(UNLINKED),$(wildcard tests/test_*.c)))

.PHONY: all run report bench bench-pictures check check-repro unit-tests replays fuzzers fuzz coverage lint install uninstall clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAM)

$(PROGRAM): $(OBJECTS)
	$(LINK) -o $@ $(OBJECTS) -lm

# Everything is built again when the compiler or a flag changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@printf '%s\n' $(call quoted,$(COMPILE) / $(LDFLAGS)) | cmp -s - $@ || \
	  printf '%s\n' $(call quoted,$(COMPILE) / $(LDFLAGS)) > $@

# The directory of a source file, $(call directory,base/random): base.
directory = $(patsubst %/,%,$(dir $(1)))

$(BUILD)/%.o: src/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(INCLUDE_$(call directory,$*)) -MMD -MP -c -o $@ $<

$(ISAS:%=$(BUILD)/kernels/simd_%.o): $(BUILD)/kernels/simd_%.o: src/kernels/simd.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(INCLUDE_kernels) $(FLAGS_OF_$*) -MMD -MP -c -o $@ $<

$(ISAS:%=$(BUILD)/kernels/simd_conv_%.o): $(BUILD)/kernels/simd_conv_%.o: src/kernels/simd_conv.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(INCLUDE_kernels) $(FLAGS_OF_$*) -MMD -MP -c -o $@ $<

$(BUILD)/test_%.o: tests/test_%.c $(BUILD)/flags
	$(COMPILE) $(INCLUDE_cli) -Itests -MMD -MP -c -o $@ $<

# A test can stand between the program and the system, to count what is asked for or to refuse it,
# where the linker knows how (that of macOS does not).
LDFLAGS_OF_hostile    = -Wl,--wrap=aligned_alloc
LDFLAGS_OF_output     = -Wl,--wrap=fsync,--wrap=rename,--wrap=unlink
LDFLAGS_OF_allocation = -Wl,--wrap=aligned_alloc,--wrap=pthread_create

$(BUILD)/test_%: $(BUILD)/test_%.o $(LIBRARY)
	$(LINK) $(LDFLAGS_OF_$*) -o $@ $< $(LIBRARY) -lm

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d)

unit-tests: $(TESTS)

# The oracle of the kernels as a dense program, for each set, is for the benchmark alone, with the
# flags that were measured to make it fastest: at -O3, gcc unrolls its loops before it makes vectors.
FLAGS_OF_DENSE = $(if $(findstring -O3,$(CFLAGS)),-O2 -ftree-vectorize -fno-tree-slp-vectorize)
DENSE = $(patsubst %,$(BUILD)/dense_%.o,$(or $(ISAS),scalar))
$(DENSE): $(BUILD)/dense_%.o: src/kernels/scalar.c $(BUILD)/flags
	$(COMPILE) $(INCLUDE_kernels) $(FLAGS_OF_DENSE) $(FLAGS_OF_$*) -DKERNELS_DENSE=kernels_dense_$* -DKERNELS_ISA='"$*"' -MMD -MP -c -o $@ $<

$(BUILD)/bench.o: scripts/bench.c $(BUILD)/flags
	$(COMPILE) $(INCLUDE_cli) -MMD -MP -c -o $@ $<

$(BUILD)/bench: $(BUILD)/bench.o $(DENSE) $(LIBRARY)
	$(LINK) -o $@ $^ -lm

bench: $(BUILD)/bench
	$(BUILD)/bench

$(BUILD)/bench_pictures.o: scripts/bench_pictures.c $(BUILD)/flags
	$(COMPILE) $(INCLUDE_cli) -Itests -MMD -MP -c -o $@ $<

$(BUILD)/bench_pictures: $(BUILD)/bench_pictures.o $(LIBRARY)
	$(LINK) -o $@ $^ -lm

# How well pictures of digits are recognised, condition by condition.
bench-pictures: $(BUILD)/bench_pictures
	$(BUILD)/bench_pictures model.bin

# Readers under a fuzzer, in a build that goes past the checksum of a model. A replay is the same
# with a list of files in place of the fuzzer, and any compiler.
FUZZ_SECONDS = 60
FUZZ_CC      = clang
FUZZ_TARGETS = idx model json options pnm
REPLAYS      = $(FUZZ_TARGETS:%=$(BUILD)/replay_%)
FUZZED       = $(BUILD)/unchecked_model.o $(filter-out $(BUILD)/io/model.o,$(LIBRARY))

$(BUILD)/unchecked_model.o: src/io/model.c $(BUILD)/flags
	$(COMPILE) $(INCLUDE_io) -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -MMD -MP -c -o $@ $<

$(BUILD)/fuzz_%.o: tests/fuzz/fuzz_%.c $(BUILD)/flags
	$(COMPILE) $(INCLUDE_cli) -Itests/fuzz -MMD -MP -c -o $@ $<

$(BUILD)/replay.o: tests/fuzz/replay.c $(BUILD)/flags
	$(COMPILE) $(INCLUDE_cli) -Itests/fuzz -MMD -MP -c -o $@ $<

$(REPLAYS): $(BUILD)/replay_%: $(BUILD)/fuzz_%.o $(BUILD)/replay.o $(FUZZED)
	$(LINK) -o $@ $^ -lm

$(FUZZ_TARGETS:%=$(BUILD)/fuzz_%): $(BUILD)/fuzz_%: $(BUILD)/fuzz_%.o $(FUZZED)
	$(LINK) -fsanitize=fuzzer -o $@ $^ -lm

replays: $(REPLAYS)

fuzzers: $(FUZZ_TARGETS:%=$(BUILD)/fuzz_%)

fuzz:
	@MAKE=$(call quoted,$(MAKE)) CC=$(call quoted,$(FUZZ_CC)) sh tests/fuzz/run.sh $(call quoted,$(FUZZ_SECONDS)) $(FUZZ_TARGETS)

coverage:
	@MAKE=$(call quoted,$(MAKE)) sh scripts/coverage.sh

lint:
	@sh scripts/lint.sh

run: $(PROGRAM)
	./$(PROGRAM) train --epochs 100 --lr 1e-4
	./$(PROGRAM) eval model.bin
	@if command -v gnuplot >/dev/null; then \
	  gnuplot scripts/plot.gp && echo "The curves are drawn in curves.png."; \
	else echo "gnuplot is not installed: no picture of curves.csv was drawn."; fi

# A job for each CPU, unless make was told how many (-j).
report: $(PROGRAM)
	@$(MAKE) --no-print-directory -f scripts/report.mk MLP=./$(PROGRAM) \
	  $(if $(filter -j%,$(MAKEFLAGS)),,-j "$$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN || echo 1)")

check:
	@CC=$(call quoted,$(CC)) MAKE=$(call quoted,$(MAKE)) sh tests/run.sh

check-repro:
	@CC=$(call quoted,$(CC)) MAKE=$(call quoted,$(MAKE)) sh tests/run.sh cli_repro

# Where things go, as words for the shell.
TO_BIN  = $(call quoted,$(DESTDIR)$(BINDIR))
TO_MAN  = $(call quoted,$(DESTDIR)$(MANDIR))
TO_DATA = $(call quoted,$(DESTDIR)$(DATADIR))
PLOT_SCRIPTS = scripts/plot.gp scripts/inputs.gp scripts/style.gp
MNIST_FILES  = $(wildcard data/mnist/*.gz) data/mnist/README.md

install: $(PROGRAM)
	install -d $(TO_BIN) $(TO_MAN) $(TO_DATA)/mnist
	install -m 755 $(PROGRAM) $(TO_BIN)/mlp
	install -m 644 src/cli/mlp.1 $(TO_MAN)/mlp.1
	install -m 644 $(PLOT_SCRIPTS) $(TO_DATA)
	install -m 644 $(MNIST_FILES) $(TO_DATA)/mnist

# What was installed, and the two directories of the data once nothing else is in them: DATADIR may
# be one that others use.
uninstall:
	rm -f $(TO_BIN)/mlp $(TO_MAN)/mlp.1
	rm -f $(foreach file,$(PLOT_SCRIPTS),$(TO_DATA)/$(notdir $(file)))
	rm -f $(foreach file,$(MNIST_FILES),$(TO_DATA)/mnist/$(notdir $(file)))
	rmdir $(TO_DATA)/mnist 2>/dev/null || true
	rmdir -p $(TO_DATA) 2>/dev/null || true
	rmdir -p $(TO_MAN) 2>/dev/null || true
	rmdir -p $(TO_BIN) 2>/dev/null || true

clean:
	rm -rf build mlp

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile
	@echo 'Other targets: install, uninstall, clean.'
