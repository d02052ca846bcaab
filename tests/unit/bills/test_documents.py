"""Documents of a month, from the worked stories of docs/LEDGER.md; each figure by hand."""

from dataclasses import replace

import pytest

from api.domain.bills.account import Mover, PricedTime, SlaShare, TierFill
from api.domain.bills.documents import (
    BillKind,
    Content,
    Issue,
    NamedStatement,
    Parties,
    Token,
    bill_kind,
    component_name,
    document_hash,
    document_of,
    encode_document,
    is_month_stated,
    is_worth_issuing,
    month_text,
    open_credit,
)
from api.domain.facility import TrancheTerms
from api.domain.hashing import keccak
from api.domain.json_text import read_json
from api.domain.metering.calendar import Calendar, month_of
from api.domain.metering.facts import Adjusted, Agreed, Held, Out, Place, Until, Voided
from api.domain.metering.lease_terms import (
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
    terms_hash,
)
from api.domain.units import ZERO32
from tests.unit.bills.recorded import RecordedBooks
from tests.unit.statements.histories import NEW_YEAR_S
from tests.unit.values import DAY_S, DEVICES, TERMS

HOUR_S = 3_600
USD = 1_000_000
JANUARY = month_of(NEW_YEAR_S)
CARD, OTHER = DEVICES[:2]
LEASE, PARTY = keccak(b"lease"), keccak(b"party")


class Story:
    """A facility of so many days from the new year on, and one lease of it."""

    def __init__(self, *, days=31, **components):
        self.terms = replace(
            TERMS,
            window_start_s=NEW_YEAR_S,
            window_end_s=NEW_YEAR_S + days * DAY_S,
            expires_at_s=NEW_YEAR_S,
            devices=(CARD, OTHER),
            tranches=(TrancheTerms(1),),
            seal_s=10 * DAY_S,
        )
        self.books = RecordedBooks(self.terms)
        self.hash, self.version = ZERO32, 0
        self.agree(**components)

    @property
    def place(self):
        return Place(len(self.books.told) + 1, 0)

    def agree(self, **components):
        self.version += 1
        components.setdefault("prices", (PriceStep(NEW_YEAR_S, USD),))
        terms = TermsVersion(self.version, self.hash, PARTY, NEW_YEAR_S, **components)
        self.books.take([Agreed(LEASE, terms)])
        self.hash = terms_hash(LEASE, terms)

    def used(self, start_h, end_h, *, device=CARD):
        place = self.place
        span = (NEW_YEAR_S + h * HOUR_S for h in (start_h, end_h))
        self.books.take([Held(place, device, LEASE, *span)])
        return place

    def out(self, start_h, end_h, *, device=CARD, lease=LEASE, planned=False):
        place = self.place
        span = (NEW_YEAR_S + h * HOUR_S for h in (start_h, end_h))
        self.books.take([Out(place, device, lease, *span, planned)])
        return place

    def close(self, days=1):
        for _ in range(days):
            self.books.state(self.books.next_period)

    def account(self):
        return self.books.account(JANUARY)

    def lines(self, *, after=0):
        """January's lines in the statements behind the first so many."""
        return [x for x in self.books.stated(LEASE, JANUARY) if x.epoch >= after]

    def content(self, *, after=0):
        account, stated = self.account(), self.books.stated(LEASE, JANUARY)
        lines = [line for line in stated if line.epoch >= after]
        epochs = sorted({line.epoch for line in lines})
        periods = [self.books.cuts[epoch].period for epoch in epochs]
        return Content(
            parties=Parties("op", "0xop", 7, "hall", "H100", "SE", "lease-1", LEASE, "acme"),
            token=Token("0xtoken", "mUSD", 6),
            lockbox=None,
            month=JANUARY,
            start_s=NEW_YEAR_S,
            end_s=self.terms.window_end_s,
            through=self.books.cuts[-1].period.epoch,
            statements=[
                NamedStatement(p.epoch, p.closing, p.start_s, p.end_s, keccak(b"%d" % p.epoch))
                for p in periods
            ],
            lines=lines,
            about={},
            movers=account.movers(LEASE),
            open_credit=open_credit(stated, account.owed(LEASE)),
            explained=account.explained(LEASE),
            changes_until_s=account.calendar.sealed_from_s(JANUARY),
        )


