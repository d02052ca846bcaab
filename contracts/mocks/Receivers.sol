// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";

/// @title Contract wallet like a Safe: holds units, signs by two owners (ERC-1271), calls what its owner says
/// @notice For tests only.
contract WalletMock is ERC1155Holder, IERC1271 {
    address public immutable ownerA;
    address public immutable ownerB;

    constructor(address first, address second) {
        ownerA = first;
        ownerB = second;
    }

    /// @notice Calls `target` as the wallet. Caller: the first owner.
    function execute(address target, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == ownerA, ERC1155Rejected());
        // solhint-disable-next-line avoid-low-level-calls
        (bool success, bytes memory answer) = target.call(data);
        require(success, CallFailed(answer));
        return answer;
    }

    /// @notice Both owners' 65-byte signatures, one after the other.
    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (signature.length != 130) return 0xffffffff;
        bool both = ECDSA.recover(hash, signature[:65]) == ownerA && ECDSA.recover(hash, signature[65:]) == ownerB;
        return both ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }

    error ERC1155Rejected();
    error CallFailed(bytes answer);
}

/// @title Escrow or marketplace: takes units in, gives them out, and passes on what they earned
/// @notice For tests only: shows that units held by another contract can still be claimed and returned.
contract EscrowMock is ERC1155Holder {
    IERC1155 public immutable units;

    constructor(IERC1155 token) {
        units = token;
    }

    /// @notice As an approved spender, moves units from seller to buyer.
    function trade(address seller, address buyer, uint256 id, uint256 count) external {
        units.safeTransferFrom(seller, buyer, id, count, "");
    }

    /// @notice Gives units held here to `to`.
    function giveBack(address to, uint256 id, uint256 count) external {
        units.safeTransferFrom(address(this), to, id, count, "");
    }

    /// @notice Claims what the units held here earned, for `to`.
    function collect(uint256[] calldata ids, address to) external returns (uint256) {
        return ITrancheToken(address(units)).claim(ids, to);
    }
}

/// @title Receiver that misbehaves in its callback as told
/// @notice For tests only: reverts, answers wrongly, sends back, claims or reads inside of the callback.
contract HostileReceiver is IERC1155Receiver {
    enum Mode {
        Accept,
        Revert,
        WrongAnswer,
        SendBack,
        ClaimInside,
        ReadInside
    }

    Mode public mode;
    uint256 public seenUnits;
    uint256 public seenSenderUnits;
    uint256 public seenClaimable;
    uint256 public seenSupply;
    uint256 public seenFrozen;

    error Refused();

    /// @notice Sets the behaviour.
    function set(Mode next) external {
        mode = next;
    }

    /// @notice Behaves as told.
    function onERC1155Received(address, address from, uint256 id, uint256 value, bytes calldata)
        external
        returns (bytes4)
    {
        return _behave(from, id, value) ? this.onERC1155Received.selector : bytes4(0);
    }

    /// @notice Behaves as told, for the first id.
    function onERC1155BatchReceived(
        address,
        address from,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata
    ) external returns (bytes4) {
        return _behave(from, ids[0], values[0]) ? this.onERC1155BatchReceived.selector : bytes4(0);
    }

    /// @notice ERC-165.
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IERC1155Receiver).interfaceId;
    }

    function _behave(address from, uint256 id, uint256 value) private returns (bool) {
        if (mode == Mode.Revert) revert Refused();
        if (mode == Mode.WrongAnswer) return false;
        ITrancheToken token = ITrancheToken(msg.sender);
        seenUnits = IERC1155(msg.sender).balanceOf(address(this), id);
        seenSenderUnits = IERC1155(msg.sender).balanceOf(from, id);
        seenClaimable = token.claimable(address(this), id);
        seenSupply = token.totalSupply(id);
        if (mode == Mode.SendBack && from != address(0)) {
            IERC1155(msg.sender).safeTransferFrom(address(this), from, id, value, "");
        }
        if (mode == Mode.ClaimInside) {
            uint256[] memory ids = new uint256[](2);
            ids[0] = id;
            ids[1] = id;
            token.claim(ids, address(this));
        }
        return true;
    }
}
