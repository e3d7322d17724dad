# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Completion of xvhc for bash. Commands, their words and their options are what `xvhc help` says, so
# that none is forgotten here; ports are those of `xvhc list`, guests those of xl.

# Lines of an option and what it takes, such as "--write FILE", or "--json" and nothing.
_xvhc_options() {
	sed -n 's/^  \(-[^ ].*\)$/\1/p' | sed 's/   *.*//' |
		awk '{ value = ""; if ($NF !~ /^-/) value = $NF
		       for (i = 1; i <= NF; i++) { sub(",$", "", $i)
			       if ($i ~ /^-/) print $i, value } }'
}

# What can stand for a word of a form: PORT, GUEST, GUEST|PORT, COMMAND, DEVICE, WHEN and the like.
_xvhc_words() {
	local kind=$1 command=$2
	shift 2
	case $kind in
	*PORT*)
		"$@" list --json 2>/dev/null |
			awk -F'"' -v given="$([ "$command" = give ] || echo 1)" '
				$2 == "port" { port = $4; if (!given) print port }
				$2 == "guest" { if ($4 != "" && port != "" && given) print port
					port = "" }'
		;;
	esac
	case $kind in
	*GUEST*)
		xl list 2>/dev/null | awk 'NR > 1 && $1 != "Domain-0" { print $1 }'
		"$@" list --json 2>/dev/null | awk -F'"' '$2 == "guest" && $4 != "" { print $4 }'
		;;
	*COMMAND*) "$@" help | sed -n 's/^  xvhc \([a-z]*\) .*/\1/p' ;;&
	*TOPIC*) "$@" help | sed -n 's/^  \([a-z0-9]*\)   *[a-z].*/\1/p' ;;
	*DEVICE*)
		"$@" list --json 2>/dev/null |
			awk -F'"' '$2 == "vendor" { vendor = $4 } $2 == "product" { print vendor ":" $4 }
				$2 == "device" && $4 != "" { print $4 }'
		;;
	*WHEN*) printf 'auto\nalways\nnever\n' ;;
	esac
}

_xvhc() {
	local current command='' kind='' value='' word options form colons device=''
	local -a ask=("${COMP_WORDS[0]}") forms words=()
	local i count=0 joined=''

	COMPREPLY=()
	options=$("${ask[@]}" help 2>/dev/null | _xvhc_options)
	# bash splits at colons, which names of ports and devices have.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ ${#words[@]} -gt 0 && ( $word == :* || -n $joined ) ]]; then
			words[${#words[@]} - 1]+=$word
		else
			words+=("$word")
		fi
		joined=''
		[[ $word != *: ]] || joined=1
	done
	current=${words[${#words[@]} - 1]}
	for ((i = 0; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		if [ "$word" = = ]; then # bash splits --socket=PATH into three
			continue
		elif [ -n "$value" ]; then
			[ "$value" != socket ] || ask+=(--socket "$word")
			[ "$value" != DEVICE ] || device=1
			value=''
		elif [[ $word == -* ]]; then
			value=$(awk -v name="$word" '$1 == name { print $2 }' <<<"$options")
			[ "$word" != --socket ] || value=socket
		elif [ -z "$command" ]; then
			command=$word
			options+=$'\n'$("${ask[@]}" help "$command" 2>/dev/null | _xvhc_options)
		else
			count=$((count + 1))
		fi
	done
	[ "$current" != = ] || current=''
	if [ -n "$value" ]; then
		kind=$value
	elif [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(awk '{ print $1 }' <<<"$options")" -- "$current")
		return
	elif [ -z "$command" ]; then
		kind=COMMAND
	else
		form=$("${ask[@]}" help "$command" 2>/dev/null | head -n 1 | sed 's/ \[-.*//')
		read -r -a forms <<<"${form#xvhc "$command"}"
		# A device stands for a port.
		[[ -z $device || ${forms[0]-} != PORT ]] || count=$((count + 1))
		kind=${forms[count]-}
		# What may be repeated stands last.
		[[ -n $kind || ${forms[*]: -1} != *...* ]] || kind=${forms[*]: -1}
	fi
	case $kind in
	*FILE* | *PATH* | socket) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
	'') ;;
	*)
		word=$(_xvhc_words "$kind" "$command" "${ask[@]}" | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$word" -- "$current")
		;;
	esac
	colons=${current%"${current##*:}"}
	COMPREPLY=("${COMPREPLY[@]#"$colons"}")
}

complete -F _xvhc xvhc
