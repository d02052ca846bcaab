"""What an attester asks of the service, over HTTP. Nothing that comes is believed to be right."""

import ssl
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar

import httpx

from api.attester.failures import ServiceAway, ServiceRefused, ServiceUnreadable
from api.domain.json_text import as_bytes32, as_integer, as_list, as_object, read_json
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import SignedEntry, signed_entry_from
from api.domain.log.signers import shown_successors
from api.domain.statements.recompute import RawInput, read_input
from api.domain.statements.refusal_files import SignedRefusal, plain_message, refusal_document
from api.domain.units import MAX_I64, MAX_U32, Bytes32, Epoch, FacilityId
from api.errors import AppError
from api.evidence_store import HOSTILE

T = TypeVar("T")
_TIMEOUT_S = 60.0
# A part of a log has four mebibytes of packed bodies at most; base64 and hashes come to that.
_MOST_BYTES = 64 << 20
_PAGE, _MOST_PAGES = 1_000, 50
_TRY_AGAIN = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class HttpAttesterApi:
    """The routes of `api/routes/attester`.

    Every method raises ServiceAway where the service does not answer, ServiceUnreadable where the
    answer is none of a Rentroll's, and ServiceRefused where it says no.
    """

    def __init__(self, base_url: str, *, api_key: str, ca_file: Path | None = None) -> None:
        """Args: ca_file: certificates to trust instead of the public authorities'.

        Raises:  OSError, which SSLError is, if it cannot be read.
        """
        self._client = httpx.Client(
            base_url=base_url,
            verify=ssl.create_default_context(cafile=ca_file),
            headers={"Authorization": f"Bearer {api_key}"},
            timeout=_TIMEOUT_S,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # --- what is to be judged -------------------------------------------------------------------

    def pending(self, attester: str) -> list[tuple[FacilityId, Epoch, Bytes32]]:
        """`(facility, epoch, statement hash)` that this attester has not signed, in turns."""
        found: list[tuple[FacilityId, Epoch, Bytes32]] = []
        for page in range(_MOST_PAGES):
            asked: dict[str, str | int] = {"attester": attester, "limit": _PAGE}
            asked["offset"] = page * _PAGE
            part = self._rows("/v1/attester/pending", asked, _statement)
            found += part
            if len(part) < _PAGE:
                break
        return found

    def pending_pledges(self, attester: str) -> list[FacilityId]:
        """Facilities whose pledge waits for a signature of this attester."""
        return self._rows("/v1/attester/pledges", {"attester": attester}, _facility)

    def pending_replacements(self, attester: str) -> list[tuple[FacilityId, Epoch, Bytes32]]:
        """`(facility, first epoch, root)` of replacements that this attester has not signed."""
        return self._rows("/v1/attester/replacements", {"attester": attester}, _replacement)

    def log(self, facility_id: FacilityId, *, after: int) -> RawInput:
        """Reopenings of a facility, and the entries of its log behind one, with the leases that
        they tell of."""
        path = f"/v1/attester/facilities/{facility_id}/log"
        raw = RawInput()
        while True:
            data = self._request("GET", path, params={"after": after})
            part = _decoded(path, data, lambda data: read_input(data.splitlines()))
            if not part.entries:
                # What was read first says of the facility what was so then; this is newer.
                part.entries, part.leases = raw.entries, raw.leases
                return part
            last = part.entries[-1].entry.number
            if last <= after:
                # It would go round for ever.
                raise ServiceUnreadable(f"{path}: behind entry {after} comes entry {last}")
            raw.entries += part.entries
            raw.leases += part.leases
            after = last

    def signed_entry(self, facility_id: FacilityId, number: int) -> SignedEntry:
        """An entry of a log, as the service says that the log's key signed it."""
        path = f"/v1/attester/facilities/{facility_id}/log/entries/{number}"
        data = self._request("GET", path)
        return _decoded(path, data, lambda data: signed_entry_from(as_object(read_json(data))))

    def require_log(self, facility_id: FacilityId) -> None:
        """Ask whether the service shows a log at all; no entry of it is sent."""
        path = f"/v1/attester/facilities/{facility_id}/log"
        self._request("GET", path, params={"after": MAX_I64})

    def successors(self, facility_id: FacilityId) -> list[LoggedEntry]:
        """Entries of a log that name successors of its key, as the service shows everybody."""
        path = f"/v1/facilities/{facility_id}/log"
        data = self._request("GET", path)
        return _decoded(path, data, lambda data: shown_successors(as_object(read_json(data))))

    # --- what is handed in ----------------------------------------------------------------------

    def submit(
        self, facility_id: FacilityId, epoch: Epoch, attester: str, signature: bytes
    ) -> None:
        """Hand in a signature."""
        path = f"/v1/attester/facilities/{facility_id}/epochs/{epoch}/attestations"
        self._request("POST", path, json={"attester": attester, "signature": _hex(signature)})

    def submit_pledge(
        self, facility_id: FacilityId, attester: str, *, approvals: int, signature: bytes
    ) -> None:
        """Hand in a signature over a pledge, made after so many approvals."""
        path = f"/v1/attester/facilities/{facility_id}/pledge/signatures"
        body = {"attester": attester, "approvals": approvals, "signature": _hex(signature)}
        self._request("POST", path, json=body)

    def submit_replacement(
        self,
        facility_id: FacilityId,
        root: Bytes32,
        attester: str,
        *,
        approvals: int,
        signature: bytes,
    ) -> None:
        """Hand in a signature over a replacement, made after so many approvals."""
        path = f"/v1/attester/facilities/{facility_id}/replacements/0x{root.hex()}/signatures"
        body = {"attester": attester, "approvals": approvals, "signature": _hex(signature)}
        self._request("POST", path, json=body)

    def submit_refusal(self, signed: SignedRefusal) -> None:
        """Hand in a refusal."""
        self._request("POST", "/v1/attester/refusals", json=refusal_document(signed))

    # --- the way --------------------------------------------------------------------------------

    def _rows(
        self, path: str, asked: dict[str, str | int], read: Callable[[dict[str, object]], T]
    ) -> list[T]:
        data = self._request("GET", path, params=asked)
        return _decoded(path, data, lambda data: [*map(read, _objects(data))])

    def _request(self, method: str, path: str, **options: object) -> bytes:
        try:
            with self._client.stream(method, path, **options) as answer:  # type: ignore[arg-type]
                data = bytearray()
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > _MOST_BYTES:
                        raise ServiceUnreadable(f"{path}: the service's answer has no end")
        except (httpx.HTTPError, httpx.StreamError, OSError, *HOSTILE) as error:
            raise ServiceAway(f"the service does not answer {path}: {error!r}") from error
        if answer.is_success:
            return bytes(data)
        said = f"{method} {path}: {answer.status_code} {_detail(bytes(data))}"
        if answer.is_client_error and answer.status_code not in _TRY_AGAIN:
            raise ServiceRefused(said, status=answer.status_code)
        raise ServiceAway(said)


def _decoded(path: str, data: bytes, read: Callable[[bytes], T]) -> T:
    try:
        return read(data)
    except (AppError, *HOSTILE) as error:
        said = error.message if isinstance(error, AppError) else repr(error)[:200]
        message = f"{path}: the service's answer is not readable: {said}"
        raise ServiceUnreadable(message) from error


def _objects(data: bytes) -> Iterator[dict[str, object]]:
    return map(as_object, as_list(read_json(data)))


def _facility(row: dict[str, object]) -> FacilityId:
    return FacilityId(_within(row, "facility_id", MAX_I64))


def _statement(row: dict[str, object]) -> tuple[FacilityId, Epoch, Bytes32]:
    epoch = Epoch(_within(row, "epoch", MAX_U32))
    return _facility(row), epoch, as_bytes32(row["statement_hash"])


def _replacement(row: dict[str, object]) -> tuple[FacilityId, Epoch, Bytes32]:
    epoch = Epoch(_within(row, "from_epoch", MAX_U32))
    return _facility(row), epoch, as_bytes32(row["pledge_root"])


def _within(row: dict[str, object], name: str, most: int) -> int:
    value = as_integer(row[name])
    if not 0 <= value <= most:
        raise ValueError(f"{name} is out of range")
    return value


def _detail(data: bytes) -> str:
    """What an error says in words, whatever it is."""
    try:
        said = as_object(read_json(data)).get("detail")
    except HOSTILE:
        said = data[:200].decode(errors="replace")
    return plain_message(said if isinstance(said, str) else "")


def _hex(signature: bytes) -> str:
    return "0x" + signature.hex()