def charges(lines):
    """What lines say in whole dollars, by component."""
    found = {}
    for line in lines:
        name = component_name(line.kind)
        found[name] = found.get(name, 0) + line.charge / USD
    return {name: amount for name, amount in found.items() if amount}


def test_take_or_pay__usage_a_day_late__bill_48_and_a_note_of_nothing():
    """2 GPUs committed for a day at 1; their usage comes a day late. 48 once, and that is it."""
    until = NEW_YEAR_S + DAY_S
    story = Story(days=2, commitment=(CommitmentStep(NEW_YEAR_S, 2),), until_s=until)
    story.close(2)
    bill = story.lines()
    early = story.account().explained(LEASE)
    story.used(0, 24)
    story.used(0, 24, device=OTHER)
    closing = story.terms.closing_period(ended_at_s=None, grace_s=story.terms.grace_s)

    story.books.state(closing)

    later = story.lines(after=2)
    assert charges(bill) == {"shortfall": 48}
    assert charges(later) == {"usage": 48, "shortfall": -48}
    assert not is_worth_issuing(charge=sum(x.charge for x in later), charged_lines=2, first=False)
    assert open_credit([*bill, *later], story.account().owed(LEASE)) == 0
    assert (early.committed, early.excused, early.committed_gpu_seconds) == (48 * USD, 0, 172_800)
    assert (early.used_gpu_seconds, early.billed_gpu_seconds) == (0, 0)
    shown = story.account().explained(LEASE)
    assert (shown.used_gpu_seconds, shown.billed_gpu_seconds) == (172_800, 172_800)
    # Two entries spoke of time that was over: both are named beside the closing statement.
    assert story.account().movers(LEASE) == {
        2: [Mover(Place(2, 0), "usage"), Mover(Place(3, 0), "usage")]
    }


def test_price__typed_wrong__shows_its_open_credit_until_it_is_back():
    """20 an hour for 2, ten hours: 200; then days of 48 give back 48, 48; 84 stay open."""
    story = Story(days=31, prices=(PriceStep(NEW_YEAR_S, 20 * USD),))
    story.used(0, 10)
    story.close()
    assert story.content().amount == 200 * USD
    story.agree(prices=(PriceStep(NEW_YEAR_S, 2 * USD),))
    open_credits = []
    for day in (1, 2):
        story.used(24 * day, 24 * day + 24)
        story.close()
        open_credits.append(story.content().open_credit)

    note = story.content(after=1)

    assert open_credits == [132 * USD, 84 * USD]
    assert [s.epoch for s in note.statements] == [1, 2]
    assert note.amount == 0  # 48 - 48, twice
    assert document_of(note, None)["statements"][0]["moved_by"] == [
        {"entry": 3, "index": 0, "fact": "terms"}
    ]
    (priced,) = note.explained.priced
    assert priced == PricedTime(
        NEW_YEAR_S, NEW_YEAR_S + 3 * DAY_S, 2, 2 * USD, 1, 0, 58 * HOUR_S, 116 * USD
    )


def test_sla__ten_committed_and_an_hour_of_each__shows_share_step_and_cap():
    """10 GPUs for January, an hour used, an hour withheld: 134 ppm of 7,440 hours; 10 %."""
    sla = (SlaStep(130, 1_000), SlaStep(140, 5_000))
    story = Story(commitment=(CommitmentStep(NEW_YEAR_S, 10),), sla=sla, sla_cap_bps=800)
    story.used(0, 2)
    story.out(1, 2, lease=ZERO32)
    story.close(31)

    shown = story.account().explained(LEASE)

    assert shown.sla == SlaShare(HOUR_S, 7_440 * HOUR_S, 134, 1_000, 800, 800)
    assert (shown.used_gpu_seconds, shown.billed_gpu_seconds) == (2 * HOUR_S, HOUR_S)
    assert (shown.withheld_gpu_seconds, shown.planned_gpu_seconds) == (HOUR_S, 0)
    assert (shown.committed, shown.excused) == (7_440 * USD, USD)
    # 1 used + 7,438 not used; eight per cent of it back.
    assert charges(story.lines()) == {"usage": 1, "shortfall": 7_438, "sla": -595.12}


