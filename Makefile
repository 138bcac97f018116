# make              builds ./mlp
# make run          builds, trains, judges and draws: the main job
# make check        all tests
# make check-repro  the builds that must give the same bytes
# make help         the other targets
#
# CC, CFLAGS, CPPFLAGS and LDFLAGS are yours; PREFIX and DESTDIR say where to install;
# SAN=address or SAN=thread builds with those sanitizers in a folder of its own.

PREFIX  = /usr/local
BINDIR  = $(PREFIX)/bin
MANDIR  = $(PREFIX)/share/man/man1
DATADIR = $(PREFIX)/share/mlp

CFLAGS ?= -O3 -g
SAN     =

WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow
# After the user's flags: what the results depend on. -std=gnu11 keeps float arithmetic in float
# (gcc's -std=c11 does not on every machine), and no product is fused with a sum.
STANDARD = -std=gnu11 -ffp-contract=off
DEFINES  = -DMLP_INSTALLED_DATA='"$(DATADIR)/mnist"'

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
else
  $(error SAN must be address or thread)
endif

ALL_CFLAGS = $(CFLAGS) $(WARNINGS) $(STANDARD) $(SANFLAGS)
COMPILE    = $(CC) -Iinclude $(DEFINES) $(CPPFLAGS) $(ALL_CFLAGS)
LINK       = $(CC) $(ALL_CFLAGS) $(LDFLAGS)

SOURCES = $(wildcard src/*.c)
OBJECTS = $(SOURCES:src/%.c=$(BUILD)/%.o)
LIBRARY = $(filter-out $(BUILD)/main.o,$(OBJECTS))
TESTS   = $(patsubst tests/%.c,$(BUILD)/%,$(wildcard tests/test_*.c))

.PHONY: all run check check-repro unit-tests install uninstall clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(PROGRAM)

$(PROGRAM): $(OBJECTS)
	$(LINK) -o $@ $(OBJECTS) -lm

# Everything is built again when the compiler or a flag changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(BUILD)
	@printf '%s\n' '$(subst ','\'',$(COMPILE) / $(LDFLAGS))' | cmp -s - $@ || \
	  printf '%s\n' '$(subst ','\'',$(COMPILE) / $(LDFLAGS))' > $@

$(BUILD)/%.o: src/%.c $(BUILD)/flags
	$(COMPILE) -MMD -MP -c -o $@ $<

$(BUILD)/test_%.o: tests/test_%.c $(BUILD)/flags
	$(COMPILE) -Itests -MMD -MP -c -o $@ $<

$(BUILD)/test_%: $(BUILD)/test_%.o $(LIBRARY)
	$(LINK) -o $@ $< $(LIBRARY) -lm

-include $(wildcard $(BUILD)/*.d)

unit-tests: $(TESTS)

run: $(PROGRAM)
	./$(PROGRAM) train --epochs 100 --lr 1e-4
	./$(PROGRAM) eval model.bin
	@if command -v gnuplot >/dev/null; then \
	  gnuplot scripts/plot.gp && echo "The curves are drawn in curves.png."; \
	else echo "gnuplot is not installed: no picture of curves.csv was drawn."; fi

check:
	@CC='$(CC)' MAKE='$(MAKE)' sh tests/run.sh

check-repro:
	@CC='$(CC)' MAKE='$(MAKE)' sh tests/run.sh cli_repro

install: $(PROGRAM)
	install -d '$(DESTDIR)$(BINDIR)' '$(DESTDIR)$(MANDIR)' '$(DESTDIR)$(DATADIR)/mnist'
	install -m 755 $(PROGRAM) '$(DESTDIR)$(BINDIR)/mlp'
	install -m 644 mlp.1 '$(DESTDIR)$(MANDIR)/mlp.1'
	install -m 644 scripts/plot.gp '$(DESTDIR)$(DATADIR)/plot.gp'
	install -m 644 data/mnist/*.gz data/mnist/README.md '$(DESTDIR)$(DATADIR)/mnist'

uninstall:
	rm -f '$(DESTDIR)$(BINDIR)/mlp' '$(DESTDIR)$(MANDIR)/mlp.1'
	rm -rf '$(DESTDIR)$(DATADIR)'

clean:
	rm -rf build mlp

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile
	@echo 'Other targets: install, uninstall, clean.'
