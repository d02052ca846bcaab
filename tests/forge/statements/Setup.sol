// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../../contracts/access/Authority.sol";
import {WalletDesk} from "../../../contracts/access/WalletDesk.sol";
import {StatementRegistry} from "../../../contracts/statements/StatementRegistry.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {MockFacilityRegistry} from "../../../contracts/mocks/MockFacilityRegistry.sol";
import {MockStablecoin} from "../../../contracts/mocks/MockStablecoin.sol";
import {Attested} from "../Attested.sol";

/// @title A registry with three attesters, of whom two must sign, and one delivering facility
abstract contract Setup is Attested {
    uint64 internal constant FACILITY = 7;
    uint64 internal constant WINDOW_START = 1_000_000;
    uint32 internal constant EPOCH_LENGTH = 1 days;
    uint32 internal constant DEVICES = 64;
    uint64 internal constant CHALLENGE_WINDOW = 1 days;

    /// @notice Gas of a posting without 21,000 and calldata.
    event ExecutionSeen(uint256 gasUsed);

    MockFacilityRegistry internal facilities;
    StatementRegistry internal registry;
    bytes32 internal previous;

    function setUp() public virtual {
        facilities = new MockFacilityRegistry();
        IFacilityRegistry register = IFacilityRegistry(address(facilities));
        Authority authority = new Authority(address(this));
        (uint32 activation, uint32 removal) = _delays();
        WalletDesk wallets = new WalletDesk(address(authority), register);
        _appoint(authority, register, address(new MockStablecoin()), activation, removal, wallets);
        registry = new StatementRegistry(address(authority), register, attesters, CHALLENGE_WINDOW);
        facilities.link(attesters, pledges, registry, attesterDesk);
        _seat();
        IFacilityRegistry.FacilityTerms memory terms;
        terms.windowStart = WINDOW_START;
        terms.windowEnd = WINDOW_START + 4 * EPOCH_LENGTH;
        terms.epochLength = EPOCH_LENGTH;
        terms.deviceCount = DEVICES;
        facilities.setFacility(FACILITY, terms, IFacilityRegistry.FacilityState.Funded, 1);
        vm.warp(WINDOW_START);
    }

    function _delays() internal pure virtual returns (uint32 activation, uint32 removal) {
        return (0, 0);
    }

    function _statement(uint32 epoch, bytes32 root, uint32 lineCount)
        internal
        view
        returns (IStatementRegistry.Statement memory statement)
    {
        uint64 start = WINDOW_START + uint64(epoch) * EPOCH_LENGTH;
        uint64 available = uint64(DEVICES) * EPOCH_LENGTH - 123_457;
        statement = IStatementRegistry.Statement({
            facilityId: FACILITY,
            epoch: epoch,
            epochStart: start,
            epochEnd: start + EPOCH_LENGTH,
            availableGpuSeconds: available,
            availableAdjustment: 0,
            billedGpuSeconds: 4_000_000,
            grossRevenue: 2_777_123_456,
            lineCount: lineCount,
            usageRoot: root,
            evidenceHash: keccak256("evidence"),
            previousStatementHash: previous,
            topRenterBps: 4_200,
            committedBps: 3_100
        });
    }

    /// @dev All three sign.
    function _sign(IStatementRegistry.Statement memory statement)
        internal
        view
        returns (IAttesterRegistry.Attestation[] memory)
    {
        return _signedBy(registry.statementDigest(statement), attesterKeys, 3);
    }

    /// @return gasUsed Of the whole transaction: 21,000, calldata and execution.
    function _post(IStatementRegistry.Statement memory statement) internal returns (uint256 gasUsed) {
        IAttesterRegistry.Attestation[] memory attestations = _sign(statement);
        vm.warp(statement.epochEnd);
        registry.post(statement, attestations);
        gasUsed = vm.lastCallGas().gasTotalUsed;
        emit ExecutionSeen(gasUsed - _intrinsic(abi.encodeCall(registry.post, (statement, attestations))));
        previous = registry.hashStatement(statement);
    }

    function _intrinsic(bytes memory data) internal pure returns (uint256 gasUsed) {
        gasUsed = 21_000;
        for (uint256 i = 0; i < data.length; ++i) {
            gasUsed += data[i] == 0 ? 4 : 16;
        }
    }
}