def test_planned_outage__of_a_lease_without_sla__lowers_the_commitment_and_is_shown():
    story = Story(days=1, commitment=(CommitmentStep(NEW_YEAR_S, 1),))
    story.used(0, 12)
    story.out(12, 18, planned=True)
    story.close()

    shown = story.account().explained(LEASE)

    assert shown.sla is None
    assert (shown.planned_gpu_seconds, shown.withheld_gpu_seconds) == (6 * HOUR_S, 0)
    assert charges(story.lines()) == {"usage": 12, "shortfall": 6}


def test_tiers__hours_of_the_month__fill_in_order_of_time():
    """4 hours billed elsewhere; a quarter off above 10, all above 30; 28 hours here."""
    story = Story(tiers=(TierStep(10, 2_500), TierStep(30, 10_000)), hours_before=4)
    story.used(0, 24)
    story.close()
    story.used(24, 28)
    story.close()

    shown = story.account().explained(LEASE)

    assert shown.tiers == (TierFill(10, 2_500, 20 * HOUR_S), TierFill(30, 10_000, 2 * HOUR_S))
    assert charges(story.lines()) == {"usage": 28, "tier": -7}


def test_minimum__idle_lease__is_shown_prorated():
    """310 a month, agreed on the 11th: 210 of it."""
    story = Story(days=31, prices=(), minimum=310 * USD)
    story.hash = ZERO32
    tenth_s = NEW_YEAR_S + 10 * DAY_S
    terms = TermsVersion(1, ZERO32, PARTY, tenth_s, minimum=310 * USD)
    story.books = RecordedBooks(story.terms)
    story.books.take([Agreed(LEASE, terms)])
    story.close(31)

    shown = story.account().explained(LEASE)

    assert shown.minimum == 210 * USD
    assert charges(story.lines()) == {"minimum": 210}
    assert shown.priced[0].price == 0


def test_fixed__upfront__is_named():
    item = FixedItem("upfront", NEW_YEAR_S, 500 * USD)
    story = Story(fixed=(item, FixedItem("end", NEW_YEAR_S + 40 * DAY_S, 70 * USD)))
    story.close()

    assert story.account().explained(LEASE).fixed == (item,)
    assert charges(story.lines()) == {"fixed": 500}


def test_adjustment__goodwill__is_of_the_month_that_states_it_and_of_no_open_credit():
    story = Story()
    story.used(0, 10)
    subject = keccak(b"goodwill")
    story.books.take([Adjusted(story.place, subject, LEASE, -3 * USD)])
    story.close()

    content = story.content()

    assert (content.amount, content.open_credit) == (7 * USD, 0)
    document = document_of(replace(content, about={subject: "goodwill"}), None)
    assert document["components"] == {"adjustment": -3 * USD, "usage": 10 * USD}
    assert [line["about"] for line in document["lines"]] == [None, "goodwill"]


