"""API keys as routes show, take and change them: the same for operators and for the admin."""

from typing import Annotated

from fastapi import Path, Query
from pydantic import BaseModel, Field

from api.access.key_book import (
    DEFAULT_OVERLAP_S,
    MAX_OVERLAP_S,
    Account,
    MadeKey,
    NewKey,
    make_key,
    maker_of,
    revoke_key,
    rotate_key,
)
from api.access.key_list import KeyChange, ListedKey, list_changes, list_keys
from api.access.keys import Caller, state_of
from api.access.scopes import Scope, from_db_scopes
from api.db.session import reading, transaction
from api.db.tables.access import ApiKeyRow
from api.routes.http.schemas import Instant, Name, Strict, example
from api.routes.service import Service

KeyPath = Annotated[
    str,
    Path(
        pattern=r"^rr_(ad|at|op)_[0-9A-Za-z]{12}$",
        description="Id of the key: how it begins.",
        examples=["rr_op_4fZkTq81LmXc"],
    ),
]
Ended = Annotated[bool, Query(description="Also keys that work no more.")]
# Scopes come as JSON text, which strict models do not take for an enumeration by themselves.
ScopeIn = Annotated[Scope, Field(strict=False)]
KeyName = Annotated[
    Name, Field(description="For people; unique among live keys, one line, printable.")
]
Expiry = Annotated[
    Instant | None,
    Field(description="When it stops working, at most ten years ahead; default: never."),
]
_BY = "a key's id, a wallet's address, `setting` (the admin key of the settings), `command line`"
_ATTESTER = (
    "Account that it speaks for, of role attester; null of other roles, and of an attester's key of"
    " before, which may nothing."
)


class RotateIn(Strict):
    """How a key gives way to its successor."""

    model_config = example(overlap_s=3_600)

    overlap_s: Annotated[int, Field(ge=0, le=MAX_OVERLAP_S)] = Field(
        default=DEFAULT_OVERLAP_S,
        description="Seconds that the old key works on: a day by default.",
    )
    expires_at: Instant | None = Field(
        default=None,
        description="When the new key stops working; default is as long a life as the old one got.",
    )


class RevokeIn(Strict):
    """When a key stops working."""

    model_config = example(at="2026-12-01T00:00:00Z")

    at: Instant | None = Field(default=None, description="When it stops working; default is now.")
    also_last: bool = Field(
        default=False,
        description="Needed where a key revokes itself and no other of its account lasts that may"
        " manage keys: then only a wallet's session or the admin can make one.",
    )


class KeyOut(BaseModel):
    """An API key, without its secret."""

    key_id: str = Field(description="Public id: how the key begins.")
    name: str = Field(description="Name, unique among the account's live keys.")
    role: str = Field(description="operator, attester or admin.")
    operator_id: int | None = Field(description="Whose it is; null unless the role is operator.")
    attester: str | None = Field(description=_ATTESTER)
    scopes: list[str] = Field(description="What it may do, in alphabetical order.")
    state: str = Field(description="live, ending (works until `revoked_at_s`), expired or revoked.")
    created_at_s: int = Field(description="UTC seconds, like all times here by the wall clock.")
    last_used_s: int | None = Field(
        description="Last use, written at most once a minute; null if it was never used."
    )
    expires_at_s: int | None = Field(description="When it stops working by itself; null: never.")
    revoked_at_s: int | None = Field(description="When it stops, or stopped, as somebody said.")
    successor_id: str | None = Field(description="The key that replaces it, once rotated.")


class ListedKeyOut(KeyOut):
    """An API key in a list."""

    created_by: str = Field(description=f"Who made it: {_BY}.")


class KeysOut(BaseModel):
    """A page of keys, newest first."""

    total: int = Field(description="Keys in all.")
    keys: list[ListedKeyOut] = Field(description="This page.")


class MadeKeyOut(BaseModel):
    """A new key with its secret."""

    key: KeyOut = Field(description="The key as it will be shown.")
    api_key: str = Field(description="The whole key; shown this once, stored only as a hash.")


class RotatedOut(MadeKeyOut):
    """A successor with its secret, and the key that it replaces."""

    replaced: KeyOut = Field(description="The old key, with the second from which it is refused.")


class RevokedOut(BaseModel):
    """What became of a key."""

    changed: bool = Field(description="False where it ended at that time, or before, as it was.")
    key: KeyOut = Field(description="The key as it is now.")


