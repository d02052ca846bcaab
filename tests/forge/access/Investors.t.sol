// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IEligibilityMirror} from "../../../contracts/interfaces/IEligibilityMirror.sol";
import {IInvestorRegistry} from "../../../contracts/interfaces/IInvestorRegistry.sol";
import {IdentityRegistryMock} from "../../../contracts/mocks/IdentityMocks.sol";
import {WalletMock} from "../../../contracts/mocks/Receivers.sol";
import {TokenBase} from "../token/TokenBase.sol";

/// @title The allow-list: entries, signed grants, the second source
contract InvestorsTest is TokenBase {
    uint256 private constant AGENT_KEY = 0xA6E47;
    address private _agent;
    IdentityRegistryMock private _identity;

    function setUp() public override {
        super.setUp();
        _agent = vm.addr(AGENT_KEY);
        authority.grantRole(COMPLIANCE, _agent, 0);
        _identity = new IdentityRegistryMock();
    }

    function test_set__by_compliance__is_the_entry() public {
        vm.expectEmit(true, true, false, true, address(investors));
        emit IInvestorRegistry.InvestorSet(cleo, compliance, 5_000_000_000, 246, true, false);
        vm.prank(compliance);
        investors.setInvestor(cleo, IInvestorRegistry.Investor(5_000_000_000, 246, true, false));
        assertTrue(investors.canSend(cleo), "send");
        assertFalse(investors.canReceive(cleo), "receive");
        assertEq(investors.investorOf(cleo).country, 246, "country");
        vm.warp(5_000_000_000);
        assertFalse(investors.canSend(cleo), "expired");
        vm.expectRevert(abi.encodeWithSelector(IInvestorRegistry.ZeroAccount.selector));
        vm.prank(compliance);
        investors.setInvestor(address(0), IInvestorRegistry.Investor(5_000_000_000, 246, true, true));
    }

    /// @dev ATTACKS 26.
    function test_roles__stranger__is_refused() public {
        bytes[3] memory calls = [
            abi.encodeCall(investors.setInvestor, (cleo, IInvestorRegistry.Investor(1, 1, true, true))),
            abi.encodeCall(investors.setIdentityRegistry, (cleo)),
            abi.encodeCall(investors.linkMirror, (IEligibilityMirror(cleo)))
        ];
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(cleo);
            (bool success, bytes memory reason) = address(investors).call(calls[i]);
            assertFalse(success, "refused");
            assertTrue(selectorOf(reason) == IAccessManaged.AccessManagedUnauthorized.selector, "by role");
        }
        vm.expectRevert(abi.encodeWithSelector(IInvestorRegistry.MirrorLinked.selector, address(token)));
        investors.linkMirror(IEligibilityMirror(cleo));
    }

    function test_can_move__all_sides__are_asked() public view {
        assertTrue(investors.canMove(ann, ann, bob), "transfer");
        assertTrue(investors.canMove(cleo, address(0), bob), "mint: the caller is no spender");
        assertTrue(investors.canMove(ann, ann, address(0)), "burn");
        assertFalse(investors.canMove(cleo, ann, bob), "spender");
        assertFalse(investors.canMove(ann, ann, cleo), "receiver");
        assertFalse(investors.canMove(cleo, cleo, bob), "sender");
        assertFalse(investors.canMove(cleo, address(0), cleo), "mint");
        assertFalse(investors.canMove(cleo, cleo, address(0)), "burn");
    }

    function test_onboard__good_grant__enters_once() public {
        IInvestorRegistry.Grant memory grant = _grant();
        bytes memory signature = sign(AGENT_KEY, investors.grantDigest(grant));
        vm.prank(cleo);
        investors.onboard(grant, _agent, signature);
        assertTrue(token.canReceive(cleo), "in");
        // ATTACKS 18: replay.
        vm.expectRevert(abi.encodeWithSelector(IInvestorRegistry.GrantNonceWrong.selector, cleo, 1, 0));
        investors.onboard(grant, _agent, signature);
    }

    /// @dev ATTACKS 16, 18: a grant signed before a ban cannot undo the ban.
    function test_onboard__after_a_newer_decision__is_worthless() public {
        IInvestorRegistry.Grant memory grant = _grant();
        bytes memory signature = sign(AGENT_KEY, investors.grantDigest(grant));
        setInvestor(cleo, false, false);
        vm.expectRevert(abi.encodeWithSelector(IInvestorRegistry.GrantNonceWrong.selector, cleo, 1, 0));
        investors.onboard(grant, _agent, signature);
    }

    /// @dev ATTACKS 18.
    function test_onboard__changed_late_or_foreign__reverts() public {
        IInvestorRegistry.Grant memory grant = _grant();
        bytes memory signature = sign(AGENT_KEY, investors.grantDigest(grant));
        bytes memory invalid = abi.encodeWithSelector(IInvestorRegistry.GrantSignatureInvalid.selector, _agent);
        grant.country = 1;
        vm.expectRevert(invalid);
        investors.onboard(grant, _agent, signature);
        grant = _grant();
        vm.chainId(999);
        vm.expectRevert(invalid);
        investors.onboard(grant, _agent, signature);
        vm.chainId(31_337);
        vm.expectRevert(abi.encodeWithSelector(IInvestorRegistry.GrantSignatureInvalid.selector, compliance));
        investors.onboard(grant, compliance, signature);
        vm.warp(grant.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IInvestorRegistry.GrantExpired.selector, grant.deadline, grant.deadline + 1)
        );
        investors.onboard(grant, _agent, signature);
    }

    /// @dev ATTACKS 26: neither without the role, nor round its delay.
    function test_onboard__agent_without_role_or_with_a_delay__reverts() public {
        IInvestorRegistry.Grant memory grant = _grant();
        bytes memory signature = sign(AGENT_KEY, investors.grantDigest(grant));
        bytes memory refused = abi.encodeWithSelector(IInvestorRegistry.NotComplianceAgent.selector, _agent);
        authority.grantRole(COMPLIANCE, _agent, 1 days);
        vm.expectRevert(refused);
        investors.onboard(grant, _agent, signature);
        authority.revokeRole(COMPLIANCE, _agent);
        vm.expectRevert(refused);
        investors.onboard(grant, _agent, signature);
    }

    function test_onboard__agent_is_a_wallet__signs_by_erc1271() public {
        WalletMock wallet = new WalletMock(ann, bob);
        authority.grantRole(COMPLIANCE, address(wallet), 0);
        IInvestorRegistry.Grant memory grant = _grant();
        bytes32 digest = investors.grantDigest(grant);
        investors.onboard(grant, address(wallet), bytes.concat(sign(ANN_KEY, digest), sign(BOB_KEY, digest)));
        assertTrue(investors.canSend(cleo), "in");
    }

    function test_identity__verified__counts_where_there_is_no_entry() public {
        investors.setIdentityRegistry(address(_identity));
        assertFalse(token.canSend(cleo), "not verified");
        _identity.setVerified(cleo, true);
        assertTrue(token.canSend(cleo) && token.canReceive(cleo), "verified");
        mint(cleo, SENIOR, 5);
        send(cleo, ann, SENIOR, 2);
        assertEq(token.balanceOf(ann, SENIOR), 2, "moved");
        setInvestor(cleo, false, false);
        assertFalse(token.canSend(cleo), "an entry that forbids is not overruled");
        vm.prank(compliance);
        investors.setInvestor(cleo, IInvestorRegistry.Investor(0, 0, false, false));
        assertTrue(token.canSend(cleo), "no entry any more");
    }

    /// @dev The second source may be down, lie, burn gas or answer megabytes: nobody is verified, nothing reverts.
    function test_identity__hostile__verifies_nobody_and_never_reverts() public {
        investors.setIdentityRegistry(address(_identity));
        _identity.setVerified(cleo, true);
        for (uint256 mode = 1; mode <= 4; ++mode) {
            _identity.setMode(IdentityRegistryMock.Mode(mode));
            assertFalse(investors.canMove(cleo, cleo, ann), "verifies nobody");
            assertLe(vm.lastCallGas().gasTotalUsed, 150_000, "bounded");
            assertTrue(investors.canMove(ann, ann, bob), "entries do not need it");
        }
        investors.setIdentityRegistry(cleo);
        assertFalse(investors.canMove(cleo, cleo, ann), "no code");
    }

    function _grant() private view returns (IInvestorRegistry.Grant memory) {
        return IInvestorRegistry.Grant({
            account: cleo,
            expiresAt: START + 365 days,
            country: 752,
            canSend: true,
            canReceive: true,
            nonce: 0,
            deadline: START + 1 days
        });
    }
}
