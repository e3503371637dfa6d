"""The first gate: whether a file is a ``.keras`` archive of an ordinary size, with the three members it should have."""

import re
import zipfile
from pathlib import Path
from typing import IO

from playground.errors import ModelRefused
from playground.spec.saved import MAX_FILE

MAX_PARAMETERS = 20_000_000
MAX_RATIO = 100
"""Bytes of a member for each of its bytes in the archive. Keras does not compress at all, text shrinks 20 times."""

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
MEMBERS = {"metadata.json": 64_000, CONFIG: 4_000_000, WEIGHTS: MAX_FILE}
"""Every member of the archive, and the most bytes it may unpack to."""

_PIECE = 1_000_000
_HDF5, _ZIP = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"

BROKEN = "The file is damaged, or was cut off while it was copied or uploaded. Copy or save it again."


def unpack(path: Path, folder: Path) -> None:
    """Put the members of a ``.keras`` file into a folder.

    Raises:
        ModelRefused: it is no such file, or is built as none that Keras wrote.
    """
    size = path.stat().st_size
    if size > MAX_FILE:
        raise ModelRefused([f"The file has {size / 1e6:,.0f} MB; the limit is {MAX_FILE // 10**6} MB. Save the model "
                            "without its optimizer, or a smaller one."])  # fmt: skip
    with path.open("rb") as file:
        _check_kind(file.read(len(_HDF5)))
    try:
        with zipfile.ZipFile(path) as archive:
            reasons = _against(archive.infolist())
            if reasons:
                raise ModelRefused(reasons)
            for name, limit in MEMBERS.items():
                with archive.open(name) as member, (folder / name).open("wb") as target:
                    _copy(member, target, limit)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, OSError, ValueError):
        raise ModelRefused([BROKEN]) from None


def _check_kind(first: bytes) -> None:
    if not first:
        raise ModelRefused(["The file is empty. Copy or save it again."])
    if first.startswith(_HDF5):
        raise ModelRefused([
            "This is an HDF5 file, the old way to save a model. Open it with Keras where you trust it and save it "
            "again: keras.saving.load_model(path).save(\"model.keras\")."
        ])  # fmt: skip
    if not first.startswith(_ZIP):
        raise ModelRefused(["This is not a .keras file. Save the model with model.save(\"model.keras\")."])  # fmt: skip


def _against(members: list[zipfile.ZipInfo]) -> list[str]:
    names = [member.filename for member in members]
    if len(names) > 2 * len(MEMBERS):
        return [f"The archive has {len(names):,} members; a .keras file has {len(MEMBERS)}."]
    reasons = [f"The archive has {name} twice." for name in MEMBERS if names.count(name) > 1]
    reasons += [f"The archive has no {name}." for name in MEMBERS if name not in names]
    reasons += [f"The archive has a member {shown(name)}, which is not part of a .keras file."
                for name in names if name not in MEMBERS]  # fmt: skip
    for member in members:
        limit = MEMBERS.get(member.filename, 0)
        if member.flag_bits & 1:
            reasons.append(f"{shown(member.filename)} is encrypted.")
        if limit and member.file_size > limit:
            reasons.append(f"{member.filename} unpacks to {member.file_size:,} bytes; the limit is {limit:,}.")
        elif limit and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            reasons.append(f"{member.filename} unpacks to more than {MAX_RATIO} times its size.")
    return reasons


def _copy(member: IO[bytes], target: IO[bytes], limit: int) -> None:
    """Copy at most ``limit`` bytes, whatever size the archive claims."""
    left = limit
    while piece := member.read(_PIECE):
        left -= len(piece)
        if left < 0:
            raise ModelRefused([f"A member of the archive unpacks to more than {limit:,} bytes."])
        target.write(piece)


def shown(text: object) -> str:
    """A text from the file as a message may repeat it: short, in quotes, and without what a page could act upon."""
    plain = re.sub(r"[^\w ./=+-]", "?", str(text)[:200])
    return f"“{plain[:60]}…”" if len(plain) > 60 else f"“{plain}”"
