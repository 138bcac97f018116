#!/usr/bin/env python3
"""Mutation testing: changes one operator, constant or condition of a source file at a time, builds the
object and the test programs concerned, and counts the changes (mutants) that a test notices.

A mutant is killed when a test program fails, crashes or needs four times its CPU time, first without, then
with the address and undefined-behaviour sanitizers; what is left is tried with test_allocation. Not counted
are mutants that do not compile, those whose object is the same byte for byte, and those that
tests/mutants-equivalent.txt lists with a reason. Of each file a sample is taken, in the order of a hash of
the seed, the line's text and the change: it stays the same when other lines are edited. tests/MUTANTS.md
has the last result.

    scripts/mutants.py [--each N] [--seconds N] [--seed N] [--line REGEX] [--list] [FILE or GROUP...]
"""
import argparse
import datetime
import hashlib
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

GROUPS = {
    "readers": {
        "src/io/idx.c": "test_idx test_hostile_idx",
        "src/io/json.c": "test_options test_model test_hostile_model",
        "src/io/model.c": "test_model test_hostile_model test_resume",
        "src/io/pnm.c": "test_pnm",
        "src/io/csv_images.c": "test_import",
        "src/io/exif.c": "test_exif",
    },
    "layers": {
        "src/nn/layers.c": "test_layers test_network test_explain",
        "src/nn/layers_image.c": "test_layers test_network test_explain",
        "src/nn/sparse_input.c": "test_layers test_network test_train",
    },
    "optimizers": {
        "src/nn/optimizer.c": "test_optimizer test_settings",
        "src/nn/schedule.c": "test_optimizer test_settings",
    },
    "reference": {
        "src/nn/reference.c": "test_layers test_network test_explain",
        "src/nn/gradcheck.c": "test_library test_network",
    },
}

# For what these do not notice: a test that lets each allocation fail, and takes too long for all mutants.
LAST_TEST = "test_allocation"

# Strings and comments are tokens of their own, so that nothing in them is changed.
TOKEN = re.compile(r"""
    (?P<skip>  //[^\n]* | /\*.*?\*/ | "(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | ^[ ]*\#(?:[^\n]*\\\n)*[^\n]* )
  | (?P<float> (?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?[fF]? | \d+[eE][-+]?\d+[fF]? )
  | (?P<int>   0[xX][0-9a-fA-F]+[uUlL]* | \d+[uUlL]* )
  | (?P<name>  [A-Za-z_]\w* )
  | (?P<op>    <<=|>>=|->|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|[-+*/%&|^!~<>=?:;,.()\[\]{}] )
""", re.X | re.M | re.S)

# Of a clang-formatted file: a binary operator has blanks on both sides, a unary one has none after it.
SWAPS = {"<": ["<=", ">="], "<=": ["<", ">"], ">": [">=", "<="], ">=": [">", "<"], "==": ["!="], "!=": ["=="],
         "&&": ["||"], "||": ["&&"], "+": ["-"], "-": ["+"], "*": ["/"], "/": ["*"], "%": ["*"],
         "<<": [">>"], ">>": ["<<"], "&": ["|"], "|": ["&"], "^": ["&"],
         "+=": ["-="], "-=": ["+="], "*=": ["/="], "/=": ["*="], "++": ["--"], "--": ["++"]}


def constants(token, kind):
    """Other numbers in the place of this one: one more and, of what is above 1, one less."""
    if kind == "float":
        suffix = "f" if token[-1] in "fF" else ""
        value = float(token.rstrip("fF"))
        return [repr(value + 1.0) + suffix] + ([repr(value * 1.01) + suffix] if value != 0.0 else [])
    digits = token.rstrip("uUlL")
    suffix, value = token[len(digits):], int(digits, 0)
    return [str(n) + suffix for n in ([value + 1] if value == 0 else [value + 1, value - 1])]


def closing(text, at):
    """Where the parenthesis that opens at `at` is closed."""
    depth = 0
    for match in TOKEN.finditer(text, at):
        depth += (match.group() == "(") - (match.group() == ")")
        if depth == 0:
            return match.start()
    raise ValueError("unbalanced parentheses")


