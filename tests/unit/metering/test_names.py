"""Hashes of names: one renter has one, and a secret shows nothing of another name."""

import hmac
import itertools

import pytest

from api.domain.hashing import keccak
from api.domain.metering.names import (
    SecretNames,
    ToldLease,
    ToldNames,
    lease_hash,
    party_hash,
    party_name,
)
from api.domain.units import ZERO32, Bytes32, FacilityId
from api.errors import EvidenceInvalid, InvalidInput

FACILITY, NAME_SECRET = FacilityId(7), Bytes32(bytes(range(32)))
NAMES = SecretNames(FACILITY, NAME_SECRET)


# --- one renter has one name (ATTACKS 47) ---------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "Acme", "ACME", "acme ", "  acme", "acme.", "Acme\N{NO-BREAK SPACE}", "acme_", "(acme)",
        "\N{FULLWIDTH LATIN SMALL LETTER A}cme",
    ],
)  # fmt: skip
def test_party__written_otherwise__is_the_same(written: str) -> None:
    assert party_name(written) == "acme"
    assert NAMES.party("l", renter_ref=written) == NAMES.party("other", renter_ref="acme")
    assert NAMES.party_secret(written) == NAMES.party_secret("acme")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Société Générale", "SOCIE\N{COMBINING ACUTE ACCENT}TE\N{COMBINING ACUTE ACCENT}"
         " GE\N{COMBINING ACUTE ACCENT}NE\N{COMBINING ACUTE ACCENT}RALE"),
        ("Straße 5", "STRASSE_5"),
        ("\N{OHM SIGN} AG", "\N{GREEK SMALL LETTER OMEGA}-ag"),
    ],
)  # fmt: skip
def test_party__letters_encoded_otherwise__is_the_same(one: str, other: str) -> None:
    assert party_name(one) == party_name(other)


@pytest.mark.parametrize(
    ("one", "other"), [("acme", "acme-2"), ("1-11", "11-1"), ("ab", "a-b"), ("...", "???")]
)
def test_party__another_word_or_number__is_another(one: str, other: str) -> None:
    assert NAMES.party("l", renter_ref=one) != NAMES.party("l", renter_ref=other)


# --- the bytes that are hashed --------------------------------------------------------------------


def test_hashes__of_a_lease_and_a_renter__are_those_that_evidence_md_says() -> None:
    secret = Bytes32(bytes([9]) * 32)
    facility = (7).to_bytes(8, "big")

    assert lease_hash(FACILITY, "Lease é/1", secret=secret) == keccak(
        b"rentroll/lease/1" + facility + secret + "Lease é/1".encode()
    )
    assert party_hash(FACILITY, "Acme Ltd.", secret=secret) == keccak(
        b"rentroll/party/1" + facility + secret + b"acme-ltd"
    )


def test_secrets__of_a_facility__follow_from_its_name_secret() -> None:
    """So a backup needs one secret a facility; this formula never changes."""
    lease = hmac.digest(NAME_SECRET, "rentroll/lease-secret/1Lease é/1".encode(), "sha256")
    party = hmac.digest(NAME_SECRET, b"rentroll/party-secret/1acme", "sha256")

    assert NAMES.lease_secret("Lease é/1") == lease
    assert NAMES.party_secret("Acme") == party
    assert NAMES.lease("x") == lease_hash(FACILITY, "x", secret=NAMES.lease_secret("x"))
    assert NAMES.party("l", renter_ref="x") == party_hash(
        FACILITY, "x", secret=NAMES.party_secret("x")
    )
    assert NAMES.told("l", renter_ref="x") == ToldLease(
        "l", NAMES.lease_secret("l"), NAMES.party("l", renter_ref="x")
    )


def test_hashes__of_codes_that_look_alike__are_all_different() -> None:
    """What could fall together: NUL, spaces, case, composed letters, parts of labels, nothing."""
    codes = [
        "", "a", "A", "a ", " a", "a\0", "\0a", "a\0b", "ab", "a/b", "a/secret", "é",
        "e\N{COMBINING ACUTE ACCENT}", "\N{FULLWIDTH LATIN SMALL LETTER A}",
        "rentroll/lease/1", "\N{ZERO WIDTH SPACE}a",
    ]  # fmt: skip
    found = {NAMES.lease(code) for code in codes} | {NAMES.lease_secret(code) for code in codes}

    assert len(found) == 2 * len(codes)


def test_hashes__of_one_code_everywhere__are_all_different() -> None:
    """Lease and renter of one name; other facilities; another deployment with the same number."""
    others = [NAMES, SecretNames(FacilityId(8), NAME_SECRET), SecretNames(FACILITY, ZERO32)]
    found = [
        each
        for names in others
        for each in (names.lease("acme"), names.party("l", renter_ref="acme"))
    ]

    assert len(set(found)) == len(found)
    assert NAMES.lease_secret("acme") != NAMES.party_secret("acme")


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_hash__by_a_secret_of_another_length__is_none(length: int) -> None:
    """Else letters could move between a secret and a name: two names with one hash."""
    for make in (lease_hash, party_hash):
        with pytest.raises(InvalidInput, match="32 bytes"):
            make(FACILITY, "a", secret=Bytes32(bytes(length)))