class KeyChangeOut(BaseModel):
    """A change of a key."""

    at_s: int = Field(description="UTC seconds.")
    change: str = Field(description="created, rotated or revoked.")
    key_id: str = Field(description="Id of the key.")
    name: str = Field(description="Its name.")
    role: str = Field(description="operator, attester or admin.")
    operator_id: int | None = Field(description="Whose it is; null unless the role is operator.")
    attester: str | None = Field(description=_ATTESTER)
    actor: str = Field(description=f"Who did it: {_BY}, or `unknown` (before this was kept).")
    ends_at_s: int | None = Field(description="When the key stops working, as said then.")


class KeyChangesOut(BaseModel):
    """A page of changes, newest first."""

    total: int = Field(description="Changes in all.")
    changes: list[KeyChangeOut] = Field(description="This page.")


def page_of_keys(
    service: Service, account: Account | None, *, ended: bool, offset: int, limit: int
) -> KeysOut:
    """A page of keys; account None is everybody's."""
    now_s = service.session_clock()
    with reading(service.engine) as connection:
        total, keys = list_keys(
            connection, account, ended=ended, now_s=now_s, offset=offset, limit=limit
        )
    return _keys_out(total, keys, now_s)


def page_of_changes(
    service: Service, account: Account | None, *, offset: int, limit: int
) -> KeyChangesOut:
    """A page of changes; account None is everybody's."""
    with reading(service.engine) as connection:
        total, changes = list_changes(connection, account, offset=offset, limit=limit)
    return _changes_out(total, changes)


def make(service: Service, caller: Caller, new: NewKey) -> MadeKeyOut:
    """Make a key."""
    now_s = service.session_clock()
    with transaction(service.engine) as connection:
        made = make_key(connection, new, by=maker_of(caller), now_s=now_s)
    return _made_out(made, now_s)


def rotate(
    service: Service, caller: Caller, account: Account | None, key_id: str, body: RotateIn | None
) -> RotatedOut:
    """Make the successor of a key of an account; None looks among all keys."""
    now_s, wanted = service.session_clock(), body or RotateIn()
    with transaction(service.engine) as connection:
        old, made = rotate_key(
            connection,
            account,
            key_id,
            overlap_s=wanted.overlap_s,
            expires_at_s=wanted.expires_at,
            by=maker_of(caller),
            now_s=now_s,
        )
    return _rotated_out(old, made, now_s)


def revoke(
    service: Service, caller: Caller, account: Account | None, key_id: str, body: RevokeIn | None
) -> RevokedOut:
    """End a key of an account; None looks among all keys."""
    now_s, wanted = service.session_clock(), body or RevokeIn()
    with transaction(service.engine) as connection:
        key, changed = revoke_key(
            connection,
            account,
            key_id,
            at_s=wanted.at,
            also_last=wanted.also_last,
            by=maker_of(caller),
            now_s=now_s,
        )
    return RevokedOut(changed=changed, key=_key_out(key, now_s))


def _key_out(row: ApiKeyRow, now_s: int) -> KeyOut:
    """A key without its secret, which nobody has."""
    return KeyOut(
        key_id=row.key_id,
        name=row.name,
        role=row.role,
        operator_id=row.operator_id,
        attester=row.attester,
        scopes=sorted(from_db_scopes(row.scopes)),
        state=state_of(row, now_s).value,
        created_at_s=row.created_at_s,
        last_used_s=row.last_used_s,
        expires_at_s=row.expires_at_s,
        revoked_at_s=row.revoked_at_s,
        successor_id=row.successor_id,
    )


def _keys_out(total: int, keys: list[ListedKey], now_s: int) -> KeysOut:
    """A page of keys."""
    return KeysOut(
        total=total,
        keys=[
            ListedKeyOut(**_key_out(key.row, now_s).model_dump(), created_by=key.created_by)
            for key in keys
        ],
    )


def _made_out(made: MadeKey, now_s: int) -> MadeKeyOut:
    """A new key with its secret."""
    return MadeKeyOut(key=_key_out(made.row, now_s), api_key=made.text)


def _rotated_out(old: ApiKeyRow, made: MadeKey, now_s: int) -> RotatedOut:
    """A successor with its secret, and the key that it replaces."""
    new = _key_out(made.row, now_s)
    return RotatedOut(key=new, api_key=made.text, replaced=_key_out(old, now_s))


def _changes_out(total: int, changes: list[KeyChange]) -> KeyChangesOut:
    """A page of changes."""
    return KeyChangesOut(
        total=total,
        changes=[
            KeyChangeOut(
                at_s=change.at_s,
                change=change.change,
                key_id=change.key_id,
                name=change.name,
                role=change.role,
                operator_id=change.operator_id,
                attester=change.attester,
                actor=change.actor,
                ends_at_s=change.ends_at_s,
            )
            for change in changes
        ],
    )
