// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-3009 with signatures as bytes, as Circle's FiatToken v2.2 and OpenZeppelin's extension have it
/// @notice Not in the ERC's text: it lets contract wallets (ERC-1271) sign.
interface IReceiveWithAuthorization {
    /// @notice Moves money from its owner to the caller, by the owner's signature. Caller: the receiver `to`.
    /// @param from The account that pays and signed.
    /// @param to The account that is paid.
    /// @param value Minor units.
    /// @param validAfter UTC second after which the authorization may be used.
    /// @param validBefore UTC second before which it must be used.
    /// @param nonce Unique number of the authorization.
    /// @param signature Signature over all of the above: ECDSA, or what the ERC-1271 wallet expects.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external;
}
