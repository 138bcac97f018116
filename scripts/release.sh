#!/bin/sh
# What `make dist` and `make verify-release` run. `release.sh dist COMMIT DIRECTORY` writes the source archive of a
# commit, an SPDX 2.3 list of the files in it, and the SHA-256 of both; `release.sh verify ARCHIVE` makes them again
# and compares. The same commit gives the same bytes everywhere:
#
#   - the tar is that of `git archive`: names in the order of the commit, its time, owner 0, modes 644 and 755, and the
#     commit's id in a comment of its header;
#   - it is made in an empty repository that borrows the objects of this one, without anybody's settings: attributes,
#     line ends, tar.umask and replaced objects could change it;
#   - the compression is that of GNU gzip -9n. Other programs named gzip (macOS, BSD, busybox, pigz) find other
#     matches. DFLTCC=0: so would the compressor in the CPUs of s390x.
set -eu
export LC_ALL=C TZ=UTC0
unset GZIP GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
umask 022
cd "$(dirname "$0")/.."

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# hashes BITS FILE...: lines "HASH  FILE" of SHA-1 or SHA-256.
hashes() {
    bits=$1
    shift
    if command -v "sha${bits}sum" >/dev/null; then
        "sha${bits}sum" "$@"
    else
        shasum -a "$bits" "$@"
    fi
}

borrowed() ( # GIT ARGUMENTS...: in the empty repository, without settings, also of the environment
    # shellcheck disable=SC2046 # names
    unset $(git rev-parse --local-env-vars)
    export HOME="$work" XDG_CONFIG_HOME="$work" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ATTR_NOSYSTEM=1
    GIT_DIR=$work/git git "$@"
)
borrow() {
    command -v git >/dev/null || fail "git is not installed: the archive is made from a commit"
    [ -e .git ] || fail "there is no .git here: the archive is made from a commit, in a clone of the repository"
    gzip --version 2>/dev/null | grep -q '^gzip [0-9]' ||
        fail "the gzip in the PATH is not GNU gzip, which alone gives the same bytes everywhere"
    objects=$(git rev-parse --git-path objects)
    objects=$(cd "$objects" && pwd)
    borrowed init -q --bare --template=
    mkdir -p "$work/git/objects/info"
    printf '%s\n' "$objects" >"$work/git/objects/info/alternates"
    shallow=$(git rev-parse --git-path shallow) # in a clone with --depth: commits whose parents are not there
    [ ! -f "$shallow" ] || cp "$shallow" "$work/git/shallow"
}

version_of() { # COMMIT
    borrowed show "$1:include/mlp.h" | sed -n 's/^#define MLP_VERSION "\([0-9.]*\)"$/\1/p'
}

# Files with another licence than the project's: the data, and what shows images of them.
licence_of='
    function licence_of(name) {
        if (name ~ /^data\/mnist\/.*\.gz$/) return "LicenseRef-MNIST"
        if (name ~ /^data\/report\/(page.*|(augment|features|mistakes)[^.]*\.(png|svg))$/)
            return "MIT AND LicenseRef-MNIST"
        return "MIT"
    }'

