"""Scopes: a closed list for each role."""

import pytest

from api.access.scopes import SCOPES, Role, Scope, check_scopes, from_db_scopes, to_db_scopes
from api.errors import InvalidInput


@pytest.mark.parametrize("role", list(Role))
def test_check_scopes__of_another_role_or_none__is_refused_naming_those_there_are(
    role: Role,
) -> None:
    for scopes in (set(), set(Scope) - SCOPES[role], set(Scope)):
        with pytest.raises(InvalidInput, match="read") as refused:
            check_scopes(role, scopes)
        assert refused.value.context["field"] == "scopes"


def test_check_scopes__every_scope__is_of_some_role() -> None:
    assert frozenset().union(*SCOPES.values()) == set(Scope)


@pytest.mark.parametrize("role", list(Role))
def test_scopes__stored_and_read__are_the_same(role: Role) -> None:
    assert from_db_scopes(to_db_scopes(SCOPES[role])) == SCOPES[role]


def test_from_db_scopes__words_of_another_version__give_nothing() -> None:
    assert from_db_scopes("read everything:write reads") == {Scope.READ}
    assert from_db_scopes("") == frozenset()
