#!/bin/sh
# Makes .venv-torch: PyTorch beside the locked versions of everything else (tools/torch_environment.py).
set -eu
cd "$(dirname "$0")/../../../.."
exec make torch
