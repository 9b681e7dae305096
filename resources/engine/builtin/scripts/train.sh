#!/bin/sh
# Trains the built-in model again from the help facts and the phrasings, exports it and checks it.  Stop it whenever you like:
# the next call goes on from the last checkpoint in .work/builtin.  `train.sh --fresh` forgets the checkpoints first.
# ROUNDS (default: as many as the shipped model had) and THREADS (default 2) may be set in the environment.
set -eu
cd "$(dirname "$0")/../../../.."
scripts=resources/engine/builtin/scripts
python=.venv-torch/bin/python
"$scripts/make_environment.sh"
[ "${1:-}" = --fresh ] && rm -rf .work/builtin
rounds=${ROUNDS:-$($python -c "import json; print(json.load(open('resources/engine/builtin/training.json'))['rounds'])")}
[ -f .work/builtin/checkpoint.pt ] || $python "$scripts/train_tokenizer.py"
nice -n 5 $python "$scripts/train.py" --rounds "$rounds" --threads "${THREADS:-2}"
$python "$scripts/export.py"
$python "$scripts/check.py"
