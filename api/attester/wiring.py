"""Wiring: what the settings name, opened, and closed again."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.attester.account import AttesterAccount, contract_account
from api.attester.attest import Attester
from api.attester.chain_facts import ChainFacts
from api.attester.client import HttpAttesterApi
from api.attester.due import DueEvidence
from api.attester.handing import HandingIn, Publisher, SentBook
from api.attester.identity import KeptIdentity
from api.attester.kept_books import KeptBooks
from api.attester.memory import SignedMemory
from api.attester.memory_rows import Bound
from api.attester.moving import Extends, holds
from api.attester.refusing import Refuser
from api.attester.settings import AttesterSettings
from api.attester.shelf import RefusalShelf
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment
from api.chain.linked import linked_deployment
from api.chain.panels import attester_warnings
from api.chain.signer import Signer
from api.domain.log.entry import LogEnd
from api.domain.units import FacilityId
from api.evidence_store import EvidenceUrl
from api.keys.opening import open_key
from api.local.secret_file import KeyFileWrong, read_secret
from api.local.settings_table import SettingsWrong

# What was refused is looked at again after so long: an operator may have put it right.
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class RunningAttester:
    """A wired attester, and what keeps its signatures from counting, asked anew each time.

    gas_account: pays for refusals on-chain; None where nothing is sent.
    """

    attester: Attester
    account: AttesterAccount
    client: ChainClient
    memory: SignedMemory
    shelf: RefusalShelf
    warnings: Callable[[], list[str]]
    handing_in: HandingIn | None = None
    publisher: Publisher | None = None
    gas_account: str | None = None


def now_s() -> int:
    """This machine's clock, UTC seconds."""
    return int(time.time())


def account_of(settings: AttesterSettings, client: ChainClient, key: Signer) -> AttesterAccount:
    """The account that attests: the key's own, or the contract wallet that it signs for."""
    if settings.contract is None:
        return AttesterAccount(key)
    return contract_account(client, settings.contract, key)


def read_api_key(file: Path) -> str:
    """The API key of a file. Raises KeyFileWrong."""
    api_key = read_secret(file).decode(errors="replace").strip()
    if not api_key or not api_key.isascii() or not api_key.isprintable():
        raise KeyFileWrong(f"{file} holds no API key")
    return api_key


def bound_of(deployment: Deployment, account: str) -> Bound:
    """Whose memory it is."""
    return Bound(account, deployment.chain_id, deployment.statement_registry)


def make_client(settings: AttesterSettings) -> tuple[ChainClient, KeptIdentity]:
    """The nodes of the settings, and what is known of their chain. Raises Misconfigured."""
    file = settings.memory.with_name(f"{settings.memory.stem}-chain.json")
    identity = KeptIdentity(file, settings.chain.registry)
    return ChainClient(settings.chain.rpc_urls, expected=identity.expected), identity


def make_evidence(settings: AttesterSettings) -> EvidenceUrl:
    """The service's evidence, like everybody's. Raises SettingsWrong."""
    service = settings.service
    try:
        return EvidenceUrl(f"{service.url}/v1/evidence", ca_file=service.ca_file)
    except OSError as error:
        raise SettingsWrong(f"[service] ca_file {service.ca_file}: {error}") from error


def make_api(settings: AttesterSettings) -> HttpAttesterApi:
    """The service's routes for attesters. Raises KeyFileWrong, SettingsWrong."""
    service = settings.service
    api_key = read_api_key(service.api_key_file)
    try:
        return HttpAttesterApi(service.url, api_key=api_key, ca_file=service.ca_file)
    except OSError as error:
        raise SettingsWrong(f"[service] ca_file {service.ca_file}: {error}") from error


@contextmanager
def open_attester(settings: AttesterSettings) -> Iterator[RunningAttester]:
    """The attester of the settings.

    Raises:  KeyFileWrong, SettingsWrong, SignerFailed, Misconfigured naming what is wrong,
             ChainUnavailable.
    """
    with ExitStack() as exits:
        key = exits.enter_context(open_key(settings.key))
        client, identity = make_client(settings)
        exits.enter_context(client)
        api = exits.enter_context(closing(make_api(settings)))
        evidence = exits.enter_context(closing(make_evidence(settings)))
        deployment = linked_deployment(client, settings.chain.registry)
        account = account_of(settings, client, key)
        bound = bound_of(deployment, account.address)
        memory = exits.enter_context(closing(SignedMemory(settings.memory, bound)))
        # Behind the memory, which is of one chain's number: whose it is counts.
        identity.keep(client, deployment, confirmations=settings.chain.confirmations)
        contracts = Contracts(client, deployment)
        facts = ChainFacts(contracts, evidence, confirmations=settings.chain.confirmations)
        shelf = RefusalShelf(settings.refusals.folder)
        refuser = Refuser(
            account,
            facts,
            evidence,
            shelf,
            DueEvidence(contracts),
            days=settings.refusals.days,
        )
        attester = Attester(
            api,
            evidence,
            account,
            facts,
            memory,
            least_pay_bps=settings.least_pay_bps,
            clock=None if settings.chain.simulated_time else now_s,
            apart_s=settings.chain.stale_s,
            refuser=refuser,
            patience_s=_PATIENCE_S,
            books=KeptBooks(settings.memory.with_name(f"{settings.memory.stem}-books")),
        )
        publisher, payer = None, None
        if settings.refusals.gas_key is not None:
            payer = exits.enter_context(open_key(settings.refusals.gas_key))
            publisher = Publisher(
                client,
                payer,
                facts,
                shelf,
                SentBook(settings.memory.with_name(f"{settings.memory.stem}-sent.jsonl")),
                most_gas=settings.refusals.most_gas,
                clock=now_s,
            )
        yield RunningAttester(
            attester,
            account,
            client,
            memory,
            shelf,
            lambda: attester_warnings(contracts, account.address),
            HandingIn(api, shelf, facts) if settings.refusals.hand_in else None,
            publisher,
            None if payer is None else payer.address,
        )


@contextmanager
def open_memory(settings: AttesterSettings) -> Iterator[SignedMemory]:
    """The memory of the settings, while no attester holds it. Raises as `open_attester`."""
    with ExitStack() as exits:
        key = exits.enter_context(open_key(settings.key))
        client, _ = make_client(settings)
        exits.enter_context(client)
        deployment = linked_deployment(client, settings.chain.registry)
        account = account_of(settings, client, key).address
        bound = bound_of(deployment, account)
        yield exits.enter_context(closing(SignedMemory(settings.memory, bound)))


def extends_by(settings: AttesterSettings) -> Extends:
    """Whether one end of a log leads to another, by the log itself as the service gives it."""

    def extends(facility_id: FacilityId, lower: LogEnd, higher: LogEnd) -> bool:
        with closing(make_api(settings)) as api:
            entries = (logged.entry for logged in api.log(facility_id, after=0).entries)
            return holds(entries, lower, higher)

    return extends
