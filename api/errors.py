"""One error tree: every expected failure is an `AppError` with an HTTP status and a stable code."""

from collections.abc import Mapping
from typing import ClassVar


class AppError(Exception):
    """An expected failure. `code` is stable; `context` names what is wrong and where."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad_request"

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.context: Mapping[str, object] = context


class InvalidInput(AppError):
    """A value breaks a rule of the domain. `context["field"]` names it."""

    status = 422
    code = "invalid_input"


class DeviceNameRefused(InvalidInput):
    """A device goes by another name than its canonical one. The message says which to use."""


class NotFound(AppError):
    """The named thing does not exist, or not for this caller."""

    status = 404
    code = "not_found"


class EvidenceUnreachable(NotFound):
    """Whether there is such evidence cannot be told now: who serves it does not answer."""

    status = 503
    code = "evidence_unreachable"


class Conflict(AppError):
    """The request contradicts what is already recorded."""

    status = 409
    code = "conflict"


class AfterRefused(Conflict):
    """`rentroll-after` is not the key's last receipt. `context["receipt"]` has that one."""

    code = "after_wrong"


class LogBehind(AppError):
    """The log lacks entries that it had: its database was restored from an older copy. Nothing new
    is written before it has them. `context` says its size, what it had, and what is missing."""

    status = 503
    code = "log_behind"


class LogForked(Conflict):
    """The log's key signed another entry of this number. `context` has both."""

    code = "log_forked"


class EntryRefused(Conflict):
    """An entry that is shown cannot be one of the log's, and nothing proves a fork."""

    code = "entry_refused"


class Unauthorized(AppError):
    """No valid credential was presented."""

    status = 401
    code = "unauthorized"


class Forbidden(AppError):
    """The credential is valid, but not for this."""

    status = 403
    code = "forbidden"


class ScopeMissing(Forbidden):
    """The key is valid and of the right role, but may not do this. `context["scope"]` names it."""

    code = "scope_missing"


class SignInMalformed(InvalidInput):
    """The text is not an EIP-4361 message."""

    code = "siwe_malformed"


class SignInDomainWrong(Unauthorized):
    """The message was signed for another site."""

    code = "siwe_domain_wrong"


class SignInUriWrong(Unauthorized):
    """The message's URI is of another site."""

    code = "siwe_uri_wrong"


class SignInChainWrong(Unauthorized):
    """The message was signed for another chain."""

    code = "siwe_chain_wrong"


class SignInExpired(Unauthorized):
    """The message's expiration time is over."""

    code = "siwe_expired"


class SignInNotYetValid(Unauthorized):
    """The message's `Not Before` lies ahead."""

    code = "siwe_not_yet_valid"


class SignInNonceUnknown(Unauthorized):
    """The nonce is not ours, was used, or is too old."""

    code = "siwe_nonce_unknown"


class SignInSignatureWrong(Unauthorized):
    """Neither the account's key nor its contract signed the message."""

    code = "siwe_signature_wrong"


class SignatureRefused(Unauthorized):
    """A request's signature is not in the one form that is taken (RFC 9421, tag rentroll/1)."""

    code = "signature_malformed"


class SignatureWrong(SignatureRefused):
    """The signature is not the key's over this request."""

    code = "signature_wrong"


class KeyUnknown(SignatureRefused):
    """The key is none of the log's, or is so no more."""

    code = "key_unknown"


class KeyForbidden(Forbidden):
    """The key is one of the log's, but not for this."""

    code = "key_forbidden"


class CsrfRefused(Forbidden):
    """A request by cookie came without the session's token, or from another site."""

    code = "csrf_refused"


class TooLarge(AppError):
    """A body, batch or field is above its limit."""

    status = 413
    code = "too_large"


class TooManyRequests(AppError):
    """One caller asks for more than its share; `context["retry_after_s"]` says how long to wait."""

    status = 429
    code = "too_many_requests"


class IngestBusy(AppError):
    """The service has as many bodies in memory as it takes."""

    status = 503
    code = "ingest_busy"


class UnsupportedMediaType(AppError):
    """The body's media type is not one that the route reads."""

    status = 415
    code = "unsupported_media_type"


class EventRejected(AppError):
    """A meter event breaks a rule of the ledger. `reason` is its stable code."""

    status = 422
    code = "event_rejected"

    def __init__(self, reason: str, message: str, **context: object) -> None:
        super().__init__(message, **context)
        self.reason = reason


class RowRefused(AppError):
    """A row of a file that is imported cannot be read as what it says. `reason` is stable."""

    status = 422
    code = "row_refused"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DatabaseUnavailable(AppError):
    """The database does not answer."""

    status = 503
    code = "database_unavailable"


class SignerFailed(AppError):
    """A key did not sign: its signer is away, refuses, or signed something else."""

    status = 503
    code = "signer"


class ChainUnavailable(AppError):
    """The RPC endpoint does not answer, or answers for another chain."""

    status = 503
    code = "chain_unavailable"


class ClocksDiffer(AppError):
    """This machine's clock and the chain's contradict each other: one of them is wrong."""

    status = 503
    code = "clocks_differ"


class HeldBack(AppError):
    """A step of the worker would do what no normal running needs: a person is asked first."""

    status = 409
    code = "held_back"


class IndexIncomplete(AppError):
    """Indexed events contradict each other: some are missing."""

    status = 503
    code = "index_incomplete"


class IndexHalted(AppError):
    """The chain contradicts what was indexed as final: nothing is taken back without a person."""

    status = 503
    code = "index_halted"


class RecordsDamaged(AppError):
    """What is stored contradicts itself; nothing of it is served."""

    status = 500
    code = "records_damaged"


class ChainRejected(AppError):
    """The chain refused a transaction or a call. `context["revert"]` holds the decoded error."""

    status = 409
    code = "chain_rejected"


class EvidenceInvalid(AppError):
    """Published evidence contradicts itself, the terms or the chain."""

    status = 422
    code = "evidence_invalid"


class Misconfigured(AppError):
    """A setting is missing or wrong; the message says which one and what to do."""

    status = 500
    code = "misconfigured"