def mutations(text):
    """All changes of a file: (begin, end, replacement)."""
    tokens = [m for m in TOKEN.finditer(text) if m.lastgroup != "skip"]
    found, in_assert = [], -1
    for i, match in enumerate(tokens):
        token, kind, begin, end = match.group(), match.lastgroup, match.start(), match.end()
        around = text[begin - 1] + text[end:end + 1]
        before = tokens[i - 1].group() if i > 0 else ""
        after = tokens[i + 1].group() if i + 1 < len(tokens) else ""
        if token in ("assert", "static_assert"):
            in_assert = closing(text, tokens[i + 1].start())
        if begin < in_assert:
            continue  # what only states a fact
        if kind == "op" and token in SWAPS:
            is_unary = token in "+-*&" and around[1:].strip() != ""
            if not is_unary:
                found += [(begin, end, swap) for swap in SWAPS[token]]
        elif token == "!":
            found.append((begin, end, ""))
        elif kind in ("int", "float"):
            # The extent of an array: one more element changes nothing.
            is_extent = before == "[" and after == "]" and tokens[i - 2].lastgroup == "name" and \
                i >= 3 and (tokens[i - 3].lastgroup == "name" or tokens[i - 3].group() in "*,")
            if not is_extent:
                found += [(begin, end, value) for value in constants(token, kind)]
        elif token in ("true", "false"):
            found.append((begin, end, "false" if token == "true" else "true"))
        elif token == "if":
            at = closing(text, tokens[i + 1].start())
            opened = tokens[i + 1].end()
            found += [(opened, at, "(" + text[opened:at] + ") && 0"), (opened, at, "(" + text[opened:at] + ") || 1")]
    return found


class Mutant:
    def __init__(self, file, text, change, seed):
        begin, end, replacement = change
        self.file, self.text = file, text[:begin] + replacement + text[end:]
        first = text.rfind("\n", 0, begin) + 1
        last = text.find("\n", end)
        self.line = text.count("\n", 0, begin) + 1
        one_line = lambda part: " ".join(part.split())
        self.old = one_line(text[first:last])
        self.new = one_line(text[first:begin] + replacement + text[end:last])
        if len(self.old) < 16:  # not "return false;" alone
            before = one_line(text[text.rfind("\n", 0, first - 1) + 1:first])
            self.old, self.new = before + " / " + self.old, before + " / " + self.new
        self.key = (file, self.old, self.new)
        self.order = hashlib.sha256(("%d %s %s %s" % (seed, *self.key)).encode()).hexdigest()

    def show(self):
        return "%s\n- %s\n+ %s" % (self.file, self.old, self.new)


def read_equivalents(path):
    """Entries of four lines: the file, '- ' the line, '+ ' the changed line or '+ *' for any change, '= ' the reason."""
    entries, lines = {}, []
    with open(path, encoding="utf-8") as stream:
        lines = [line.rstrip("\n") for line in stream if line.strip() and not line.startswith("#")]
    for i in range(0, len(lines), 4):
        entry = lines[i:i + 4]
        if len(entry) < 4 or [line[:2] for line in entry[1:]] != ["- ", "+ ", "= "] or not entry[3][2:].strip():
            sys.exit("%s: not an entry: %s" % (path, " / ".join(entry)))
        entries[entry[0], entry[1][2:], entry[2][2:]] = entry[3][2:]
    return entries


