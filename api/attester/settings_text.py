"""The settings file that `attester init` writes: everything that can be set, with what it means."""

import json

_TEXT = """\
# Settings of `rentroll attester`. docs/ATTESTER.md explains each; `rentroll attester check` tries
# them. What begins with # is a default or an example: take the # away to use it.

[attester]
# What this attester signed: never to be lost, and never in two places. On a disk that survives.
memory = "memory.jsonl"
# The account that attests, if that is a contract wallet and the key below signs for it.
# contract = "0x..."
# Least part of rent, in basis points, that attesters must get before a pledge is approved.
# least_pay_bps = 0
# How often the service is asked, in thousandths of a second.
# poll_ms = 10000

[service]
url = {url}
# A file with an API key of the role attester. `chmod 600` it.
api_key_file = "api.key"
# Certificates to trust, if the service's are not of a public authority.
# ca_file = "ca.pem"

[chain]
# A node of your own: whoever answers here decides what you believe of the chain.
# Several, with commas between them: the first that answers and is of the chain seen before.
rpc_url = {rpc_url}
# The StatementRegistry that you trust. All other contracts follow from it.
registry = {registry}
# So many blocks behind the newest one nothing is taken back: an epoch is over by the time of such
# a block, and a void is so deep before another statement is signed in its place.
# confirmations = 12
# The newest block and this machine's clock may be so far apart; beyond it nothing is signed.
# stale_s = 600
# Of chains whose time is simulated: this machine's clock then says nothing.
# simulated_time = false

# The key, in one of four places.
[key]
kind = "keystore"
file = "attester.json"
password_file = "attester.password"
# kind = "raw"               # 32 bytes of hex in a file
# file = "attester.key"
# kind = "web3signer"        # a remote signer, by Web3Signer's interface for Ethereum 1
# url = "https://signer.example:9000"
# address = "0x..."
# ca_file = "signer-ca.pem"
# client_file = "client.pem" # certificate and key that show who asks
# kind = "kms"               # a key ECC_SECG_P256K1 in AWS KMS; needs rentroll[attester]
# key_id = "arn:aws:kms:eu-central-1:111122223333:key/..."
# region = ""                # and endpoint = "": empty is what AWS's own settings say

# Refusals, in public. Make this folder reachable at the URL that you set on-chain (setUrl).
[refusals]
folder = "refusals"
# Served here by the attester itself, GET only. 0: by another web server.
# host = "127.0.0.1"
# port = 9466
# How long a refusal can take back what an operator published.
# days = 7
# Whether the service is given them too, which shows them to everybody.
# hand_in = true
# A key with a little gas makes them public on-chain, which is also what they are paid for: 32 bytes
# of hex, or a keystore with its password. Without one `rentroll refuse call` does that by hand.
# gas_key_file = "gas.json"
# gas_password_file = "gas.password"
# most_gas_per_day = 2000000

# Whether it lives, whether it works, and numbers for Prometheus: /livez, /readyz, /metrics.
[metrics]
# On this port, such as 9104; 0: nowhere.
# host = "127.0.0.1"
# port = 0
# Without a sign of life for so long it is stuck: only a new start mends that.
# stale_s = 3600
"""


def settings_text(*, url: str, rpc_url: str, registry: str) -> str:
    """The file. JSON's texts are TOML's, but for what no URL or address holds."""
    return _TEXT.format(
        url=json.dumps(url), rpc_url=json.dumps(rpc_url), registry=json.dumps(registry)
    )
