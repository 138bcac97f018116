#!/bin/sh
# A release: the source archive is the same bytes wherever it is made, `make verify-release` finds what differs, the
# SPDX list describes what is inside, the build does not depend on its directory, and the static program needs no
# other file.
. tests/lib.sh

for tool in git python3; do
    if ! command -v "$tool" >/dev/null; then
        skip "$tool is not installed: no release was made"
        finish
    fi
done

# Without the settings of whoever runs this.
export HOME="$WORK" XDG_CONFIG_HOME="$WORK" GIT_CONFIG_NOSYSTEM=1
project=$PWD version=$(sed -n 's/^#define MLP_VERSION "\(.*\)"/\1/p' include/mlp.h)
name=mlp-$version

commit_all() { # DIRECTORY
    (cd "$1" && git init -q && git add -A . &&
        GIT_COMMITTER_DATE='2026-01-02 03:04:05 +0600' git -c user.name=x -c user.email=x@y commit -q -m x)
}
in_tree() { "$MAKE" -s -C "$tree" "$@"; }

# ---------------------------------------------------------------------------------------------
# make dist

# The files of a clone, whether this is one or was unpacked from an archive.
tree=$WORK/tree dist=$WORK/tree/build/dist
made() {
    mkdir "$tree" && cp -R .gitattributes .gitignore .editorconfig .clang* .ci ./*.md LICENSE Makefile data include scripts \
        src tests "$tree" && commit_all "$tree" && in_tree dist &&
        (cd "$dist" && cat SHA256SUMS && sha256sum -c SHA256SUMS) &&
        [ "$(find "$dist" -type f | wc -l)" -eq 3 ] && [ "$(wc -l <"$dist/SHA256SUMS")" -eq 2 ]
}
claim "make dist writes an archive, its SPDX list, and the SHA-256 of both" made

headers() {
    TZ=UTC0 tar -tv --full-time --numeric-owner -f "$dist/$name.tar.gz" >"$WORK/listed" &&
        ! grep -v "^\(-rw-r--r--\|-rwxr-xr-x\|drwxr-xr-x\) 0/0  *[0-9]* 2026-01-01 21:04:05 $name/" "$WORK/listed" ||
        return 1
    tar -tf "$dist/$name.tar.gz" | grep -v '/$' | sed "s|^$name/||" >"$WORK/names"
    git -C "$tree" ls-files >"$WORK/tracked" && [ "$(wc -l <"$WORK/tracked")" -gt 400 ] &&
        diff "$WORK/tracked" "$WORK/names" && LC_ALL=C sort -c "$WORK/names" || return 1
    # A gzip header without name and time.
    [ "$(head -c 8 "$dist/$name.tar.gz" | od -A n -t x1 | tr -d ' ')" = 1f8b080000000000 ]
}
claim "the archive has the files of the commit, its time, owner 0 and modes 644 and 755, sorted" headers

# Elsewhere: another directory, line ends, umask, attributes, time zone, language and, if this is root, another user.
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere"' EXIT
elsewhere() (
    chmod 755 "$elsewhere" && umask 077 &&
        git clone -q -c core.autocrlf=true -c core.eol=crlf -c tar.umask=0077 "$tree" "$elsewhere/a clone" &&
        cd "$elsewhere/a clone" &&
        printf '*.md export-ignore\n*.c export-subst\n' >.git/info/attributes && cp .git/info/attributes ../attributes &&
        git config core.attributesFile "$elsewhere/attributes" && cp .git/config ../settings || return 1
    as="env TZ=Asia/Tokyo LC_ALL=tr_TR.UTF-8 GZIP=--rsyncable GIT_CONFIG_GLOBAL=$elsewhere/settings GIT_CONFIG_COUNT=1
        GIT_CONFIG_KEY_0=core.attributesFile GIT_CONFIG_VALUE_0=$elsewhere/attributes"
    if [ "$(id -u)" -eq 0 ]; then
        chown -R nobody "$elsewhere"
        as="setpriv --reuid=nobody --regid=nogroup --clear-groups $as"
    fi
    # shellcheck disable=SC2086 # words
    HOME=$elsewhere $as "$MAKE" -s dist && diff -r build/dist "$dist"
)
claim "another clone, user, umask, time zone, language and git's settings give the same three files" elsewhere

unpacked=$WORK/unpacked/$name
from_archive() { # what the tests use was built in another directory; its kernels, which take longest, are kept
    mkdir "$WORK/unpacked" && tar -x -f "$dist/$name.tar.gz" -C "$WORK/unpacked" &&
        with_plain_objects "$unpacked/build/plain" && cd "$unpacked" &&
        find build/plain -name '*.o' ! -path '*/kernels/*' -exec rm {} + && umask 077 || return 1
    TZ=Asia/Tokyo "$MAKE" -j 2 CC="$CC" SAN= && [ -x mlp ] &&
        [ -n "$(find build/plain/base/base.o -newer build/plain/kernels/kernels_scalar.o)" ]
}
same_build() {
    (from_archive) && cmp "$unpacked/mlp" "$FAST_MLP" && cmp "$unpacked/libmlp.a" libmlp.a
}
if [ -z "${TEST_BUILD:-}" ]; then
    claim "make in the unpacked archive makes the bytes of the same program and library in another directory" same_build
else
    skip "the build that is tested is not the plain one: it was not made in another directory"
fi

one_line() { # WORD COMMAND...: fails with one line of its own that contains the word, beside make's
    word=$1
    shift
    exits 2 "$@" && cat "$WORK/stderr" && [ "$(grep -c -v '^make' "$WORK/stderr")" -eq 1 ] &&
        grep -q -e "$word" "$WORK/stderr"
}
not_a_clone() {
    mkdir -p "$WORK/bare" && cp -R Makefile include scripts "$WORK/bare" &&
        one_line 'there is no .git here' "$MAKE" -s -C "$WORK/bare" dist
}
claim "make dist outside of a clone says so" not_a_clone

# ---------------------------------------------------------------------------------------------
# The SPDX list

cat >"$WORK/spdx.py" <<'PYTHON'
import hashlib, json, sys, tarfile
archive, path = sys.argv[1:]
def of(bits, data):
    return hashlib.new(bits, data).hexdigest()
document = json.load(open(path))
assert document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0"
assert document["SPDXID"] == "SPDXRef-DOCUMENT"
for key in "name", "documentNamespace", "creationInfo":
    assert document[key], key
mlp, mnist = document["packages"]
assert mlp["checksums"] == [{"algorithm": "SHA256", "checksumValue": of("sha256", open(archive, "rb").read())}]
with tarfile.open(archive) as tar:
    commit = tar.pax_headers["comment"]
    contents = {"./" + member.name.split("/", 1)[1]: tar.extractfile(member).read() for member in tar if member.isfile()}
assert mlp["sourceInfo"] == "git commit " + commit and document["documentNamespace"].endswith(commit)
files = {file["fileName"]: file for file in document["files"]}
assert len(files) == len(document["files"]) and files.keys() == contents.keys(), files.keys() ^ contents.keys()
licences = {"MIT"} | {other["licenseId"] for other in document["hasExtractedLicensingInfos"]}
for name, data in contents.items():
    sums = {sum["algorithm"]: sum["checksumValue"] for sum in files[name]["checksums"]}
    assert sums == {"SHA1": of("sha1", data), "SHA256": of("sha256", data)}, name
    assert set(files[name]["licenseConcluded"].split(" AND ")) <= licences, name
code = of("sha1", "".join(sorted(of("sha1", data) for data in contents.values())).encode())
assert mlp["packageVerificationCode"]["packageVerificationCodeValue"] == code
data = [name for name, file in files.items() if file["licenseConcluded"] == "LicenseRef-MNIST"]
assert len(data) == 4 and all(name.startswith("./data/mnist/") and name.endswith(".gz") for name in data), data
for name in "./data/report/page.html", "./data/report/mistakes.png":
    assert files[name]["licenseConcluded"] == "MIT AND LicenseRef-MNIST", name
ids = [part["SPDXID"] for part in [document, mlp, mnist] + document["files"]]
assert len(set(ids)) == len(ids)
relations = {(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in document["relationships"]}
assert relations == {("SPDXRef-DOCUMENT", "DESCRIBES", mlp["SPDXID"])} | {(mlp["SPDXID"], "CONTAINS", id) for id in ids[2:]}
PYTHON
claim "the SPDX list has every file of the archive with its checksums and its licence" \
    python3 "$WORK/spdx.py" "$dist/$name.tar.gz" "$dist/$name.spdx.json"

# ---------------------------------------------------------------------------------------------
# make verify-release, on a small commit

tree=$WORK/small dist=$WORK/small/build/dist bad=$WORK/bad
small_release() {
    mkdir -p "$tree/data/mnist" && cp -R Makefile .gitignore include scripts "$tree" && cp data/seven.pgm "$tree/data" &&
        commit_all "$tree" && git -C "$tree" -c user.name=x -c user.email=x@y commit -q --allow-empty -m y &&
        git -C "$tree" tag v0 && in_tree dist
}
claim "a small release is made" small_release
original=$dist/$name.tar.gz commit=$(git -C "$tree" rev-parse HEAD)

verify() { # STATUS WORD [ARCHIVE]: ends so, with a line that contains the word
    expected_status=$1 expected_word=$2
    exits "$expected_status" in_tree verify-release ARCHIVE="${3-$bad/$name.tar.gz}"
    result=$?
    cat "$WORK/stdout" "$WORK/stderr"
    [ "$result" -eq 0 ] && cat "$WORK/stdout" "$WORK/stderr" | grep -q -e "$expected_word"
}
good() {
    verify 0 "the same bytes as commit $commit gives (v0)" "$original" &&
        [ "$(grep -c ': the same' "$WORK/stdout")" -eq 3 ] || return 1
    mkdir "$bad" && cp "$original" "$bad/renamed.tgz" && verify 0 'SHA256SUMS: not there, not compared' "$bad/renamed.tgz"
}
claim "make verify-release says that an archive is what its commit gives" good
shallow() {
    git clone -q --depth 1 "file://$tree" "$WORK/shallow" && [ -f "$WORK/shallow/.git/shallow" ] &&
        "$MAKE" -s -C "$WORK/shallow" verify-release ARCHIVE="$original" && git -C "$tree" worktree add -q "$WORK/beside" &&
        "$MAKE" -s -C "$WORK/beside" verify-release ARCHIVE="$original"
}
claim "in a clone of the last commit alone, and in a working tree beside a clone, too" shallow

remade() { # COMMAND...: the archive with its tar changed by the command
    rm -rf "$bad" && cp -R "$dist" "$bad" && gzip -dc "$original" | "$@" >"$bad/tar" && gzip -9n <"$bad/tar" >"$bad/$name.tar.gz"
}
content() {
    remade sed 's/Seed of the random numbers/SEED of the random numbers/; s/libmlp: train, eval/libmlp: Train, eval/' &&
        verify 2 'DIFFERS' && grep -qx '  mlp-[0-9.]*/include/mlp.h' "$WORK/stdout" &&
        grep -q "spdx.json: the same" "$WORK/stdout"
}
claim "a changed byte is found, and its file named" content
two_files() {
    # shellcheck disable=SC2317
    more() {
        cat >"$bad/more.tar" && mkdir "$bad/$name" && : >"$bad/$name/extra" &&
            tar -r -f "$bad/more.tar" -C "$bad" "$name/extra" && cat "$bad/more.tar"
    }
    remade more && verify 2 '/extra (only in the archive)'
}
claim "so is a file more" two_files
other_owner() {
    # shellcheck disable=SC2317
    again() {
        tar -x -C "$bad" &&
            tar -c --format=posix --pax-option="comment=$commit" --sort=name --owner=7 -C "$bad" "$name"
    }
    remade again && verify 2 'no file: their order, times, modes or owners'
}
claim "and another owner" other_owner
compression() {
    remade cat && gzip -1n <"$bad/tar" >"$bad/$name.tar.gz" && verify 2 'in the compression alone' || return 1
    remade cat && echo x >>"$bad/$name.tar.gz" && verify 2 'in the compression alone'
}
claim "and another compression, or bytes behind it" compression
beside() { # FILE
    remade cat && sed y/0123456789/1234567890/ "$dist/$1" >"$bad/$1" && verify 2 "$1: DIFFERS" && grep -q 'the same bytes' "$WORK/stdout"
}
claim "a changed SHA256SUMS is found" beside SHA256SUMS
claim "and a changed SPDX list" beside "$name.spdx.json"
unknown() {
    remade sed "s/comment=$commit/comment=$(echo "$commit" | tr 0-9a-f 1-9a-f0)/" && verify 2 'this clone does not have its commit'
}
claim "an archive of a commit that is not in the clone is reported so" unknown
no_commit() {
    remade sed "s/comment=/Comment=/" && verify 2 'names no commit' || return 1
    echo text >"$bad/$name.tar.gz" && verify 2 'is not gzip data' && verify 2 'there is no such file' "$bad/none" &&
        verify 2 'name the archive' ''
}
claim "so are one that names none, what is no archive, and no name" no_commit
uncommitted() {
    cp "$dist/SHA256SUMS" "$WORK/before" && echo >>"$tree/include/mlp.h" && exits 0 in_tree dist &&
        diff "$WORK/before" "$dist/SHA256SUMS" &&
        grep -q 'what is not committed is not in the archive' "$WORK/stderr"
}
claim "what is not committed is not in the archive, and a note says so" uncommitted
other_gzip() {
    mkdir "$WORK/bin" && printf '#!/bin/sh\necho pigz 2.6\n' >"$WORK/bin/gzip" && chmod +x "$WORK/bin/gzip" &&
        one_line 'is not GNU gzip' env PATH="$WORK/bin:$PATH" "$MAKE" -s -C "$tree" dist
}
claim "make dist with another gzip is refused" other_gzip

