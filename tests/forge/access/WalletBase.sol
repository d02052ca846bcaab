// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {InvestorRegistry} from "../../../contracts/access/InvestorRegistry.sol";
import {IInvestorRegistry} from "../../../contracts/interfaces/IInvestorRegistry.sol";
import {IWalletProposals} from "../../../contracts/interfaces/IWalletProposals.sol";
import {DealBase} from "../closing/DealBase.sol";

/// @dev A pool, bridge or vault of units: it takes them in and gives them out, and cannot claim.
contract Pool is ERC1155Holder {
    IERC1155 private immutable _units;

    constructor(IERC1155 units) {
        _units = units;
    }

    function give(address to, uint256 id, uint256 count) external {
        _units.safeTransferFrom(address(this), to, id, count, "");
    }

    function call(address target, bytes calldata data) external {
        (bool success, bytes memory answer) = target.call(data);
        require(success, string(answer));
    }
}

/// @title The facility of docs/DEAL.md with an allow-list and roles; ann loses her wallet, and has another one
abstract contract WalletBase is DealBase {
    uint64 internal constant GPU_OPERATOR = 2;
    uint64 internal constant COMPLIANCE = 5;
    uint64 internal constant ENFORCER = 6;
    uint256 internal constant ANN_KEY = 0xA11;

    address internal compliance = address(0xC0C0);
    address internal enforcer = address(0xE4F0);
    address internal anew = address(0xA33);
    InvestorRegistry internal investors;

    function setUp() public virtual override {
        super.setUp();
        ann = vm.addr(ANN_KEY);
        investors = new InvestorRegistry(address(authority));
        token.setInvestorRegistry(investors);
        investors.linkMirror(token);
        authority.grantRole(GPU_OPERATOR, gpuOperator, 0);
        authority.grantRole(COMPLIANCE, compliance, 0);
        authority.grantRole(ENFORCER, enforcer, 0);
        authority.grantRole(ENFORCER, address(wallets), 0);
        bytes4[] memory functions = new bytes4[](1);
        functions[0] = FacilityRegistry.offer.selector;
        authority.setTargetFunctionRole(address(facilities), functions, GPU_OPERATOR);
        functions = new bytes4[](2);
        (functions[0], functions[1]) = (wallets.proposeRecovery.selector, wallets.proposeBeneficiary.selector);
        authority.setTargetFunctionRole(address(wallets), functions, COMPLIANCE);
        (functions[0], functions[1]) = (token.forcedTransfer.selector, token.setFrozenTokens.selector);
        authority.setTargetFunctionRole(address(token), functions, ENFORCER);
        functions = new bytes4[](3);
        (functions[0], functions[1]) = (wallets.confirm.selector, wallets.reject.selector);
        functions[2] = wallets.removeBeneficiary.selector;
        authority.setTargetFunctionRole(address(wallets), functions, ENFORCER);
        address[6] memory eligible = [ann, bob, anew, gpuOperator, stranger, renter];
        for (uint256 i = 0; i < eligible.length; ++i) {
            _allow(eligible[i], true);
        }
    }

    /// @dev A recovery fits in front of the window.
    function _opensAt() internal pure override returns (uint64) {
        return START - 40 days;
    }

    function _allow(address account, bool allowed) internal {
        investors.setInvestor(account, IInvestorRegistry.Investor(type(uint64).max, 752, allowed, allowed));
    }

    function _ids(uint256 first, uint256 second) internal pure returns (uint256[] memory list) {
        list = new uint256[](2);
        (list[0], list[1]) = (first, second);
    }

    function _ids(uint256 id) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = id;
    }

    /// @dev Proposed, with her seniors watched.
    function _propose(address wallet, address to) internal returns (uint256 number) {
        vm.prank(compliance);
        wallets.proposeRecovery(wallet, to, _ids(SENIOR));
        return wallets.proposalOf(wallet).number;
    }

    function _confirm(address wallet) internal {
        uint256 number = wallets.proposalOf(wallet).number;
        vm.prank(enforcer);
        wallets.confirm(wallet, number);
    }

    function _proposed(address wallet, address to) internal returns (uint256 number) {
        number = _propose(wallet, to);
        _confirm(wallet);
    }

    function _execute(address wallet) internal {
        address to = wallets.proposalOf(wallet).to;
        vm.prank(to);
        wallets.execute(wallet);
    }

    /// @dev Proposed, confirmed, a week later executed.
    function _recover(address wallet, address to) internal {
        _proposed(wallet, to);
        vm.warp(_now() + 7 days);
        _execute(wallet);
    }

    function _isPending(address wallet) internal view returns (bool) {
        return wallets.proposalOf(wallet).kind != IWalletProposals.Kind.None;
    }

    function _digest(bytes memory body) internal view returns (bytes32) {
        return keccak256(abi.encodePacked("\x19\x01", wallets.DOMAIN_SEPARATOR(), keccak256(body)));
    }

    /// @dev Sold, not funded yet.
    function _offerAndBuy() internal {
        _offer(_soldOut(100));
        _buy(ann, SENIOR, 20);
    }

    /// @dev Money of a voucher, credited to ann after a default.
    function _voucherMoney() internal returns (uint256 owed) {
        _found(_soldOut(100));
        _proposed(ann, anew);
        uint256 voucher = _takeDelivery(desk, ann, SENIOR, 5, "lease of ann");
        assertFalse(_isPending(ann), "took delivery");
        _default();
        _close();
        lockbox.payVoucher(voucher);
        owed = lockbox.owedTo(address(dollar), ann);
        assertTrue(owed > 0, "owed");
    }
}
