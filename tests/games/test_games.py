"""People who want money play the rules of `api.domain`; an entitlement of its own keeps watch."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.games import players
from tests.games.game import DUST, Game, random_game
from tests.games.moves import CAPS, CHALLENGE_S, EPOCH_S, EPOCHS, RATE, Deal, Do, Move
from tests.games.players import Draw, Player


def _drawn(data: st.DataObject) -> Draw:
    return lambda low, high: data.draw(st.integers(low, high))


@st.composite
def _deals(draw: st.DrawFn) -> Deal:
    seniors = draw(st.integers(0, CAPS[0]))
    juniors = draw(st.integers(0 if seniors else 1, CAPS[1]))
    bond = draw(st.integers(0, 120)) * 1_000_000 + draw(st.integers(0, 999))
    promised = draw(st.sampled_from([1_000_000, 500_000, 990_000]))
    return Deal((seniors, juniors), bond, promised, draw(st.sampled_from([0, 100, 1_000])))


def require_entitled(game: Game) -> None:
    """Nobody has more than rule 4 gives, nor less, in any coalition; and nothing is left over."""
    assert game.table.closing is not None, "no facility stays open for ever"
    gains = game.gains().each()
    for size in range(1, len(gains) + 1):
        for members in combinations(gains, size):
            assert abs(sum(members)) <= DUST
    table = game.table
    money = game.deal.bond + table.sale.proceeds + table.collected
    # Rent that exceeds what is attested goes back to who paid it; what is paid out does not.
    money -= max(0, table.collected - max(table.billed, table.settled))
    # Each of four holders and of two streams keeps less than one minor unit.
    assert 0 <= money - sum(table.totals().each()) <= 6


class GameMachine(RuleBasedStateMachine):
    """Every rule is a turn of one player."""

    @initialize(deal=_deals())
    def found(self, deal: Deal) -> None:
        """A facility is funded."""
        self.game = Game(deal)

    def _turn(self, player: Player, data: st.DataObject) -> None:
        self.game.turn(player, _drawn(data))

    @rule(data=st.data())
    def honest_operator(self, data: st.DataObject) -> None:
        """It states or publishes the next epoch."""
        self._turn(players.honest_operator, data)

    @rule(data=st.data())
    def lazy_operator(self, data: st.DataObject) -> None:
        """It delivers some of the next epoch."""
        self._turn(players.lazy_operator, data)

    @rule(data=st.data())
    def thief(self, data: st.DataObject) -> None:
        """It tries one of its tricks."""
        self._turn(players.thief, data)

    @rule(data=st.data())
    def renter(self, data: st.DataObject) -> None:
        """It pays, or not."""
        self._turn(players.renter, data)

    @rule(data=st.data(), who=st.sampled_from([players.buyer, players.hoping_junior]))
    def holder(self, data: st.DataObject, who: Player) -> None:
        """A holder burns units, or works for a default."""
        self._turn(who, data)

    @rule(data=st.data(), who=st.sampled_from([players.lone_attester, players.attesters]))
    def attesters(self, data: st.DataObject, who: Player) -> None:
        """Attesters sign alone, or reject."""
        self._turn(who, data)

    @rule(data=st.data(), who=st.sampled_from([players.pauser, players.enforcer]))
    def roles(self, data: st.DataObject, who: Player) -> None:
        """A role does its worst."""
        self._turn(who, data)

    @rule(data=st.data(), who=st.sampled_from([players.stranger, players.anybody]))
    def others(self, data: st.DataObject, who: Player) -> None:
        """Somebody without a stake calls what is public."""
        self._turn(who, data)

    @precondition(lambda self: self.game.table.now_s >= EPOCH_S)
    @rule(data=st.data())
    def ending(self, data: st.DataObject) -> None:
        """Somebody goes on towards an end."""
        self._turn(players.ending, data)

    def teardown(self) -> None:
        """Every game ends, and everybody has what it is entitled to."""
        if not hasattr(self, "game"):
            return
        self.game.finish(lambda low, high: (low + high) // 2)
        require_entitled(self.game)


TestGame = GameMachine.TestCase
TestGame.settings = settings(
    settings.get_profile("rentroll"), max_examples=40, stateful_step_count=25
)


@given(st.integers(0, 2**40))
def test_game__any_players__everybody_has_its_entitlement(seed: int) -> None:
    require_entitled(random_game(seed))


# --- pairs: what one delivered hour changes ----------------------------------------------------

_STATED, _PUBLISHED, _SILENT = range(3)
_Words = list[tuple[int, int]]
_histories = st.lists(
    st.tuples(st.sampled_from([_STATED, _STATED, _PUBLISHED, _SILENT]), st.integers(0, 10)),
    min_size=EPOCHS,
    max_size=EPOCHS,
)


def _played(deal: Deal, words: _Words, *, burned: int = 0, late: bool = False) -> Game:
    """A facility whose epochs are stated, published or silent; rent is paid at once, or late."""
    game = Game(deal)
    middle: Draw = lambda low, high: low  # noqa: E731
    if burned:
        game.move(Move(Do.BURN, 0, burned))
    for epoch, (word, hours) in enumerate(words):
        over = Move(Do.WAIT, max(0, (epoch + 1) * EPOCH_S - game.table.now_s))
        if word == _SILENT:
            break
        game.move(over)
        if word == _PUBLISHED or game.table.published:
            game.move(Move(Do.PUBLISH, epoch))
            continue
        rent = hours * RATE
        game.move(Move(Do.STATE, hours * 3_600, rent))
        if rent and not late:
            game.move(Move(Do.PAY, rent))
        game.move(Move(Do.WAIT, CHALLENGE_S))
        game.move(Move(Do.SETTLE))
    for _ in range(3):
        game.turn(players.ending, middle)
    owed = game.table.billed - game.table.collected
    if owed > 0:
        game.move(Move(Do.PAY, owed))
        game.move(Move(Do.SETTLE))
    game.move(Move(Do.WAIT, 3 * 86_400))
    require_entitled(game)
    return game


def _pair(deal: Deal, words: _Words, at: int, **how: object) -> tuple[Game, Game]:
    """Two games that differ in one hour of one epoch."""
    more = [*words]
    more[at] = (words[at][0], words[at][1] + 1)
    return _played(deal, words, **how), _played(deal, more, **how)


@given(_deals(), _histories, st.integers(0, EPOCHS - 1), st.integers(0, 10), st.booleans())
def test_pair__one_hour_more_delivered__operator_never_loses(
    deal: Deal, words: _Words, at: int, burned: int, late: bool
) -> None:
    words = [(_STATED, min(9, h)) if e <= at else (w, h) for e, (w, h) in enumerate(words)]
    less, more = _pair(deal, words, at, burned=min(burned, deal.bought[0] // 2), late=late)

    assert less.table.totals().operator <= more.table.totals().operator + DUST


def _within_promise(deal: Deal, words: _Words) -> _Words:
    """Whole hours, no more than each epoch promises: hours beyond it are owed to nobody."""
    most = deal.promise_s // 3_600
    return [(word, min(hours, most)) for word, hours in words]


@given(_deals(), _histories)
def test_pair__epoch_hidden__operator_never_gains(deal: Deal, words: _Words) -> None:
    words = _within_promise(deal, words)
    stated = next((e for e, (w, _) in enumerate(words) if w != _STATED), EPOCHS)
    words = [(w, h) if e < stated else (_SILENT, 0) for e, (w, h) in enumerate(words)]
    if not stated:
        return
    hidden = [*words[: stated - 1], *[(_SILENT, 0)] * (EPOCHS - stated + 1)]

    said, silent = _played(deal, words), _played(deal, hidden)

    assert silent.table.totals().operator <= said.table.totals().operator + DUST
