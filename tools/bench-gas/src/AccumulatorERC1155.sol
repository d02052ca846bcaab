// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

/// @title What one would write instead of ours: OpenZeppelin's ERC1155 and a textbook accumulator in its hook
/// @notice Written for this comparison. Revenue per unit by id, paid at once (no stream), no compliance.
contract AccumulatorERC1155 is ERC1155 {
    using SafeERC20 for IERC20;

    uint256 private constant SCALE = 1 << 64;

    IERC20 private immutable _dollar;
    mapping(uint256 id => uint256) public supply;
    mapping(uint256 id => uint256) public perUnit;
    mapping(uint256 id => mapping(address holder => uint256)) public settledAt;
    mapping(uint256 id => mapping(address holder => uint256)) public owed;

    constructor(IERC20 dollar) ERC1155("") {
        _dollar = dollar;
    }

    /// @notice Mints. Caller: anybody, this is a yardstick.
    function mint(address to, uint256 id, uint256 units) external {
        _mint(to, id, units, "");
    }

    /// @notice Takes revenue of one id.
    function accrue(uint256 id, uint256 amount) external {
        perUnit[id] += amount * SCALE / supply[id];
        _dollar.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice Pays what the caller earned.
    function claim(uint256[] calldata ids) external {
        uint256 paid = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            _settle(msg.sender, ids[i]);
            uint256 whole = owed[ids[i]][msg.sender] / SCALE;
            owed[ids[i]][msg.sender] -= whole * SCALE;
            paid += whole;
        }
        _dollar.safeTransfer(msg.sender, paid);
    }

    function _update(address from, address to, uint256[] memory ids, uint256[] memory values) internal override {
        for (uint256 i = 0; i < ids.length; ++i) {
            if (from == address(0)) supply[ids[i]] += values[i];
            else _settle(from, ids[i]);
            if (to == address(0)) supply[ids[i]] -= values[i];
            else _settle(to, ids[i]);
        }
        super._update(from, to, ids, values);
    }

    function _settle(address holder, uint256 id) private {
        uint256 now_ = perUnit[id];
        uint256 before = settledAt[id][holder];
        if (before == now_) return;
        owed[id][holder] += balanceOf(holder, id) * (now_ - before);
        settledAt[id][holder] = now_;
    }
}
