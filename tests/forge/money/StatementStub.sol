// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPublications} from "../../../contracts/interfaces/IPublications.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";

/// @title Statements without signatures: what the money contracts read of the registry, set by the test
contract StatementStub {
    /// @dev One word, as in the StatementRegistry: what is read is what is paid for.
    struct Head {
        uint32 epochs;
        bool closing;
    }

    uint64 public constant challengeWindow = 600;

    IFacilityRegistry private immutable _facilities;
    mapping(uint64 facilityId => Head) private _heads;
    mapping(uint64 facilityId => mapping(uint32 epoch => IStatementRegistry.StatementRecord)) private _records;
    mapping(uint64 facilityId => IPublications.Openness) private _published;

    constructor(IFacilityRegistry facilities) {
        _facilities = facilities;
    }

    function post(uint64 facilityId, uint128 gross, uint64 available) external {
        uint32 epoch = _heads[facilityId].epochs;
        IStatementRegistry.StatementRecord memory previous;
        if (epoch > 0) previous = _records[facilityId][epoch - 1];
        _records[facilityId][epoch] = IStatementRegistry.StatementRecord(
            keccak256(abi.encode(facilityId, epoch, gross)),
            uint64(block.timestamp),
            previous.cumulativeAvailable + available,
            previous.cumulativeGross + gross
        );
        _heads[facilityId].epochs = epoch + 1;
    }

    /// @dev The closing statement: what it adds, or takes away.
    function postClosing(uint64 facilityId, int128 gross) external {
        uint32 epoch = _heads[facilityId].epochs;
        IStatementRegistry.StatementRecord memory record = _records[facilityId][epoch - 1];
        record.postedAt = uint64(block.timestamp);
        int256 sum = int256(uint256(record.cumulativeGross)) + gross;
        record.cumulativeGross = sum < 0 ? 0 : uint128(uint256(sum));
        _records[facilityId][epoch] = record;
        _heads[facilityId].closing = true;
    }

    /// @dev Like a later correction: GPU-seconds less of the last epoch's cumulative availability.
    function lower(uint64 facilityId, uint64 gpuSeconds) external {
        _records[facilityId][_heads[facilityId].epochs - 1].cumulativeAvailable -= gpuSeconds;
    }

    /// @dev Like a proven fault: the last epoch, while it is not final.
    function void_(uint64 facilityId) external {
        uint32 epoch = _heads[facilityId].epochs - 1;
        require(!isFinal(facilityId, epoch), "final");
        IPublications.Openness storage published = _published[facilityId];
        if (published.firstOpen <= epoch) published.firstOpen = epoch + 1;
        published.voidedAt = uint40(block.timestamp);
        _heads[facilityId].closing = false;
        _heads[facilityId].epochs = epoch;
    }

    /// @dev The operator's own word on all epochs up to `epochs`, if it has not been given.
    function publish(uint64 facilityId, uint32 epochs) external {
        if (epochs > _published[facilityId].firstOpen) _published[facilityId].firstOpen = epochs;
    }

    /// @dev Takes the publication of an epoch and of all later ones back.
    function reject(uint64 facilityId, uint32 epoch) external {
        require(epoch >= _heads[facilityId].epochs && epoch < _published[facilityId].firstOpen, "not published");
        _published[facilityId].firstOpen = epoch;
        _published[facilityId].rejectedAt = uint40(block.timestamp);
    }

    function slash(
        IAttesterRegistry registry,
        uint64 facilityId,
        bytes32 statementHash,
        address[] calldata attesters,
        address challenger
    ) external returns (uint256) {
        return registry.slash(facilityId, statementHash, attesters, challenger);
    }

    function statementOf(uint64 facilityId, uint32 epoch)
        external
        view
        returns (IStatementRegistry.StatementRecord memory)
    {
        return _records[facilityId][epoch];
    }

    function finalTotals(uint64 facilityId, uint32 from)
        external
        view
        returns (uint32 epochs, uint64 cumulativeAvailable, uint128 cumulativeGross)
    {
        Head memory head = _heads[facilityId];
        epochs = from;
        while (epochs < head.epochs && _isOld(facilityId, epochs)) ++epochs;
        if (epochs == 0) return (0, 0, 0);
        bool closing = head.closing && epochs == head.epochs && _isOld(facilityId, epochs);
        IStatementRegistry.StatementRecord storage record = _records[facilityId][closing ? epochs : epochs - 1];
        return (epochs, record.cumulativeAvailable, record.cumulativeGross);
    }

    function epochsPosted(uint64 facilityId) external view returns (uint32) {
        return _heads[facilityId].epochs;
    }

    function postedGross(uint64 facilityId) external view returns (uint128) {
        Head memory head = _heads[facilityId];
        uint32 statements = head.closing ? head.epochs + 1 : head.epochs;
        return statements == 0 ? 0 : _records[facilityId][statements - 1].cumulativeGross;
    }

    function isClosingPosted(uint64 facilityId) external view returns (bool) {
        return _heads[facilityId].closing;
    }

    function isClosingFinal(uint64 facilityId) public view returns (bool) {
        return _heads[facilityId].closing && _isOld(facilityId, _heads[facilityId].epochs);
    }

    function isFinal(uint64 facilityId, uint32 epoch) public view returns (bool) {
        if (epoch >= _heads[facilityId].epochs) {
            return isClosingFinal(facilityId) && epoch == _heads[facilityId].epochs;
        }
        return _isOld(facilityId, epoch);
    }

    function epochsFinal(uint64 facilityId) external view returns (uint32 count) {
        while (count < _heads[facilityId].epochs && isFinal(facilityId, count)) ++count;
    }

    function opennessOf(uint64 facilityId) external view returns (IPublications.Openness memory open) {
        open = _published[facilityId];
        if (open.firstOpen < _heads[facilityId].epochs) open.firstOpen = _heads[facilityId].epochs;
    }

    /// @dev As the registry says, without the bound on voids.
    function statementsEndAt(uint64 facilityId) external view returns (uint64 endAt) {
        endAt = _facilities.endingOf(facilityId).endedAt;
        if (endAt == 0) return 0;
        IFacilityRegistry.EpochTerms memory terms = _facilities.epochTermsOf(facilityId);
        if (terms.state != IFacilityRegistry.FacilityState.Matured) {
            if (_published[facilityId].voidedAt > endAt) endAt = _published[facilityId].voidedAt;
            endAt += terms.epochLength + 1 days;
        }
        uint32 posted = _heads[facilityId].epochs;
        if (_heads[facilityId].closing) ++posted;
        uint64 finalAt = posted == 0 ? 0 : _records[facilityId][posted - 1].postedAt + challengeWindow;
        if (finalAt > endAt) endAt = finalAt;
    }

    function _isOld(uint64 facilityId, uint32 epoch) private view returns (bool) {
        return block.timestamp >= _records[facilityId][epoch].postedAt + challengeWindow;
    }
}

