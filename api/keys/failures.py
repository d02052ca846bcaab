"""What can fail when a key is asked to sign."""

from api.errors import AppError


class SignerFailed(AppError):
    """The key did not sign: the signer is away, refuses, or signed something else."""

    status = 503
    code = "signer"
