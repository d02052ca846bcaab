// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {Payouts} from "./Payouts.sol";

/// @title Bond vault, part 1: attesters
/// @notice Attesters lose part of their bonds for statements that they should not have signed.
abstract contract AttesterBonds is IBondVault, AccessManaged, Payouts {
    using SafeERC20 for IERC20;

    /// @notice The register, and through it the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    /// @notice Token of attesters' bonds.
    IERC20 public immutable attesterToken;
    /// @inheritdoc IBondVault
    uint96 public slashAmount;
    /// @inheritdoc IBondVault
    uint256 public slashedForTreasury;
    /// @inheritdoc IBondVault
    mapping(address attester => uint256) public attesterBondOf;

    /// @notice Sets authority, register and token.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities The register, and through it the other contracts.
    /// @param token Token of attesters' bonds.
    /// @param wallets The contract that is told who acts.
    constructor(address authority, IFacilityRegistry facilities, IERC20 token, IWalletDesk wallets)
        AccessManaged(authority)
        Payouts(wallets)
    {
        facilityRegistry = facilities;
        attesterToken = token;
    }

    /// @inheritdoc IBondVault
    function depositAttesterBond(address attester, uint256 amount) external nonReentrant {
        require(amount > 0, AmountZero());
        uint256 bond = attesterBondOf[attester] + amount;
        attesterBondOf[attester] = bond;
        emit AttesterBondDeposited(attester, msg.sender, amount, bond);
        _pull(attesterToken, amount);
    }

    /// @inheritdoc IBondVault
    function withdrawAttesterBond(address to) external nonReentrant returns (uint256 amount) {
        _requireRecipient(to);
        uint64 liableUntil = facilityRegistry.statementRegistry().liableUntil(msg.sender);
        require(block.timestamp >= liableUntil, AttesterLiable(msg.sender, liableUntil));
        amount = attesterBondOf[msg.sender];
        require(amount > 0, NothingOwed(address(attesterToken), msg.sender));
        attesterBondOf[msg.sender] = 0;
        emit AttesterBondWithdrawn(msg.sender, to, amount);
        attesterToken.safeTransfer(to, amount);
    }

    /// @inheritdoc IBondVault
    function slash(uint64 facilityId, address[] calldata attesters, address challenger)
        external
        returns (uint256 taken)
    {
        require(msg.sender == address(facilityRegistry.statementRegistry()), NotStatementRegistry(msg.sender));
        uint256 most = slashAmount;
        // A deployment without attester bonds has nothing to take.
        if (most == 0) return 0;
        uint256 rewarded = 0;
        for (uint256 i = 0; i < attesters.length; ++i) {
            uint256 bond = attesterBondOf[attesters[i]];
            uint256 amount = Math.min(most, bond);
            if (amount == 0) continue;
            attesterBondOf[attesters[i]] = bond - amount;
            emit AttesterSlashed(attesters[i], facilityId, challenger, amount, amount / 2);
            taken += amount;
            rewarded += amount / 2;
        }
        if (taken == 0) return 0;
        owedTo[address(attesterToken)][challenger] += rewarded;
        slashedForTreasury += taken - rewarded;
    }

    /// @inheritdoc IBondVault
    function takeSlashed(address to) external restricted nonReentrant returns (uint256 amount) {
        _requireRecipient(to);
        amount = slashedForTreasury;
        require(amount > 0, NothingOwed(address(attesterToken), msg.sender));
        slashedForTreasury = 0;
        emit SlashedTaken(to, amount);
        attesterToken.safeTransfer(to, amount);
    }

    /// @inheritdoc IBondVault
    function setSlashAmount(uint96 amount) external restricted {
        slashAmount = amount;
        emit SlashAmountSet(amount);
    }

    /// @notice Whether any unit of a facility circulates.
    /// @param facilityId The facility.
    /// @return True if one does.
    function _hasUnits(uint64 facilityId) internal view returns (bool) {
        uint256 count = facilityRegistry.tranchesOf(facilityId).length;
        for (uint256 i = 0; i < count; ++i) {
            // At most four tranches, so the index fits 8 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            if (facilityRegistry.trancheToken().totalSupply(TrancheId.pack(facilityId, uint8(i))) > 0) return true;
        }
        return false;
    }
}
