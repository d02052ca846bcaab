// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-3009 with signatures as bytes, as Circle's FiatToken v2.2 and OpenZeppelin's extension have it
/// @notice Not in the ERC's text: it lets contract wallets (ERC-1271) sign.
interface IReceiveWithAuthorization {
    /// @notice Moves `value` from `from` to the caller, which must be `to`.
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
