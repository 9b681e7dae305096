#!/bin/sh
# Exports the committed weights again, compares the exports with PyTorch and with transformers, and makes the golden logits anew.
set -eu
cd "$(dirname "$0")/../../../.."
scripts=resources/engine/builtin/scripts
"$scripts/make_environment.sh"
.venv-torch/bin/python "$scripts/export.py" --golden-only
.venv-torch/bin/python "$scripts/cross_check.py"