class Builder:
    """The objects of one kind of build, and the commands that Makefile would use."""

    def __init__(self, directory, flags, make):
        self.directory, self.make = directory, make + ["BUILD=" + directory, "PROGRAM=" + directory + "/mlp"] + flags
        self.compile, self.link, self.seconds = {}, {}, {}

    def build(self, files, tests):
        goals = ["%s/%s" % (self.directory, goal) for goal in ["libmlp.a"] + tests]
        goals += [self.object(file) for file in files]
        subprocess.run(self.make + ["-s", "-j", str(os.cpu_count())] + goals, check=True)
        for file in files:
            self.compile[file] = self.command(self.object(file), file)
        for test in tests:
            self.link[test] = self.command("%s/%s" % (self.directory, test), "%s/%s.o" % (self.directory, test))

    def object(self, file):
        return self.directory + file[3:-2] + ".o"

    def command(self, goal, newer):
        out = subprocess.run(self.make + ["-n", "-W", newer, goal], check=True, capture_output=True, text=True).stdout
        return next(shlex.split(line) for line in reversed(out.splitlines()) if " -o %s " % goal in line)

    def object_of(self, file, source, out):
        """Compiles another text in the place of the file. Returns whether it compiles."""
        command = [out if word == self.object(file) else source if word == file else word
                   for word in self.compile[file] if word not in ("-MMD", "-MP")]
        return subprocess.run(command + ["-w", "-g0"], capture_output=True).returncode == 0

    def program_of(self, test, replaced, out):
        """Links a test with the object before the library, which then does not give its own."""
        command = [word for word in self.link[test] if "pack-relative-relocs" not in word]  # gold does not know it
        command[command.index("-o") + 1] = out
        command.insert(command.index("-o") + 2, replaced)
        gold = ["-fuse-ld=gold"] if shutil.which("ld.gold") else []  # is faster
        subprocess.run(command + gold, check=True, stderr=subprocess.DEVNULL)


def run(program, cpu_seconds, work, with_limit):
    """Runs a test. Returns why it failed, or None. Its time is counted in CPU seconds: the machine may be busy."""
    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
        if with_limit:
            resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
    shutil.rmtree(work, ignore_errors=True)
    os.mkdir(work)
    environment = dict(os.environ, WORK=work, TMPDIR=work, ASAN_OPTIONS="exitcode=99", UBSAN_OPTIONS="exitcode=99")
    test = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, env=environment, preexec_fn=limits)
    hung = threading.Event()
    timer = threading.Timer(20 * cpu_seconds + 300, lambda: (hung.set(), test.kill()))
    timer.start()
    failed = any(line.startswith(b"FAIL ") for line in test.stdout)  # the first is enough
    if failed:
        test.kill()
    test.stdout.close()
    status = test.wait()
    timer.cancel()
    if failed or status == 0:
        return "fail" if failed else None
    return "hang" if hung.is_set() else "time" if -status in (signal.SIGXCPU, signal.SIGKILL) else "fail"


def verdict(mutant, tests, builders, work):
    """'equal', 'invalid', 'survived', or what killed it."""
    source, replaced, program = work + "/mutant.c", work + "/mutant.o", work + "/program"
    with open(source, "w", encoding="utf-8") as stream:
        stream.write(mutant.text)
    for builder in builders:
        if not builder.object_of(mutant.file, source, replaced):
            return "invalid"
        with open(replaced, "rb") as made, open(builder.original[mutant.file], "rb") as original:
            if made.read() == original.read():
                return "equal"
        for test in tests:
            builder.program_of(test, replaced, program)
            limit = 2 + int(4 * builder.seconds[test])
            reason = run(program, limit, work + "/work", builder is builders[0])
            if reason is not None:
                return reason
    return "survived"


def notices_last(mutant, builder, work):
    """Whether LAST_TEST notices a mutant that survived the others."""
    replaced, program = work + "/mutant.o", work + "/program"
    builder.object_of(mutant.file, work + "/mutant.c", replaced)
    builder.program_of(LAST_TEST, replaced, program)
    return run(program, 2 + int(4 * builder.seconds[LAST_TEST]), work + "/work", True) is not None


