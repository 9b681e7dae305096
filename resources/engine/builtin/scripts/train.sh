#!/bin/sh
# Trains the built-in model again from the help facts and the phrasings, exports it and checks it (make builtin-model).
# Stop it whenever you like: the next call goes on from the last checkpoint in .work/builtin.  `train.sh --fresh` starts
# over.  ROUNDS (default: as many as the shipped model had) and THREADS (default 2) may be set in the environment.
set -eu
cd "$(dirname "$0")/../../../.."
scripts=resources/engine/builtin/scripts
python=.venv-torch/bin/python
[ -x "$python" ] || { echo "There is no .venv-torch with PyTorch: run 'make builtin-model', which makes it." >&2; exit 1; }
[ "${1:-}" != --fresh ] || rm -rf .work/builtin
facts=resources/engine/builtin/training.json
rounds=${ROUNDS:-$($python -c "import json; print(json.load(open('$facts'))['rounds'])")}
# A finished training is not an interrupted one: the facts may have changed since, so begin again.
if [ -f .work/builtin/finished ]; then rm -rf .work/builtin; fi
[ -f .work/builtin/checkpoint.pt ] || $python "$scripts/train_tokenizer.py"
nice -n 5 $python "$scripts/train.py" --rounds "$rounds" --threads "${THREADS:-2}"
$python "$scripts/export.py"
touch .work/builtin/finished
$python "$scripts/check.py"