# ---------------------------------------------------------------------------------------------
# make static, and its program in an empty root: nothing but data, no /proc, no /dev

if ! command -v musl-gcc >/dev/null; then
    skip "musl-gcc is not installed: no static program was built"
    finish
fi
static_build() {
    "$MAKE" -s -j 2 static && wc -c <build/static/mlp && [ "$(wc -c <build/static/mlp)" -lt 700000 ] &&
        ! grep -q "$project" build/static/mlp
}
claim "make static builds a program of less than 700,000 bytes, without the directory's name" static_build

root=$WORK/root plain=$WORK/plain enter=
if [ "$(id -u)" -eq 0 ]; then
    enter=chroot
elif unshare -r chroot / true 2>/dev/null; then
    enter='unshare -r chroot'
fi
if [ -z "$enter" ]; then
    skip "neither root nor unshare -r: the static program did not run in an empty root"
    finish
fi
empty() { $enter "$root" /mlp "$@"; } # words
mkdir "$root" "$plain" && cp build/static/mlp "$root" && cp "$FAST_MLP" "$plain"
small_data "$root/data" 300 && cp data/seven.pgm "$root" && cp -R "$root/data" "$root/seven.pgm" "$plain"
mkdir "$root/packed" && cp data/mnist/t10k-*.gz "$root/packed"

