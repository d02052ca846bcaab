"""The operator's ledger key at work: it signs requests over HTTP and keeps their receipts.

Receipts stand beside the key, in `KEYFILE.receipts.jsonl`: each request names the one before, and
whoever has them can show what the log was given (`rentroll verify --receipts`).
"""

import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import orjson

from api.cli.operator_client import OperatorClient
from api.clock import system_clock
from api.domain.json_text import as_list, as_object, as_text, read_json
from api.domain.log.authors import PATHS
from api.domain.log.entry import EntryKind, LogName, entry_hash, log_name
from api.domain.log.keys import KeyRole, key_body, key_end_body
from api.domain.log.receipts import Receipt, receipt_document, receipt_from
from api.domain.log.requests import key_from, key_text, sign_request
from api.domain.units import ZERO32, Bytes32, FacilityId
from api.errors import AppError, Conflict, EvidenceInvalid, InvalidInput
from api.local.key_file import read_key_file

BATCH = "application/cloudevents-batch+json"
_JSON = "application/json"
_ATTEMPTS = 3


class LedgerKey:
    """A ledger key and its receipts, for one facility. Raises KeyFileWrong."""

    def __init__(self, client: OperatorClient, file: Path, facility_id: FacilityId) -> None:
        self._client, self._key = client, read_key_file(file)
        self.public = Bytes32(self._key.public_key().public_bytes_raw())
        self._receipts = file.with_name(f"{file.name}.receipts.jsonl")
        self._facility_id = facility_id
        said = client.get_object(f"/v1/facilities/{facility_id}/log", {})
        try:
            self.log: LogName = log_name(as_text(said["log"]))
            self._log_key = key_from(as_text(said["log_key"]))
        except (ValueError, TypeError, KeyError) as error:
            raise AppError("the service says of the log what no Rentroll would") from error

    # --- keys -----------------------------------------------------------------------------------

    def keys(self) -> list[dict[str, object]]:
        """The keys of the log, as the service lists them."""
        path = f"/v1/facilities/{self._facility_id}/log/keys"
        return [as_object(key) for key in as_list(self._client.get(path))]

    def bring(self, key: Bytes32, *, name: str) -> Receipt:
        """Name a collector's key; the ledger key first brings itself, if the log lacks it."""
        if all(known["key"] != key_text(self.public) for known in self.keys()):
            own = key_body(self.public, name="ledger key", role=KeyRole.LEDGER)
            self._send(EntryKind.KEY, own, _JSON)
        body = key_body(key, name=name, role=KeyRole.COLLECTOR)
        return self._send(EntryKind.KEY, body, _JSON)[0]

    def end(self, key: Bytes32) -> Receipt:
        """End a key: it signs nothing more in this log."""
        return self._send(EntryKind.KEY_END, key_end_body(key), _JSON)[0]

    def send(self, body: bytes) -> dict[str, object]:
        """Sign and send an array of events; returns the answer."""
        return self._send(EntryKind.BATCH, body, BATCH)[1]

    # --- one request ----------------------------------------------------------------------------

    def _send(
        self, kind: EntryKind, body: bytes, content_type: str
    ) -> tuple[Receipt, dict[str, object]]:
        for _ in range(_ATTEMPTS):
            ours = self._newest()
            path = self._client.path_of(PATHS[kind])
            headers = sign_request(
                self._key,
                path=path,
                content_type=content_type,
                body=body,
                log=self.log,
                after=ZERO32 if ours is None else entry_hash(ours.entry),
                created_s=system_clock(),
            )
            status, answer = self._client.post_bytes(PATHS[kind], body, headers)
            receipt = self._receipt(answer)
            if status == HTTPStatus.OK:
                receipt.require_of(body)
                self._keep(receipt)
                return receipt, answer
            if ours is not None and receipt.entry.number <= ours.entry.number:
                message = f"the log goes on behind entry {receipt.entry.number}, and there is a"
                message += f" receipt of entry {ours.entry.number}: it was rewritten, or restored"
                raise EvidenceInvalid(f"{message} from an older copy")
            self._keep(receipt)
        raise Conflict("another process signs with this key at the same time: try again")

    def _receipt(self, answer: Mapping[str, object]) -> Receipt:
        """The receipt of an answer, checked. Raises EvidenceInvalid."""
        if "receipt" not in answer:
            raise EvidenceInvalid("the service gives no receipt")
        receipt = receipt_from(as_object(answer["receipt"]))
        receipt.require_signed(self._log_key)
        if receipt.entry.log != self.log:
            raise EvidenceInvalid(f"{receipt.where}: it is of another log than {self.log}")
        return receipt

    def _newest(self) -> Receipt | None:
        if not self._receipts.exists():
            return None
        found = None
        try:
            for line in self._receipts.read_bytes().splitlines():
                receipt = receipt_from(as_object(read_json(line)))
                if receipt.entry.log == self.log:
                    found = receipt
        except (ValueError, TypeError) as error:
            raise InvalidInput(f"{self._receipts} cannot be read: {error}", field="key") from error
        return found

    def _keep(self, receipt: Receipt) -> None:
        with self._receipts.open("ab") as file:
            file.write(orjson.dumps(receipt_document(receipt)) + b"\n")
            file.flush()
            os.fsync(file.fileno())


def read_events_file(file: Path) -> bytes:
    """A JSON array of events, or events a line, as one body. Raises InvalidInput."""
    try:
        data = file.read_bytes()
        value = read_json(data) if data.lstrip().startswith(b"[") else None
        events = as_list(value) if value is not None else [*map(read_json, data.splitlines())]
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}", field="events") from error
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{file} is no JSON array, nor JSON a line", field="events") from error
    return json.dumps(events).encode()
