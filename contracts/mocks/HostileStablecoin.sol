// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Stablecoin that turns against its users
/// @notice For tests only: takes fees, returns false, reverts, re-enters or blocks accounts (ATTACKS 11).
contract HostileStablecoin is ERC20 {
    enum Mode {
        Honest,
        TakesFee,
        ReturnsFalse,
        Reverts,
        Reenters
    }

    /// @notice How transfers behave now.
    Mode public mode;
    /// @notice Accounts that can neither send nor receive.
    mapping(address account => bool) public isBlocked;
    /// @notice Whether the last call made from inside a transfer succeeded.
    bool public reentrySucceeded;
    address private _target;
    bytes private _call;

    error AccountBlocked(address account);
    error TransfersStopped();

    constructor() ERC20("Hostile Dollar", "hUSD") {}

    /// @notice Mints `amount` micros to `to`, whatever the mode. Caller: anybody.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Changes how transfers behave. Caller: anybody.
    function setMode(Mode next) external {
        mode = next;
    }

    /// @notice Blocks or unblocks an account. Caller: anybody.
    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    /// @notice From now on calls `target` in every transfer.
    function reenter(address target, bytes calldata data) external {
        mode = Mode.Reenters;
        _target = target;
        _call = data;
        reentrySucceeded = false;
    }

    /// @notice ERC-20, as far as the mode lets it.
    function transfer(address to, uint256 value) public override returns (bool) {
        return mode != Mode.ReturnsFalse && super.transfer(to, value);
    }

    /// @notice ERC-20, as far as the mode lets it.
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return mode != Mode.ReturnsFalse && super.transferFrom(from, to, value);
    }

    /// @notice Six decimals.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _update(address from, address to, uint256 value) internal override {
        bool minted = from == address(0);
        require(minted || mode != Mode.Reverts, TransfersStopped());
        require(!isBlocked[from], AccountBlocked(from));
        require(!isBlocked[to], AccountBlocked(to));
        super._update(from, to, value);
        if (minted) return;
        if (mode == Mode.TakesFee && value > 0) super._update(to, address(0), 1);
        if (mode != Mode.Reenters) return;
        // The answer decides nothing here: the transfer goes on either way.
        // solhint-disable-next-line avoid-low-level-calls
        (bool done,) = _target.call(_call);
        if (done) reentrySucceeded = true;
    }
}
