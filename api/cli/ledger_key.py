"""The operator's ledger key at work: it signs requests over HTTP and keeps their receipts.

Receipts stand beside the key, in `KEYFILE.receipts.jsonl`: each request names the one before, and
whoever has them can show what the log was given (`rentroll verify --receipts`).
"""

import base64
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import orjson

from api.cli.operator_client import OperatorClient
from api.clock import system_clock
from api.domain.json_text import as_list, as_object, as_text, read_json
from api.domain.log.answers import answer_says
from api.domain.log.authors import PATHS
from api.domain.log.entry import EntryKind, LogName, encode_entry, entry_hash, log_name
from api.domain.log.keys import KeyRole, key_body, key_end_body, successor_body
from api.domain.log.receipts import Receipt, pack_receipt, receipt_document, receipt_from
from api.domain.log.requests import key_from, key_text, read_request, said_of, sign_request
from api.domain.log.signers import LogSigner, LogSigners, only, shown_successors
from api.domain.units import ZERO32, Bytes32, FacilityId
from api.errors import AppError, Conflict, EvidenceInvalid, InvalidInput
from api.local.key_file import read_key_file

BATCH = "application/cloudevents-batch+json"
_JSON = "application/json"
_ATTEMPTS = 3


class LedgerKey:
    """A ledger key and its receipts, for one facility. Raises KeyFileWrong.

    Whatever it is asked for, it brings itself into the log first, where the log lacks it.
    """

    def __init__(
        self,
        client: OperatorClient,
        file: Path,
        facility_id: FacilityId,
        *,
        now: Callable[[], int] | None = None,
    ) -> None:
        """Args: now: the time of signatures, where it is not this machine's."""
        self._now = now or system_clock
        self._client, self._key = client, read_key_file(file)
        self.public = Bytes32(self._key.public_key().public_bytes_raw())
        self._receipts = file.with_name(f"{file.name}.receipts.jsonl")
        self._facility_id = facility_id
        said = client.get_object(f"/v1/facilities/{facility_id}/log", {})
        try:
            self.log: LogName = log_name(as_text(said["log"]))
            if said["log_key"] == key_text(ZERO32):
                message = f"log {self.log} gives no receipts: nothing can be signed into it"
                raise Conflict(message)
            self._signers = only(key_from(as_text(said["log_key"])))
            for logged in shown_successors(said):
                # Its first key is believed because the service says it: this is no less.
                self._signers = self._signers.followed(
                    logged, log=self.log, believes=lambda _author, _key: True
                )
        except (ValueError, TypeError, KeyError) as error:
            raise AppError("the service says of the log what no Rentroll would") from error

    # --- keys -----------------------------------------------------------------------------------

    def keys(self) -> list[dict[str, object]]:
        """The keys of the log, as the service lists them."""
        path = f"/v1/facilities/{self._facility_id}/log/keys"
        return [as_object(key) for key in as_list(self._client.get(path))]

    def bring(self, key: Bytes32, *, name: str) -> Receipt:
        """Name a collector's key."""
        self._bring_itself()
        body = key_body(key, name=name, role=KeyRole.COLLECTOR)
        return self._send(EntryKind.KEY, body, _JSON)[0]

    def end(self, key: Bytes32) -> Receipt:
        """End a key: it signs nothing more in this log."""
        self._bring_itself()
        return self._send(EntryKind.KEY_END, key_end_body(key), _JSON)[0]

    def name_log_key(self, key: Bytes32) -> Receipt:
        """Name the key that signs the log's receipts in place of one that is lost."""
        # Receipts can be signed by nobody else, also of the entry by which this key brings itself.
        self._signers = LogSigners((*self._signers, LogSigner(key)))
        self._bring_itself()
        return self._send(EntryKind.SUCCESSOR, successor_body(key), _JSON)[0]

    def send(self, body: bytes) -> dict[str, object]:
        """Sign and send an array of events; returns the answer."""
        self._bring_itself()
        return self._send(EntryKind.BATCH, body, BATCH)[1]

    def give_back(self) -> tuple[int, dict[str, object]]:
        """Show the log what it lost of what this key signed: receipts with bodies.

        Returns: how many were shown with their bodies, and where the log stands then.
        """
        path = f"/v1/facilities/{self._facility_id}/log"
        standing = self._client.get_object(path, {})
        with self._kept() as file:
            lost = [k for k in self._lines(file) if k[0].entry.number > int(str(standing["size"]))]
        count = 0
        lost.sort(key=lambda kept: kept[0].entry.number)
        # The newest first, alone: nothing new may take the place of what is lost.
        for receipt, said in [*((r, b"") for r, _ in lost[-1:]), *lost]:
            shown = base64.b64encode(pack_receipt(receipt)).decode("ascii")
            headers = {"rentroll-receipt": shown, "content-type": _JSON}
            answer = as_object(self._client.post_lines("/v1/log/entries", said, headers))
            if isinstance(answer.get("detail"), str):
                message = f"entry {receipt.entry.number} cannot be given back: {answer['detail']}"
                raise Conflict(message)
            count += bool(said)
        return count, self._client.get_object(path, {})

    def _bring_itself(self) -> None:
        """The first thing that a ledger key signs in a log is that it signs there."""
        if all(known["key"] != key_text(self.public) for known in self.keys()):
            own = key_body(self.public, name="ledger key", role=KeyRole.LEDGER)
            self._send(EntryKind.KEY, own, _JSON)

    # --- one request ----------------------------------------------------------------------------

    def _send(
        self, kind: EntryKind, body: bytes, content_type: str
    ) -> tuple[Receipt, dict[str, object]]:
        with self._kept() as file:
            for _ in range(_ATTEMPTS):
                ours = self._newest(file)
                path = self._client.path_of(PATHS[kind])
                headers = sign_request(
                    self._key,
                    path=path,
                    content_type=content_type,
                    body=body,
                    log=self.log,
                    after=ZERO32 if ours is None else entry_hash(ours.entry),
                    created_s=self._now(),
                )
                status, answer = self._client.post_bytes(PATHS[kind], body, headers)
                receipt = self._receipt(answer, ours)
                if status == HTTPStatus.OK:
                    receipt.require_of(body)
                    _require_answers(receipt, answer)
                signed = read_request(headers, path=path)
                said = said_of(body, signed) if status == HTTPStatus.OK else b"{}"
                self._keep(file, receipt, said)
                if status == HTTPStatus.OK:
                    return receipt, answer
        raise Conflict("another machine signs with this key at the same time: try again")

    def _receipt(self, answer: Mapping[str, object], ours: Receipt | None) -> Receipt:
        """The receipt of an answer, checked. Raises EvidenceInvalid."""
        if "receipt" not in answer:
            raise EvidenceInvalid("the service gives no receipt")
        receipt = receipt_from(as_object(answer["receipt"]))
        receipt.require_signed(self._signers)
        if receipt.entry.log != self.log:
            raise EvidenceInvalid(f"{receipt.where}: it is of another log than {self.log}")
        if receipt.entry.author != self.public:
            raise EvidenceInvalid(f"{receipt.where}: it is another key's")
        if ours is not None and receipt.entry.number <= ours.entry.number:
            message = f"the log goes on behind entry {receipt.entry.number}, and there is a receipt"
            message += f" of entry {ours.entry.number} in {self._receipts}: it was rewritten, or"
            message += " restored from an older copy: `rentroll ledger-key give-back`"
            raise EvidenceInvalid(message)
        return receipt

    # --- the file of receipts -------------------------------------------------------------------

    @contextmanager
    def _kept(self) -> Iterator[BinaryIO]:
        """The file of receipts, for one process at a time: each request names the one before."""
        try:
            file = self._receipts.open("a+b")
        except OSError as error:
            message = f"{self._receipts} cannot be written: {error.strerror}"
            raise InvalidInput(message, field="ledger_key") from error
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def receipts(self) -> list[Receipt]:
        """All receipts of the log. Raises InvalidInput, EvidenceInvalid."""
        with self._kept() as file:
            return self._read(file)

    def _newest(self, file: BinaryIO) -> Receipt | None:
        """The newest receipt of the log. Raises InvalidInput, EvidenceInvalid."""
        own = self._read(file)
        newest = max(own, key=lambda receipt: receipt.entry.number, default=None)
        if newest is not None:
            # Its keys follow each other: under another, this is another log.
            newest.require_signed(self._signers)
        return newest

    def _read(self, file: BinaryIO) -> list[Receipt]:
        file.seek(0)
        lines = file.read().split(b"\n")
        if lines[-1]:
            # Whoever wrote the last line was killed: the service shows what it said.
            file.truncate(file.tell() - len(lines[-1]))
        try:
            found = [receipt_from(as_object(read_json(line))) for line in lines[:-1]]
        except (ValueError, TypeError, EvidenceInvalid) as error:
            message = f"{self._receipts} cannot be read: {error}"
            raise InvalidInput(message, field="ledger_key") from error
        return [receipt for receipt in found if receipt.entry.log == self.log]

    def _lines(self, file: BinaryIO) -> list[tuple[Receipt, bytes]]:
        """Receipts of the log, each with what it is for; nothing of one of before that was kept."""
        receipts = {encode_entry(receipt.entry): receipt for receipt in self._read(file)}
        file.seek(0)
        said: dict[bytes, bytes] = {}
        for line in file.read().splitlines():
            document = as_object(read_json(line))
            entry = bytes.fromhex(as_text(document["entry"])[2:])
            if entry in receipts and "packed" in document:
                names = ("packed", "request")
                said[entry] = orjson.dumps({name: document[name] for name in names})
        return [(receipt, said.get(entry, b"")) for entry, receipt in receipts.items()]

    def _keep(self, file: BinaryIO, receipt: Receipt, said: bytes) -> None:
        """Keep a receipt, and beside it what it is for: a log that loses it gets it back."""
        line = {**receipt_document(receipt), **as_object(read_json(said))}
        file.write(orjson.dumps(line) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _require_answers(receipt: Receipt, answer: Mapping[str, object]) -> None:
    """Refuse a receipt of other answers than came with it. Raises EvidenceInvalid."""
    if receipt.entry.kind is not EntryKind.BATCH:
        return
    try:
        rows = [as_object(row) for row in as_list(answer["results"])]
        said = len(rows) == len(receipt.answers) and all(
            answer_says(byte, str(r["status"]), str(r.get("code")), known=r.get("known") is True)
            for byte, r in zip(receipt.answers, rows, strict=True)
        )
    except (TypeError, KeyError) as error:
        raise EvidenceInvalid("the service answers what no Rentroll would") from error
    if not said:
        raise EvidenceInvalid(f"{receipt.where}: it says other answers than came with it")


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
