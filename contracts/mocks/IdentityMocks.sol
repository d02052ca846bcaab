// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-3643 identity registry that answers, lies, reverts or burns gas as told
/// @notice For tests only: its answers are set by hand.
contract IdentityRegistryMock {
    enum Mode {
        Honest,
        Revert,
        BurnGas,
        Garbage,
        Bomb
    }

    Mode public mode;
    mapping(address account => bool) public verified;

    error IdentityDown();

    /// @notice Sets the behaviour.
    function setMode(Mode next) external {
        mode = next;
    }

    /// @notice Says whether an account is verified.
    function setVerified(address account, bool isIt) external {
        verified[account] = isIt;
    }

    /// @notice Answers as told; 2 is no boolean.
    function isVerified(address account) external view returns (uint256) {
        if (mode == Mode.Revert) revert IdentityDown();
        if (mode == Mode.Garbage) return 2;
        if (mode == Mode.BurnGas) {
            uint256 i = 0;
            while (gasleft() > 0) ++i;
        }
        if (mode == Mode.Bomb) {
            bytes memory bomb = new bytes(gasleft() > 200_000 ? 1_000_000 : 32_000);
            revert(string(bomb));
        }
        return verified[account] ? 1 : 0;
    }
}
