#!/bin/sh
# Finds or installs Python, then lets tools/venv.py make the virtual environment. Fast when everything is there.
set -eu
cd "$(dirname "$0")/.."

usable() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
    for candidate in ${TRADESTACK_PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if usable "$candidate"; then command -v "$candidate"; return; fi
    done
}

python=$(find_python)
if [ -z "$python" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "python … installing python3 and python3-venv from the distribution's packages" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends python3 python3-venv ca-certificates >/dev/null
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo "Python 3.11 or newer with venv was not found: install it (Debian, Ubuntu: sudo apt-get install python3 python3-venv) or set TRADESTACK_PYTHON" >&2
    exit 1
fi
exec "$python" tools/venv.py
