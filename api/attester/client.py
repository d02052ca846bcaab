"""The attester's view of the service over HTTP."""

import ssl
from pathlib import Path

import httpx

from api.domain.json_text import as_bytes32, as_integer, as_list, as_object, as_text, read_json
from api.domain.statements.recompute import RawInput, read_input
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import AppError, ChainUnavailable

_TIMEOUT_S = 60.0


class HttpAttesterApi:
    """`AttesterApi` over the routes of `api/routes/attester`."""

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

    def _request(self, method: str, path: str, **options: object) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **options)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            raise ChainUnavailable(f"the service does not answer {path}") from error
        if answer.is_error:
            detail = (
                as_object(read_json(answer.content)).get("detail")
                if "json" in answer.headers.get("content-type", "")
                else answer.text[:200]
            )
            raise AppError(f"{method} {path}: {answer.status_code} {detail}")
        return answer

    def pending(self, attester: str) -> list[tuple[FacilityId, Epoch, bytes]]:
        """Statements that this attester has not signed."""
        answer = self._request("GET", "/v1/attester/pending", params={"attester": attester})
        return [
            (
                FacilityId(as_integer(r["facility_id"])),
                Epoch(as_integer(r["epoch"])),
                bytes.fromhex(as_text(r["statement_hash"])[2:]),
            )
            for r in map(as_object, as_list(read_json(answer.content)))
        ]

    def log(self, facility_id: FacilityId, *, after: int) -> RawInput:
        """Reopenings of a facility, and the entries of its log behind one, with the leases that
        they tell of."""
        path = f"/v1/attester/facilities/{facility_id}/log"
        raw = RawInput()
        while True:
            answer = self._request("GET", path, params={"after": after})
            part = read_input(answer.content.splitlines())
            if not part.entries:
                # What was read first says of the facility what was so then; this is newer.
                part.entries, part.leases = raw.entries, raw.leases
                return part
            raw.entries += part.entries
            raw.leases += part.leases
            after = part.entries[-1].entry.number

    def submit(
        self, facility_id: FacilityId, epoch: Epoch, attester: str, signature: bytes
    ) -> None:
        """Hand in a signature."""
        path = f"/v1/attester/facilities/{facility_id}/epochs/{epoch}/attestations"
        body = {"attester": attester, "signature": "0x" + signature.hex()}
        self._request("POST", path, json=body)

    def pending_pledges(self, attester: str) -> list[FacilityId]:
        """Facilities whose pledge waits for a signature of this attester."""
        answer = self._request("GET", "/v1/attester/pledges", params={"attester": attester})
        rows = map(as_object, as_list(read_json(answer.content)))
        return [FacilityId(as_integer(row["facility_id"])) for row in rows]

    def pending_replacements(self, attester: str) -> list[tuple[FacilityId, Epoch, Bytes32]]:
        """`(facility, first epoch, root)` of replacements that this attester has not signed."""
        path = "/v1/attester/replacements"
        answer = self._request("GET", path, params={"attester": attester})
        return [
            (
                FacilityId(as_integer(row["facility_id"])),
                Epoch(as_integer(row["from_epoch"])),
                as_bytes32(row["pledge_root"]),
            )
            for row in map(as_object, as_list(read_json(answer.content)))
        ]

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
        body = {
            "attester": attester,
            "approvals": approvals,
            "signature": "0x" + signature.hex(),
        }
        self._request("POST", path, json=body)

    def submit_pledge(
        self, facility_id: FacilityId, attester: str, *, approvals: int, signature: bytes
    ) -> None:
        """Hand in a signature over a pledge, made after so many approvals."""
        path = f"/v1/attester/facilities/{facility_id}/pledge/signatures"
        body = {
            "attester": attester,
            "approvals": approvals,
            "signature": "0x" + signature.hex(),
        }
        self._request("POST", path, json=body)
