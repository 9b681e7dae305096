#!/bin/sh
# Exports the committed weights again, compares the exports with PyTorch and with transformers' own Llama, and writes the
# golden logits anew (make check-torch).
set -eu
cd "$(dirname "$0")/../../../.."
scripts=resources/engine/builtin/scripts
python=.venv-torch/bin/python
[ -x "$python" ] || { echo "There is no .venv-torch with PyTorch: run 'make check-torch', which makes it." >&2; exit 1; }
$python "$scripts/export.py" --golden-only
$python "$scripts/cross_check.py"
