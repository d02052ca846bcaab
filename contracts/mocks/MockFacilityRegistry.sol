// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IEndings} from "../interfaces/IEndings.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPledgeRegistry} from "../interfaces/IPledgeRegistry.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";

/// @title Facilities that tests set up in one call, with the storage layout and time rule of the real register
/// @notice For tests only: stands in for FacilityRegistry where only statements matter.
contract MockFacilityRegistry {
    IAttesterRegistry public attesterRegistry;
    IPledgeRegistry public pledgeRegistry;
    IStatementRegistry public statementRegistry;
    IAttesterDesk public attesterDesk;
    /// @dev The WalletDesk asks for these; nothing is there.
    address public trancheToken;
    address public rentLockbox;
    address public primarySale;
    address public bondVault;
    address public deliveryDesk;
    address public refundDesk;
    mapping(uint64 facilityId => uint8) private _panels;
    mapping(uint64 facilityId => IFacilityRegistry.FacilityTerms) private _terms;
    mapping(uint64 facilityId => IFacilityRegistry.FacilityState) private _states;
    mapping(uint64 facilityId => IEndings.Ending) private _endings;

    function setFacility(
        uint64 facilityId,
        IFacilityRegistry.FacilityTerms calldata terms,
        IFacilityRegistry.FacilityState state,
        uint8 panel
    ) external {
        _terms[facilityId] = terms;
        _states[facilityId] = state;
        _panels[facilityId] = panel;
    }

    function setState(uint64 facilityId, IFacilityRegistry.FacilityState state) external {
        _states[facilityId] = state;
    }

    function link(
        IAttesterRegistry attesters,
        IPledgeRegistry pledges,
        IStatementRegistry statements,
        IAttesterDesk desk
    ) external {
        (attesterRegistry, pledgeRegistry, statementRegistry, attesterDesk) = (attesters, pledges, statements, desk);
    }

    function stateOf(uint64 facilityId) public view returns (IFacilityRegistry.FacilityState) {
        IFacilityRegistry.FacilityState stored = _states[facilityId];
        bool funded = stored == IFacilityRegistry.FacilityState.Funded;
        bool delivering = funded && block.timestamp >= _terms[facilityId].windowStart;
        return delivering ? IFacilityRegistry.FacilityState.Delivering : stored;
    }

    function termsOf(uint64 facilityId) external view returns (IFacilityRegistry.FacilityTerms memory) {
        bool known = _states[facilityId] != IFacilityRegistry.FacilityState.None;
        require(known, IFacilityRegistry.FacilityUnknown(facilityId));
        return _terms[facilityId];
    }

    function epochTermsOf(uint64 facilityId) external view returns (IFacilityRegistry.EpochTerms memory) {
        IFacilityRegistry.FacilityTerms storage terms = _terms[facilityId];
        IFacilityRegistry.FacilityState state = stateOf(facilityId);
        return IFacilityRegistry.EpochTerms(
            state,
            terms.windowStart,
            terms.windowEnd,
            terms.epochLength,
            terms.sealSeconds,
            terms.deviceCount,
            _panels[facilityId]
        );
    }

    function setEnding(uint64 facilityId, IEndings.Ending calldata ending) external {
        _endings[facilityId] = ending;
    }

    function endingOf(uint64 facilityId) external view returns (IEndings.Ending memory) {
        return _endings[facilityId];
    }

    function gpuOperatorOf(uint64 facilityId) external view returns (address) {
        return _terms[facilityId].gpuOperator;
    }

    function settlementTokenOf(uint64 facilityId) external view returns (address) {
        return _terms[facilityId].settlementToken;
    }
}
