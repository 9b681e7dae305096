#!/bin/sh
# Trains the built-in model again from the help facts and the phrasings, exports it and checks it (make builtin-model).
# Stop it whenever you like: the next call goes on from the last checkpoint in .work/builtin.
#   train.sh --fresh    starts over
#   train.sh --update   goes on from the committed weights for UPDATE_ROUNDS (default 16): enough when the wording of facts
#                       has changed
# ROUNDS (default: as many as the shipped model had) and THREADS (default 2) may be set in the environment.
set -eu
cd "$(dirname "$0")/../../../.."
scripts=resources/engine/builtin/scripts
python=.venv-torch/bin/python
[ -x "$python" ] || { echo "There is no .venv-torch with PyTorch: run 'make builtin-model', which makes it." >&2; exit 1; }
work=.work/builtin
[ "${1:-}" != --update ] || work=.work/builtin-update
[ "${1:-}" != --fresh ] || rm -rf "$work"
# A finished training is not an interrupted one: the facts may have changed since, so begin again.
if [ -f "$work/finished" ]; then rm -rf "$work"; fi
if [ "${1:-}" = --update ]; then
    set -- --update "${UPDATE_ROUNDS:-16}" --peak 5e-4
else
    facts=resources/engine/builtin/training.json
    set -- --rounds "${ROUNDS:-$($python -c "import json; print(json.load(open('$facts'))['rounds'])")}"
    [ -f "$work/checkpoint.pt" ] || $python "$scripts/train_tokenizer.py"
fi
nice -n 5 $python "$scripts/train.py" --folder "$work" --threads "${THREADS:-2}" "$@"
$python "$scripts/export.py" --checkpoint "$work/checkpoint.pt"
touch "$work/finished"
$python "$scripts/check.py"