# list NAME VERSION COMMIT ARCHIVE FILES: the SPDX document, from the directory FILES with what is in the archive.
list() {
    created=$(TZ=UTC0 borrowed show -s --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd "$3")
    archive_sum=$(hashes 256 "$4" | cut -d ' ' -f 1)
    (
        cd "$5"
        find . -type f | sort >"$work/names"
        ! grep -q '[^A-Za-z0-9._/+-]' "$work/names" ||
            fail "a file's name has a character that JSON or a shell may not take"
        # shellcheck disable=SC2046 # names without blanks
        hashes 1 $(cat "$work/names") >"$work/sha1"
        # shellcheck disable=SC2046
        hashes 256 $(cat "$work/names") >"$work/sha256"
    )
    # The package's code is the SHA-1 of all files' SHA-1, sorted, in one line.
    cut -d ' ' -f 1 "$work/sha1" | sort | tr -d '\n' >"$work/sorted"
    code=$(hashes 1 "$work/sorted" | cut -d ' ' -f 1)
    join -j 2 "$work/sha1" "$work/sha256" | awk -v name="$1" -v version="$2" -v commit="$3" -v created="$created" \
        -v sum="$archive_sum" -v code="$code" "$licence_of"'
        function checksum(algorithm, value) {
            return sprintf("{\"algorithm\": \"%s\", \"checksumValue\": \"%s\"}", algorithm, value)
        }
        function related(one, how, other) {
            return sprintf("  {\"spdxElementId\": \"%s\", \"relationshipType\": \"%s\", \"relatedSpdxElement\": \"%s\"}", one,
                how, other)
        }
        BEGIN {
            both = "MIT AND LicenseRef-MNIST"
            print "{"
            print " \"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\", \"SPDXID\": \"SPDXRef-DOCUMENT\","
            print " \"name\": \"" name "\","
            print " \"documentNamespace\": \"https://spdx.org/spdxdocs/" name "-" commit "\","
            print " \"creationInfo\": {\"created\": \"" created "\", \"creators\": [\"Tool: mlp-release.sh\"]},"
            print " \"packages\": ["
            print "  {\"SPDXID\": \"SPDXRef-mlp\", \"name\": \"mlp\", \"versionInfo\": \"" version "\","
            print "   \"packageFileName\": \"" name ".tar.gz\", \"checksums\": [" checksum("SHA256", sum) "],"
            print "   \"primaryPackagePurpose\": \"SOURCE\", \"sourceInfo\": \"git commit " commit "\","
            print "   \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": true,"
            print "   \"packageVerificationCode\": {\"packageVerificationCodeValue\": \"" code "\"},"
            print "   \"licenseConcluded\": \"" both "\", \"licenseDeclared\": \"" both "\","
            print "   \"licenseInfoFromFiles\": [\"MIT\", \"LicenseRef-MNIST\"],"
            print "   \"copyrightText\": \"Copyright (c) 2026 the mlp developers\"},"
            print "  {\"SPDXID\": \"SPDXRef-MNIST\", \"name\": \"MNIST\","
            print "   \"summary\": \"The MNIST database of handwritten digits, in data/mnist\","
            print "   \"originator\": \"Person: Yann LeCun, Corinna Cortes, Christopher J. C. Burges\","
            print "   \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false, \"copyrightText\": \"NOASSERTION\","
            print "   \"licenseConcluded\": \"LicenseRef-MNIST\", \"licenseDeclared\": \"NOASSERTION\"}"
            print " ],"
            print " \"hasExtractedLicensingInfos\": [{\"licenseId\": \"LicenseRef-MNIST\", \"name\": \"Terms of MNIST\","
            print "  \"extractedText\": \"The authors give no licence with the files; the set is commonly stated to be " \
                "available under Creative Commons Attribution-ShareAlike 3.0 (data/mnist/README.md).\"}],"
            print " \"files\": ["
            relations = related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-mlp") ",\n" \
                related("SPDXRef-mlp", "CONTAINS", "SPDXRef-MNIST")
        }
        {
            id = "SPDXRef-File-" NR
            printf "%s  {\"SPDXID\": \"%s\", \"fileName\": \"%s\", \"licenseConcluded\": \"%s\",\n", (NR > 1 ? ",\n" : ""),
                id, $1, licence_of(substr($1, 3))
            printf "   \"licenseInfoInFiles\": [\"NOASSERTION\"], \"copyrightText\": \"NOASSERTION\",\n"
            printf "   \"checksums\": [%s, %s]}", checksum("SHA1", $2), checksum("SHA256", $3)
            relations = relations ",\n" related("SPDXRef-mlp", "CONTAINS", id)
        }
        END { print "\n ],\n \"relationships\": [\n" relations "\n ]\n}" }'
}

