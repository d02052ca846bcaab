"""Receipts as their authors keep them: JSON, one document a file or one a line."""

from collections.abc import Iterator
from pathlib import Path

from api.domain.json_text import as_list, as_object, read_json
from api.domain.log.receipts import receipt_from, signed_entry_from
from api.domain.log.signers import shown_successors
from api.errors import AppError, EvidenceInvalid
from api.verify.receipts import ShownReceipt


def read_receipts(path: Path) -> list[ShownReceipt]:
    """Receipts of a file, or of every file in a folder whose name begins with no dot.

    A document is a receipt, an answer of the service that has one under `receipt`, a refusal of
    an attester that has two entries under `fork`, or what a service says of a log, with the
    entries that name `successors` of its key.
    Raises:  EvidenceInvalid naming file and line.
    """
    found: list[ShownReceipt] = []
    for file in _files(path):
        try:
            data = file.read_bytes()
        except OSError as error:
            raise EvidenceInvalid(f"{file} cannot be read: {error}", file=str(file)) from error
        found += _receipts(str(file), data)
    if not found:
        raise EvidenceInvalid(f"{path} holds no receipt", file=str(path))
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [file for file in sorted(path.iterdir()) if file.is_file() and file.name[0] != "."]


def _receipts(name: str, data: bytes) -> Iterator[ShownReceipt]:
    try:
        document = read_json(data)
    except ValueError:
        for line, row in enumerate(data.splitlines(), 1):
            if row.strip():
                yield from _read(row, name, line)
        return
    yield from _shown(document, name, None)


def _read(row: bytes, name: str, line: int) -> list[ShownReceipt]:
    try:
        return _shown(read_json(row), name, line)
    except ValueError as error:
        message = f"{name} line {line} is no JSON"
        raise EvidenceInvalid(message, file=name, line=line) from error


def _shown(document: object, name: str, line: int | None) -> list[ShownReceipt]:
    try:
        held = as_object(document)
        if "fork" in held:
            both = map(signed_entry_from, map(as_object, as_list(held["fork"])))
            return [ShownReceipt(signed, name, line) for signed in both]
        if "successors" in held:
            return [ShownReceipt(logged, name, line) for logged in shown_successors(held)]
        return [ShownReceipt(receipt_from(as_object(held.get("receipt", held))), name, line)]
    except (AppError, TypeError, ValueError, KeyError) as error:
        said = error.message if isinstance(error, AppError) else str(error)
        where = name if line is None else f"{name} line {line}"
        raise EvidenceInvalid(f"{where}: {said}", file=name, line=line) from error
