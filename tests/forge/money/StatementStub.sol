// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";

/// @title Statements without signatures: what the money contracts read of the registry, set by the test
contract StatementStub {
    uint64 public constant challengeWindow = 600;

    mapping(address account => uint64) public liableUntil;
    mapping(uint64 facilityId => uint32) public epochsPosted;
    mapping(uint64 facilityId => mapping(uint32 epoch => IStatementRegistry.StatementRecord)) private _records;

    function setLiable(address account, uint64 until) external {
        liableUntil[account] = until;
    }

    function post(uint64 facilityId, uint128 gross, uint64 available) external {
        uint32 epoch = epochsPosted[facilityId];
        IStatementRegistry.StatementRecord memory previous;
        if (epoch > 0) previous = _records[facilityId][epoch - 1];
        _records[facilityId][epoch] = IStatementRegistry.StatementRecord(
            keccak256(abi.encode(facilityId, epoch, gross)),
            uint64(block.timestamp),
            previous.cumulativeAvailable + available,
            previous.cumulativeGross + gross
        );
        epochsPosted[facilityId] = epoch + 1;
    }

    /// @dev Like a later correction: GPU-seconds less of the last epoch's cumulative availability.
    function lower(uint64 facilityId, uint64 gpuSeconds) external {
        _records[facilityId][epochsPosted[facilityId] - 1].cumulativeAvailable -= gpuSeconds;
    }

    /// @dev Like a proven fault: the last epoch, while it is not final.
    function void_(uint64 facilityId) external {
        uint32 epoch = epochsPosted[facilityId] - 1;
        require(!isFinal(facilityId, epoch), "final");
        epochsPosted[facilityId] = epoch;
    }

    function slash(IBondVault vault, uint64 facilityId, address[] calldata attesters, address challenger)
        external
        returns (uint256)
    {
        return vault.slash(facilityId, attesters, challenger);
    }

    function statementOf(uint64 facilityId, uint32 epoch)
        external
        view
        returns (IStatementRegistry.StatementRecord memory)
    {
        return _records[facilityId][epoch];
    }

    function finalTotalsOf(uint64 facilityId, uint32 epochs) external view returns (uint64, uint128) {
        if (epochs == 0) return (0, 0);
        require(isFinal(facilityId, epochs - 1), IStatementRegistry.EpochNotFinal(facilityId, epochs - 1));
        IStatementRegistry.StatementRecord storage record = _records[facilityId][epochs - 1];
        return (record.cumulativeAvailable, record.cumulativeGross);
    }

    function finalTotals(uint64 facilityId, uint32 from)
        external
        view
        returns (uint32 epochs, uint64 cumulativeAvailable, uint128 cumulativeGross)
    {
        epochs = from;
        while (isFinal(facilityId, epochs)) ++epochs;
        if (epochs == 0) return (0, 0, 0);
        IStatementRegistry.StatementRecord storage record = _records[facilityId][epochs - 1];
        return (epochs, record.cumulativeAvailable, record.cumulativeGross);
    }

    function isFinal(uint64 facilityId, uint32 epoch) public view returns (bool) {
        if (epoch >= epochsPosted[facilityId]) return false;
        return block.timestamp >= _records[facilityId][epoch].postedAt + challengeWindow;
    }

    function epochsFinal(uint64 facilityId) external view returns (uint32 count) {
        while (isFinal(facilityId, count)) ++count;
    }
}

/// @title Vouchers without a desk
contract DeskStub {
    mapping(uint64 facilityId => uint256) public unservedGpuSeconds;

    function burn(ITrancheToken token, address holder, uint256 id, uint256 units) external {
        token.burnForDelivery(holder, id, units);
        // forge-lint: disable-next-line(unsafe-typecast)
        unservedGpuSeconds[uint64(id >> 8)] += units * 3_600;
    }

    function setUnserved(uint64 facilityId, uint256 gpuSeconds) external {
        unservedGpuSeconds[facilityId] = gpuSeconds;
    }

    function pay(IBondVault vault, uint64 facilityId, address holder, uint256 gpuSeconds) external returns (uint256) {
        unservedGpuSeconds[facilityId] -= gpuSeconds;
        return vault.payUnserved(facilityId, holder, gpuSeconds);
    }
}
