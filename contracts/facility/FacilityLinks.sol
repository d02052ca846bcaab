// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAttesterDesk} from "../interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IDeliveryDesk} from "../interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPledgeRegistry} from "../interfaces/IPledgeRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {IRefundDesk} from "../interfaces/IRefundDesk.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";

/// @title What is around the register of facilities
/// @notice Names the other contracts, so that each of them needs to know the register alone; and the tokens that rent
/// is paid in.
abstract contract FacilityLinks is IFacilityRegistry, AccessManaged {
    uint8 private constant DECIMALS = 6;

    /// @inheritdoc IFacilityRegistry
    IStatementRegistry public statementRegistry;
    /// @inheritdoc IFacilityRegistry
    ITrancheToken public trancheToken;
    /// @inheritdoc IFacilityRegistry
    IRentLockbox public rentLockbox;
    /// @inheritdoc IFacilityRegistry
    IPrimarySale public primarySale;
    /// @inheritdoc IFacilityRegistry
    IBondVault public bondVault;
    /// @inheritdoc IFacilityRegistry
    IDeliveryDesk public deliveryDesk;
    /// @inheritdoc IFacilityRegistry
    IAttesterRegistry public attesterRegistry;
    /// @inheritdoc IFacilityRegistry
    IPledgeRegistry public pledgeRegistry;
    /// @inheritdoc IFacilityRegistry
    IAttesterDesk public attesterDesk;
    /// @inheritdoc IFacilityRegistry
    IRefundDesk public refundDesk;

    /// @inheritdoc IFacilityRegistry
    mapping(address token => bool) public isSettlementToken;

    /// @inheritdoc IFacilityRegistry
    function link(Links calldata links) external restricted {
        require(address(trancheToken) == address(0), AlreadyLinked());
        bool named = address(links.statementRegistry) != address(0) && address(links.trancheToken) != address(0)
            && address(links.rentLockbox) != address(0) && address(links.primarySale) != address(0)
            && address(links.bondVault) != address(0) && address(links.deliveryDesk) != address(0)
            && address(links.attesterRegistry) != address(0) && address(links.pledgeRegistry) != address(0)
            && address(links.attesterDesk) != address(0) && address(links.refundDesk) != address(0);
        require(named, LinkMissing());
        statementRegistry = links.statementRegistry;
        trancheToken = links.trancheToken;
        rentLockbox = links.rentLockbox;
        primarySale = links.primarySale;
        bondVault = links.bondVault;
        deliveryDesk = links.deliveryDesk;
        attesterRegistry = links.attesterRegistry;
        pledgeRegistry = links.pledgeRegistry;
        attesterDesk = links.attesterDesk;
        refundDesk = links.refundDesk;
    }

    /// @inheritdoc IFacilityRegistry
    function setSettlementToken(address token, bool allowed) external restricted {
        require(!allowed || IERC20Metadata(token).decimals() == DECIMALS, SettlementTokenNotAllowed(token));
        isSettlementToken[token] = allowed;
        emit SettlementTokenAllowed(token, allowed);
    }
}