/// @title Vouchers without orders and lines: what the lockbox reads of the desk
contract DeskStub {
    IDeliveryDesk.Voucher[] private _vouchers;
    mapping(uint64 facilityId => uint64[4]) private _openGpuSeconds;
    mapping(uint64 facilityId => uint64) public servedGpuSecondsOf;

    /// @dev A voucher of an hour a unit.
    function burn(ITrancheToken token, address holder, uint256 id, uint256 units) external returns (uint256) {
        token.burnForDelivery(holder, id, units);
        // Facility and rank are the two lowest parts of an id, and tests burn few units.
        // forge-lint: disable-start(unsafe-typecast)
        (uint64 facilityId, uint8 seniority) = (uint64(id >> 8), uint8(id));
        uint56 owed = uint56(units * 3_600);
        _vouchers.push(
            IDeliveryDesk.Voucher(holder, facilityId, seniority, owed, 0, uint40(units), uint40(block.timestamp), "")
        );
        // forge-lint: disable-end(unsafe-typecast)
        _openGpuSeconds[facilityId][seniority] += owed;
        return _vouchers.length;
    }

    function serve(uint256 voucherId, uint56 gpuSeconds) external {
        IDeliveryDesk.Voucher storage voucher = _vouchers[voucherId - 1];
        require(voucher.servedGpuSeconds + gpuSeconds <= voucher.owedGpuSeconds, "served");
        voucher.servedGpuSeconds += gpuSeconds;
        _openGpuSeconds[voucher.facilityId][voucher.seniority] -= gpuSeconds;
        servedGpuSecondsOf[voucher.facilityId] += gpuSeconds;
    }

    function voucherCount() external view returns (uint256) {
        return _vouchers.length;
    }

    function voucherOf(uint256 voucherId) external view returns (IDeliveryDesk.Voucher memory) {
        require(voucherId > 0 && voucherId <= _vouchers.length, IDeliveryDesk.VoucherUnknown(voucherId));
        return _vouchers[voucherId - 1];
    }

    function openGpuSecondsOf(uint64 facilityId) external view returns (uint64[4] memory) {
        return _openGpuSeconds[facilityId];
    }

    /// @dev The same number: each unit gives its whole hour.
    function openUnitSecondsOf(uint64 facilityId) external view returns (uint64[4] memory) {
        return _openGpuSeconds[facilityId];
    }
}
