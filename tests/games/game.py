"""One game: a table, the entitlement beside it, and what was done."""

from random import Random

from tests.games import players
from tests.games.entitlement import Entitlement
from tests.games.moves import Deal, Do, Move, Totals
from tests.games.players import Draw, Player
from tests.games.table import Table

# Settlements, the closing and late rent round by a few minor units each.
DUST = 16


class Game:
    """What was played so far. Every move is checked against nothing but the table's own rules."""

    def __init__(self, deal: Deal) -> None:
        self.deal, self.table, self.entitled = deal, Table(deal), Entitlement(deal)
        self.history: list[tuple[Move, bool]] = []

    def move(self, move: Move) -> bool:
        """Make a move; False if it is refused."""
        done = self.table.apply(move)
        # Settling settles nothing twice, so that a call which is refused is entitled to nothing.
        if done:
            _tell(self.entitled, move, self.table.now_s)
        self.history.append((move, done))
        return done

    def turn(self, player: Player, draw: Draw) -> None:
        """A player plays."""
        for move in player(self.table, draw):
            self.move(move)

    def finish(self, draw: Draw) -> None:
        """To the end of all streams."""
        for _ in range(3):
            self.turn(players.ending, draw)
        self.turn(players.after, draw)

    def gains(self) -> Totals:
        """What everybody has above what it is entitled to."""
        pairs = zip(self.table.totals().each(), self.entitled.totals().each(), strict=True)
        return Totals(*(have - due for have, due in pairs))


def deal_of(draw: Draw) -> Deal:
    """Any facility of the page: who bought, the bond, what is promised, the fee."""
    seniors = draw(0, 20)
    juniors = draw(0 if seniors else 1, 20)
    bond = draw(0, 120) * 1_000_000 + draw(0, 999)
    promised = (1_000_000, 500_000, 990_000)[draw(0, 2)]
    return Deal((seniors, juniors), bond, promised, (0, 100, 1_000)[draw(0, 2)])


def random_game(seed: int, turns: int = 24) -> Game:
    """A game by chance, the same for a seed."""
    dice = Random(seed)
    game = Game(deal_of(dice.randint))
    operator = players.OPERATORS[dice.randrange(len(players.OPERATORS))]
    for _ in range(dice.randint(4, turns)):
        # The operator has every third turn, or epochs would pass without it.
        others = players.OTHERS
        player = operator if dice.random() < 0.33 else others[dice.randrange(len(others))]
        game.turn(player, dice.randint)
    game.finish(dice.randint)
    return game


def _tell(entitled: Entitlement, move: Move, at_s: int) -> None:
    """What was done at the table."""
    match move.do:
        case Do.STATE:
            entitled.state(move.first, move.second, at_s)
        case Do.SEAL:
            entitled.seal(move.first, move.second, at_s)
        case Do.PAY:
            entitled.pay(move.first)
        case Do.PUBLISH:
            entitled.publish(move.first)
        case Do.REJECT:
            entitled.reject(move.first)
        case Do.BURN:
            entitled.burn(move.first, move.second, at_s)
        case Do.RELEASE:
            entitled.release(at_s)
        case Do.SETTLE | Do.FLASH:
            entitled.settle(at_s)
        case Do.CLOSE:
            entitled.close(at_s)
