"""Copies of a facility's log outside of the service, and what a log lost given back from one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import orjson

from api.cli.operator_client import OperatorClient
from api.domain.json_text import as_list, as_object, read_json
from api.domain.log.entry import ENTRY_BYTES, NO_LOG, LogEnd, decode_entry, end_of
from api.domain.log.logged import LoggedEntry, logged_from
from api.domain.units import FacilityId
from api.errors import AppError, ChainUnavailable, EvidenceInvalid, InvalidInput

_TIMEOUT_S = 60.0
# What a service takes in one body.
_MOST_BYTES, _MOST_LINES = 4 << 20, 500


def copy_log(url: str, api_key: str, facility_id: FacilityId, file: Path) -> LogEnd:
    """Add to a copy whatever the log has behind it. Returns where the log ends in the copy.

    Raises:  ChainUnavailable, InvalidInput; EvidenceInvalid if the log does not go on behind it.
    """
    end = NO_LOG
    for logged in read_copy(file) if file.exists() else ():
        end = end_of([logged.entry], end)
    headers = {"Authorization": f"Bearer {api_key.strip()}"}
    path = f"/v1/attester/facilities/{facility_id}/log"
    with httpx.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S) as client:
        while True:
            try:
                answer = client.get(path, params={"after": end.size})
            except httpx.HTTPError as error:
                raise ChainUnavailable(f"{url} does not answer {path}: {error}") from error
            if answer.is_error:
                raise AppError(f"{path}: {answer.status_code} {_said(answer.content)}")
            lines = [line for line in answer.content.splitlines() if _is_entry(line)]
            if not lines:
                return end
            for line in lines:
                logged = _read(line, str(file))
                if logged.entry.number != end.size + 1 or logged.entry.previous != end.head:
                    message = f"{file} ends with entry {end.size}, and the log does not go on"
                    raise EvidenceInvalid(f"{message} behind it: keep the file, and tell holders")
                logged.require_whole()
                end = end_of([logged.entry], end)
            with file.open("ab") as copy:
                copy.writelines(line + b"\n" for line in lines)


def _said(content: bytes) -> str:
    """What an error says in words, whatever it is."""
    try:
        return str(as_object(read_json(content))["detail"])
    except (ValueError, KeyError, TypeError):
        return content[:300].decode(errors="replace")


def _is_entry(line: bytes) -> bool:
    """Whether a line is of an entry; others say of the facility what attesters need beside it."""
    try:
        return as_object(read_json(line)).get("type") == "entry"
    except (ValueError, TypeError):
        return False


def read_copy(file: Path) -> Iterator[LoggedEntry]:
    """Entries of a copy, in order. Raises InvalidInput."""
    try:
        with file.open("rb") as lines:
            for line in lines:
                if line.strip():
                    yield _read(line, str(file))
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}", field="file") from error


def _read(line: bytes, name: str) -> LoggedEntry:
    try:
        return logged_from(as_object(read_json(line)))
    except (AppError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{name} holds a line that is no entry: {error}", field="file"
        ) from error


def restore_log(
    client: OperatorClient,
    facility_id: FacilityId,
    file: Path,
    *,
    on_refused: Callable[[int, str], None],
) -> dict[str, object]:
    """Give a log back what it lost and a copy has, newest first: each names the one before.

    Returns: where the log stands then.
    """
    path = f"/v1/facilities/{facility_id}/log"
    standing = client.get_object(path, {})
    size = standing["size"]
    assert isinstance(size, int)
    wanted: list[tuple[int, int, int]] = []
    with file.open("rb") as lines:
        start = 0
        for line in lines:
            if line.strip():
                number = decode_entry(bytes.fromhex(_entry_text(line, str(file))[2:])).number
                if number > size:
                    wanted.append((number, start, len(line)))
            start += len(line)
    wanted.sort(reverse=True)
    with file.open("rb") as lines:
        for some in _parts(wanted):
            body = b""
            for _, start, length in some:
                lines.seek(start)
                body += lines.read(length).rstrip(b"\n") + b"\n"
            headers = {"content-type": "application/x-ndjson"}
            for row in as_list(client.post_lines(f"{path}/entries", body, headers)):
                told = as_object(row)
                if told.get("detail") is not None:
                    on_refused(int(str(told["entry"])), str(told["detail"]))
    return client.get_object(path, {})


def _entry_text(line: bytes, name: str) -> str:
    try:
        text = orjson.loads(line)["entry"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{name} holds a line that is no entry", field="file") from error
    if not isinstance(text, str) or len(text) != 2 + 2 * ENTRY_BYTES:
        raise InvalidInput(f"{name} holds a line that is no entry", field="file")
    return text


def _parts(wanted: list[tuple[int, int, int]]) -> Iterator[list[tuple[int, int, int]]]:
    part: list[tuple[int, int, int]] = []
    size = 0
    for each in wanted:
        if part and (len(part) == _MOST_LINES or size + each[2] > _MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(each)
        size += each[2]
    if part:
        yield part
