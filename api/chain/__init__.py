"""The chain side: RPC, calldata, typed reads, event decoding, signing. No database."""
