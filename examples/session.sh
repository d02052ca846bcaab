#!/usr/bin/env bash
# A session with curl: an operator registers, pushes half an hour of use, and reads what a statement would say.
#
#   RENTROLL_ADMIN_KEY=… examples/session.sh http://127.0.0.1:8000
#
# The facility's window is the last hour, by the service's clock. Nothing is closed before a facility is
# offered and funded on-chain, by the operator's wallet: what that sends first is shown.
set -euo pipefail
api=${1:?usage: session.sh API_URL}
device="GPU-$(cat /proc/sys/kernel/random/uuid)"

# Value of a field in an answer of JSON.
field() { grep -o "\"$1\":\"\?[^\",}]*" | head -n 1 | sed 's/.*:"\?//'; }
get() { curl --silent --show-error --fail-with-body "$api$1"; }
post() { # path, key, body
  curl --silent --show-error --fail-with-body "$api$1" \
    -H "Authorization: Bearer $2" -H "Content-Type: ${4:-application/json}" -d "$3"
}
utc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }

now=$(get /v1/status | field now_s)
end=$((now - 60))
start=$((end - 3600))

echo "--- an operator, with the admin's key. Its own key is shown this once."
operator=$(post /v1/operators "$RENTROLL_ADMIN_KEY" \
  "{\"name\":\"example-$now\",\"address\":\"0x$(printf %040d "$now")\"}")
key=$(field api_key <<< "$operator")

echo "--- a facility with one device and one tranche of one unit"
made=$(post /v1/facilities "$key" "{
  \"name\": \"example\", \"gpu_class\": \"H100-SXM5-80GB\", \"site\": \"SE-LULEA-1\", \"epoch_length_s\": 3600,
  \"window_start\": \"$(utc $start)\", \"window_end\": \"$(utc $end)\",
  \"tranches\": [{\"unit_cap\": 1}], \"devices\": [\"$device\"]}")
facility=$(field facility_id <<< "$made")
echo "--- the call by which its operator's wallet offers it"
grep -o '"offer":{[^}]*}' <<< "$made"

echo "--- a lease at 2.49 an hour"
post "/v1/facilities/$facility/leases" "$key" "{
  \"lease_id\": \"lease-1\", \"renter_ref\": \"renter-1\", \"plan\": \"on_demand\",
  \"opened_at\": \"$(utc $start)\", \"price_micros_per_gpu_hour\": 2490000}"

echo; echo "--- a key for the collector, which may push metering and nothing else"
collector=$(post /v1/keys "$key" '{"name": "collector", "scopes": ["events:write"]}' | field api_key)

echo; echo "--- the device was there all hour: a device that nothing speaks of is not available"
post /v1/events "$collector" "{\"specversion\": \"1.0\", \"type\": \"rentroll.gpu.seen.v1\", \"source\": \"session.sh\",
  \"id\": \"seen-$now\", \"data\": {\"facility_id\": $facility, \"device\": \"$device\",
  \"start\": \"$(utc $start)\", \"end\": \"$(utc $end)\"}}" application/cloudevents+json

echo; echo "--- half an hour of use, pushed twice: the second time it is a duplicate"
event="{\"specversion\": \"1.0\", \"type\": \"rentroll.gpu.usage.v1\", \"source\": \"session.sh\", \"id\": \"$now\",
  \"data\": {\"facility_id\": $facility, \"device\": \"$device\", \"lease\": \"lease-1\",
  \"start\": \"$(utc $start)\", \"end\": \"$(utc $((start + 1800)))\", \"gpu_seconds\": 1800}}"
for _ in 1 2; do post /v1/events "$collector" "$event" application/cloudevents+json; echo; done

echo "--- what its statement would say now, and after a quarter of an hour more; nothing is recorded"
more="{\"specversion\": \"1.0\", \"type\": \"rentroll.gpu.usage.v1\", \"source\": \"session.sh\", \"id\": \"more-$now\",
  \"data\": {\"facility_id\": $facility, \"device\": \"$device\", \"lease\": \"lease-1\",
  \"start\": \"$(utc $((start + 1800)))\", \"end\": \"$(utc $((start + 2700)))\", \"gpu_seconds\": 900}}"
post "/v1/console/facilities/$facility/events/preview" "$key" "$more" application/cloudevents+json
echo
