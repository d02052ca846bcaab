// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {Payouts} from "./Payouts.sol";

/// @title Bonds of operators
/// @notice An operator's bond waits here, and never falls, until the facility is closed: then the RentLockbox pays it
/// out. api/domain/capital/closing.py is the reference model.
contract BondVault is IBondVault, Payouts {
    using SafeERC20 for IERC20;

    /// @dev Most that all promised hours cost together: it always fits what streams to one tranche.
    uint256 private constant MAX_DAMAGES = 1 << 63;

    /// @notice One operator's bond, and its terms.
    /// @param bond Minor units held.
    /// @param termsSet Whether the terms were set.
    /// @param terms The terms.
    struct OperatorBond {
        uint96 bond;
        bool termsSet;
        BondTerms terms;
    }

    mapping(uint64 facilityId => OperatorBond) private _bonds;

    /// @notice The register, and through it the other contracts.
    IFacilityRegistry public immutable facilityRegistry;

    /// @notice Deploys an empty vault.
    /// @param facilities The register, and through it the other contracts.
    /// @param wallets The contract that is told who acts.
    constructor(IFacilityRegistry facilities, IWalletDesk wallets) Payouts(wallets) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IBondVault
    function setTerms(uint64 facilityId, BondTerms calldata terms) external {
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        require(msg.sender == gpuOperator, NotGpuOperator(facilityId, msg.sender));
        bool offered = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Offered;
        OperatorBond storage held = _bonds[facilityId];
        require(offered && !held.termsSet && !_hasUnits(facilityId), TermsFrozen(facilityId));
        uint256 promised = facilityRegistry.promisedGpuSeconds(facilityId, facilityRegistry.epochCountOf(facilityId));
        bool bounded = promised * terms.ratePerGpuHour < MAX_DAMAGES * 1 hours;
        require(bounded, RateAboveLimit(facilityId, terms.ratePerGpuHour));
        held.termsSet = true;
        held.terms = terms;
        emit BondTermsSet(facilityId, terms);
    }

    /// @inheritdoc IBondVault
    function deposit(uint64 facilityId, uint256 amount) external nonReentrant {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        bool accepted = state == IFacilityRegistry.FacilityState.Offered
            || state == IFacilityRegistry.FacilityState.Funded || state == IFacilityRegistry.FacilityState.Delivering;
        require(accepted, DepositNotAccepted(facilityId));
        require(amount > 0, AmountZero());
        uint96 bond = SafeCast.toUint96(_bonds[facilityId].bond + amount);
        _bonds[facilityId].bond = bond;
        emit BondDeposited(facilityId, msg.sender, amount, bond);
        _pull(_tokenOf(facilityId), amount);
    }

    /// @inheritdoc IBondVault
    function release(uint64 facilityId) external returns (uint256 amount) {
        bool free = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Cancelled;
        require(free, BondStillNeeded(facilityId));
        amount = _bonds[facilityId].bond;
        require(amount > 0, NothingDue(facilityId));
        _bonds[facilityId].bond = 0;
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        owedTo[address(_tokenOf(facilityId))][gpuOperator] += amount;
        emit BondReleased(facilityId, gpuOperator, amount);
    }

    /// @inheritdoc IBondVault
    function surrender(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        require(msg.sender == address(facilityRegistry.rentLockbox()), NotRentLockbox(msg.sender));
        amount = _bonds[facilityId].bond;
        if (amount == 0) return 0;
        _bonds[facilityId].bond = 0;
        emit BondSurrendered(facilityId, amount);
        _tokenOf(facilityId).safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IBondVault
    function bondOf(uint64 facilityId) external view returns (uint256) {
        return _bonds[facilityId].bond;
    }

    /// @inheritdoc IBondVault
    function bondTermsOf(uint64 facilityId) external view returns (BondTerms memory) {
        return _bonds[facilityId].terms;
    }

    /// @inheritdoc IBondVault
    function hasTerms(uint64 facilityId) external view returns (bool) {
        return _bonds[facilityId].termsSet;
    }

    /// @inheritdoc IBondVault
    function isSufficient(uint64 facilityId) external view returns (bool) {
        return _bonds[facilityId].bond >= _bonds[facilityId].terms.requiredBond;
    }

    /// @notice The token of a facility's bond.
    /// @param facilityId The facility.
    /// @return Its settlement token.
    function _tokenOf(uint64 facilityId) private view returns (IERC20) {
        return IERC20(facilityRegistry.settlementTokenOf(facilityId));
    }

    /// @notice Whether any unit of a facility circulates.
    /// @param facilityId The facility.
    /// @return True if one does.
    function _hasUnits(uint64 facilityId) private view returns (bool) {
        uint256 count = facilityRegistry.tranchesOf(facilityId).length;
        for (uint256 i = 0; i < count; ++i) {
            // At most four tranches, so the index fits 8 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            if (facilityRegistry.trancheToken().totalSupply(TrancheId.pack(facilityId, uint8(i))) > 0) return true;
        }
        return false;
    }
}
