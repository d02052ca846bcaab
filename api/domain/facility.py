"""Facilities: terms, epochs and the pledge of devices."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from api.domain.devices import check_parts
from api.domain.log.entry import LogName
from api.domain.merkle import MerkleTree
from api.domain.pledges import PledgedDevice, pledge_tree, whole_cards
from api.domain.units import (
    BPS,
    MAX_U32,
    MAX_U64,
    NO_MICROS,
    PPM,
    ZERO32,
    ZERO_ADDRESS,
    Address,
    Bytes32,
    Epoch,
    FacilityId,
    GpuSeconds,
    Micros,
    capacity_gpu_hours,
)
from api.errors import EvidenceInvalid, InvalidInput

MAX_TRANCHES = 4
MIN_EPOCH_S = 60
# An offer can still be funded for so long after its window began, if its terms allow.
MAX_LATE_FUNDING_S = 3 * 86_400
DAY_S = 86_400
DEFAULT_PATIENCE_S = 7 * DAY_S
DEFAULT_GRACE_S = 3_600
DEFAULT_SEAL_S = 35 * DAY_S
DEFAULT_LONG_STOP_S = 180 * DAY_S
# Of the fee, not of rent.
DEFAULT_ATTESTER_FEE_BPS = 4_000
# Beside an epoch.
MAX_PATIENCE_S = 90 * DAY_S
# A month's facts may come for a quarter; maturity, and with it the bond, waits for the seal.
MAX_SEAL_S = 90 * DAY_S
MIN_LONG_STOP_S = 90 * DAY_S
MAX_LONG_STOP_S = 365 * DAY_S


@dataclass(frozen=True, slots=True)
class TrancheTerms:
    """Terms of one tranche; its seniority is its place in `FacilityTerms.tranches`.

    unit_cap: GPU-hours.  coupon_micros_per_unit: what a unit earns over the window before juniors.
    """

    unit_cap: int
    coupon_micros_per_unit: Micros = NO_MICROS


@dataclass(frozen=True, slots=True)
class Period:
    """What a statement is over: an epoch, or behind the last one the closing statement's time.

    epoch: number of the statement.  start_s, end_s: `[start, end)`, UTC seconds.
    ended_at_s: when the facility ended, where that is what ended the period.
    """

    epoch: Epoch
    start_s: int
    end_s: int
    closing: bool = False
    ended_at_s: int | None = None

    @property
    def over_s(self) -> int:
        """From when on facts of the period are late: for a grace they are still taken."""
        return self.end_s if self.ended_at_s is None else self.ended_at_s


@dataclass(frozen=True)
class FacilityTerms:
    """What a facility offers, as `FacilityRegistry.offer` stores it.

    Times are UTC seconds; addresses are checksummed text; devices are hashes in ascending order.
    cards: of slices, the hash of each one's card; empty for devices that are whole cards.
    profile: of the slices; None for whole cards.
    expires_at_s: an offer that is not funded by then is cancelled.
    patience_s: so long after its end an epoch may be neither stated nor published.
    grace_s: so long after its end an epoch takes records.
    seal_s: so long after the window its facts can still be stated, by the closing statement.
    long_stop_s: so long after window and seal anybody may stop a facility that nobody ended.
    attester_fee_bps: share of the protocol fee that attesters earn by their duties.
    silence_available: a device of which no fact speaks is there for holders; otherwise it is only
    while it was held, delivered, or seen at most ten minutes apart.
    chain_id, registry: where the facility is known by its number; they name its log.
    log_key: Ed25519 key that signs the log's receipts; 32 zero bytes for a log without any.
    unsigned_taken: whether the log takes batches that nobody signed.
    """

    facility_id: FacilityId
    gpu_operator: str
    settlement_token: str
    gpu_class: str
    site: str
    window_start_s: int
    window_end_s: int
    expires_at_s: int
    epoch_length_s: int
    devices: tuple[Bytes32, ...]
    promised_availability_ppm: int
    fee_bps: int
    tranches: tuple[TrancheTerms, ...]
    patience_s: int = DEFAULT_PATIENCE_S
    grace_s: int = DEFAULT_GRACE_S
    seal_s: int = DEFAULT_SEAL_S
    long_stop_s: int = DEFAULT_LONG_STOP_S
    attester_fee_bps: int = DEFAULT_ATTESTER_FEE_BPS
    silence_available: bool = False
    cards: tuple[Bytes32, ...] = ()
    profile: str | None = None
    chain_id: int = 0
    registry: Address = ZERO_ADDRESS
    log_key: Bytes32 = ZERO32
    unsigned_taken: bool = True

    @property
    def log(self) -> LogName:
        """Name of the facility's log; an address has one form in it, lower case."""
        return LogName(self.chain_id, Address(self.registry.lower()), self.facility_id)

    @property
    def device_count(self) -> int:
        """Number of pledged devices."""
        return len(self.devices)

    @property
    def epoch_count(self) -> int:
        """Number of epochs in the delivery window."""
        return (self.window_end_s - self.window_start_s) // self.epoch_length_s

    @cached_property
    def device_set(self) -> frozenset[Bytes32]:
        """Pledged devices, for membership."""
        return frozenset(self.devices)

    @property
    def pledge(self) -> tuple[PledgedDevice, ...]:
        """Pledged devices with their cards, from the first epoch on."""
        if self.profile is None:
            return whole_cards(self.devices)
        pairs = zip(self.devices, self.cards, strict=True)
        return tuple(PledgedDevice(device, card) for device, card in pairs)

    @cached_property
    def pledge_tree(self) -> MerkleTree:
        """Tree over the pledge: its root goes into the offer."""
        return pledge_tree(self.facility_id, self.pledge)

    def epoch_bounds(self, epoch: Epoch) -> tuple[int, int]:
        """`[start, end)` of an epoch in UTC seconds. Raises InvalidInput beyond the window."""
        if not 0 <= epoch < self.epoch_count:
            raise InvalidInput(
                f"facility {self.facility_id} has epochs 0 to {self.epoch_count - 1}, not {epoch}",
                field="epoch",
            )
        start_s = self.window_start_s + epoch * self.epoch_length_s
        return start_s, start_s + self.epoch_length_s

    def period(self, epoch: Epoch) -> Period:
        """An epoch. Raises InvalidInput beyond the window."""
        start_s, end_s = self.epoch_bounds(epoch)
        return Period(epoch, start_s, end_s)

    def closing_period(self, *, ended_at_s: int | None, grace_s: int) -> Period | None:
        """Period of the closing statement; None where no epoch was over when the facility ended.

        Args:    ended_at_s: when it ended, other than by maturity; None while it delivers. If that
                 is before the seal is over, what is late comes for the grace, and no more.
        Source:  `Publications._checkTimes`, which knows the end of such a period by an epoch only.
        """
        epochs, end_s = Epoch(self.epoch_count), self.sealed_at_s
        early = ended_at_s is not None and ended_at_s < end_s
        if ended_at_s is not None and early:
            # As the contract has it: after the end, by an epoch at most.
            last_s = min(max(1, grace_s), self.epoch_length_s)
            epochs, end_s = self.epochs_over(ended_at_s), ended_at_s + last_s
        if epochs == 0:
            return None
        start_s = self.window_start_s + epochs * self.epoch_length_s
        cut_short_s = ended_at_s if early else None
        return Period(epochs, start_s, end_s, closing=True, ended_at_s=cut_short_s)

    def epochs_over(self, at_s: int) -> Epoch:
        """Number of epochs that are over at a time."""
        return closing_number(
            at_s,
            window_start_s=self.window_start_s,
            epoch_length_s=self.epoch_length_s,
            epoch_count=self.epoch_count,
        )

    def stated_period(
        self, number: Epoch, *, ended_at_s: int | None, grace_s: int
    ) -> Period | None:
        """What the statement of a number is over; None for one that there will not be.

        An epoch that the end of the facility cut short is stated nowhere: its number is that of
        the closing statement.
        """
        closing = self.closing_period(ended_at_s=ended_at_s, grace_s=grace_s)
        if closing is None or not 0 <= number <= closing.epoch:
            return None
        return closing if number == closing.epoch else self.period(number)

    @property
    def sealed_at_s(self) -> int:
        """When the closing statement ends, unless the facility ended before."""
        return self.window_end_s + self.seal_s

    def epoch_at(self, instant_s: int) -> Epoch:
        """Epoch that holds an instant inside the window."""
        return Epoch((instant_s - self.window_start_s) // self.epoch_length_s)

    def capacity_gpu_seconds(self) -> GpuSeconds:
        """GPU-seconds of one epoch at full capacity."""
        return GpuSeconds(self.device_count * self.epoch_length_s)


def closing_number(
    ended_at_s: int | None, *, window_start_s: int, epoch_length_s: int, epoch_count: int
) -> Epoch:
    """Number of the closing statement: that of the epochs that were over when a facility ended.

    Args:    ended_at_s: None while it can deliver.
    """
    if ended_at_s is None:
        return Epoch(epoch_count)
    return Epoch(min(epoch_count, max(0, ended_at_s - window_start_s) // epoch_length_s))


def check_pledge(terms: FacilityTerms) -> None:
    """Refuse a pledge in which one part of a card would be in two devices.

    Raises:  InvalidInput with `context["field"]`.
    """
    slices = 0 if terms.profile is None else terms.device_count
    if len(terms.cards) != slices:
        raise InvalidInput(f"devices: {slices} slices, {len(terms.cards)} cards", field="devices")
    check_pledge_parts(terms, terms.pledge)


def check_pledge_parts(terms: FacilityTerms, pledge: Sequence[PledgedDevice]) -> None:
    """The same of any pledge of a facility.

    Names stand for hashes here, so that attesters and anybody else can ask it of what is published.

    Raises:  InvalidInput with `context["field"]`.
    """
    pairs = [("0x" + p.device.hex(), "0x" + p.card.hex()) for p in pledge]
    check_parts(pairs, profile=terms.profile, gpu_class=terms.gpu_class)


def check_terms(terms: FacilityTerms) -> None:
    """Refuse terms that `FacilityRegistry.offer` would refuse at any time, naming the field.

    At the time of the offer, window and expiry must besides lie ahead: the registry alone judges
    that, by the block's time.

    Raises:  InvalidInput with `context["field"]`.
    """

    def require(condition: bool, field: str, message: str) -> None:
        if not condition:
            raise InvalidInput(f"{field}: {message}", field=field)

    for field, text in (("gpu_class", terms.gpu_class), ("site", terms.site)):
        valid = text.isascii() and text.isprintable() and 0 < len(text) <= 32
        require(valid, field, "1 to 32 printable ASCII characters")
    require(0 < terms.facility_id <= MAX_U64 >> 1, "facility_id", "1 to 2^63 - 1")
    require(MIN_EPOCH_S <= terms.epoch_length_s <= MAX_U32 >> 8, "epoch_length_s", "60 to 2^24 - 1")
    window_s = terms.window_end_s - terms.window_start_s
    require(terms.window_start_s > 0, "window_start_s", "after 1970-01-01")
    require(window_s > 0, "window_end_s", "after window_start_s")
    require(terms.window_end_s <= MAX_U32, "window_end_s", "before 2106-02-07")
    whole = window_s % terms.epoch_length_s == 0
    require(whole, "window_end_s", "a whole number of epochs after window_start_s")
    latest_s = terms.window_start_s + MAX_LATE_FUNDING_S
    expires = 0 < terms.expires_at_s <= latest_s
    require(expires, "expires_at_s", "at most three days after window_start_s")
    require(len(terms.devices) > 0, "devices", "at least one device")
    ordered = all(a < b for a, b in pairwise(terms.devices))
    require(ordered, "devices", "ascending by hash, each once")
    check_pledge(terms)
    require(0 <= terms.promised_availability_ppm <= PPM, "promised_availability_ppm", "0 to 10^6")
    require(0 <= terms.fee_bps <= BPS // 10, "fee_bps", "0 to 1000")
    require(0 <= terms.attester_fee_bps <= BPS, "attester_fee_bps", "0 to 10000")
    least_s, most_s = terms.epoch_length_s + DAY_S, terms.epoch_length_s + MAX_PATIENCE_S
    patient = least_s <= terms.patience_s <= most_s
    require(patient, "patience_s", f"an epoch and 1 to 90 days: {least_s} to {most_s}")
    require(0 < terms.seal_s <= MAX_SEAL_S, "seal_s", "above 0, at most 90 days")
    stops = MIN_LONG_STOP_S <= terms.long_stop_s <= MAX_LONG_STOP_S
    require(stops, "long_stop_s", "90 to 365 days")
    require(1 <= len(terms.tranches) <= MAX_TRANCHES, "tranches", "1 to 4")
    require(all(t.unit_cap > 0 for t in terms.tranches), "tranches", "unit_cap above 0")
    last_coupon = terms.tranches[-1].coupon_micros_per_unit
    require(last_coupon == 0, "tranches", "the last tranche takes the residual: coupon 0")
    paid_first = all(t.coupon_micros_per_unit > 0 for t in terms.tranches[:-1])
    require(paid_first, "tranches", "a coupon above 0 for every tranche but the last")
    coupons = all(t.unit_cap * t.coupon_micros_per_unit <= MAX_U64 for t in terms.tranches)
    require(coupons, "tranches", "unit_cap times coupon_micros_per_unit below 2^64")
    capacity = capacity_gpu_hours(device_count=terms.device_count, window_s=window_s)
    units = sum(t.unit_cap for t in terms.tranches)
    require(units <= capacity, "tranches", f"{units} units exceed {capacity} GPU-hours of capacity")


def require_own_log(terms: FacilityTerms, *, chain_id: int, registry: str) -> None:
    """Refuse terms whose log is named after another chain or registry than the facility's own.

    Raises:  EvidenceInvalid.
    """
    own = LogName(chain_id, Address(registry.lower()), terms.facility_id)
    if terms.log != own:
        raise EvidenceInvalid(f"its log is {terms.log}, not {own}")
