"""Parameters, bounded so that no number is larger than a column, and answers as files."""

from typing import Annotated

from fastapi import Depends, Path, Query, Response

from api.domain.units import MAX_I64, MAX_U32, Bytes32, Epoch, FacilityId, TrancheId

FacilityPath = Annotated[
    FacilityId, Path(ge=0, le=MAX_I64, description="Facility: its on-chain id.")
]
EpochPath = Annotated[Epoch, Path(ge=0, le=MAX_U32, description="Epoch of the facility, from 0.")]
LineIndex = Annotated[int, Path(ge=0, le=MAX_U32, description="Place of the line, from 0.")]
LeasePath = Annotated[
    str,
    Path(
        min_length=1,
        max_length=120,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Your id of the lease.",
    ),
]
# Far above any number of rows, and small enough for a 64-bit OFFSET of the database.
Offset = Annotated[int, Query(ge=0, le=2**40, description="Number of rows to skip.")]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Most rows in the answer.")]
PageLimit = Annotated[int, Query(ge=1, le=500, description="Most rows in the answer.")]
# Claims of many holders make many rows: one answer holds what a reconciliation sums, by default.
CashFlowLimit = Annotated[int, Query(ge=1, le=10_000, description="Most rows in the answer.")]


async def _tranche_id(
    token_id: Annotated[
        str,
        # 22 digits: a facility's id has 63 bits, and eight more name the tranche.
        Path(pattern=r"^[0-9]{1,22}$", description="Tranche: its ERC-1155 id as decimal text."),
    ],
) -> TrancheId:
    return TrancheId(int(token_id))


TranchePath = Annotated[TrancheId, Depends(_tranche_id)]


async def _pledge_root(
    pledge_root: Annotated[
        str,
        Path(
            pattern=r"^0x[0-9a-f]{64}$",
            description="Root over the devices, 0x-hex in lower case.",
        ),
    ],
) -> Bytes32:
    return Bytes32(bytes.fromhex(pledge_root[2:]))


PledgeRootPath = Annotated[Bytes32, Depends(_pledge_root)]
AddressPath = Annotated[
    str, Path(pattern=r"^0x[0-9a-fA-F]{40}$", description="Account: a wallet address.")
]

CSV_FILE: dict[int | str, dict[str, object]] = {
    200: {
        "description": "CSV (RFC 4180, UTF-8); unknown is an empty cell.",
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}


def csv_answer(data: bytes, filename: str) -> Response:
    """A CSV file to be saved under a name."""
    headers = {
        "Content-Disposition": f'attachment; filename="{filename}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type="text/csv; charset=utf-8", headers=headers)