def prepare(builders, files, tests, work):
    for number, builder in enumerate(builders):
        also = [LAST_TEST] if number == 0 else []
        builder.build(files, tests + also)
        builder.original = {}
        for file in files:  # compiled in the same way as the mutants, from the same name
            shutil.copy(file, work + "/mutant.c")
            builder.original[file] = "%s/%d-%s.o" % (work, number, os.path.basename(file))
            if not builder.object_of(file, work + "/mutant.c", work + "/mutant.o"):
                sys.exit("%s does not compile" % file)
            shutil.move(work + "/mutant.o", builder.original[file])
        for test in tests + also:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            if run("%s/%s" % (builder.directory, test), 600, work + "/work", number == 0) is not None:
                sys.exit("%s/%s fails without a mutant" % (builder.directory, test))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            builder.seconds[test] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)) + "/..")
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--each", type=int, default=60, metavar="N", help="mutants of each file, at most (60)")
    options.add_argument("--seconds", type=int, default=3600, metavar="N", help="stop after so many (3600)")
    options.add_argument("--seed", type=int, default=1, metavar="N", help="chooses the sample (1)")
    options.add_argument("--line", default="", metavar="REGEX", help="change only lines that this matches")
    options.add_argument("--list", action="store_true", help="print the sample instead of testing it")
    options.add_argument("only", nargs="*", metavar="FILE or GROUP")
    args = options.parse_args()
    equivalents = read_equivalents("tests/mutants-equivalent.txt")
    chosen = [(group, file, tests.split()) for group, files in GROUPS.items() for file, tests in files.items()
              if not args.only or group in args.only or file in args.only]
    make = shlex.split(os.environ.get("MAKE", "make"))
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        os.environ.pop(name, None)
    builders = [Builder("build/mutants", ["CFLAGS=-O1 -g0"], make),
                Builder("build/address", ["CFLAGS=-O1 -g", "SAN=address"], make)]
    work = tempfile.mkdtemp()
    end, rows = time.time() + args.seconds, []
    try:
        if not args.list:
            tests = sorted({test for _, _, of_file in chosen for test in of_file})
            prepare(builders, [file for _, file, _ in chosen], tests, work)
            print("CPU seconds of the tests, plain and sanitized:", ", ".join("%s %.1f %.1f" % (
                test, builders[0].seconds[test], builders[1].seconds[test]) for test in tests), flush=True)
        for group, file, tests in chosen:
            with open(file, encoding="utf-8") as stream:
                text = stream.read()
            mutants = sorted((Mutant(file, text, change, args.seed) for change in mutations(text)),
                             key=lambda mutant: mutant.order)
            known = {key for mutant in mutants for key in (mutant.key, mutant.key[:2] + ("*",))}
            for key in equivalents:
                if key[0] == file and key not in known:
                    print("tests/mutants-equivalent.txt: there is no such mutant: %s\n- %s\n+ %s" % key)
            count = dict.fromkeys(("fail", "time", "hang", "survived", "equal", "invalid", "listed"), 0)
            begun, n_all = time.time(), len(mutants)
            mutants = [mutant for mutant in mutants if re.search(args.line, mutant.old)]
            for mutant in mutants[:args.each]:
                if time.time() > end:
                    break
                if args.list:
                    print("%s:%d\n- %s\n+ %s" % (file, mutant.line, mutant.old, mutant.new))
                    continue
                result = verdict(mutant, tests, builders, work)
                if result == "survived":
                    is_listed = mutant.key in equivalents or mutant.key[:2] + ("*",) in equivalents
                    result = "listed" if is_listed else result
                if result == "survived" and notices_last(mutant, builders[0], work):
                    result = "fail"
                count[result] += 1
                if result == "survived":
                    print("survived, line %d: %s" % (mutant.line, mutant.show()), flush=True)
            rows.append((group, file, n_all, count))
            print("%s: %s, %.1f s each" % (file, count, (time.time() - begun) / max(1, sum(count.values()))), flush=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return 0 if args.list else report(rows, args)


def report(rows, args):
    """Prints the table in Markdown. Returns 1 when less than 90 % of a group were killed."""
    table = list(rows)
    for group in dict.fromkeys(row[0] for row in rows):
        counts = [row[3] for row in rows if row[0] == group]
        table.append((group, "all", sum(row[2] for row in rows if row[0] == group),
                      {key: sum(count[key] for count in counts) for key in counts[0]}))
    print("\n%s, seed %d, at most %d of each file\n" % (datetime.date.today(), args.seed, args.each))
    print("| group | file | mutants | tried | same object or invalid | equivalent, listed | killed | survived | killed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    failed = False
    for group, file, n, count in table:
        killed = count["fail"] + count["time"] + count["hang"]
        counted = killed + count["survived"]
        share = 100.0 * killed / counted if counted > 0 else 100.0
        failed = failed or (file == "all" and (share < 90.0 or counted == 0))
        print("| %s | %s | %d | %d | %d | %d | %d | %d | %.1f %% |" % (
            group, file, n, sum(count.values()), count["equal"] + count["invalid"], count["listed"], killed,
            count["survived"], share))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
