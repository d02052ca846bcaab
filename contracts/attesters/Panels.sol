// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {Members} from "./Members.sol";

/// @title Panels: 2k - 1 seats, k signatures
/// @notice A facility keeps the number of its panel for good; the members in its seats can change, after a delay.
abstract contract Panels is Members {
    /// @notice Seats of a panel, and those that wait: one word.
    /// @param seats Slots of the members, one bit each.
    /// @param threshold Signatures needed.
    /// @param nextSeats Slots from `nextFrom` on.
    /// @param nextThreshold Signatures needed from `nextFrom` on.
    /// @param nextFrom UTC second from which the next seats hold.
    struct Panel {
        uint40 seats;
        uint8 threshold;
        uint40 nextSeats;
        uint8 nextThreshold;
        uint40 nextFrom;
    }

    /// @notice Seats of a panel from a time on.
    /// @param from UTC second from which they hold.
    /// @param seats Slots of the members, one bit each.
    /// @param threshold Signatures needed.
    struct Seating {
        uint40 from;
        uint40 seats;
        uint8 threshold;
    }

    /// @dev Ending a membership looks at every panel.
    uint8 private constant MAX_PANELS = 64;

    /// @inheritdoc IAttesterRegistry
    uint8 public panelCount;
    uint8 private _offerPanel;
    mapping(uint8 panel => Panel) private _panels;
    /// @dev Seats that held or will hold, in order of time: what signatures ask is in `_panels` alone.
    mapping(uint8 panel => Seating[]) private _seatings;

    /// @inheritdoc IAttesterRegistry
    function setPanel(uint8 panel, address[] calldata attesters) external restricted {
        uint8 panels = panelCount;
        require(panel > 0 && panel <= uint256(panels) + 1, PanelUnknown(panel, panels));
        uint40 from = _timeAfter(panels == 0 ? 0 : activationDelay);
        if (panel > panels) {
            require(panel <= MAX_PANELS, PanelsFull(MAX_PANELS));
            panelCount = panel;
        }
        uint40 seats = _seatsFor(attesters, from);
        // At most 40 members are in ascending order.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint8 threshold = uint8((attesters.length + 1) / 2);
        (uint40 seatsNow, uint8 thresholdNow) = _seatsNow(_panels[panel]);
        _requireStay(seatsNow, from);
        _panels[panel] = Panel(seatsNow, thresholdNow, seats, threshold, from);
        Seating[] storage seatings = _seatings[panel];
        // Seats that waited and that these replace never held.
        while (seatings.length > 0 && seatings[seatings.length - 1].from > block.timestamp) {
            seatings.pop();
        }
        seatings.push(Seating(from, seats, threshold));
        emit PanelSet(panel, attesters, threshold, from);
        if (_offerPanel == 0) _setOfferPanel(panel);
    }

    /// @inheritdoc IAttesterRegistry
    function setOfferPanel(uint8 panel) external restricted {
        _requirePanel(panel);
        (, uint8 threshold) = _seatsNow(_panels[panel]);
        require(threshold > 0, PanelNotInForce(panel, _panels[panel].nextFrom));
        _setOfferPanel(panel);
    }

    /// @inheritdoc IAttesterRegistry
    function offerPanel() external view returns (uint8) {
        require(_offerPanel > 0, PanelUnknown(0, 0));
        return _offerPanel;
    }

    /// @inheritdoc IAttesterRegistry
    function panelOf(uint8 panel) external view returns (address[] memory attesters, uint8 threshold) {
        _requirePanel(panel);
        uint40 seats;
        (seats, threshold) = _seatsNow(_panels[panel]);
        attesters = accountsOf(seats);
    }

    /// @inheritdoc IAttesterRegistry
    function seatsAt(uint8 panel, uint256 time) public view returns (uint40 seats, uint8 threshold) {
        Seating[] storage seatings = _seatings[panel];
        // Seats change rarely, and mostly the newest ones are asked for.
        for (uint256 i = seatings.length; i > 0; --i) {
            Seating memory seating = seatings[i - 1];
            if (seating.from <= time) return (seating.seats, seating.threshold);
        }
    }

    /// @inheritdoc IAttesterRegistry
    function wasSeated(uint8 panel, address attester, uint256 time) external view returns (bool) {
        (uint40 seats,) = seatsAt(panel, time);
        Member memory member = _members[attester];
        return seats & _bitOf(member) != 0 && member.heldSince <= time;
    }

    /// @notice Seats of a panel in this block.
    /// @param panel Number of the panel.
    /// @return seats Slots, one bit each; none for a panel that does not exist.
    /// @return threshold Signatures needed; 0 for a panel that does not exist.
    function _seatsOf(uint8 panel) internal view returns (uint40 seats, uint8 threshold) {
        return _seatsNow(_panels[panel]);
    }

    /// @notice Whether any panel was ever seated: until then changes hold at once.
    /// @return True if one was.
    function _begun() internal view override returns (bool) {
        return panelCount > 0;
    }

    /// @notice From when no panel has a seat for a slot. Reverts with AttesterSeated if a panel will keep it.
    /// @param attester Account in the slot.
    /// @param bit The slot's bit.
    /// @return from UTC second, at least this block's.
    function _freeFrom(address attester, uint40 bit) internal view override returns (uint40 from) {
        from = _timeAfter(0);
        for (uint8 panel = 1; panel <= panelCount; ++panel) {
            Panel memory held = _panels[panel];
            require(held.nextSeats & bit == 0, AttesterSeated(attester, panel));
            if (held.seats & bit != 0 && held.nextFrom > from) from = held.nextFrom;
        }
    }

    /// @notice Names the panel of offers and emits OfferPanelSet.
    /// @param panel Number of the panel.
    function _setOfferPanel(uint8 panel) private {
        _offerPanel = panel;
        emit OfferPanelSet(panel);
    }

    /// @notice Slots of accounts that can take seats: members by the time the seats hold, without an end.
    /// @param attesters The accounts, in ascending order.
    /// @param from UTC second from which the seats hold.
    /// @return seats Their slots, one bit each.
    function _seatsFor(address[] calldata attesters, uint40 from) private view returns (uint40 seats) {
        require(attesters.length % 2 == 1, SeatsNotOdd(attesters.length));
        address previous = address(0);
        for (uint256 i = 0; i < attesters.length; ++i) {
            address attester = attesters[i];
            require(attester > previous, AttestersNotAscending(previous, attester));
            Member memory member = _members[attester];
            require(member.activeUntil == WITHOUT_END && member.activeFrom <= from, NotAttester(attester));
            seats |= _bitOf(member);
            previous = attester;
        }
    }

    /// @notice Reverts with AttesterLeaves unless whoever sits now stays until new seats hold: else a panel that waits
    /// anew would have an empty seat in the meantime.
    /// @param seats Slots of this block, one bit each.
    /// @param from UTC second from which the new seats hold.
    function _requireStay(uint40 seats, uint40 from) private view {
        address[] memory seated = accountsOf(seats);
        for (uint256 i = 0; i < seated.length; ++i) {
            uint40 until = _members[seated[i]].activeUntil;
            require(until >= from, AttesterLeaves(seated[i], until));
        }
    }

    /// @notice Reverts with PanelUnknown unless the panel exists.
    /// @param panel Number of the panel.
    function _requirePanel(uint8 panel) private view {
        require(panel > 0 && panel <= panelCount, PanelUnknown(panel, panelCount));
    }

    /// @notice Seats of a panel in this block, of a word that was read already.
    /// @param panel The panel.
    /// @return seats Slots, one bit each.
    /// @return threshold Signatures needed; 0 before the first seats hold.
    function _seatsNow(Panel memory panel) private view returns (uint40 seats, uint8 threshold) {
        bool next = block.timestamp >= panel.nextFrom;
        return next ? (panel.nextSeats, panel.nextThreshold) : (panel.seats, panel.threshold);
    }
}
