// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {Payouts} from "../money/Payouts.sol";
import {Members} from "./Members.sol";

/// @title Bonds of attesters
/// @notice Attesters lose part of them for statements that they should not have signed, each once for a statement.
abstract contract AttesterBonds is Members, Payouts {
    using SafeERC20 for IERC20;

    /// @notice Token of the bonds.
    IERC20 public immutable bondToken;
    /// @inheritdoc IAttesterRegistry
    uint96 public immutable minimumBond;
    /// @inheritdoc IAttesterRegistry
    uint96 public immutable slashAmount;
    /// @inheritdoc IAttesterRegistry
    uint256 public slashedForTreasury;
    /// @dev Slots charged, one bit each, by what they pay for. A slot is another's only when nobody can be charged for
    /// what was signed through it.
    mapping(bytes32 charge => uint40) private _charged;

    /// @notice Fixes token and amounts. Reverts with BondTermsInvalid.
    /// @param token Token of the bonds.
    /// @param minimumBond_ Least bond of an attester whose signatures count, minor units.
    /// @param slashAmount_ What a faulty statement costs each signer, minor units; from 1 to the least bond.
    /// @param wallets The contract that is told who acts.
    constructor(IERC20 token, uint96 minimumBond_, uint96 slashAmount_, IWalletDesk wallets) Payouts(wallets) {
        require(slashAmount_ > 0 && slashAmount_ <= minimumBond_, BondTermsInvalid(minimumBond_, slashAmount_));
        bondToken = token;
        minimumBond = minimumBond_;
        slashAmount = slashAmount_;
    }

    /// @inheritdoc IAttesterRegistry
    function depositBond(address attester, uint256 amount) external nonReentrant {
        require(amount > 0, AmountZero());
        uint96 bond = SafeCast.toUint96(_members[attester].bond + amount);
        _members[attester].bond = bond;
        emit AttesterBondDeposited(attester, msg.sender, amount, bond);
        _pull(bondToken, amount);
    }

    /// @inheritdoc IAttesterRegistry
    function withdrawBond(address to) external nonReentrant returns (uint256 amount) {
        _walletDesk.noteAct(msg.sender, true);
        _requireRecipient(to);
        uint64 liable = liableUntil(msg.sender);
        require(block.timestamp >= liable, AttesterLiable(msg.sender, liable));
        amount = _members[msg.sender].bond;
        require(amount > 0, NothingOwed(address(bondToken), msg.sender));
        _members[msg.sender].bond = 0;
        emit AttesterBondWithdrawn(msg.sender, to, amount);
        bondToken.safeTransfer(to, amount);
    }

    /// @inheritdoc IAttesterRegistry
    function slash(uint64 facilityId, bytes32 statementHash, address[] calldata attesters, address challenger)
        external
        returns (uint256 charged)
    {
        require(msg.sender == address(facilityRegistry.statementRegistry()), NotStatementRegistry(msg.sender));
        return _slash(facilityId, statementHash, statementHash, attesters, challenger);
    }

    /// @inheritdoc IAttesterRegistry
    function takeSlashed(address to) external restricted nonReentrant returns (uint256 amount) {
        _requireRecipient(to);
        amount = slashedForTreasury;
        require(amount > 0, NothingOwed(address(bondToken), msg.sender));
        slashedForTreasury = 0;
        emit SlashedTaken(to, amount);
        bondToken.safeTransfer(to, amount);
    }

    /// @inheritdoc IAttesterRegistry
    function isCharged(bytes32 statementHash, address attester) external view returns (bool) {
        return _charged[statementHash] & _bitOf(_members[attester]) != 0;
    }

    /// @inheritdoc IAttesterRegistry
    function bondOf(address attester) external view returns (uint256) {
        return _members[attester].bond;
    }

    /// @notice Takes `slashAmount`, or what is left, from each bond; each account pays once for a charge. Moves no
    /// tokens.
    /// @param facilityId The facility.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param charge What they pay for: the hash itself for a fault of the statement.
    /// @param attesters Its signers.
    /// @param challenger The account that proved the fault.
    /// @return charged Number of accounts that were not charged for this before.
    function _slash(
        uint64 facilityId,
        bytes32 statementHash,
        bytes32 charge,
        address[] memory attesters,
        address challenger
    ) internal returns (uint256 charged) {
        uint40 done = _charged[charge];
        uint256 taken = 0;
        uint256 rewarded = 0;
        for (uint256 i = 0; i < attesters.length; ++i) {
            address attester = attesters[i];
            Member memory member = _members[attester];
            uint40 bit = _bitOf(member);
            if (done & bit != 0) continue;
            done |= bit;
            ++charged;
            uint96 bond = member.bond;
            uint256 amount = Math.min(slashAmount, bond);
            // forge-lint: disable-next-line(unsafe-typecast)
            _members[attester].bond = bond - uint96(amount);
            emit AttesterSlashed(attester, facilityId, statementHash, challenger, amount, amount / 2);
            taken += amount;
            rewarded += amount / 2;
        }
        if (charged == 0) return 0;
        _charged[charge] = done;
        owedTo[address(bondToken)][challenger] += rewarded;
        slashedForTreasury += taken - rewarded;
    }
}
