"""challengeDevice: a line is judged by the pledge that is in force in the epoch of its start."""

from bisect import bisect_left

import brownie
import pytest

from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind
from api.domain.statements.faults import FaultKind
from api.domain.statements.lines import Line
from api.domain.units import ZERO32
from tests.contracts.pledges import pledge
from tests.contracts.registry_world import Posted, RegistryWorld, empty_statement
from tests.ledgers import facility

NEW = keccak(b"a card that came later")


@pytest.fixture
def book(accounts):
    """A registry without delays; from epoch 2 on facility 7 has a new card for an old one."""
    world = RegistryWorld(accounts)
    world.old = world.pledge
    world.gone = world.terms.devices[2]
    kept = [device for device in world.terms.devices if device != world.gone]
    world.new = pledge(7, kept, later={NEW: 2})
    world.replace_devices(world.new, 2)
    return world


def _post(book, terms, epoch, device, previous=ZERO32, *, used_in=None):
    """A statement of one line that names a device; it may be late usage of an earlier epoch."""
    base = empty_statement(terms, epoch, previous)
    kind = LineKind.USAGE if used_in is None else LineKind.LATE
    start_s, _ = terms.epoch_bounds(epoch if used_in is None else used_in)
    counted, charge = (60, 5) if used_in is None else (0, 0)
    sums = (counted, charge)
    line = Line(0, kind, device, keccak(b"lease"), start_s, start_s + 60, *sums, *sums)
    posted = Posted(base, [line])
    book.post(posted.statement)
    return posted


def _around(pledged, device):
    """What shows that a pledge does not hold a device: its neighbours, or the last one alone."""
    devices = [one.device for one in pledged.devices]
    above = bisect_left(devices, device)
    places = {above - 1, above} & set(range(len(devices)))
    return [pledged.proven(place) for place in sorted(places)]


def _itself(pledged, device):
    return [pledged.of_card(device)]


def _challenge(book, posted, neighbours):
    sender = {"from": book.challenger}
    return book.registry.challengeDevice(posted.abi, posted.proven(0), neighbours, sender)


def _proves(book, posted, neighbours):
    done = _challenge(book, posted, neighbours)
    assert done.events["StatementVoided"][0]["fault"] == int(FaultKind.DEVICE_NOT_PLEDGED)


def _fails(error, book, posted, neighbours):
    with brownie.reverts(error):
        _challenge(book, posted, neighbours)


def test_challenge_device__before_the_replacement__asks_the_old_pledge(book):
    """Nobody at fault for an epoch that was right when it was stated: rule 16."""
    first = _post(book, book.terms, 0, book.gone)
    _fails("NoFault: 7, 0", book, first, _itself(book.old, book.gone))
    _fails("ProofInvalid: 1", book, first, _around(book.new, book.gone))
    early = _post(book, book.terms, 1, NEW, first.hash)

    _fails("ProofInvalid: 1", book, early, _itself(book.new, NEW))
    _proves(book, early, _around(book.old, NEW))

    assert book.registry.epochsPosted(7) == 1


def test_challenge_device__after_the_replacement__asks_the_new_pledge(book):
    first = _post(book, book.terms, 0, book.gone)
    second = _post(book, book.terms, 1, book.gone, first.hash)
    right = _post(book, book.terms, 2, NEW, second.hash)
    _fails("NoFault: 7, 2", book, right, _itself(book.new, NEW))
    _fails("ProofInvalid: 1", book, right, _around(book.old, NEW))
    wrong = _post(book, book.terms, 3, book.gone, right.hash)

    _fails("ProofInvalid: 1", book, wrong, _itself(book.old, book.gone))
    _proves(book, wrong, _around(book.new, book.gone))

    assert book.registry.epochsPosted(7) == 3


@pytest.mark.parametrize(("used_in", "fault"), [(1, False), (2, True)])
def test_challenge_device__late_usage__is_judged_by_the_epoch_of_its_start(book, used_in, fault):
    """What was used before the replacement can be stated after it, and only that."""
    previous = ZERO32
    for epoch in range(3):
        device = NEW if epoch == 2 else book.gone
        previous = _post(book, book.terms, epoch, device, previous).hash

    late = _post(book, book.terms, 3, book.gone, previous, used_in=used_in)

    if fault:
        _proves(book, late, _around(book.new, book.gone))
        return
    _fails("NoFault: 7, 3", book, late, _itself(book.old, book.gone))
    _fails("ProofInvalid: 1", book, late, _around(book.new, book.gone))


@pytest.mark.parametrize(("epoch", "fault"), [(0, True), (1, False)])
def test_challenge_device__pledged_from_a_later_epoch__is_none_before(book, epoch, fault):
    """A card that joins later stands in the pledge of the offer, with its first epoch."""
    terms = facility(8, window_start_s=book.terms.window_start_s, first=20)
    pledged = pledge(8, terms.devices[1:], later={NEW: 1})
    book.set_facility(terms, pledge=pledged)
    previous = _post(book, terms, 0, terms.devices[1]).hash if epoch else ZERO32
    posted = _post(book, terms, epoch, NEW, previous)
    itself = _itself(pledged, NEW)
    _fails(f"NoFault: 8, {epoch}", book, posted, [*itself, *_itself(pledged, terms.devices[1])])

    if fault:
        _proves(book, posted, itself)
    else:
        _fails(f"NoFault: 8, {epoch}", book, posted, itself)
