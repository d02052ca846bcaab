"""A settings file of an attester on a local chain, whose time is simulated."""

import json
from pathlib import Path

_TEXT = """\
[attester]
memory = {memory}
poll_ms = {poll_ms}
[service]
url = {url}
api_key_file = {api_key_file}
[chain]
rpc_url = {rpc_url}
registry = {registry}
confirmations = 0
simulated_time = true
[key]
kind = "raw"
file = {key_file}
[refusals]
folder = {refusals}
port = 0
"""


def write_attester_file(
    folder: Path,
    name: str,
    *,
    key_file: Path,
    api_key: str,
    url: str,
    rpc_url: str,
    registry: str,
    poll_ms: int = 200,
) -> Path:
    """Write `NAME.toml`, and its API key beside it; memory and refusals are `NAME.jsonl` and
    `NAME-refusals`. Served are those nowhere."""
    secret = folder / f"{name}.api-key"
    secret.touch(mode=0o600)
    secret.write_text(api_key)
    settings = folder / f"{name}.toml"
    named = {
        "memory": folder / f"{name}.jsonl",
        "url": url,
        "api_key_file": secret,
        "rpc_url": rpc_url,
        "registry": registry,
        "key_file": key_file,
        "refusals": folder / f"{name}-refusals",
    }
    texts = {key: json.dumps(str(value)) for key, value in named.items()}
    settings.write_text(_TEXT.format(**texts, poll_ms=poll_ms))
    return settings
