"""``gentorrent calibrate``: from a model on this machine to an entry of a calibration file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine.bench.machine import describe_machine
from engine.bench.verification.calibrating import calibration
from engine.bench.verification.conditions import (
    CHEATS,
    FOUR_BITS,
    HONEST,
    OTHER_PRECISION,
    OTHER_RUNTIME,
    SMALLER_MODEL,
    Condition,
)
from engine.bench.verification.measuring import Record, Say, Study, record
from engine.bench.verification.questions import Questions
from engine.bench.verification.remade_models import remake
from engine.clock import SystemClock
from engine.errors import BenchmarkError, CalibrationError, ModelFolderError, UnknownModelError
from engine.inference.models.folder import ModelFolder
from engine.inference.models.installed import BUILTIN_MODEL, Catalogue
from engine.inference.runtime.session import runtime_version
from engine.resources import resource_path
from engine.verification.scoring.calibration import (
    MAX_FILE,
    Calibration,
    read_calibrations,
    write_calibrations,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What ``gentorrent calibrate`` was asked for; see its help."""

    model: str
    models: Path | None
    work: Path
    tokens: int
    quick: bool = False
    half: bool = True
    in_full: bool = False
    weights: Path | None = None
    smaller: str = ""
    python: Path | None = None
    family: str = ""


def open_named(models: Path | None, name: str) -> ModelFolder:
    """An installed model by its name, or a model folder by its path."""
    path = Path(name)
    if name != BUILTIN_MODEL and path.is_dir() and ("/" in name or "\\" in name):
        return Catalogue(None, path.resolve()).open(BUILTIN_MODEL)
    return Catalogue(models).open(name)


def wanted_conditions(wanted: Wanted) -> list[Condition]:
    """Which ways of answering are measured."""
    half = [OTHER_PRECISION] if wanted.half else []
    if wanted.quick:
        return [HONEST[0], HONEST[3], *half, FOUR_BITS[0], FOUR_BITS[-1]]
    found = [*HONEST, *half, *CHEATS]
    if wanted.python is not None:
        found.append(OTHER_RUNTIME)
    if wanted.smaller:
        found.append(SMALLER_MODEL)
    return found


async def run(wanted: Wanted, say: Say) -> Calibration:
    """Measure, or go on measuring; the records stay in ``wanted.work``. :class:`BenchmarkError` says what failed."""
    study, name = _study(wanted, say)
    recorded: dict[Condition, list[Record]] = {}
    for condition in wanted_conditions(wanted):
        try:
            recorded[condition] = await record(study, condition, wanted.tokens, say)
        except BenchmarkError as error:
            if condition.model == "":
                raise
            say(f"{condition.name} is left out: {error}")
    machine = describe_machine()
    own = "" if wanted.family else study.reference.digest.hex()
    return calibration(
        recorded,
        model=name,
        digest=own,
        family=wanted.family,
        precision=study.reference.precision,
        machine=f"{machine['processor']}, {machine['processors']} processors, {machine['system']}",
        runtime=f"onnxruntime {'.'.join(str(one) for one in runtime_version())}",
        made=datetime.fromtimestamp(SystemClock().wall(), UTC).date().isoformat(),
    )


def _study(wanted: Wanted, say: Say) -> tuple[Study, str]:
    try:
        reference = open_named(wanted.models, wanted.model)
        smaller = open_named(wanted.models, wanted.smaller) if wanted.smaller else None
    except (UnknownModelError, ModelFolderError) as error:
        raise BenchmarkError(str(error)) from error
    name, weights = wanted.model.rstrip("/\\").rpartition("/")[2], wanted.weights or _weights_of(reference)
    folder = wanted.work / re.sub(r"[^A-Za-z0-9.]+", "-", f"{name}{' in full' if wanted.in_full else ''}")
    if smaller is not None and smaller.tokenizer_digest != reference.tokenizer_digest:
        raise BenchmarkError(f"{wanted.smaller} has another tokenizer than {wanted.model}: its ids mean other texts.")
    if wanted.in_full:
        target = folder / "reference"
        if not target.exists():
            say("making the model with float32 weights ...")
            remake(reference, target, weights=weights)
        reference, weights, name = Catalogue(None, target).open(BUILTIN_MODEL), None, f"{name} in float32"
    questions = Questions(name, varied=True, max_tokens=min(100, reference.context_length // 2))
    return Study(reference, folder, questions, weights, smaller, wanted.python), name


def _weights_of(reference: ModelFolder) -> Path | None:
    """Those that the built-in model's 8 bits were made from, where they lie beside it: what a machine with 16 bits
    would compute with. Without them its noise is taken for a seventh of what it is."""
    path = resource_path("engine/builtin/weights/model.safetensors")
    own = reference.digest == Catalogue(None).open(BUILTIN_MODEL).digest
    return path if own and path.exists() else None


def add_to_file(path: Path, entry: Calibration) -> None:
    """Put ``entry`` into the file, in the place of an older one of the same model, precision and providers. What that
    one says of how the model is best asked (``texts_percent``) was decided and not measured, so it stays."""
    try:
        with path.open("rb") as file:
            known = list(read_calibrations(file.read(MAX_FILE + 1)))
    except FileNotFoundError:
        known = []
    except OSError as error:
        raise CalibrationError(f"{path} cannot be read ({error.strerror}).") from error
    key = _key(entry)
    asked = next((one.texts_percent for one in known if _key(one) == key), entry.texts_percent)
    entry = msgspec.structs.replace(entry, texts_percent=asked)
    entries = [*(one for one in known if _key(one) != key), entry]
    unfinished = path.with_name(f"unfinished-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(write_calibrations(entries))
        unfinished.replace(path)
    except OSError as error:
        raise CalibrationError(f"{path} cannot be written ({error.strerror}). Choose another --output.") from error


def _key(entry: Calibration) -> tuple[str, ...]:
    return entry.model, entry.family, entry.precision, entry.reference, entry.node
