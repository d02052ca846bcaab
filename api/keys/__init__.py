"""Where a secp256k1 key can be: a keystore, a raw file, a remote signer, AWS KMS."""
