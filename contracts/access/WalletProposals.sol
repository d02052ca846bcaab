// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {AuthorityUtils} from "@openzeppelin/contracts/access/manager/AuthorityUtils.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IWalletProposals} from "../interfaces/IWalletProposals.sol";
import {Signatures} from "./Signatures.sol";

/// @title Wallet desk, part 1: who may act for a wallet, and what stops it
/// @notice docs/decisions/0016-wallets.md says why each condition is there.
abstract contract WalletProposals is IWalletProposals, AccessManaged, EIP712("Rentroll Wallets", "1") {
    /// @dev As long as the longest pause: whoever waits for a pause to end still has time to act.
    uint64 internal constant RECOVERY_DELAY = 7 days;
    /// @dev Longer: the contract's owners are not known to anybody, and their first claim ends it.
    uint64 internal constant BENEFICIARY_DELAY = 30 days;
    /// @dev How long a proposal waits to be confirmed, and afterwards to be executed.
    uint64 private constant OPEN = 30 days;
    bytes32 private constant CANCEL_TYPEHASH = keccak256("Cancel(address wallet,uint256 number)");
    /// @dev Code of an account that delegates by EIP-7702: these three bytes and an address.
    bytes3 private constant DELEGATION_PREFIX = 0xef0100;
    uint256 private constant DELEGATION_LENGTH = 23;

    /// @notice Register that names the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    uint56 private _count;
    mapping(address wallet => Proposal) private _proposals;
    /// @inheritdoc IWalletProposals
    mapping(address wallet => mapping(uint256 id => uint40)) public watchedSince;
    /// @inheritdoc IWalletProposals
    mapping(address wallet => address) public successorOf;
    /// @inheritdoc IWalletProposals
    mapping(address wallet => address) public beneficiaryOf;
    /// @inheritdoc IWalletProposals
    mapping(address wallet => bool) public tookMoney;

    /// @notice Sets authority and register.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names the other contracts.
    constructor(address authority, IFacilityRegistry facilities) AccessManaged(authority) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IWalletProposals
    function proposeRecovery(address wallet, address to, uint256[] calldata ids) external restricted {
        require(successorOf[wallet] == address(0) && !_mayOffer(wallet), WalletInvalid(wallet));
        uint56 number = _propose(Kind.Recovery, wallet, to);
        emit RecoveryProposed(wallet, to, number, msg.sender);
        _watch(wallet, ids);
    }

    /// @inheritdoc IWalletProposals
    function proposeBeneficiary(address wallet, address to) external restricted {
        require(_cannotClaim(wallet), ClaimsItself(wallet));
        uint56 number = _propose(Kind.Beneficiary, wallet, to);
        emit BeneficiaryProposed(wallet, to, number, msg.sender);
    }

    /// @inheritdoc IWalletProposals
    function confirm(address wallet, uint256 number) external restricted {
        Proposal storage proposal = _pending(wallet, number);
        require(proposal.confirmedAt == 0, AlreadyConfirmed(wallet, number));
        require(proposal.proposer != msg.sender, ConfirmerProposed(msg.sender));
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        proposal.confirmedAt = uint40(block.timestamp);
        (uint64 opensAt, uint64 closesAt) = hoursOf(wallet);
        emit ProposalConfirmed(wallet, number, msg.sender, opensAt, closesAt);
    }

    /// @inheritdoc IWalletProposals
    function reject(address wallet, uint256 number) external restricted {
        _reject(wallet, number);
    }

    /// @inheritdoc IWalletProposals
    function retract(address wallet, uint256 number) external {
        address proposer = _pending(wallet, number).proposer;
        require(proposer == msg.sender, NotProposer(proposer, msg.sender));
        _reject(wallet, number);
    }

    /// @inheritdoc IWalletProposals
    function removeBeneficiary(address wallet) external restricted {
        require(beneficiaryOf[wallet] != address(0), NoPayee(wallet));
        _removeBeneficiary(wallet);
    }

    /// @inheritdoc IWalletProposals
    function cancel() external {
        _noteAct(msg.sender, true);
    }

    /// @inheritdoc IWalletProposals
    function cancelBySig(address wallet, uint256 number, bytes calldata signature) external {
        _pending(wallet, number);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(CANCEL_TYPEHASH, wallet, number)));
        require(Signatures.isValid(wallet, digest, signature), SignatureInvalid(wallet));
        _noteAct(wallet, true);
    }

    /// @inheritdoc IWalletProposals
    function execute(address wallet) external {
        Proposal storage proposal = _proposals[wallet];
        (Kind kind, address to, uint56 number) = (proposal.kind, proposal.to, proposal.number);
        _pending(wallet, number);
        (uint64 opensAt,) = hoursOf(wallet);
        require(opensAt != 0 && block.timestamp >= opensAt, ProposalNotOpen(wallet, opensAt));
        proposal.kind = Kind.None;
        if (kind == Kind.Recovery) {
            require(to == msg.sender, NotNewWallet(to, msg.sender));
            IERC7943MultiToken token = IERC7943MultiToken(address(facilityRegistry.trancheToken()));
            require(token.canReceive(to), NewWalletNotEligible(to));
            // Both may have changed since it was proposed.
            require(successorOf[to] == address(0), WalletInvalid(to));
            require(!_mayOffer(wallet), WalletInvalid(wallet));
            successorOf[wallet] = to;
            emit WalletRecovered(wallet, to, number);
        } else {
            require(_cannotClaim(wallet), ClaimsItself(wallet));
            beneficiaryOf[wallet] = to;
            emit BeneficiaryNamed(wallet, to, number);
        }
    }

    /// @inheritdoc IWalletProposals
    function watch(address wallet, uint256[] calldata ids) external {
        Proposal storage proposal = _proposals[wallet];
        if (successorOf[wallet] == address(0)) {
            bool recovering = proposal.kind == Kind.Recovery && _isPending(wallet);
            require(recovering, ProposalUnknown(wallet, proposal.number));
        }
        _watch(wallet, ids);
    }

    /// @inheritdoc IWalletProposals
    function noteAct(address wallet, bool tookMoney_) external {
        bool first = tookMoney_ && wallet.code.length > 0 && !tookMoney[wallet];
        if (!first && _proposals[wallet].proposedAt == 0) return;
        require(_isWitness(msg.sender), NotOurContract(msg.sender));
        _noteAct(wallet, tookMoney_);
    }

    /// @inheritdoc IWalletProposals
    function proposalOf(address wallet) external view returns (Proposal memory) {
        return _proposals[wallet];
    }

    /// @inheritdoc IWalletProposals
    function hoursOf(address wallet) public view returns (uint64 opensAt, uint64 closesAt) {
        Proposal storage proposal = _proposals[wallet];
        Kind kind = proposal.kind;
        if (kind == Kind.None) return (0, 0);
        uint64 confirmedAt = proposal.confirmedAt;
        if (confirmedAt == 0) return (0, proposal.proposedAt + OPEN);
        opensAt = confirmedAt + (kind == Kind.Recovery ? RECOVERY_DELAY : BENEFICIARY_DELAY);
        closesAt = opensAt + OPEN;
    }

    /// @inheritdoc IWalletProposals
    function payeeOf(address wallet) public view returns (address) {
        bool recovering = _proposals[wallet].kind == Kind.Recovery && _isPending(wallet);
        require(!recovering, RecoveryPending(wallet));
        return _heirOf(wallet);
    }

    /// @inheritdoc IWalletProposals
    function isOurs(address account) public view virtual returns (bool);

    /// @notice Whether a contract of ours sees wallets act.
    /// @param account The account.
    /// @return True if it does.
    function _isWitness(address account) internal view virtual returns (bool);

    /// @notice Marks positions as watched, in the token and here.
    /// @param wallet The wallet.
    /// @param ids Tranches of the positions.
    function _watch(address wallet, uint256[] calldata ids) internal virtual;

    /// @notice Starts the time of one watched position, unless it runs.
    /// @param wallet The wallet.
    /// @param id The tranche.
    function _startWatch(address wallet, uint256 id) internal {
        if (watchedSince[wallet][id] > _proposals[wallet].actedAt) return;
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        watchedSince[wallet][id] = uint40(block.timestamp);
    }

    /// @notice Reverts with PositionNotQuiet unless a position was watched for the whole delay without an act.
    /// @param wallet The wallet.
    /// @param id The tranche.
    function _requireQuiet(address wallet, uint256 id) internal view {
        uint64 since = watchedSince[wallet][id];
        // An act in the second in which it began counts as later.
        uint64 opensAt = since <= _proposals[wallet].actedAt ? 0 : since + RECOVERY_DELAY;
        require(opensAt != 0 && block.timestamp >= opensAt, PositionNotQuiet(wallet, id, opensAt));
    }

    /// @notice The last wallet of a chain of recoveries.
    /// @dev Each link took a week and two roles, and none leads back: a recovered wallet is never a new one.
    /// @param wallet The first.
    /// @return The wallet itself if it was not recovered.
    function _heirOf(address wallet) internal view returns (address) {
        while (successorOf[wallet] != address(0)) wallet = successorOf[wallet];
        return wallet;
    }

    /// @notice Books that a wallet acted.
    /// @param wallet The wallet.
    /// @param took Whether it took money, or refuses that others do.
    function _noteAct(address wallet, bool took) internal {
        Proposal storage proposal = _proposals[wallet];
        if (took && wallet.code.length > 0 && !tookMoney[wallet]) {
            tookMoney[wallet] = true;
            emit ContractTookMoney(wallet);
        }
        if (took && beneficiaryOf[wallet] != address(0)) _removeBeneficiary(wallet);
        if (proposal.proposedAt == 0) return;
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        proposal.actedAt = uint40(block.timestamp);
        emit WalletActed(wallet);
        // Whoever keeps units for others moves them all day, and still cannot claim.
        if (proposal.kind == Kind.None || (proposal.kind == Kind.Beneficiary && !took)) return;
        proposal.kind = Kind.None;
        emit ProposalVoided(wallet, proposal.number);
    }

    /// @notice Whether a contract can have a beneficiary: code that is no delegation, and it never took money itself.
    /// @param wallet The account.
    /// @return True if it can.
    function _cannotClaim(address wallet) internal view returns (bool) {
        uint256 length = wallet.code.length;
        if (length == 0 || tookMoney[wallet]) return false;
        return length != DELEGATION_LENGTH || bytes3(wallet.code) != DELEGATION_PREFIX;
    }

    /// @notice Stores a proposal. Reverts with WalletInvalid or ProposalPending.
    /// @param kind What is proposed.
    /// @param wallet The wallet.
    /// @param to Who gets what.
    /// @return number Number of the proposal.
    function _propose(Kind kind, address wallet, address to) private returns (uint56 number) {
        require(wallet != address(0) && !isOurs(wallet), WalletInvalid(wallet));
        bool receives = to != address(0) && to != wallet && successorOf[to] == address(0) && !isOurs(to);
        require(receives, WalletInvalid(to));
        require(!_isPending(wallet), ProposalPending(wallet, _proposals[wallet].number));
        number = ++_count;
        // Earlier acts count still: what was watched before them is not.
        uint40 actedAt = _proposals[wallet].actedAt;
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        _proposals[wallet] = Proposal(kind, to, number, msg.sender, uint40(block.timestamp), 0, actedAt);
    }

    /// @notice Ends a proposal. Reverts with ProposalUnknown.
    /// @param wallet The wallet.
    /// @param number Its number.
    function _reject(address wallet, uint256 number) private {
        _pending(wallet, number).kind = Kind.None;
        emit ProposalRejected(wallet, number, msg.sender);
    }

    /// @notice Takes a beneficiary away.
    /// @param wallet The contract.
    function _removeBeneficiary(address wallet) private {
        emit BeneficiaryRemoved(wallet, beneficiaryOf[wallet]);
        delete beneficiaryOf[wallet];
    }

    /// @notice What is proposed for a wallet. Reverts with ProposalUnknown unless it is pending under this number.
    /// @param wallet The wallet.
    /// @param number The number.
    /// @return proposal The proposal.
    function _pending(address wallet, uint256 number) private view returns (Proposal storage proposal) {
        proposal = _proposals[wallet];
        require(_isPending(wallet) && proposal.number == number, ProposalUnknown(wallet, number));
    }

    /// @notice Whether something is proposed for a wallet and has not lapsed.
    /// @param wallet The wallet.
    /// @return True if it is.
    function _isPending(address wallet) private view returns (bool) {
        (, uint64 closesAt) = hoursOf(wallet);
        return block.timestamp < closesAt;
    }

    /// @notice Whether an account may offer facilities, at once or with a delay: it acts in ways that nobody here sees.
    /// @param account The account.
    /// @return True if it may.
    function _mayOffer(address account) private view returns (bool) {
        (bool immediate, uint32 delay) = AuthorityUtils.canCallWithDelay(
            authority(), account, address(facilityRegistry), IFacilityRegistry.offer.selector
        );
        return immediate || delay > 0;
    }
}