@pytest.mark.parametrize("name", ["\ud800", "a\udfff"])
def test_hash__of_what_is_no_text__is_none(name: str) -> None:
    with pytest.raises(InvalidInput, match="text"):
        NAMES.lease(name)
    with pytest.raises(InvalidInput, match="text"):
        lease_hash(FACILITY, name, secret=NAME_SECRET)


# --- guessing -------------------------------------------------------------------------------------

GUESSES = ("atlas", "birch", "cedar", "north", "south", "acme")


def _made_with(secrets: list[Bytes32]) -> dict[Bytes32, str]:
    """Every hash that somebody can make of guesses, with secrets and hashes that it holds."""
    found = {}
    for secret, guess in itertools.product(secrets, GUESSES):
        forged = SecretNames(FACILITY, secret)
        made = [
            lease_hash(FACILITY, guess, secret=secret),
            party_hash(FACILITY, guess, secret=secret),
            forged.lease(guess),
            forged.party("", renter_ref=guess),
            *(keccak(secret + text.encode()) for text in (guess, "renter:" + guess)),
        ]
        found |= dict.fromkeys(made, guess)
    return found


def test_guesses__with_all_that_an_attester_of_two_leases_is_told__find_those_leases() -> None:
    told = [NAMES.told("atlas", renter_ref="north"), NAMES.told("birch", renter_ref="south")]
    held = [each for lease in told for each in (lease.secret, lease.party)]
    public = {NAMES.lease(guess) for guess in GUESSES} | {
        NAMES.party("", renter_ref=g) for g in GUESSES
    }

    found = _made_with(held)

    assert public & found.keys() == {NAMES.lease("atlas"), NAMES.lease("birch")}


def test_guesses__with_all_that_one_renter_is_given__find_itself_and_its_lease() -> None:
    held = [NAMES.lease_secret("atlas"), NAMES.party_secret("north")]
    public = {NAMES.lease(guess) for guess in GUESSES} | {
        NAMES.party("", renter_ref=g) for g in GUESSES
    }

    found = _made_with(held)

    assert public & found.keys() == {NAMES.lease("atlas"), NAMES.party("", renter_ref="north")}


# --- what an attester believes --------------------------------------------------------------------


def _told(*leases: ToldLease) -> ToldNames:
    names = ToldNames(FACILITY)
    names.learn(leases)
    return names


def test_told__of_two_leases__gives_the_hashes_of_the_service() -> None:
    names = _told(NAMES.told("atlas", renter_ref="North"), NAMES.told("birch", renter_ref="north."))

    for lease, renter in (("atlas", "North"), ("birch", "north.")):
        assert names.lease(lease) == NAMES.lease(lease)
        assert names.party(lease, renter_ref=renter) == NAMES.party(lease, renter_ref=renter)
        names.require_told(lease, renter_ref=renter)
    assert (
        names.party("atlas", renter_ref="NORTH")
        == names.party("other", renter_ref="north")
        == NAMES.party("", renter_ref="north")
    )


def test_told__of_nothing__nobody_has_a_hash_and_no_lease_opens() -> None:
    names = _told(ToldLease("none", NAME_SECRET, ZERO32))

    assert names.lease("atlas") == names.party("atlas", renter_ref="north") == ZERO32
    for lease in ("atlas", "none"):
        with pytest.raises(EvidenceInvalid, match="no secret or renter"):
            names.require_told(lease, renter_ref="north")


def test_told__opened_lease_is_named_with_another_renter__it_is_another() -> None:
    """Whose hash nobody was told: it must not pass for the renter that the lease has."""
    names = _told(NAMES.told("atlas", renter_ref="north"))
    names.require_told("atlas", renter_ref="north")

    assert names.party("atlas", renter_ref="south") == ZERO32
    assert names.party("atlas", renter_ref="north") == NAMES.party("atlas", renter_ref="north")


@pytest.mark.parametrize(
    ("later", "word"),
    [
        (
            ToldLease("atlas", NAME_SECRET, NAMES.party("", renter_ref="north")),
            "another secret or renter",
        ),
        (ToldLease("atlas", NAMES.lease_secret("atlas"), NAME_SECRET), "another secret or renter"),
        (ToldLease("birch", NAMES.lease_secret("atlas"), NAME_SECRET), "one secret for two"),
    ],
)
def test_learn__what_was_told_otherwise_before__is_refused(later: ToldLease, word: str) -> None:
    names = _told(NAMES.told("atlas", renter_ref="north"), NAMES.told("atlas", renter_ref="north"))

    with pytest.raises(EvidenceInvalid, match=word):
        names.learn([later])


@pytest.mark.parametrize(
    ("renters", "parties", "word"),
    [
        (("north", "North "), ("north", "south"), "two hashes for one renter"),
        (("north", "south"), ("north", "north"), "one hash for two renters"),
    ],
)
def test_require_told__renters_split_or_merged__is_refused(
    renters: tuple[str, str], parties: tuple[str, str], word: str
) -> None:
    """Either moves the largest renter's share."""
    told = [
        ToldLease(lease, NAMES.lease_secret(lease), NAMES.party("", renter_ref=party))
        for lease, party in zip(("atlas", "birch"), parties, strict=True)
    ]
    names = _told(*told)
    names.require_told("atlas", renter_ref=renters[0])

    with pytest.raises(EvidenceInvalid, match=word):
        names.require_told("birch", renter_ref=renters[1])
