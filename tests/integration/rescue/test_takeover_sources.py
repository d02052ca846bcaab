"""Takeovers by evidence behind a URL, of facilities that have ended, and of ones never offered."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from api.db.facilities import known_facility_row
from api.db.session import reading
from api.domain.units import ZERO32
from api.errors import EvidenceUnreachable
from api.evidence_store import EvidenceUrl
from api.rescue.taken import TakeoverRefused
from tests.factories import DAY_S, HOUR_S
from tests.integration.rescue.drill import tree
from tests.integration.rescue.heir import Heir, change_file
from tests.world import World

pytestmark = pytest.mark.chain


class _Quiet(SimpleHTTPRequestHandler):
    """A mirror: files of a folder, and no word about it."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Away(_Quiet):
    """A mirror that lost its disk: of statements' signatures nobody can tell."""

    def do_GET(self) -> None:
        """Answer 503 for what is asked last."""
        if self.path.endswith("attestations.json"):
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            super().do_GET()


@contextmanager
def mirror(folder: Path, kind: type[BaseHTTPRequestHandler]) -> Iterator[EvidenceUrl]:
    """A copy of published evidence behind HTTP."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(kind, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            with closing(EvidenceUrl(f"http://127.0.0.1:{server.server_port}")) as evidence:
                yield evidence
        finally:
            server.shutdown()
            thread.join()


def test_takeover__by_a_mirror__takes_all_or_says_that_it_cannot_tell(world: World) -> None:
    """What nobody can tell is not missing: nothing is made again in its place."""
    heir = Heir(world)
    heir.drill.live()
    heir.pull(world.ledger)
    published = tree(world.evidence.root)
    heir.lose()

    with mirror(heir.published, _Away) as away, pytest.raises(EvidenceUnreachable):
        heir.take_over(world.ledger, source=away)
    assert heir.is_empty()
    with mirror(heir.published, _Quiet) as source:
        heir.take_over(world.ledger, source=source)

    assert tree(world.evidence.root) == published


def test_takeover__of_a_facility_that_has_ended__has_its_closing_statement(world: World) -> None:
    heir = Heir(world)
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    for epoch in range(3):
        world.post(epoch)
    world.post_closing()
    heir.pull(world.ledger)
    published = tree(world.evidence.root)
    heir.lose()

    (taken,) = heir.take_over(world.ledger).facilities

    assert (taken.statements, taken.said) == (4, [])
    assert tree(world.evidence.root) == published
    assert world.round().closed == 0
    assert world.verify().ok


def test_takeover__of_a_log_without_a_key_that_was_never_offered__is_its_operators_word(
    world: World,
) -> None:
    heir, ledger, first = Heir(world), world.ledger, world.ledger.facility_id
    ledger.home = replace(ledger.home, key=ZERO32)
    ledger.facility_id = ledger.add_facility(range(20, 24))
    ledger.add_lease("lease-x")
    with reading(world.engine) as connection:
        before = known_facility_row(connection, ledger.facility_id)
    terms = f"facility-{ledger.facility_id}/facility.json"
    world.evidence.write(terms, before.terms_json)
    heir.pull(ledger)
    assert not heir.kept(ledger).head_file.exists()
    heir.lose()
    change_file(heir.published / terms, lambda data: data + b" ")
    with pytest.raises(TakeoverRefused, match="is not the terms of its escrow"):
        heir.take_over(ledger, without=(first,))
    change_file(heir.published / terms, lambda data: data[:-1])

    done = heir.take_over(ledger, without=(first,))

    assert world.evidence.read(terms) == before.terms_json
    assert [(each.facility_id, each.entries) for each in done.facilities] == [
        (before.facility_id, 1)
    ]
    with reading(world.engine) as connection:
        assert known_facility_row(connection, before.facility_id) == before