both() { # ARGUMENTS...: what both programs print, and their status, is the same
    (cd "$plain" && ./mlp "$@" >"$WORK/ours" 2>&1)
    our_status=$?
    empty "$@" >"$WORK/theirs" 2>&1
    their_status=$?
    tail -n 3 "$WORK/theirs"
    [ "$our_status" -eq 0 ] && [ "$their_status" -eq 0 ] && diff "$WORK/ours" "$WORK/theirs"
}
short='-q -d data --val-size 100'
# shellcheck disable=SC2086 # words
trains() {
    both train $short --epochs 3 --threads 3 --augment --chain chain.csv &&
        both train $short --train-size 100 --epochs 1 --arch cnn -o cnn.bin &&
        both train $short --resume model.bin --epochs 4 -o more.bin &&
        both sweep -q -d data --lr 1e-3,1e-2 --epochs 1 && cmp "$root/model.bin" "$plain/model.bin"
}
reads() {
    for model in model.bin cnn.bin; do
        both eval "$model" -d data --predictions "$model.csv" --json && both info "$model" &&
            both predict "$model" seven.pgm --show && both explain "$model" -d data --image 7 &&
            both features "$model" -d data --image 7 && both page "$model" -d data -o "$model.html" || return 1
        for format in c onnx npz; do
            both export "$model" -o "$model.$format" || return 1
        done
    done
    both eval model.bin -d data --compare cnn.bin && both info data && both weights model.bin &&
        both verify -q chain.csv model.bin -d data
}
makes_data() {
    both export-data -d data --csv images.csv --pictures pictures -q && both import images.csv -o imported -q &&
        both import pictures -o drawn -q
}
same_files() { # but for the times in tables of curves
    rm -f "$root/mlp" "$plain/mlp" && rm -rf "$root/packed"
    for table in "$root"/*.csv "$plain"/*.csv; do
        ! head -n 1 "$table" | grep -q ',seconds$' || sed -i 's/,[^,]*$//' "$table"
    done
    [ "$(find "$root" | wc -l)" -gt 300 ] && diff -r "$plain" "$root"
}
claim "in an empty root it trains: dense and convolutional, with threads, resumed, in a sweep" trains
claim "evaluates, predicts, explains, verifies, exports and makes a page" reads
claim "and imports and exports data" makes_data
no_gzip() { refuses 1 'cannot run gzip to decompress it' empty eval model.bin -d packed; }
claim "without gzip, .gz files are refused in one line" no_gzip
closed_train() { empty train -d data --val-size 100 --epochs 2 -o closed.bin; }
clean_table() {
    cat "$root/closed.csv" && [ "$(wc -l <"$root/closed.csv")" -eq 3 ] && ! grep -v '^epoch,\|^[0-9.,e-]*$' "$root/closed.csv"
}
closed() { # an output that is opened must not take the place of a closed standard stream
    closed_train 2>&- && clean_table && closed_train <&- >&- 2>&- && clean_table &&
        (cd "$plain" && ./mlp train -q -d data --val-size 100 --epochs 2 -o closed.bin)
}
claim "with standard streams closed, nothing of a report gets into a table" closed
claim "and all files are those of the ordinary program, byte for byte" same_files

finish
