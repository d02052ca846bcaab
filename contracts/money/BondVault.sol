// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {AttesterBonds} from "./AttesterBonds.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";

/// @title Bond vault, part 2: operators
/// @notice Operators pay for promised compute that was not available. api/domain/capital/bond.py is the reference
/// model.
contract BondVault is AttesterBonds {
    uint256 private constant SECONDS_PER_HOUR = 3_600;

    /// @notice One operator's bond: a word of state, and the terms.
    /// @dev Two words: what is held, and the terms.
    /// @param bond Minor units held.
    /// @param shortfallPaid Minor units paid for shortfalls so far.
    /// @param belowSince UTC second since which the bond is below its minimum; 0 if it is not.
    /// @param termsSet Whether the terms were set.
    /// @param terms The terms.
    struct OperatorBond {
        uint96 bond;
        uint96 shortfallPaid;
        uint64 belowSince;
        bool termsSet;
        BondTerms terms;
    }

    mapping(uint64 facilityId => OperatorBond) private _bonds;

    /// @notice Deploys an empty vault.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities The register, and through it the other contracts.
    /// @param token Token of attesters' bonds.
    constructor(address authority, IFacilityRegistry facilities, IERC20 token)
        AttesterBonds(authority, facilities, token)
    {}

    /// @inheritdoc IBondVault
    function setTerms(uint64 facilityId, BondTerms calldata terms) external {
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        require(msg.sender == gpuOperator, NotGpuOperator(facilityId, msg.sender));
        bool offered = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Offered;
        OperatorBond storage held = _bonds[facilityId];
        require(offered && !held.termsSet && !_hasUnits(facilityId), TermsFrozen(facilityId));
        held.termsSet = true;
        held.terms = terms;
        emit BondTermsSet(facilityId, terms);
        _setBond(held, held.bond);
    }

    /// @inheritdoc IBondVault
    function deposit(uint64 facilityId, uint256 amount) external nonReentrant {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        bool accepted = state == IFacilityRegistry.FacilityState.Offered
            || state == IFacilityRegistry.FacilityState.Funded || state == IFacilityRegistry.FacilityState.Delivering;
        require(accepted, DepositNotAccepted(facilityId));
        require(amount > 0, AmountZero());
        OperatorBond storage held = _bonds[facilityId];
        uint256 bond = held.bond + amount;
        _setBond(held, bond);
        emit BondDeposited(facilityId, msg.sender, amount, bond);
        _pull(_tokenOf(facilityId), amount);
    }

    /// @inheritdoc IBondVault
    function payShortfall(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        OperatorBond storage held = _bonds[facilityId];
        (uint256 due, uint256 gpuSeconds, uint32 epochs) = _shortfall(facilityId);
        amount = Math.min(due, held.bond);
        require(amount > 0, NothingDue(facilityId));
        held.shortfallPaid = SafeCast.toUint96(held.shortfallPaid + amount);
        uint256 bond = held.bond - amount;
        _setBond(held, bond);
        emit ShortfallPaid(facilityId, epochs, gpuSeconds, amount, bond);
        _distribute(facilityId, _tokenOf(facilityId), amount);
    }

    /// @inheritdoc IBondVault
    function payUnserved(uint64 facilityId, address holder, uint256 gpuSeconds) external returns (uint256 amount) {
        require(msg.sender == address(facilityRegistry.deliveryDesk()), NotDeliveryDesk(msg.sender));
        OperatorBond storage held = _bonds[facilityId];
        amount = Math.min(gpuSeconds * held.terms.ratePerGpuHour / SECONDS_PER_HOUR, held.bond);
        uint256 bond = held.bond - amount;
        _setBond(held, bond);
        owedTo[address(_tokenOf(facilityId))][holder] += amount;
        emit UnservedPaid(facilityId, holder, gpuSeconds, amount, bond);
    }

    /// @inheritdoc IBondVault
    function release(uint64 facilityId) external returns (uint256 amount) {
        OperatorBond storage held = _bonds[facilityId];
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        bool free = state == IFacilityRegistry.FacilityState.Cancelled;
        if (state == IFacilityRegistry.FacilityState.Matured) {
            (uint256 due,,) = _shortfall(facilityId);
            free = due == 0 && _unserved(facilityId) == 0;
        }
        require(free, BondStillNeeded(facilityId));
        amount = held.bond;
        require(amount > 0, NothingDue(facilityId));
        held.bond = 0;
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        owedTo[address(_tokenOf(facilityId))][gpuOperator] += amount;
        emit BondReleased(facilityId, gpuOperator, amount);
    }

    /// @inheritdoc IBondVault
    function seize(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        bool defaulted = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Defaulted;
        require(defaulted, FacilityNotDefaulted(facilityId));
        OperatorBond storage held = _bonds[facilityId];
        uint256 bond = held.bond;
        amount = bond - Math.min(bond, _reservedUp(facilityId));
        require(amount > 0, NothingDue(facilityId));
        _setBond(held, bond - amount);
        emit BondSeized(facilityId, amount);
        _distribute(facilityId, _tokenOf(facilityId), amount);
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

    /// @inheritdoc IBondVault
    function belowSince(uint64 facilityId) external view returns (uint64) {
        return _bonds[facilityId].belowSince;
    }

    /// @inheritdoc IBondVault
    function shortfallDue(uint64 facilityId) external view returns (uint256 due) {
        (due,,) = _shortfall(facilityId);
    }

    /// @notice Stores a bond and since when it is below its minimum.
    /// @dev A bond that stays below its minimum keeps its first instant: a tiny deposit buys no time (ATTACKS 7).
    /// @param held The operator's bond.
    /// @param bond Its new amount, minor units.
    function _setBond(OperatorBond storage held, uint256 bond) private {
        held.bond = SafeCast.toUint96(bond);
        if (bond >= held.terms.requiredBond) held.belowSince = 0;
        else if (held.belowSince == 0) held.belowSince = uint64(block.timestamp);
    }

    /// @notice What a facility owes for GPU-seconds that were promised and not available.
    /// @dev Amount not paid yet, and the cumulative shortfall of all final epochs that it comes from.
    /// @param facilityId The facility.
    /// @return due Minor units not paid yet, rounded down on the cumulative.
    /// @return gpuSeconds Shortfall of all final epochs together, GPU-seconds.
    /// @return epochs Number of final epochs.
    function _shortfall(uint64 facilityId) private view returns (uint256 due, uint256 gpuSeconds, uint32 epochs) {
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        epochs = statements.epochsFinal(facilityId);
        uint256 promised = facilityRegistry.promisedGpuSeconds(facilityId, epochs);
        (uint256 available,) = statements.finalTotalsOf(facilityId, epochs);
        gpuSeconds = promised - Math.min(available, promised);
        uint256 whole = gpuSeconds * _bonds[facilityId].terms.ratePerGpuHour / SECONDS_PER_HOUR;
        due = whole - Math.min(whole, _bonds[facilityId].shortfallPaid);
    }

    /// @notice What vouchers may still be paid.
    /// @dev Rounded up: what vouchers may still be paid.
    /// @param facilityId The facility.
    /// @return Minor units, rounded up.
    function _reservedUp(uint64 facilityId) private view returns (uint256) {
        uint256 rate = _bonds[facilityId].terms.ratePerGpuHour;
        return Math.ceilDiv(_unserved(facilityId) * rate, SECONDS_PER_HOUR);
    }

    /// @notice GPU-seconds that vouchers of a facility still owe.
    /// @param facilityId The facility.
    /// @return GPU-seconds.
    function _unserved(uint64 facilityId) private view returns (uint256) {
        return facilityRegistry.deliveryDesk().unservedGpuSeconds(facilityId);
    }

    /// @notice The token of a facility's bond.
    /// @param facilityId The facility.
    /// @return Its settlement token.
    function _tokenOf(uint64 facilityId) private view returns (IERC20) {
        return IERC20(facilityRegistry.settlementTokenOf(facilityId));
    }
}
