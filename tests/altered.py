"""What `verify` says of a chain that logged something else than ours did."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.chain.emitted.args import EventArgs
from api.chain.events import AnyEvent
from api.verify import verify as verifier
from api.verify.walk import Walk
from tests.world import World

Change = Callable[[Any], EventArgs]


def findings_with(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[EventArgs], change: Change | None
) -> list[str]:
    """What verify says where one kind of event had other arguments, or (None) was never there."""

    def altered(walk: Walk) -> Iterator[AnyEvent]:
        for event in walk:
            if not isinstance(event.args, kind):
                yield event
            elif change is not None:
                yield replace(event, args=change(event.args))

    with monkeypatch.context() as patch:
        patch.setattr(verifier, "iter_events", altered)
        return [finding.sentence() for finding in world.verify().findings]
