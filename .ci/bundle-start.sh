#!/bin/sh
# Serves without a network: the first time it installs what wheels/ holds into .venv beside this file.
#   start.sh                    serves on this machine; `start.sh serve --lan` for everyone on the network
#   start.sh certificate        any other command of vitrine; files are relative to this folder
# Settings are environment variables, such as VITRINE_PORT=8080; PYTHON names the Python to use.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python@VERSION@}
if [ ! -f .venv/installed ]; then
  "$python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != "@VERSION@")' 2>/dev/null ||
    { echo "error: these wheels need Python @VERSION@; PYTHON=/path/to/python@VERSION@ $0 names it" >&2; exit 1; }
  "$python" -m venv --without-pip .venv
  PYTHONPATH=installer .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels \
    --require-hashes -r requirements.lock
  touch .venv/installed
fi
[ $# -gt 0 ] || set -- serve
VITRINE_MODELS=${VITRINE_MODELS:-$PWD/models} PYTHONPATH=app:app/clients/python exec .venv/bin/python -m vitrine_command "$@"
