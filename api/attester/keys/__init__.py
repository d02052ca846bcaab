"""Where an attester's key can be: a keystore, a raw file, a remote signer, AWS KMS."""
