// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {Faults} from "../../../contracts/statements/Faults.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Setup} from "./Setup.sol";

/// @notice A challenger that gives the registry as little gas as it is told to.
contract Starver {
    function challenge(
        IStatementChallenges registry,
        IStatementRegistry.Statement calldata statement,
        IStatementChallenges.ProvenLine calldata proven,
        uint256 gasGiven
    ) external returns (bool done) {
        try registry.challengeLine{gas: gasGiven}(statement, proven) {
            done = true;
        } catch {}
    }
}

/// @notice Time, gas and forks around challenges, and random histories.
contract ChallengeTest is Setup {
    /// @dev One line that carries the totals; `salt` makes statements differ. Faulty ones count a second too many.
    function _oneLine(uint32 epoch, uint256 salt, bool faulty)
        private
        view
        returns (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven)
    {
        statement = _statement(epoch, bytes32(0), 1);
        IStatementRegistry.Line memory line = proven.line;
        line.facilityId = FACILITY;
        line.epoch = epoch;
        line.subject = keccak256("device");
        line.lease = bytes32(salt);
        line.start = statement.epochStart;
        line.end = statement.epochStart + 60;
        line.gpuSeconds = faulty ? 61 : 60;
        line.charge = 41_500;
        line.cumulativeGpuSeconds = line.gpuSeconds;
        line.cumulativeCharge = line.charge;
        statement.billedGpuSeconds = line.gpuSeconds;
        statement.grossRevenue = 41_500;
        statement.usageRoot = UsageProof.leaf(line);
    }

    /// @notice ATTACKS 24: the last second of the window counts, the next does not, and finality begins there.
    function test_challengeLine__at_the_last_second__voids() public {
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _oneLine(0, 1, true);
        _post(statement);
        uint256 finalAt = block.timestamp + CHALLENGE_WINDOW;

        vm.warp(finalAt);
        require(registry.isFinal(FACILITY, 0));
        vm.expectRevert(
            abi.encodeWithSelector(IStatementChallenges.ChallengeTooLate.selector, FACILITY, uint32(0), finalAt)
        );
        registry.challengeLine(statement, proven);
        vm.warp(finalAt - 1);
        require(!registry.isFinal(FACILITY, 0));
        registry.challengeLine(statement, proven);
        require(registry.epochsPosted(FACILITY) == 0);
        require(_owed(address(this)) == 3 * SLASH / 2);
    }

    /// @notice ATTACKS 18: after a fork with another chain id, signatures of before do not count.
    function test_post__chain_forked__signatures_of_the_other_chain_fail() public {
        (IStatementRegistry.Statement memory statement,) = _oneLine(0, 1, false);
        bytes32 before = registry.statementDigest(statement);
        IAttesterRegistry.Attestation[] memory attestations = _sign(statement);
        vm.warp(statement.epochEnd);

        vm.chainId(999);

        require(registry.statementDigest(statement) != before);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SignatureInvalid.selector, vm.addr(attesterKeys[0])));
        registry.post(statement, attestations);
        registry.post(statement, _sign(statement));
    }

    /// @notice ATTACKS 24: an attester that challenges itself with too little gas for the slash does not get away:
    /// either nothing happens, or it pays now.
    function testFuzz_challengeLine__starved_of_gas__never_frees_the_attesters(uint256 gasGiven) public {
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _oneLine(0, 1, true);
        _post(statement);
        gasGiven = 40_000 + gasGiven % 260_000;
        Starver starver = new Starver();

        bool done = starver.challenge(registry, statement, proven, gasGiven);

        require(done == (registry.epochsPosted(FACILITY) == 0));
        require(_owed(address(starver)) == (done ? 3 * SLASH / 2 : 0));
        for (uint256 i = 0; i < 3; ++i) {
            require(attesters.bondOf(vm.addr(attesterKeys[i])) == ATTESTER_BOND - (done ? SLASH : 0));
        }
    }

    /// @notice Random histories of honest and faulty posts, challenges and time: totals are those of what stands, what
    /// is final never changes, and no honest statement falls but with a faulty one before it.
    function testFuzz_history__of_posts_and_challenges__keeps_the_books(uint256 seed) public {
        bool[4] memory faulty;
        uint256[4] memory salts;
        uint256 finalSeen = 0;
        vm.warp(WINDOW_START + 4 * uint256(EPOCH_LENGTH));
        for (uint256 step = 0; step < 14; ++step) {
            uint256 dice = uint256(keccak256(abi.encode(seed, step)));
            uint32 posted = registry.epochsPosted(FACILITY);
            if (dice % 3 == 0) vm.warp(block.timestamp + dice % 50_000);
            if (dice % 3 == 1 && posted < 4) {
                (faulty[posted], salts[posted]) = (dice & 256 == 0, dice);
                _postHere(posted, dice, faulty[posted]);
            }
            if (dice % 3 == 2 && posted > 0) _challengeHere(uint32((dice >> 16) % posted), salts, faulty);
            finalSeen = _checkBooks(finalSeen);
        }
    }

    function _postHere(uint32 epoch, uint256 salt, bool faulty) private {
        previous = epoch == 0 ? bytes32(0) : registry.statementOf(FACILITY, epoch - 1).statementHash;
        (IStatementRegistry.Statement memory statement,) = _oneLine(epoch, salt, faulty);
        for (uint256 i = 0; i < 3; ++i) {
            _bondAttester(vm.addr(attesterKeys[i]), SLASH);
        }
        registry.post(statement, _sign(statement));
    }

    function _challengeHere(uint32 epoch, uint256[4] memory salts, bool[4] memory faulty) private {
        previous = epoch == 0 ? bytes32(0) : registry.statementOf(FACILITY, epoch - 1).statementHash;
        (IStatementRegistry.Statement memory statement, IStatementChallenges.ProvenLine memory proven) =
            _oneLine(epoch, salts[epoch], faulty[epoch]);
        bool open = faulty[epoch] && !registry.isFinal(FACILITY, epoch);
        bool done = false;
        try registry.challengeLine(statement, proven) {
            done = true;
        } catch {}
        require(done == open);
        if (done) require(registry.epochsPosted(FACILITY) == epoch);
    }

    function _checkBooks(uint256 finalSeen) private view returns (uint256 epochsFinal) {
        epochsFinal = registry.epochsFinal(FACILITY);
        require(epochsFinal >= finalSeen);
        uint64 available = uint64(DEVICES) * EPOCH_LENGTH - 123_457;
        for (uint32 epoch = 0; epoch < 5; ++epoch) {
            IStatementRegistry.StatementRecord memory record = registry.statementOf(FACILITY, epoch);
            bool stands = epoch < registry.epochsPosted(FACILITY);
            require(record.cumulativeAvailable == (stands ? (epoch + 1) * available : 0));
            require(record.cumulativeGross == (stands ? (epoch + 1) * uint128(41_500) : 0));
            require(registry.isFinal(FACILITY, epoch) == (epoch < epochsFinal));
        }
    }

    function _owed(address account) private view returns (uint256) {
        return attesters.owedTo(address(attesters.bondToken()), account);
    }
}
