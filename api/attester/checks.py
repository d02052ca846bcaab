"""`attester check`: what the attester sees, in plain words, before it runs or beside it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from http import HTTPStatus
from urllib.parse import urlsplit

import httpx

from api.attester.account import AttesterAccount
from api.attester.failures import ServiceAway, ServiceRefused, ServiceUnreadable
from api.attester.memory import peek
from api.attester.memory_rows import Moved, Signed
from api.attester.settings import AttesterSettings
from api.attester.wiring import account_of, bound_of, make_api, make_client, now_s
from api.chain.answers import Block
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment
from api.chain.events import facility_offers
from api.chain.linked import linked_deployment
from api.chain.panels import attester_warnings
from api.domain.units import FacilityId
from api.errors import AppError
from api.keys.opening import open_key
from api.local.finding import Finding

# Signed to see whether the key can: no type of EIP-712 begins like that.
_TRIAL = b"rentroll attester check"
_AHEAD_S = 30
_NOBODY = "0x" + "00" * 20
# Of more facilities the service is not asked whether it shows their logs.
_MOST_LOGS = 20
_TIMEOUT_S = 10.0


def look(settings: AttesterSettings) -> list[Finding]:
    """Look at everything once. Nothing is changed, and nothing is handed in."""
    with ExitStack() as exits:
        found = list[Finding]()
        try:
            client, _ = make_client(settings)
        except AppError as error:
            return [Finding("node", "fail", error.message)]
        exits.enter_context(client)
        account: AttesterAccount | None = None
        try:
            key = exits.enter_context(open_key(settings.key))
            account = account_of(settings, client, key)
            found.append(Finding("key", "ok", _named(account)))
        except AppError as error:
            found.append(
                Finding("key", "fail", error.message, "`rentroll attester init` makes one")
            )
        found += _service(settings, account)
        head, chain_found = _node(settings, client)
        found += chain_found
        if head is None:
            return found
        try:
            deployment = linked_deployment(client, settings.chain.registry)
        except AppError as error:
            advice = "[chain] registry: the StatementRegistry that you trust"
            return [*found, Finding("contracts", "fail", error.message, advice)]
        found.append(_contracts(deployment))
        if account is not None:
            contracts = Contracts(client, deployment)
            found += _signing(account)
            seats, facilities = _seats(contracts, account.address, head)
            found += seats
            found += _logs(settings, account.address, facilities)
            found += _memory(settings, deployment, account.address)
            found += _refusals(contracts, account.address, head)
        return found


def _named(account: AttesterAccount) -> str:
    if account.address == account.key_address:
        return f"it signs for {account.address}"
    return f"{account.key_address} signs for the contract {account.address}"


def _signing(account: AttesterAccount) -> Iterator[Finding]:
    try:
        account.sign(_TRIAL)
    except AppError as error:
        yield Finding("signature", "fail", error.message, "nothing can be signed like this")
        return
    yield Finding("signature", "ok", "one over a trial text is this account's")


def _service(settings: AttesterSettings, account: AttesterAccount | None) -> Iterator[Finding]:
    url = settings.service.url
    try:
        api = make_api(settings)
    except AppError as error:
        yield Finding("API key", "fail", error.message, "the service's admin gives out the key")
        return
    with closing(api):
        try:
            waiting = api.pending(account.address if account else _NOBODY)
        except ServiceUnreadable:
            yield Finding("service", "fail", f"{url} answers, and is no Rentroll service")
            return
        except ServiceAway:
            yield Finding("service", "fail", f"{url} does not answer", "[service] url")
            return
        except AppError as error:
            yield Finding("service", "ok", f"{url} answers")
            if account is None:
                message = "not judged: it must name the account of the key, which is not known"
                yield Finding("API key", "warn", message)
                return
            advice = f"the service's admin makes one of role attester that names {account.address}"
            yield Finding("API key", "fail", error.message, advice)
            return
    yield Finding("service", "ok", f"{url} answers; {len(waiting)} statements are not signed yet")
    yield Finding("API key", "ok", "the service takes it for this account")


def _node(settings: AttesterSettings, client: ChainClient) -> tuple[Block | None, list[Finding]]:
    try:
        chain_id, head = client.chain_id(), client.head()
    except AppError as error:
        return None, [Finding("node", "fail", error.message, "[chain] rpc_url")]
    found = [Finding("node", "ok", f"chain {chain_id}, block {head.number}")]
    age_s = now_s() - head.time_s
    if settings.chain.simulated_time:
        found.append(Finding("clock", "ok", "the chain's time is simulated: no clock is compared"))
    elif age_s > settings.chain.stale_s:
        message = f"the newest block is {age_s} s old"
        advice = "the node lags, or this machine's clock is ahead: let NTP set it"
        found.append(Finding("clock", "fail", message, advice))
    elif age_s < -_AHEAD_S:
        message = f"the newest block is {-age_s} s ahead of this machine's clock"
        advice = "let NTP set the clock: an epoch is signed when it is over by both"
        found.append(Finding("clock", "fail", message, advice))
    else:
        found.append(Finding("clock", "ok", f"the newest block is {max(age_s, 0)} s old"))
    return head, found


def _contracts(deployment: Deployment) -> Finding:
    message = (
        f"registry {deployment.statement_registry} and what follows from it:"
        f" AttesterRegistry {deployment.attester_registry},"
        f" AttesterDesk {deployment.attester_desk}"
    )
    return Finding("contracts", "ok", message)


def _seats(
    contracts: Contracts, account: str, head: Block
) -> tuple[list[Finding], list[FacilityId]]:
    """What is said of seats and bond, and the facilities on whose panel the account sits."""
    found, own = list[Finding](), list[FacilityId]()
    registry, block = contracts.attester_registry, head.number
    try:
        panels = range(1, registry.panel_count().at(block=block) + 1)
        seats = contracts.all_of([registry.panel_of(n) for n in panels]).at(block=block)
        offers = facility_offers(contracts, first=contracts.deployment.start_block, last=block)
        ids = sorted({offer.args.facility_id for offer in offers})
        asked = [contracts.facility_registry.epoch_terms_of(i) for i in ids]
        terms = contracts.all_of(asked).at(block=block) if ids else []
        bond = registry.bond_micros(account).at(block=block)
        slashed = registry.slash_amount_micros().at(block=block)
        warnings = attester_warnings(contracts, account)
    except AppError as error:
        return [Finding("seats", "fail", error.message)], []
    for number, panel in zip(panels, seats, strict=True):
        if account.lower() in map(str.lower, panel.attesters):
            of = [i for i, t in zip(ids, terms, strict=True) if t.panel == number]
            facilities = f"facilities {_listed(of)}" if of else "no facility yet"
            message = f"panel {number}, {panel.threshold} of {len(panel.attesters)} sign:"
            found.append(Finding("seat", "ok", f"{message} {facilities}"))
            own += of
    message = f"{bond} micros; a faulty statement costs {slashed}"
    found.append(Finding("bond", "ok", message))
    advice = "deposit the rest with AttesterRegistry.depositBond; governance gives seats"
    found += [Finding("counts", "warn", warning, advice) for warning in warnings]
    if not warnings:
        found.append(Finding("counts", "ok", f"signatures of {account} count"))
    return found, sorted(own)


def _listed(facilities: list[FacilityId]) -> str:
    return ", ".join(map(str, facilities))


def _logs(
    settings: AttesterSettings, account: str, facilities: list[FacilityId]
) -> Iterator[Finding]:
    if not facilities:
        message = f"{account} sits on no facility's panel: the service shows it no log"
        yield Finding("logs", "warn", message, "it does from when a seat is announced on-chain")
        return
    shown = list[FacilityId]()
    try:
        with closing(make_api(settings)) as api:
            for facility_id in facilities[-_MOST_LOGS:]:
                try:
                    api.require_log(facility_id)
                    shown.append(facility_id)
                except ServiceRefused as error:
                    yield Finding("logs", "warn", error.message)
    except AppError:
        # Of a service that is away, or a key that cannot be read, was told above.
        return
    if shown:
        yield Finding("logs", "ok", f"the service shows those of facilities {_listed(shown)}")


def _memory(settings: AttesterSettings, deployment: Deployment, account: str) -> Iterator[Finding]:
    file = settings.memory
    try:
        rows, held = peek(file, bound_of(deployment, account))
    except FileNotFoundError:
        message = f"{file} will be made: only epochs after the newest on-chain will be signed"
        advice = "if this key signed before, bring its memory: docs/ATTESTER.md"
        yield Finding("memory", "warn", message, advice)
        return
    except OSError as error:
        yield Finding("memory", "fail", f"{file}: {error.strerror}")
        return
    except AppError as error:
        yield Finding("memory", "fail", error.message, "each key and registry has its own file")
        return
    moved = next((row for row in reversed(rows) if isinstance(row, Moved)), None)
    if moved is not None and moved.kind != "imported":
        message = f"{file} was {moved.kind}: it signs no more"
        yield Finding("memory", "fail", message, "docs/ATTESTER.md, moving")
        return
    signed = sum(isinstance(row, Signed) for row in rows)
    message = f"{file}: {signed} statements signed"
    if held:
        yield Finding("memory", "warn", f"{message}; a process holds it, an attester that runs")
    else:
        yield Finding("memory", "ok", f"{message}; nobody holds it")


def _refusals(contracts: Contracts, account: str, head: Block) -> Iterator[Finding]:
    try:
        url = contracts.attester_registry.url_of(account).at(block=head.number)
    except AppError as error:
        yield Finding("refusals", "fail", error.message)
        return
    advice = "AttesterRegistry.setUrl says where refusals are; [refusals] serves them"
    if not url:
        yield Finding("refusals", "warn", "no URL on-chain: nobody finds them", advice)
        return
    if urlsplit(url).scheme not in ("http", "https"):
        yield Finding("refusals", "warn", f"{url!r} on-chain is no URL of the web", advice)
        return
    try:
        answer = httpx.get(f"{url.rstrip('/')}/index.json", timeout=_TIMEOUT_S)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        yield Finding("refusals", "warn", f"{url} on-chain does not answer: {error!r}", advice)
        return
    if answer.status_code != HTTPStatus.OK or "refusals" not in answer.text:
        yield Finding("refusals", "warn", f"{url}/index.json is no list of refusals", advice)
        return
    yield Finding("refusals", "ok", f"{url} on-chain shows them")
