"""Published pledges: the devices of each pledge that took the place of an offer's.

`facility-<id>/pledges/<root>.json` holds them, and its name is their Merkle root: whoever reads it
needs to trust nobody, because the chain holds the root, the first epoch and the approval's number.
`facility.json`, and with it `termsHash`, never change.
"""

from api.domain.json_text import as_bytes32, as_integer, as_list, as_object, read_json
from api.domain.pledges import Pledge, PledgedDevice, pledge_tree
from api.domain.roster import Roster, check_replacement
from api.domain.statements.evidence import canonical_json, facility_folder, hex32
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid, InvalidInput

_FIELDS = {"facility_id", "from_epoch", "devices"}
_DEVICE_FIELDS = {"device", "card", "from_epoch"}


def pledge_path(facility_id: FacilityId, root: Bytes32) -> str:
    """File below the evidence root that holds the devices of a replacement."""
    return f"{facility_folder(facility_id)}/pledges/{root.hex()}.json"


def encode_pledge(facility_id: FacilityId, pledge: Pledge) -> bytes:
    """The bytes of a replacement's file."""
    devices = [
        {"device": hex32(d.device), "card": hex32(d.card), "from_epoch": d.from_epoch}
        for d in pledge.devices
    ]
    document = {
        "facility_id": facility_id,
        "from_epoch": pledge.from_epoch,
        "devices": devices,
    }
    return canonical_json(document)


def decode_pledge(data: bytes, *, number: int) -> tuple[FacilityId, Pledge]:
    """Read what `encode_pledge` wrote: whose pledge it is, and the pledge.

    Args:    number: of its approval, or that it would be given; the file does not hold it.
    Raises:  ValueError, KeyError or TypeError.
    """
    document = as_object(read_json(data))
    if document.keys() != _FIELDS:
        raise ValueError(f"a pledge has the fields {', '.join(sorted(_FIELDS))}")
    rows = [as_object(row) for row in as_list(document["devices"])]
    if any(row.keys() != _DEVICE_FIELDS for row in rows):
        raise ValueError(f"a device has the fields {', '.join(sorted(_DEVICE_FIELDS))}")
    devices = tuple(
        PledgedDevice(
            as_bytes32(row["device"]), as_bytes32(row["card"]), Epoch(as_integer(row["from_epoch"]))
        )
        for row in rows
    )
    from_epoch = Epoch(as_integer(document["from_epoch"]))
    return FacilityId(as_integer(document["facility_id"])), Pledge(number, from_epoch, devices)


def with_replacement(
    roster: Roster, data: bytes, *, root: Bytes32, from_epoch: Epoch, number: int
) -> Roster:
    """A roster with one replacement more, from its published file.

    Args:    root, from_epoch, number: what the chain says of it, or would once it is approved.
    Raises:  EvidenceInvalid if the file holds another pledge than the chain, or if that does more
             than put one device in another's place.
    """
    facility_id = roster.terms.facility_id
    path = pledge_path(facility_id, root)
    try:
        of, pledge = decode_pledge(data, number=number)
        negative = any(d.from_epoch < 0 for d in pledge.devices)
        ours = None if negative else pledge_tree(facility_id, pledge.devices).root
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise EvidenceInvalid(f"{path}: {error}", file=path) from error
    if (of, pledge.from_epoch, ours) != (facility_id, from_epoch, root):
        message = f"{path} does not hold the pledge of facility {facility_id} from {from_epoch}"
        raise EvidenceInvalid(message, file=path)
    try:
        check_replacement(roster, pledge)
    except InvalidInput as error:
        raise EvidenceInvalid(f"{path}: {error.message}", file=path) from error
    return Roster(roster.terms, (*roster.replacements, pledge))
