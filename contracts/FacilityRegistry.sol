// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IBondVault} from "./interfaces/IBondVault.sol";
import {IDeliveryDesk} from "./interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "./interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "./interfaces/IPrimarySale.sol";
import {IRentLockbox} from "./interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "./interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "./interfaces/ITrancheToken.sol";
import {TrancheId} from "./libraries/TrancheId.sol";

/// @title Register of facilities, their terms and their life cycle
contract FacilityRegistry is IFacilityRegistry, AccessManaged {
    uint256 private constant MAX_TRANCHES = 4;
    uint256 private constant MAX_FEE_BPS = 1_000;
    uint256 private constant MIN_EPOCH_LENGTH = 60;
    uint256 private constant PPM = 1_000_000;
    uint8 private constant MAX_DECIMALS = 6;

    IStatementRegistry public statementRegistry;
    ITrancheToken public trancheToken;
    IRentLockbox public rentLockbox;
    IPrimarySale public primarySale;
    IBondVault public bondVault;
    IDeliveryDesk public deliveryDesk;

    mapping(uint64 facilityId => FacilityTerms) private _terms;
    mapping(uint64 facilityId => TrancheTerms[]) private _tranches;
    mapping(uint64 facilityId => FacilityState) private _states;
    mapping(uint64 facilityId => uint64) private _offeredAtBlocks;
    mapping(address token => bool) private _settlementTokens;

    /// @param authority AccessManager that holds the roles.
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IFacilityRegistry
    function link(Links calldata links) external restricted {
        require(address(trancheToken) == address(0), AlreadyLinked());
        statementRegistry = links.statementRegistry;
        trancheToken = links.trancheToken;
        rentLockbox = links.rentLockbox;
        primarySale = links.primarySale;
        bondVault = links.bondVault;
        deliveryDesk = links.deliveryDesk;
    }

    /// @inheritdoc IFacilityRegistry
    function setSettlementToken(address token, bool allowed) external restricted {
        require(!allowed || IERC20Metadata(token).decimals() <= MAX_DECIMALS, SettlementTokenNotAllowed(token));
        _settlementTokens[token] = allowed;
        emit SettlementTokenAllowed(token, allowed);
    }

    /// @inheritdoc IFacilityRegistry
    function offer(uint64 facilityId, FacilityTerms calldata terms, TrancheTerms[] calldata tranches)
        external
        restricted
    {
        require(facilityId != 0 && _states[facilityId] == FacilityState.None, FacilityExists(facilityId));
        require(terms.gpuOperator == msg.sender, NotGpuOperator(facilityId, msg.sender));
        require(_settlementTokens[terms.settlementToken], SettlementTokenNotAllowed(terms.settlementToken));
        _checkTerms(terms);
        _checkTranches(terms, tranches);
        _terms[facilityId] = terms;
        for (uint256 i = 0; i < tranches.length; ++i) {
            _tranches[facilityId].push(tranches[i]);
        }
        _offeredAtBlocks[facilityId] = uint64(block.number);
        emit FacilityOffered(facilityId, msg.sender, terms, tranches);
        _setState(facilityId, FacilityState.Offered);
    }

    /// @inheritdoc IFacilityRegistry
    function fund(uint64 facilityId) external {
        _requireOffered(facilityId);
        uint256 count = _tranches[facilityId].length;
        for (uint256 i = 0; i < count; ++i) {
            require(_supply(facilityId, i) > 0, TrancheEmpty(facilityId, i));
        }
        _setState(facilityId, FacilityState.Funded);
    }

    /// @inheritdoc IFacilityRegistry
    function cancel(uint64 facilityId) external {
        _requireOffered(facilityId);
        uint256 count = _tranches[facilityId].length;
        for (uint256 i = 0; i < count; ++i) {
            require(_supply(facilityId, i) == 0, UnitsMinted(facilityId, i));
        }
        _setState(facilityId, FacilityState.Cancelled);
    }

    /// @inheritdoc IFacilityRegistry
    function mature(uint64 facilityId) external {
        FacilityState actual = stateOf(facilityId);
        require(actual == FacilityState.Delivering, FacilityStateWrong(facilityId, actual));
        uint32 count = epochCountOf(facilityId);
        IRentLockbox.Book memory book = rentLockbox.bookOf(facilityId);
        uint128 attested = statementRegistry.statementOf(facilityId, count - 1).cumulativeGross;
        bool done = statementRegistry.epochsFinal(facilityId) == count && book.settledEpochs == count;
        require(done && book.settled == attested, NotMature(facilityId));
        _setState(facilityId, FacilityState.Matured);
        uint256 trancheCount = _tranches[facilityId].length;
        for (uint256 i = 0; i < trancheCount; ++i) {
            // At most four tranches, so the index fits 8 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            trancheToken.vest(TrancheId.pack(facilityId, uint8(i)));
        }
    }

    /// @inheritdoc IFacilityRegistry
    function stateOf(uint64 facilityId) public view returns (FacilityState) {
        FacilityState stored = _states[facilityId];
        bool delivering = stored == FacilityState.Funded && block.timestamp >= _terms[facilityId].windowStart;
        return delivering ? FacilityState.Delivering : stored;
    }

    /// @inheritdoc IFacilityRegistry
    function termsOf(uint64 facilityId) external view returns (FacilityTerms memory) {
        _requireKnown(facilityId);
        return _terms[facilityId];
    }

    /// @inheritdoc IFacilityRegistry
    function tranchesOf(uint64 facilityId) external view returns (TrancheTerms[] memory) {
        _requireKnown(facilityId);
        return _tranches[facilityId];
    }

    /// @inheritdoc IFacilityRegistry
    function trancheCapOf(uint64 facilityId, uint8 seniority) external view returns (uint40) {
        return seniority < _tranches[facilityId].length ? _tranches[facilityId][seniority].unitCap : 0;
    }

    /// @inheritdoc IFacilityRegistry
    function gpuOperatorOf(uint64 facilityId) external view returns (address) {
        return _terms[facilityId].gpuOperator;
    }

    /// @inheritdoc IFacilityRegistry
    function settlementTokenOf(uint64 facilityId) external view returns (address) {
        return _terms[facilityId].settlementToken;
    }

    /// @inheritdoc IFacilityRegistry
    function epochCountOf(uint64 facilityId) public view returns (uint32) {
        _requireKnown(facilityId);
        FacilityTerms storage terms = _terms[facilityId];
        // Window and epoch length are 32-bit numbers of seconds, so the quotient fits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32((terms.windowEnd - terms.windowStart) / terms.epochLength);
    }

    /// @inheritdoc IFacilityRegistry
    function declareDefault(uint64 facilityId) external pure {
        revert NotInDefault(facilityId);
    }

    /// @inheritdoc IFacilityRegistry
    function offeredAtBlock(uint64 facilityId) external view returns (uint64) {
        return _offeredAtBlocks[facilityId];
    }

    /// @inheritdoc IFacilityRegistry
    function isSettlementToken(address token) external view returns (bool) {
        return _settlementTokens[token];
    }

    function _setState(uint64 facilityId, FacilityState next) private {
        _states[facilityId] = next;
        emit FacilityStateChanged(facilityId, next);
    }

    function _requireKnown(uint64 facilityId) private view {
        require(_states[facilityId] != FacilityState.None, FacilityUnknown(facilityId));
    }

    /// @dev For actions of the gpuOperator on an offer.
    function _requireOffered(uint64 facilityId) private view {
        _requireKnown(facilityId);
        require(_terms[facilityId].gpuOperator == msg.sender, NotGpuOperator(facilityId, msg.sender));
        FacilityState actual = _states[facilityId];
        require(actual == FacilityState.Offered, FacilityStateWrong(facilityId, actual));
    }

    function _supply(uint64 facilityId, uint256 index) private view returns (uint256) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return trancheToken.totalSupply(TrancheId.pack(facilityId, uint8(index)));
    }

    function _checkTerms(FacilityTerms calldata terms) private pure {
        require(terms.gpuClass != bytes32(0), TermsInvalid("gpuClass"));
        require(terms.site != bytes32(0), TermsInvalid("site"));
        require(terms.windowStart > 0, TermsInvalid("windowStart"));
        bool ordered = terms.windowEnd > terms.windowStart && terms.windowEnd <= type(uint32).max;
        require(ordered, TermsInvalid("windowEnd"));
        bool bounded = terms.epochLength >= MIN_EPOCH_LENGTH && terms.epochLength <= type(uint24).max;
        require(bounded, TermsInvalid("epochLength"));
        require((terms.windowEnd - terms.windowStart) % terms.epochLength == 0, TermsInvalid("windowEnd"));
        require(terms.deviceCount > 0, TermsInvalid("deviceCount"));
        require(terms.promisedAvailabilityPpm <= PPM, TermsInvalid("promisedAvailabilityPpm"));
        require(terms.feeBps <= MAX_FEE_BPS, TermsInvalid("feeBps"));
        require(terms.pledgeRoot != bytes32(0), TermsInvalid("pledgeRoot"));
        require(terms.termsHash != bytes32(0), TermsInvalid("termsHash"));
    }

    function _checkTranches(FacilityTerms calldata terms, TrancheTerms[] calldata tranches) private pure {
        require(tranches.length > 0 && tranches.length <= MAX_TRANCHES, TermsInvalid("tranches"));
        require(tranches[tranches.length - 1].couponPerUnit == 0, TermsInvalid("couponPerUnit"));
        uint256 units = 0;
        for (uint256 i = 0; i < tranches.length; ++i) {
            require(tranches[i].unitCap > 0, TermsInvalid("unitCap"));
            units += tranches[i].unitCap;
        }
        uint256 capacityHours = uint256(terms.deviceCount) * (terms.windowEnd - terms.windowStart) / 1 hours;
        require(units <= capacityHours, UnitsAboveCapacity(units, capacityHours));
    }
}
