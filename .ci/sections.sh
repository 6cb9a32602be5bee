# Sourced by .ci/run and tools/check-all: sections one can choose from, and the count that closes a run.
# A script calls choose "$@", then section for each, then close_run.

work=$(mktemp -d)
lanes=()
finish() {
    local lane
    for lane in "${lanes[@]}"; do kill -- "-$lane" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT
touch "$work/counts"
chosen=()

# choose [--list | SECTION…]: names of which there is no section are errors; without any, all are chosen.
choose() {
    local name names
    names=$(sed -nE 's/^ *section ("([^"]+)"|([^" ]+)) .*/\2\3/p' "$0")
    if [[ ${1:-} == --list ]]; then
        echo "$names"
        exit 0
    fi
    for name in "$@"; do
        grep -qxF -- "$name" <<<"$names" || { echo "${0##*/}: no section is called $name; --list lists them" >&2; exit 2; }
    done
    chosen=("$@")
}

is_chosen() {
    local name
    [[ ${#chosen[@]} == 0 ]] && return 0
    for name in "${chosen[@]}"; do [[ $name == "$1" ]] && return 0; done
    return 1
}

# section NAME COMMAND…: runs it, if it is chosen, and says how long it took. It counts as the tests that ctest ran in it
# (their results are in $PORTCULLIS_RESULTS), or as one. A test that is skipped fails it unless .ci/may-skip allows that.
# A function that is a section joins its commands with &&: errexit does not hold in it.
section() {
    local name=$1 begun=$SECONDS status=0 passed=0 failed=0 skipped=0
    shift
    is_chosen "$name" || return 0
    printf '\n=== %s: %s\n' "$name" "$*"
    PORTCULLIS_RESULTS=$(mktemp -p "$work" tests.XXXXXX)
    export PORTCULLIS_RESULTS
    "$@" </dev/null 2>&1 || status=$?
    if [[ -s $PORTCULLIS_RESULTS ]]; then
        .ci/judge-skips "$PORTCULLIS_RESULTS" || status=1
        read -r passed failed skipped < <(counts_of "$PORTCULLIS_RESULTS")
        [[ $status != 0 && $failed == 0 ]] && failed=1
    elif [[ $status == 0 ]]; then
        passed=1
    else
        failed=1
    fi
    echo "$passed $failed $skipped" >>"$work/counts"
    printf '=== %s: %s in %d s\n' "$name" "$([[ $failed == 0 ]] && echo passed || echo FAILED)" $((SECONDS - begun))
}

# Passed, failed and skipped tests of what ctest wrote.
counts_of() {
    python3 - "$1" <<'END'
import sys
import xml.etree.ElementTree as xml
suite = xml.parse(sys.argv[1]).getroot()
tests, failed, skipped, disabled = (int(suite.get(name, 0)) for name in ("tests", "failures", "skipped", "disabled"))
print(tests - failed - skipped - disabled, failed, skipped + disabled)
END
}

# tests PRESET [ctest option…]
tests() {
    local preset=$1
    shift
    ctest --preset "$preset" --output-junit "$PORTCULLIS_RESULTS" --test-output-size-passed 1000000 "$@"
}

# beside NAME COMMAND…: starts a function with sections of its own, at low priority; join_lanes waits for it and prints what it said.
beside() {
    set -m
    (renice -n 19 "$BASHPID" >/dev/null; trap - EXIT; lanes=(); "$@") >"$work/lane.${#lanes[@]}" 2>&1 </dev/null &
    lanes+=($!)
    set +m
}

join_lanes() {
    local number status
    for number in "${!lanes[@]}"; do
        status=0
        wait "${lanes[number]}" || status=$?
        cat "$work/lane.$number"
        [[ $status == 0 ]] || echo "0 1 0" >>"$work/counts"
    done
    lanes=()
}

# Prints the count, alone on its line; fails if anything has failed, or nothing has passed.
close_run() {
    local passed failed skipped
    read -r passed failed skipped < <(awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0 }' "$work/counts")
    printf '\n%d seconds in all\n%d passed, %d failed, %d skipped\n' "$SECONDS" "$passed" "$failed" "$skipped"
    [[ $failed == 0 && $passed -gt 0 ]]
}

# The commit that is checked out; nothing, if files differ from it or there is no repository.
clean_commit() {
    local git=(git -c "safe.directory=$PWD") differs
    differs=$("${git[@]}" status --porcelain 2>/dev/null) || return 0
    [[ -n $differs ]] || "${git[@]}" rev-parse HEAD
}
