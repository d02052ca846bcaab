// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title Stablecoin with ERC-2612 permits and ERC-3009 authorizations
/// @notice For tests only: anybody mints. The ERC-3009 functions take signatures as v, r, s and as bytes.
contract AuthorizedStablecoin is ERC20, ERC20Permit, ERC3009 {
    constructor() ERC20("Authorized Dollar", "aUSD") ERC20Permit("Authorized Dollar") {}

    /// @notice Mints `amount` micros to `to`. Caller: anybody.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice ERC-3009 for contract wallets, as FiatToken v2.2 has it.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) external {
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce))
        );
        require(SignatureChecker.isValidSignatureNow(from, digest, signature), ERC3009InvalidSignature());
        require(to == msg.sender, ERC20InvalidReceiver(to));
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// @notice Six decimals.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
