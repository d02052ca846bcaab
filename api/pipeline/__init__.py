"""The steps of the main job, one file each: ingest, close, attest, post, settle, index, verify."""