def test_movers__corrections_of_all_kinds__name_those_of_the_lease():
    """Told late of day 0: a use, its end, a void, an outage of the held card; of others nothing."""
    story = Story()
    wrong = story.used(0, 2, device=OTHER)
    right = story.used(0, 4)
    story.close(2)
    story.books.take([Voided(wrong)])
    story.books.take([Until(right, NEW_YEAR_S + 6 * HOUR_S)])
    story.out(1, 2, lease=ZERO32)
    stranger = keccak(b"stranger")
    story.books.take([Agreed(stranger, TermsVersion(1, ZERO32, PARTY, NEW_YEAR_S))])
    story.books.take([Held(story.place, OTHER, stranger, NEW_YEAR_S, NEW_YEAR_S + HOUR_S)])
    story.out(8, 9, lease=ZERO32)
    story.used(48, 50)  # of its own time: explained by its usage line
    story.close()

    moved = story.account().movers(LEASE)

    assert moved == {
        2: [
            Mover(Place(4, 0), "void"),
            Mover(Place(5, 0), "until"),
            Mover(Place(6, 0), "outage"),
        ]
    }
    # 4 hours, 2 more, less the one that was out.
    assert story.account().explained(LEASE).billed_gpu_seconds == 5 * HOUR_S + 2 * HOUR_S


def test_account__fact_of_another_month__is_left_aside():
    """What is said of a fact that was not handed over says nothing of the month."""
    story = Story(days=59)
    far = story.used(40 * 24, 41 * 24)
    story.close(42)
    story.books.take([Voided(far)])
    story.close()
    books = story.books
    books.told = [each for each in books.told if not isinstance(each.fact, Held)]

    shown = story.account().explained(LEASE)

    assert (shown.used_gpu_seconds, story.account().movers(LEASE)) == (0, {})


def test_open_credit__facts_that_owe_more_than_was_stated__is_none():
    story = Story()
    story.used(0, 10)
    story.close()

    assert open_credit([], story.account().owed(LEASE)) is None


def test_month_stated__last_epoch_or_closing__and_not_before():
    story = Story(days=33)
    calendar = Calendar(story.terms)
    story.close(33)
    closing = story.terms.closing_period(ended_at_s=None, grace_s=story.terms.grace_s)
    story.books.state(closing)
    cuts = story.books.cuts

    stated = [is_month_stated(calendar, JANUARY, last=cut) for cut in cuts]

    assert stated == [False] * 30 + [True] * 4
    # March lies behind the window: only adjustments of the closing are of it.
    assert [is_month_stated(calendar, JANUARY + 2, last=cut) for cut in cuts[-2:]] == [False, True]


@pytest.mark.parametrize(
    ("amount", "first", "kind"),
    [
        (5, True, BillKind.BILL), (0, True, BillKind.BILL), (-5, True, BillKind.CREDIT_NOTE),
        (5, False, BillKind.DEBIT_NOTE), (-5, False, BillKind.CREDIT_NOTE),
    ],
)  # fmt: skip
def test_bill_kind__by_sign_and_place(amount, first, kind):
    assert bill_kind(amount, first=first) is kind


def test_worth_issuing__a_bill_of_nothing__if_money_moved():
    """Used for 100 and 100 credited: its renter gets a bill of 0. Only late time: no bill."""
    assert is_worth_issuing(charge=0, charged_lines=2, first=True)
    assert not is_worth_issuing(charge=0, charged_lines=2, first=False)
    assert not is_worth_issuing(charge=0, charged_lines=0, first=True)
    assert is_worth_issuing(charge=-1, charged_lines=1, first=False)


def test_document__issued__is_canonical_and_says_what_it_corrects():
    story = Story()
    story.used(0, 10)
    story.close()
    issue = Issue(12, BillKind.CREDIT_NOTE, 7, NEW_YEAR_S, None, ZERO32)

    data = encode_document(document_of(story.content(), issue))

    read = read_json(data)
    assert (read["number"], read["kind"], read["corrects"]) == (12, "credit_note", 7)
    assert (read["month"], read["amount_micros"]) == ("2026-01", 10 * USD)
    assert sum(line["charge_micros"] for line in read["lines"]) == read["amount_micros"]
    assert sum(s["amount_micros"] for s in read["statements"]) == read["amount_micros"]
    assert encode_document(read) == data
    assert document_hash(data) == document_hash(encode_document(read))
    assert month_text(2026 * 12 + 11) == "2026-12"
