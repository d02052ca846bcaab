// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Books of attester bonds: half of what is taken to the challenger, half to the treasury; can refuse
/// @notice For tests only: stands in for BondVault where only slashing matters.
contract MockBondVault {
    uint256 public constant SLASH_AMOUNT = 1_000;

    bool public refusing;
    uint256 public toTreasury;
    uint256 public calls;
    mapping(address attester => uint256) public attesterBondOf;
    mapping(address account => uint256) public owed;

    event Slashed(uint64 facilityId, address attester, address challenger);

    error Refused();

    function setRefusing(bool refusing_) external {
        refusing = refusing_;
    }

    function setBond(address attester, uint256 amount) external {
        attesterBondOf[attester] = amount;
    }

    function slash(uint64 facilityId, address[] calldata attesters, address challenger)
        external
        returns (uint256 taken)
    {
        require(!refusing, Refused());
        ++calls;
        for (uint256 i = 0; i < attesters.length; ++i) {
            uint256 bond = attesterBondOf[attesters[i]];
            uint256 part = bond < SLASH_AMOUNT ? bond : SLASH_AMOUNT;
            attesterBondOf[attesters[i]] = bond - part;
            taken += part;
            emit Slashed(facilityId, attesters[i], challenger);
        }
        owed[challenger] += taken / 2;
        toTreasury += taken - taken / 2;
    }
}
