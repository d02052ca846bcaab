// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {IReceiveWithAuthorization} from "../interfaces/IReceiveWithAuthorization.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {Payouts} from "../money/Payouts.sol";
import {SaleBounds} from "./SaleBounds.sol";

/// @title Sale, part 1: what is for sale, and the three ways to pay
/// @notice A buyer pays by allowance, by ERC-2612 permit or by ERC-3009 authorization.
abstract contract SaleCheckout is IPrimarySale, Payouts {
    /// @notice What a purchase changes: one word. Sums of money stay below 2^54, see `SaleBounds`.
    /// @param state State of the sale.
    /// @param soldUnits Units sold and not refunded.
    /// @param proceeds Price of those units, minor units.
    /// @param counted Proceeds that count towards the floor: without the gpuOperator's own purchases, minor units.
    /// @param boughtAtBlock Block of the last purchase, in which the sale cannot succeed.
    struct Book {
        SaleState state;
        uint40 soldUnits;
        uint64 proceeds;
        uint64 counted;
        uint64 boughtAtBlock;
    }

    /// @notice What became of the proceeds of a successful sale: one word.
    /// @param released Proceeds credited to the gpuOperator, minor units.
    /// @param returned Proceeds sent to the RentLockbox at the closing, minor units.
    struct Spent {
        uint64 released;
        uint64 returned;
    }

    /// @notice Terms of a sale, apart from prices: one word. Times are at most `windowStart`, which has 32 bits.
    /// @param opensAt First UTC second in which units are sold.
    /// @param closesAt UTC second from which no units are sold.
    /// @param floorProceeds Proceeds that must count, or buyers are refunded, minor units.
    /// @param upFrontBps Share of the proceeds for the gpuOperator at success, basis points.
    struct Hours {
        uint40 opensAt;
        uint40 closesAt;
        uint64 floorProceeds;
        uint16 upFrontBps;
    }

    /// @notice What an ERC-3009 authorization says, without its receiver, which is this contract.
    /// @dev What an ERC-3009 authorization says, without its receiver, which is this contract.
    /// @param from The account that pays.
    /// @param value Minor units.
    /// @param validAfter UTC second after which it may be used.
    /// @param validBefore UTC second before which it must be used.
    /// @param nonce Unique number of the authorization.
    struct Authorization {
        address from;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
    }

    uint256 private constant SIGNATURE_LENGTH = 65;

    /// @notice The register, and through it the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    mapping(uint64 facilityId => Book) internal _books;
    mapping(uint64 facilityId => Spent) internal _spent;
    mapping(uint64 facilityId => Hours) internal _hours;
    mapping(uint64 facilityId => uint64[]) internal _unitPrices;

    /// @notice Sets register and wallet desk.
    /// @param facilities The register, and through it the other contracts.
    /// @param wallets The contract that is told who acts.
    constructor(IFacilityRegistry facilities, IWalletDesk wallets) Payouts(wallets) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IPrimarySale
    function open(uint64 facilityId, SaleTerms calldata terms) external {
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        require(msg.sender == gpuOperator, NotGpuOperator(facilityId, msg.sender));
        require(_books[facilityId].state == SaleState.None, SaleExists(facilityId));
        bool offered = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Offered;
        require(offered, FacilityNotOffered(facilityId));
        SaleBounds.check(facilityRegistry, facilityId, terms);
        _books[facilityId].state = SaleState.Open;
        // Bounded by windowStart (32 bits) above.
        // forge-lint: disable-next-line(unsafe-typecast)
        (uint40 opens, uint40 closes) = (uint40(terms.opensAt), uint40(terms.closesAt));
        _hours[facilityId] = Hours(opens, closes, terms.floorProceeds, terms.upFrontBps);
        _unitPrices[facilityId] = terms.unitPrices;
        emit SaleOpened(facilityId, terms);
    }

    /// @inheritdoc IPrimarySale
    function buy(uint256 id, uint256 units, uint256 maxCost) external nonReentrant returns (uint256 cost) {
        return _buyByAllowance(id, units, maxCost);
    }

    /// @inheritdoc IPrimarySale
    function buyWithPermit(uint256 id, uint256 units, uint256 maxCost, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
        returns (uint256 cost)
    {
        (uint64 facilityId,,) = TrancheId.unpack(id);
        address token = facilityRegistry.settlementTokenOf(facilityId);
        require(token != address(0), TrancheUnknown(id));
        // Whoever sees the permit can use it first; the allowance is then there all the same (ATTACKS 28).
        // solhint-disable-next-line no-empty-blocks
        try IERC20Permit(token).permit(msg.sender, address(this), maxCost, deadline, v, r, s) {} catch {}
        return _buyByAllowance(id, units, maxCost);
    }

    /// @inheritdoc IPrimarySale
    function buyWithAuthorization(
        address buyer,
        uint256 id,
        uint256 units,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 salt,
        bytes calldata signature
    ) external nonReentrant returns (uint256 cost) {
        IERC20 token;
        (cost, token) = _book(buyer, id, units);
        bytes32 nonce = purchaseNonce(id, units, salt);
        _receive(token, Authorization(buyer, cost, validAfter, validBefore, nonce), signature);
        facilityRegistry.trancheToken().mint(buyer, id, units);
    }

    /// @inheritdoc IPrimarySale
    function purchaseNonce(uint256 id, uint256 units, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(id, units, salt));
    }

    /// @inheritdoc IPrimarySale
    function saleTermsOf(uint64 facilityId) external view returns (SaleTerms memory) {
        Hours memory when = _hours[facilityId];
        return SaleTerms(when.opensAt, when.closesAt, when.floorProceeds, when.upFrontBps, _unitPrices[facilityId]);
    }

    /// @inheritdoc IPrimarySale
    function bookOf(uint64 facilityId) external view returns (SaleBook memory) {
        Book memory book = _books[facilityId];
        Spent memory spent = _spent[facilityId];
        return SaleBook(book.state, book.soldUnits, book.proceeds, book.counted, spent.released, spent.returned);
    }

    /// @inheritdoc IPrimarySale
    function hasSale(uint64 facilityId) external view returns (bool) {
        return _books[facilityId].state != SaleState.None;
    }

    /// @notice Sells units to the caller, who has approved the price. Reverts with CostAboveLimit.
    /// @param id Tranche of the units.
    /// @param units Units to sell.
    /// @param maxCost Most that the buyer pays, minor units.
    /// @return cost Minor units paid.
    function _buyByAllowance(uint256 id, uint256 units, uint256 maxCost) private returns (uint256 cost) {
        IERC20 token;
        (cost, token) = _book(msg.sender, id, units);
        require(cost <= maxCost, CostAboveLimit(cost, maxCost));
        _pull(token, cost);
        facilityRegistry.trancheToken().mint(msg.sender, id, units);
    }

    /// @notice Checks a purchase and books it, before any money or unit moves. Emits UnitsSold.
    /// @dev Checks and effects of a purchase, before any money or unit moves.
    /// @param buyer The account that buys.
    /// @param id Tranche of the units.
    /// @param units Units to sell.
    /// @return cost Price, minor units.
    /// @return token Token to be paid in.
    function _book(address buyer, uint256 id, uint256 units) private returns (uint256 cost, IERC20 token) {
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        Book memory book = _books[facilityId];
        require(book.state == SaleState.Open, SaleNotOpen(facilityId, book.state));
        require(valid && seniority < _unitPrices[facilityId].length, TrancheUnknown(id));
        Hours memory when = _hours[facilityId];
        bool inHours = block.timestamp >= when.opensAt && block.timestamp < when.closesAt;
        require(inHours, SaleOutsideHours(when.opensAt, when.closesAt, block.timestamp));
        require(units > 0, UnitsZero());
        uint256 left =
            facilityRegistry.trancheCapOf(facilityId, seniority) - facilityRegistry.trancheToken().totalSupply(id);
        require(units <= left, UnitsAboveCap(id, units, left));
        cost = units * _unitPrices[facilityId][seniority];
        // `units` is at most a cap (40 bits), all units at their prices at most 2^54.
        // forge-lint: disable-next-line(unsafe-typecast)
        book.soldUnits += uint40(units);
        // forge-lint: disable-next-line(unsafe-typecast)
        book.proceeds += uint64(cost);
        // forge-lint: disable-next-line(unsafe-typecast)
        if (buyer != facilityRegistry.gpuOperatorOf(facilityId)) book.counted += uint64(cost);
        book.boughtAtBlock = uint64(block.number);
        _books[facilityId] = book;
        _walletDesk.noteAct(buyer, false);
        emit UnitsSold(facilityId, buyer, id, units, cost, book.proceeds);
        token = IERC20(facilityRegistry.settlementTokenOf(facilityId));
    }

    /// @notice Takes money by an ERC-3009 authorization. Reverts with SettlementShort, or as the token does.
    /// @param token The token.
    /// @param given The authorization.
    /// @param signature Its signature: 65 bytes r, s, v, or anything else for contract wallets.
    function _receive(IERC20 token, Authorization memory given, bytes calldata signature) private {
        uint256 before = token.balanceOf(address(this));
        if (signature.length == SIGNATURE_LENGTH) {
            IERC3009(address(token))
                .receiveWithAuthorization(
                    given.from,
                    address(this),
                    given.value,
                    given.validAfter,
                    given.validBefore,
                    given.nonce,
                    uint8(signature[64]),
                    bytes32(signature[0:32]),
                    bytes32(signature[32:64])
                );
        } else {
            IReceiveWithAuthorization(address(token))
                .receiveWithAuthorization(
                    given.from, address(this), given.value, given.validAfter, given.validBefore, given.nonce, signature
                );
        }
        _requireReceived(token, before, given.value);
    }
}
