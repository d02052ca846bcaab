// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC7572} from "../interfaces/IERC7572.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IInvestorRegistry} from "../interfaces/IInvestorRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {ITrancheMetadata} from "../interfaces/ITrancheMetadata.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {Accumulator} from "./Accumulator.sol";
import {TrancheId} from "./TrancheId.sol";
import {UnitCompliance} from "./UnitCompliance.sol";
import {UnitPositions} from "./UnitPositions.sol";

/// @title GPU-hour units (ERC-1155, ERC-7943) that earn streamed revenue
/// @notice How units come and go, and what the roles may do.
/// @dev In layers: `UnitPositions` (storage and moves), `UnitRevenue` (accrue and claim), `UnitCompliance` (who may
/// move units), and this contract.
contract TrancheToken is UnitCompliance, IERC7572 {
    using Accumulator for Tranche;

    ITrancheMetadata private _metadata;
    mapping(uint256 id => Burned) private _burned;

    /// @notice Deploys the token for one register.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names operators, caps and settlement tokens.
    /// @param wallets The contract that is told when a watched holder acts.
    /// @param baseUri Metadata address with `{id}`, used while no metadata contract is set.
    constructor(address authority, IFacilityRegistry facilities, IWalletDesk wallets, string memory baseUri)
        UnitPositions(facilities, wallets, baseUri)
        AccessManaged(authority)
    {}

    /// @inheritdoc ITrancheToken
    function mint(address to, uint256 id, uint256 units) external {
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        bool open = valid && facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Offered;
        require(open && msg.sender == _minterOf(facilityId), MintNotAllowed(id, msg.sender));
        uint256 cap = facilityRegistry.trancheCapOf(facilityId, seniority);
        uint256 supply = _tranches[id].supply;
        require(units <= cap && supply + units <= cap, UnitsAboveCap(id, supply + units, cap));
        if (_facilitySettlements[facilityId].number == 0) _numberSettlement(facilityId);
        _createUnits(to, id, units);
    }

    /// @inheritdoc ITrancheToken
    function activate(uint64 facilityId, uint256 count) external {
        require(msg.sender == address(facilityRegistry), NotFacilityRegistry(msg.sender));
        for (uint256 i = 0; i < count; ++i) {
            // At most four tranches, so the index fits 8 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            _tranches[TrancheId.pack(facilityId, uint8(i))].activate(block.timestamp);
        }
    }

    /// @inheritdoc ITrancheToken
    function burnForRefund(address holder, uint256 id, uint256 units) external {
        address sale = address(facilityRegistry.primarySale());
        require(msg.sender == sale, NotPrimarySale(msg.sender));
        IFacilityRegistry.FacilityState state = _stateOf(id);
        bool open =
            state == IFacilityRegistry.FacilityState.Offered || state == IFacilityRegistry.FacilityState.Cancelled;
        require(open, RefundNotOpen(id));
        _burnUnits(holder, id, units, BurnReason.Refunded);
    }

    /// @inheritdoc ITrancheToken
    function burnForDelivery(address holder, uint256 id, uint256 units) external {
        require(msg.sender == address(facilityRegistry.deliveryDesk()), NotDeliveryDesk(msg.sender));
        _requireNotPaused();
        _burnUnits(holder, id, units, BurnReason.Delivered);
    }

    /// @inheritdoc ITrancheToken
    function burnExpired(uint256 id, uint256 units) external {
        _requireNotPaused();
        require(_expired(id), UnitsNotExpired(id));
        _burnUnits(msg.sender, id, units, BurnReason.Expired);
    }

    /// @inheritdoc IERC7943MultiToken
    function forcedTransfer(address from, address to, uint256 tokenId, uint256 amount)
        external
        restricted
        returns (bool result)
    {
        _force(from, to, tokenId, amount);
        return true;
    }

    /// @inheritdoc IERC7943MultiToken
    function setFrozenTokens(address account, uint256 tokenId, uint256 amount)
        external
        restricted
        returns (bool result)
    {
        _setFrozen(account, tokenId, amount);
        return true;
    }

    /// @inheritdoc ITrancheToken
    function setRevenueSource(address source, bool allowed) external restricted {
        isRevenueSource[source] = allowed;
        emit RevenueSourceSet(source, allowed);
    }

    /// @inheritdoc ITrancheToken
    function setInvestorRegistry(IInvestorRegistry registry) external restricted {
        _setRegistry(registry);
    }

    /// @inheritdoc ITrancheToken
    function setMetadata(ITrancheMetadata metadata) external restricted {
        _metadata = metadata;
        emit ContractURIUpdated();
    }

    /// @inheritdoc ITrancheToken
    function burnedOf(uint256 id) external view returns (Burned memory) {
        return _burned[id];
    }

    /// @notice JSON of a tranche, as a URI.
    /// @param id The tranche.
    /// @return The metadata contract's answer, or the base URI while there is none.
    function uri(uint256 id) public view override returns (string memory) {
        return address(_metadata) == address(0) ? super.uri(id) : _metadata.uri(id);
    }

    /// @inheritdoc IERC7572
    function contractURI() external view returns (string memory) {
        return address(_metadata) == address(0) ? "" : _metadata.contractURI();
    }

    /// @notice Burns units, counts them by reason and emits UnitsBurned. Reverts with UnitsZero.
    /// @param holder The account that holds them.
    /// @param id The tranche.
    /// @param units Units to burn.
    /// @param reason Why.
    function _burnUnits(address holder, uint256 id, uint256 units, BurnReason reason) private {
        require(units > 0, UnitsZero());
        if (reason == BurnReason.Refunded) _destroyRefunded(holder, id, units);
        else _destroyAllowed(holder, id, units);
        Burned storage burned = _burned[id];
        // Supply is a 40-bit number of units, and so is what left it.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 count = uint64(units);
        if (reason == BurnReason.Delivered) burned.delivered += count;
        else if (reason == BurnReason.Expired) burned.expired += count;
        else burned.refunded += count;
        emit UnitsBurned(holder, id, units, reason);
    }

    /// @notice Stores a facility's settlement token, and its number, at the facility's first mint.
    /// @dev Remembers a facility's settlement token at its first mint, by number.
    /// @param facilityId The facility.
    function _numberSettlement(uint64 facilityId) private {
        address settlementToken = facilityRegistry.settlementTokenOf(facilityId);
        uint256 number = _settlementNumbers[settlementToken];
        if (number == 0) {
            number = ++_settlementCount;
            _settlementTokens[number] = settlementToken;
            _settlementNumbers[settlementToken] = number;
        }
        // Every number is the place of a token that somebody deployed.
        // forge-lint: disable-next-line(unsafe-typecast)
        _facilitySettlements[facilityId] = Settlement(settlementToken, uint40(number));
    }

    /// @notice The one account that may mint units of a facility.
    /// @param facilityId The facility.
    /// @return Its sale, or its gpuOperator if it has none.
    function _minterOf(uint64 facilityId) private view returns (address) {
        IPrimarySale sale = facilityRegistry.primarySale();
        if (sale.hasSale(facilityId)) return address(sale);
        return facilityRegistry.gpuOperatorOf(facilityId);
    }

    /// @notice State of the facility of a tranche.
    /// @param id The tranche.
    /// @return The state; None if the id names no tranche.
    function _stateOf(uint256 id) private view returns (IFacilityRegistry.FacilityState) {
        (uint64 facilityId,, bool valid) = TrancheId.unpack(id);
        return valid ? facilityRegistry.stateOf(facilityId) : IFacilityRegistry.FacilityState.None;
    }

    /// @notice Whether a holder may burn units without getting anything for them.
    /// @param id The tranche.
    /// @return True if the offer was cancelled and no sale pays the units back.
    function _expired(uint256 id) private view returns (bool) {
        bool cancelled = _stateOf(id) == IFacilityRegistry.FacilityState.Cancelled;
        return cancelled && !facilityRegistry.primarySale().hasSale(TrancheId.facilityOf(id));
    }
}
