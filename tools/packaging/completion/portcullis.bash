# bash completion of portcullis(1). It asks the program itself for its subcommands and options, so that it is never behind.

# _portcullis_help SECTION WORD…: names in that section of `portcullis WORD… --help`, each with what it takes.
_portcullis_help() {
    local section=$1
    shift
    "${COMP_WORDS[0]/#\~/$HOME}" "$@" --help 2>/dev/null |
        awk -v section="$section:" '/^[A-Z]/ { on = $0 == section } on && /^  [^ ]/ { sub(/.*,/, "", $1); print $1, $2 }'
}

_portcullis() {
    local word takes names current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} commands=() filter=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        _portcullis_help Subcommands "${commands[@]}" | cut -d' ' -f1 | grep -qxF -- "$word" || break
        commands+=("$word")
    done
    [[ $before == --* ]] && takes=$(_portcullis_help Options "${commands[@]}" | awk -v it="$before" '$1 == it { print $2 }')
    case $takes in
    TEXT:*)
        names=${takes#*\{}
        names=${names%\}*}
        names=${names//,/ }
        ;;
    UINT*) COMPREPLY=() && return ;;
    TEXT) [[ $before == --config || $before == --scenario ]] && filter=(-X '!*.toml') ;;
    *)
        names=$(_portcullis_help Subcommands "${commands[@]}" | cut -d' ' -f1)
        [[ $current == -* ]] && names=$(_portcullis_help Options "${commands[@]}" | cut -d' ' -f1)
        ;;
    esac
    if [[ $names ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$names" -- "$current")
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <({ compgen -f "${filter[@]}" -- "$current"; compgen -d -- "$current"; } | sort -u)
    fi
}
complete -F _portcullis portcullis