# make_release COMMIT: all of it, in $work/made; sets `name`.
make_release() {
    version=$(version_of "$1")
    [ -n "$version" ] || fail "commit $1 has no include/mlp.h with a version"
    name=mlp-$version
    mkdir "$work/made" "$work/files"
    borrowed -c tar.umask=0022 archive --format=tar --prefix="$name/" "$1" >"$work/ours.tar"
    DFLTCC=0 gzip -9n <"$work/ours.tar" >"$work/made/$name.tar.gz"
    tar -x -f "$work/ours.tar" -C "$work/files"
    list "$name" "$version" "$1" "$work/made/$name.tar.gz" "$work/files/$name" >"$work/made/$name.spdx.json"
    (cd "$work/made" && hashes 256 "$name.tar.gz" "$name.spdx.json" >"$work/SHA256SUMS")
    mv "$work/SHA256SUMS" "$work/made"
}

dist() { # COMMIT DIRECTORY
    borrow
    commit=$(git rev-parse --verify --quiet "$1^{commit}") || fail "there is no commit '$1'"
    [ -z "$(git status --porcelain)" ] || echo "note: what is not committed is not in the archive" >&2
    make_release "$commit"
    mkdir -p "$2"
    mv "$work/made/$name.tar.gz" "$work/made/$name.spdx.json" "$work/made/SHA256SUMS" "$2"
    echo "$2/$name.tar.gz, commit $commit"
    cat "$2/SHA256SUMS"
}

# What is in an archive may come from anyone: nothing of it is run, and control characters are not printed.
printable() {
    tr -cd '\n -~'
}

differences() { # the first lines about what differs between their tar and ours
    mkdir "$work/theirs"
    (cd "$work/theirs" && tar -x --no-same-owner --no-same-permissions -f ../theirs.tar) 2>/dev/null || true
    (cd "$work" && diff -rq theirs files) | sed -e "s|^Files theirs/\(.*\) and files/.* differ$|  \1|" \
        -e "s|^Only in theirs/*\(.*\): \(.*\)|  \1/\2 (only in the archive)|" \
        -e "s|^Only in files/*\(.*\): \(.*\)|  \1/\2 (only in the commit)|" >"$work/differences" || true
    if [ ! -s "$work/differences" ]; then
        echo "  no file: their order, times, modes or owners"
    fi
    head -n 5 "$work/differences" | printable
}

verify() { # ARCHIVE
    archive=$1 beside=$(dirname -- "$1")
    [ -n "$archive" ] || fail "name the archive: make verify-release ARCHIVE=FILE"
    [ -f "$archive" ] || fail "$archive: there is no such file"
    borrow
    status=0
    gzip -dc <"$archive" >"$work/theirs.tar" 2>/dev/null || [ $? -eq 2 ] || fail "$archive: is not gzip data, or is damaged"
    commit=$(git get-tar-commit-id <"$work/theirs.tar" 2>/dev/null | grep -x '[0-9a-f]*') ||
        fail "$archive: names no commit: make dist did not make it"
    borrowed cat-file -e "$commit^{commit}" 2>/dev/null ||
        fail "$archive: this clone does not have its commit $commit; git fetch may get it"
    tags=$(git tag --points-at "$commit" | tr '\n' ' ' | sed 's/ $//')
    make_release "$commit"
    if cmp -s "$archive" "$work/made/$name.tar.gz"; then
        echo "$archive: the same bytes as commit $commit gives (${tags:-no tag})"
    elif cmp -s "$work/theirs.tar" "$work/ours.tar"; then
        echo "$archive: DIFFERS from what commit $commit gives (${tags:-no tag}) in the compression alone"
        status=1
    else
        echo "$archive: DIFFERS from what commit $commit gives (${tags:-no tag}):"
        differences
        status=1
    fi
    for other in "$name.spdx.json" SHA256SUMS; do
        if [ ! -e "$beside/$other" ]; then
            echo "$beside/$other: not there, not compared"
        elif cmp -s "$beside/$other" "$work/made/$other"; then
            echo "$beside/$other: the same"
        else
            echo "$beside/$other: DIFFERS"
            status=1
        fi
    done
    exit "$status"
}

"$@"
