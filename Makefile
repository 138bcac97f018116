# make              builds libmlp.a and, on it, ./mlp
# make lib          builds libmlp.so too
# make run          builds, trains, evaluates and plots: the main job
# make report       trains, measures and draws all of data/report: about 70 minutes on two cores (estimated)
# make page         trains two models and writes their web pages to data/report: about a minute
# make check        all tests
# make check-repro  the builds that must give the same bytes
# make fuzz         a minute of hostile inputs for each reader (FUZZ_SECONDS)
# make memory       the unit tests under clang's memory sanitizer, all commands under valgrind
# make coverage     which lines the tests run
# make mutants      changes the source in one place at a time and counts what the tests notice
# make lint         static analysis
# make prove        proves that the readers have no undefined behaviour; needs Frama-C
# make bench        how fast it is here, against what a dense program could do
# make static       a static program that runs without any other file, with musl: build/static/mlp
# make dist         a source archive of the last commit, its SPDX list and SHA256SUMS, in build/dist
# make deb          Debian packages of the last commit, in build/deb
# make verify-release ARCHIVE=FILE  makes an archive again from the commit that it names, and compares
# make help         the other targets
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS are yours (CPPFLAGS=-DMLP_NO_AVX512 or -DMLP_NO_AVX2 leaves
# instruction sets out); PREFIX and DESTDIR say where to install;
# SAN=address, SAN=thread or, with clang, SAN=memory builds with those sanitizers in a directory of its own; HARDEN= (empty)
# leaves out the hardening flags; AWK names another awk for the report.

PREFIX       = /usr/local
BINDIR       = $(PREFIX)/bin
LIBDIR       = $(PREFIX)/lib
PKGCONFIGDIR = $(LIBDIR)/pkgconfig
INCLUDEDIR   = $(PREFIX)/include
MANDIR       = $(PREFIX)/share/man/man1
DATADIR      = $(PREFIX)/share/mlp
BASHDIR      = $(PREFIX)/share/bash-completion/completions
ZSHDIR       = $(PREFIX)/share/zsh/site-functions
FISHDIR      = $(PREFIX)/share/fish/vendor_completions.d

CFLAGS ?= -O3 -g
SAN     =

# What trains and reads images is built for speed, and the rest for size, unless CFLAGS are yours: that makes the
# program 130 KB smaller, and training takes the same time within 3 %. What is not in FASTEST gains nothing by -O3 over -O2.
FASTEST = base/base base/random kernels/kernels_avx2 kernels/kernels_neon nn/layers nn/optimizer nn/sparse_input
FAST    = kernels/% io/idx nn/augment nn/dataset nn/layers_image
ifeq ($(origin CFLAGS),file)
  OPTIMIZE = $(if $(filter $(FASTEST),$(1)),,$(if $(filter $(FAST),$(1)),-O2,-Os))
endif

WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow

# $(call quoted,TEXT): one word for the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'
# ... and as a string literal of C.
literal = "$(subst ",\",$(subst \,\\,$(1)))"

# _FILE_OFFSET_BITS: files beyond 2 GB where long has 32 bits. Elsewhere it renames stat to stat64, which clang's
# memory sanitizer does not know: it would take what stat has written for uninitialised.
DEFINES = $(if $(filter memory,$(SAN)),,-D_FILE_OFFSET_BITS=64)

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
else ifeq ($(SAN),memory)
  BUILD    = build/memory
  PROGRAM  = $(BUILD)/mlp
  SANFLAGS = -fsanitize=memory -fsanitize-memory-track-origins -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifeq ($(SAN),fuzz)
  BUILD    = build/fuzz
  PROGRAM  = $(BUILD)/mlp
  SANFLAGS = -fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow -fno-sanitize-recover=all \
             -fno-omit-frame-pointer
else
  $(error SAN must be address, thread, memory or fuzz)
endif

COMMA := ,

# $(call ask,COMMAND): what the command prints. The goals that compile nothing ask no compiler.
ifneq ($(filter-out clean help uninstall prove static dist verify-release,$(or $(MAKECMDGOALS),all)),)
  ask = $(shell $(1))
endif

ifneq ($(filter %++,$(subst ',,$(CC))),)
  $(error CC=$(CC) is a C++ compiler, and mlp is written in C: use make CC=gcc or CC=clang)
endif

# $(call takes,FLAGS): the flags, where compiler and linker know all of them.
takes = $(call ask,f=$$(mktemp) && echo 'int main(void) { return 0; }' | \
          $(CC) $(CFLAGS) $(LDFLAGS) -Werror $(1) -o "$$f" -x c - >/dev/null 2>&1 && \
          echo '$(1)'; rm -f "$$f")

# $(call runs,FLAGS): the flags, where a program that has addresses of its own in a table also runs with them.
runs = $(call ask,f=$$(mktemp) && echo 'int n; int *volatile at[] = {&n}; int main(void) { return at[0] != &n; }' | \
         $(CC) $(CFLAGS) $(LDFLAGS) -Werror $(1) -o "$$f" -x c - >/dev/null 2>&1 && "$$f" >/dev/null 2>&1 && \
         echo '$(1)'; rm -f "$$f")

# What the compiler says of itself, with the user's flags.
MACROS := $(call ask,echo | $(CC) $(CPPFLAGS) $(CFLAGS) -dM -E - | \
            awk '$$2 ~ /^(__OPTIMIZE__|_FORTIFY_SOURCE|__clang__)$$/ { print $$2 }')

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

# When it links, clang 22 warns of flags that have an effect on compiling alone.
QUIET := $(if $(filter __clang__,$(MACROS)),-Qunused-arguments)

# No tables for unwinding the stack through exceptions, which C does not have; a debugger reads those of -g,
# a sanitizer these.
ifeq ($(SAN),)
  UNWIND := $(call takes,-fno-asynchronous-unwind-tables -fno-unwind-tables)
endif

# A section for each function, so that the linker leaves out those that the program never calls: 2 KB less code.
ifeq ($(SAN),)
  SECTIONS := $(call takes,-ffunction-sections -Wl$(COMMA)--gc-sections)
endif

# gcc needs half of its time to follow where each variable of the kernels is, with the sanitizers' checks
# between. Their reports do not say that.
ifneq ($(SAN),)
  TRACKING := $(call takes,-fno-var-tracking)
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
  HARDEN_LDFLAGS := $(filter -W%,$(TAKEN))
  PIE            := $(filter -pie,$(TAKEN))
  # Where the program is loaded, its tables of texts must be corrected: packed, that takes 24 KB less. Such a program needs
  # glibc 2.36 (2022); an older one says "version `GLIBC_ABI_DT_RELR' not found". PIE=-pie leaves it out.
  PIE            := $(if $(PIE),$(or $(filter -pie -Wl%,$(call runs,-fPIE -pie -Wl$(COMMA)-z$(COMMA)pack-relative-relocs)),$(PIE)))
endif

ALL_CFLAGS = $(CFLAGS) $(WARNINGS) $(STANDARD) $(UNWIND) $(TRACKING) $(filter -f%,$(SECTIONS)) $(SANFLAGS) -pthread -fvisibility=hidden
COMPILE    = $(CC) $(DEFINES) $(HARDEN_CFLAGS) $(CPPFLAGS) $(ALL_CFLAGS)
LINK       = $(CC) $(HARDEN_CFLAGS) $(HARDEN_LDFLAGS) $(filter -W%,$(SECTIONS)) $(ALL_CFLAGS) $(QUIET) $(LDFLAGS)

# The archiver that belongs to the compiler, unless one is named.
ifeq ($(origin AR),default)
  AR = $(or $(call ask,$(CC) -print-prog-name=ar 2>/dev/null),ar)
endif

ifeq ($(call takes,-Wl$(COMMA)--wrap=aligned_alloc),)
  UNLINKED = tests/test_hostile_idx.c tests/test_hostile_model.c tests/test_allocation.c tests/test_output.c tests/test_page_end.c
endif

# Each directory of src may include headers of its own and of those before it in this list: what is
# above it is not found.
INCLUDE_base    = -Isrc/base
INCLUDE_kernels = $(INCLUDE_base) -Isrc/kernels
INCLUDE_nn      = $(INCLUDE_kernels) -Iinclude -Isrc/nn
INCLUDE_io      = $(INCLUDE_nn) -Isrc/io
INCLUDE_.       = $(INCLUDE_io)
INCLUDE_cli     = $(INCLUDE_io) -Isrc/cli

# The library, and the program on it.
objects_of   = $(patsubst src/%.c,$(2)/%.o,$(wildcard $(1)))
LIB_SOURCES  = src/base/*.c src/kernels/*.c src/nn/*.c src/io/*.c src/mlp.c
LIB_OBJECTS  = $(call objects_of,$(LIB_SOURCES),$(BUILD)) $(BUILD)/io/export_c_text.o
PIC_OBJECTS  = $(call objects_of,$(LIB_SOURCES),$(BUILD)/pic) $(BUILD)/pic/io/export_c_text.o
CLI_OBJECTS  = $(call objects_of,src/cli/*.c,$(BUILD)) $(BUILD)/cli/page_parts.o
# Beside ./mlp, or in the directory of any other build.
LIB_PLACE    = $(if $(filter mlp,$(PROGRAM)),,$(BUILD)/)
LIBMLP       = $(LIB_PLACE)libmlp.a
SHARED       = $(LIB_PLACE)libmlp.so
SONAME       = libmlp.so.1
# What tests and benchmarks are linked with: everything but main.
TESTED       = $(filter-out %/main.o,$(CLI_OBJECTS)) $(LIBMLP)
TESTS        = $(patsubst tests/%.c,$(BUILD)/%,$(filter-out $(UNLINKED),$(wildcard tests/test_*.c)))

.PHONY: all lib run report page bench bench-pictures check check-repro unit-tests plain-tests memory replays fuzzers fuzz coverage mutants lint prove install uninstall
.PHONY: static dist verify-release deb clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules

all: $(PROGRAM)

lib: $(LIBMLP) $(SHARED)

$(PROGRAM): $(CLI_OBJECTS) $(LIBMLP)
	$(LINK) $(PIE) -o $@ $(CLI_OBJECTS) $(LIBMLP) -lm

# Made anew, so that it holds no object whose source is gone.
$(LIBMLP): $(LIB_OBJECTS)
	@rm -f $@
	$(AR) rcs $@ $(LIB_OBJECTS)

# The archive that is installed: one object in which every name but mlp_* is local, so that a program's
# own names cannot meet the library's; where ld and objcopy cannot do that, the objects as they are.
PUBLIC = $(BUILD)/public/libmlp.a
$(PUBLIC): $(PIC_OBJECTS)
	@mkdir -p $(@D)
	@rm -f $@
	{ "$$($(CC) -print-prog-name=ld)" -r -o $(@D)/mlp.o $(PIC_OBJECTS) && \
	  "$$($(CC) -print-prog-name=objcopy)" --localize-hidden $(@D)/mlp.o && \
	  "$$($(CC) -print-prog-name=nm)" -g $(@D)/mlp.o | grep -q ' T mlp_open$$' && $(AR) rcs $@ $(@D)/mlp.o; } 2>/dev/null || \
	$(AR) rcs $@ $(PIC_OBJECTS)

# Its users name the soname, where the linker has such names.
$(SHARED): $(PIC_OBJECTS)
	$(LINK) -shared $(call takes,-shared -Wl$(COMMA)-soname$(COMMA)$(SONAME)) -o $@ $(PIC_OBJECTS) -lm

# $(call remember,TEXT): writes the text to the target, unless that is what it holds.
define remember
@mkdir -p $(@D)
@printf '%s\n' $(call quoted,$(1)) | cmp -s - $@ || printf '%s\n' $(call quoted,$(1)) > $@
endef

# Everything is built again when the compiler or a flag changes, one file when DATADIR does.
$(BUILD)/flags: FORCE
	$(call remember,$(COMPILE) $(firstword $(subst =, ,$(PLACE))) / $(LDFLAGS))
$(BUILD)/datadir: FORCE
	$(call remember,$(DATADIR))

# The directory's name is not part of what is built, debugging information included. It is not among the flags that are
# remembered, so that objects may be copied to another directory.
PLACE = -fdebug-prefix-map=$(call quoted,$(CURDIR))=.

# $(call compile,FLAGS): the first prerequisite, to the target.
define compile
@mkdir -p $(@D)
$(COMPILE) $(PLACE) $(1) -MMD -MP -c -o $@ $<
endef

# The flags of a source file by its directory, $(call flags_of,base/random): those of base.
flags_of = $(INCLUDE_$(patsubst %/,%,$(dir $(1)))) $(call OPTIMIZE,$(1))

$(BUILD)/%.o: src/%.c $(BUILD)/flags
	$(call compile,$(call flags_of,$*))

$(BUILD)/pic/%.o: src/%.c $(BUILD)/flags
	$(call compile,$(call flags_of,$*) -fPIC)

$(BUILD)/cli/installed.o: src/cli/installed.c $(BUILD)/flags $(BUILD)/datadir
	$(call compile,$(INCLUDE_cli) -DMLP_INSTALLED_DATA=$(call quoted,$(call literal,$(DATADIR)/mnist)))

$(BUILD)/test_%.o: tests/test_%.c $(BUILD)/flags
	$(call compile,$(INCLUDE_cli) -Itests)

# The page that `mlp page` writes is part of the program: its files as arrays of bytes, the scripts in
# the order in which they are read.
PAGE_SCRIPTS = $(addprefix src/page/,arithmetic.js layers.js network.js ink.js prepare.js view.js draw.js \
                 see.js chain.js learn.js worksheet.js main.js)

# $(call page_part,NAME,FILES): without lines of comment, and with half of the indentation, which makes program and
# page 20 KB smaller. No string goes over a line's end.
define page_part
printf 'static const unsigned char $(1)_bytes[] = {\n'; \
sed -e '/^ *\/\//d' -e 's/^\(\( *\)\2\)\([^ ]\)/\2\3/' $(2) | od -A n -v -t u1 | sed 's/[0-9][0-9]*/&,/g'; \
printf '};\nconst PagePart $(1) = {$(1)_bytes, sizeof $(1)_bytes};\n';
endef

$(BUILD)/cli/page_parts.c: src/page/body.html src/page/page.css $(PAGE_SCRIPTS) Makefile
	@mkdir -p $(@D)
	{ printf '#include "page_parts.h"\n'; \
	  $(call page_part,page_body,src/page/body.html) \
	  $(call page_part,page_style,src/page/page.css) \
	  $(call page_part,page_script,$(PAGE_SCRIPTS)) } >$@

$(BUILD)/cli/page_parts.o: $(BUILD)/cli/page_parts.c $(BUILD)/flags
	$(call compile,$(INCLUDE_cli))

# The constant text of what `mlp export --format c` writes, from its first section on, as a string. A tab
# is four blanks and @ is model_, which makes it an eighth smaller.
$(BUILD)/io/export_c_text.c: src/exported/classifier.c Makefile
	@mkdir -p $(@D)
	{ printf 'extern const char export_c_text[];\nconst char export_c_text[] = {\n'; \
	  sed -n '/^\/\/: /,$$p' src/exported/classifier.c | sed "s/    /$$(printf '\\t')/g; s/model_/@/g" | od -A n -v -t u1 | sed 's/[0-9][0-9]*/&,/g'; \
	  printf '0};\n'; } >$@

$(BUILD)/io/export_c_text.o: $(BUILD)/io/export_c_text.c $(BUILD)/flags
	$(call compile)

$(BUILD)/pic/io/export_c_text.o: $(BUILD)/io/export_c_text.c $(BUILD)/flags
	$(call compile,-fPIC)

# A test can stand between the program and the system, to count what is asked for or to refuse it,
# where the linker knows how (that of macOS does not).
LDFLAGS_OF_hostile_idx   = -Wl,--wrap=aligned_alloc
LDFLAGS_OF_hostile_model = -Wl,--wrap=aligned_alloc
LDFLAGS_OF_output        = -Wl,--wrap=fsync,--wrap=rename
LDFLAGS_OF_allocation    = -Wl,--wrap=aligned_alloc,--wrap=pthread_create,--wrap=prctl
LDFLAGS_OF_page_end      = -Wl,--wrap=aligned_alloc,--wrap=free

$(BUILD)/test_%: $(BUILD)/test_%.o $(TESTED)
	$(LINK) $(PIE) $(LDFLAGS_OF_$*) -o $@ $^ -lm

# test_steps has sources of its own beside the library: the readers and what they call, counting their steps.
COUNTED = io/idx io/pnm io/json io/model io/formats io/class_names io/csv_images io/collection io/exif nn/settings base/numbers

$(BUILD)/counted/%.o: src/%.c tests/steps.h $(BUILD)/flags
	$(call compile,$(INCLUDE_$(patsubst %/,%,$(dir $*))) -include tests/steps.h)

$(BUILD)/test_steps: $(BUILD)/test_steps.o $(COUNTED:%=$(BUILD)/counted/%.o) $(TESTED)
	$(LINK) $(PIE) -o $@ $^ -lm

-include $(wildcard $(BUILD)/*.d $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

unit-tests: $(TESTS)

# Those that need no sanitizer, and run in the plain build, too.
plain-tests: $(filter %/test_page_end,$(TESTS))

$(BUILD)/%.o: scripts/%.c $(BUILD)/flags
	$(call compile,$(INCLUDE_cli) -Itests)

$(BUILD)/bench: $(BUILD)/bench.o $(TESTED)
	$(LINK) $(PIE) -o $@ $^ -lm

bench: $(BUILD)/bench
	$(BUILD)/bench

$(BUILD)/bench_pictures: $(BUILD)/bench_pictures.o $(TESTED)
	$(LINK) $(PIE) -o $@ $^ -lm

# How well pictures of digits are recognised, condition by condition.
bench-pictures: $(BUILD)/bench_pictures
	$(BUILD)/bench_pictures model.bin

# Readers under a fuzzer, in a build that goes past the checksum of a model. A replay is the same
# with a list of files in place of the fuzzer, and any compiler.
FUZZ_SECONDS = 60
FUZZ_CC      = clang
FUZZ_TARGETS = idx model json options pnm matrix exif csv
REPLAYS      = $(FUZZ_TARGETS:%=$(BUILD)/replay_%)
FUZZED       = $(BUILD)/unchecked_model.o $(TESTED)

$(BUILD)/unchecked_model.o: src/io/model.c $(BUILD)/flags
	$(call compile,$(INCLUDE_io) -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)

$(BUILD)/%.o: tests/fuzz/%.c $(BUILD)/flags
	$(call compile,$(INCLUDE_cli) -Itests/fuzz)

$(REPLAYS): $(BUILD)/replay_%: $(BUILD)/fuzz_%.o $(BUILD)/replay.o $(FUZZED)
	$(LINK) $(PIE) -o $@ $^ -lm

$(FUZZ_TARGETS:%=$(BUILD)/fuzz_%): $(BUILD)/fuzz_%: $(BUILD)/fuzz_%.o $(FUZZED)
	$(LINK) $(PIE) -fsanitize=fuzzer -o $@ $^ -lm

replays: $(REPLAYS)

fuzzers: $(FUZZ_TARGETS:%=$(BUILD)/fuzz_%)

fuzz:
	@MAKE=$(call quoted,$(MAKE)) CC=$(call quoted,$(FUZZ_CC)) sh tests/fuzz/run.sh $(call quoted,$(FUZZ_SECONDS)) $(FUZZ_TARGETS)

coverage:
	@MAKE=$(call quoted,$(MAKE)) sh scripts/coverage.sh

# What takes too long for make check: every line of tests/cli_memory.sh under valgrind, and the unit tests under the
# memory sanitizer.
memory:
	$(MAKE) SAN=memory CC=$(call quoted,$(FUZZ_CC)) CFLAGS='-O0 -g' CPPFLAGS=-DMLP_NO_AVX512 all unit-tests
	TEST_BUILD=build/memory sh tests/run.sh $(patsubst tests/%.c,%,$(wildcard tests/test_*.c))
	MAKE=$(call quoted,$(MAKE)) VALGRIND_ALL=yes sh tests/run.sh cli_memory

# Of each file at most MUTANTS; MUTANTS_ONLY names groups or files.
MUTANTS = 20
mutants:
	@MAKE=$(call quoted,$(MAKE)) python3 scripts/mutants.py --each $(call quoted,$(MUTANTS)) $(MUTANTS_ONLY)

lint:
	@sh scripts/lint.sh

# PROOFS names some of them (scripts/prove.sh).
prove:
	@sh scripts/prove.sh $(PROOFS)

run: $(PROGRAM)
	./$(PROGRAM) train --epochs 100 --lr 1e-4
	./$(PROGRAM) eval model.bin
	@if command -v gnuplot >/dev/null; then \
	  gnuplot scripts/plot.gp && echo "The curves are drawn in curves.png."; \
	else echo "gnuplot is not installed: no picture of curves.csv was drawn."; fi

# A job for each CPU, unless make was told how many (-j).
report: $(PROGRAM)
	@echo "All of the report takes about 70 minutes on two cores (an estimate). What is there is not made again."
	@$(MAKE) --no-print-directory -f scripts/report.mk MLP=./$(PROGRAM) \
	  $(if $(filter -j%,$(MAKEFLAGS)),,-j "$$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN || echo 1)")

# The web pages of the default and of the convolutional network.
page: $(PROGRAM)
	@$(MAKE) --no-print-directory -f scripts/report.mk MLP=./$(PROGRAM) pages

check:
	@CC=$(call quoted,$(CC)) MAKE=$(call quoted,$(MAKE)) sh tests/run.sh

check-repro:
	@CC=$(call quoted,$(CC)) MAKE=$(call quoted,$(MAKE)) sh tests/run.sh cli_repro cli_machines test_train

# Where things go, as words for the shell.
TO_BIN       = $(call quoted,$(DESTDIR)$(BINDIR))
TO_LIB       = $(call quoted,$(DESTDIR)$(LIBDIR))
TO_PKGCONFIG = $(call quoted,$(DESTDIR)$(PKGCONFIGDIR))
TO_INCLUDE   = $(call quoted,$(DESTDIR)$(INCLUDEDIR))
TO_MAN       = $(call quoted,$(DESTDIR)$(MANDIR))
TO_DATA      = $(call quoted,$(DESTDIR)$(DATADIR))
TO_BASH      = $(call quoted,$(DESTDIR)$(BASHDIR))
TO_ZSH       = $(call quoted,$(DESTDIR)$(ZSHDIR))
TO_FISH      = $(call quoted,$(DESTDIR)$(FISHDIR))
PLOT_SCRIPTS = scripts/plot.gp scripts/inputs.gp scripts/style.gp
MNIST_FILES  = $(wildcard data/mnist/*.gz) data/mnist/README.md

VERSION = $(shell sed -n 's/^.define MLP_VERSION "\(.*\)"/\1/p' include/mlp.h)
COMPLETION = $(if $(filter /%,$(PROGRAM)),,./)$(PROGRAM) completion
# $(call in_pc,TEXT): a path for mlp.pc, with a backslash before what is special.
in_pc = "$$(printf '%s' $(call quoted,$(1)) | sed 's/[^A-Za-z0-9_/.+-]/\\&/g')"

install: $(PROGRAM) $(PUBLIC) $(SHARED)
	install -d $(TO_BIN) $(TO_LIB) $(TO_PKGCONFIG) $(TO_INCLUDE) $(TO_MAN) $(TO_DATA)/mnist $(TO_BASH) $(TO_ZSH) $(TO_FISH)
	install -m 755 $(PROGRAM) $(TO_BIN)/mlp
	install -m 644 $(PUBLIC) $(TO_LIB)/libmlp.a
	install -m 755 $(SHARED) $(TO_LIB)/$(SONAME)
	ln -sf $(SONAME) $(TO_LIB)/libmlp.so
	install -m 644 include/mlp.h $(TO_INCLUDE)/mlp.h
	{ printf 'prefix=%s\nlibdir=%s\nincludedir=%s\n\n' $(call in_pc,$(PREFIX)) $(call in_pc,$(LIBDIR)) $(call in_pc,$(INCLUDEDIR)) && \
	  printf '%s\n' 'Name: mlp' 'Description: Trains and runs small neural networks on images' 'Version: $(VERSION)' \
	    'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lmlp' 'Libs.private: -lm -pthread'; } >$(TO_PKGCONFIG)/mlp.pc
	install -m 644 src/cli/mlp.1 $(TO_MAN)/mlp.1
	@if $(COMPLETION) bash >/dev/null 2>&1; then \
	  $(COMPLETION) bash >$(TO_BASH)/mlp && $(COMPLETION) zsh >$(TO_ZSH)/_mlp && $(COMPLETION) fish >$(TO_FISH)/mlp.fish; \
	else echo '$(PROGRAM) does not run here: no completions for shells were installed' >&2; fi
	install -m 644 $(PLOT_SCRIPTS) $(TO_DATA)
	install -m 644 $(MNIST_FILES) $(TO_DATA)/mnist

# What was installed, and the directories once nothing else is in them: others may use them too.
uninstall:
	rm -f $(TO_BIN)/mlp $(TO_LIB)/libmlp.a $(TO_LIB)/libmlp.so $(TO_LIB)/$(SONAME)
	rm -f $(TO_PKGCONFIG)/mlp.pc $(TO_INCLUDE)/mlp.h $(TO_MAN)/mlp.1
	rm -f $(TO_BASH)/mlp $(TO_ZSH)/_mlp $(TO_FISH)/mlp.fish
	rm -f $(foreach file,$(PLOT_SCRIPTS),$(TO_DATA)/$(notdir $(file)))
	rm -f $(foreach file,$(MNIST_FILES),$(TO_DATA)/mnist/$(notdir $(file)))
	for directory in $(TO_DATA)/mnist $(TO_DATA) $(TO_MAN) $(TO_BIN) $(TO_PKGCONFIG) $(TO_LIB) $(TO_INCLUDE) $(TO_BASH) $(TO_ZSH) $(TO_FISH); do \
	  rmdir -p "$$directory" 2>/dev/null || true; done

# Everything that the program needs is in it; STATIC_CC is a compiler for musl (Debian: musl-tools). Stripped.
STATIC_CC = musl-gcc
static:
	@$(MAKE) --no-print-directory BUILD=build/static PROGRAM=build/static/mlp CC=$(call quoted,$(STATIC_CC)) \
	  LDFLAGS=$(call quoted,-static -s $(LDFLAGS)) build/static/mlp

# COMMIT is any name of a commit: a tag, or an id.
COMMIT = HEAD
dist:
	@sh scripts/release.sh dist $(call quoted,$(COMMIT)) build/dist

verify-release:
	@sh scripts/release.sh verify $(call quoted,$(ARCHIVE))

# Debian packages of the last commit, from the archive: mlp, libmlp1 and libmlp-dev in build/deb. Needs debhelper.
DEB = build/deb/mlp-$(VERSION)
deb: dist
	rm -rf build/deb
	mkdir -p build/deb
	cp build/dist/mlp-$(VERSION).tar.gz build/deb/mlp_$(VERSION).orig.tar.gz
	tar -xzf build/deb/mlp_$(VERSION).orig.tar.gz -C build/deb
	cp -R $(DEB)/scripts/debian $(DEB)/debian
	printf 'mlp (%s-1) unstable; urgency=medium\n\n  * What is new: CHANGELOG.md.\n\n -- The mlp developers <mlp@lists.invalid>  %s\n' \
	  $(VERSION) "$$(git log -1 --format=%cD $(call quoted,$(COMMIT)))" >$(DEB)/debian/changelog
	cd $(DEB) && dpkg-buildpackage -us -uc -b

clean:
	rm -rf build mlp libmlp.a libmlp.so

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile
	@echo 'Other targets: install, uninstall, clean.'
