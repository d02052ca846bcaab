"""The settings file that `agent init` writes: everything that can be set, with what it means."""

import json

_TEXT = """\
# Settings of `rentroll agent`. docs/AGENT.md explains each; `rentroll agent check` tries them.
# What begins with # is a default or an example: take the # away to use it.

[agent]
# Names this agent's events for ever. Two agents of one facility need two names.
name = {name}
# What is known and not yet sent. Keep it on a disk that survives a restart.
spool = "spool.db"
key_file = "agent.key"
# Health, for monitors of this machine: http://127.0.0.1:9465/health. 0: none.
# health_port = 9465
# How often a running job is billed as far as it came, and how often devices are told to be there.
# confirm_every_s = 300
# seen_every_s = 600
# How long what was sent is kept, to be sent again if need be, and how large the spool may grow.
# Receipts are kept longer: they show that the log has all that was sent.
# retention_days = 14
# receipts_days = 366
# spool_mib = 1024
# From which difference to the service's clock on health says so.
# skew_warning_s = 30

[service]
url = {url}
# Facility whose devices these are.
facility = {facility}
# The key that signs the log's receipts (`log.key` of the facility's terms, as base64url), where you
# compared it with the chain. Without it the first is believed that the service names.
# log_key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
# In place of signing: a file with an API key that has the scope events:write. `chmod 600` it.
# api_key_file = "api.key"
# Certificates to trust, if the service's are not of a public authority.
# ca_file = "ca.pem"

# Devices that are of another facility, or "-" for those of none.
# [devices]
# "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b" = "-"

# Which lease a use belongs to: the first row of which everything is true. What no row fits is
# reported and billed to nobody. "-" in place of a lease: nobody rents it, and that is no news.
# Words: source (slurm, kubernetes, dcgm, csv), account, user, partition, namespace, labels.
# [[lease]]
# id = "lease-7"
# account = "physics"
# [[lease]]
# id = "lease-8"
# namespace = "team-a"
# labels = {{ tenant = "acme" }}
# [[lease]]
# id = "-"
# user = "root"

# Sources. Each is on if its table is here. Only one of them should say who holds a device.

# The driver of this machine: which devices are there. Needs rentroll[agent].
# [nvml]
# library = ""               # path of libnvidia-ml.so.1, if the loader does not find it
# poll_s = 30
# outages = false            # tell an outage while the driver says that a card is lost

# DCGM exporters: which devices are there and alive, and who holds them by their labels.
# [dcgm]
# urls = ["http://127.0.0.1:9400/metrics"]
# poll_s = 30
# frozen_after_s = 180       # an energy counter that stands still for so long is a frozen exporter
# allocations = "none"       # "pod" or "hpc_job": bill by these labels
# absent_s = 120             # a label that is gone for so long was taken away
# [dcgm.slices]              # names of slices, by card and GPU instance, where NVML is not at hand
# "GPU-0b9f1a52-3c1d-4e5f-8a6b-7c8d9e0f1a2b/7" = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"

# Slurm: jobs of sacct, with the GPUs that deploy/slurm/rentroll-prolog wrote down.
# [slurm]
# command = ["sacct"]
# records = "/var/spool/rentroll/slurm"
# node = ""                  # only this node's part of each job
# poll_s = 60
# overlap_s = 3600           # accounting hears of ends late
# first_hours = 24           # how far back the first poll looks
# absent_s = 900

# Kubernetes: pods and claims. Without a url, the API server of the cluster that the agent runs in.
# [kubernetes]
# url = "https://10.0.0.1:6443"
# token_file = "token"
# ca_file = "kube-ca.pem"
# node = ""                  # only pods of this node
# namespace = ""             # only pods of this namespace
# pod_resources = "/var/lib/kubelet/pod-resources/kubelet.sock"
# resources = ["nvidia.com/"]
# annotations = []           # annotations of pods that name devices
# claims = false             # devices by DRA: ResourceClaims and ResourceSlices
# watch_s = 300
# poll_s = 10

# A CSV file that another program appends to, a use a row, times in RFC 3339.
# [csv]
# file = "use.csv"
# separator = ","
# columns = {{ job = "Booking", device = "GPU", start = "Begin", end = "End", account = "Group" }}
# poll_s = 60
"""


def settings_text(*, name: str, url: str, facility: int) -> str:
    """The file. JSON's texts are TOML's, but for what no name or URL holds."""
    return _TEXT.format(name=json.dumps(name), url=json.dumps(url), facility=facility)
