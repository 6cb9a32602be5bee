# fish completion of portcullis(1). It asks the program itself for its subcommands and options, so that it is never behind.

# __portcullis_help SECTION WORD…: name, what it takes and its meaning, of that section of `portcullis WORD… --help`.
function __portcullis_help
    set -l section $argv[1]:
    portcullis $argv[2..] --help 2>/dev/null | awk -v section=$section '
        /^[A-Z]/ { on = $0 == section }
        on && /^  [^ ]/ { name = $1; sub(/.*,/, "", name); print name "\t" $2 "\t" substr($0, 35) }'
end

function __portcullis_offer
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l commands
    for word in $words[2..]
        contains -- $word (__portcullis_help Subcommands $commands | cut -f1); or break
        set -a commands $word
    end
    set -l takes
    if string match -q -- '--*' $words[-1]
        set takes (__portcullis_help Options $commands | awk -F '\t' -v it=$words[-1] '$1 == it { print $2 }')
    end
    switch "$takes"
        case 'TEXT:*'
            string split , (string replace -r '.*\{(.*)\}.*' '$1' $takes)
        case 'UINT*'
            return
        case TEXT
            __fish_complete_path $current
        case '*'
            if string match -q -- '-*' $current
                __portcullis_help Options $commands | cut -f1,3
            else if test (count (__portcullis_help Subcommands $commands)) -gt 0
                __portcullis_help Subcommands $commands | cut -f1,3
            else
                __fish_complete_path $current
            end
    end
end

complete -c portcullis -f -a '(__portcullis_offer)'
