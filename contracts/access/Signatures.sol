// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Who signed: ECDSA first, then ERC-1271
/// @notice OpenZeppelin's SignatureChecker asks an account's code first, and so refuses the valid ECDSA signature of an
/// account with delegated code (EIP-7702).
library Signatures {
    /// @notice Whether an account signed a digest. Malleable and compact signatures do not count as ECDSA.
    /// @param signer The account.
    /// @param digest What was signed.
    /// @param signature The signature.
    /// @return True if it did.
    function isValid(address signer, bytes32 digest, bytes calldata signature) internal view returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == signer) return true;
        return signer.code.length > 0 && SignatureChecker.isValidERC1271SignatureNow(signer, digest, signature);
    }
}
