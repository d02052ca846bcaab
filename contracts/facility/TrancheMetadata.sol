// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base64} from "@openzeppelin/contracts/utils/Base64.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {ITrancheMetadata} from "../interfaces/ITrancheMetadata.sol";
import {TrancheId} from "../token/TrancheId.sol";

// JSON is full of double quotes.
// solhint-disable quotes

/// @title JSON of tranches and of the collection
/// @notice Made from the terms in the register alone.
contract TrancheMetadata is ITrancheMetadata {
    using Strings for uint256;

    bytes16 private constant HEX_DIGITS = "0123456789abcdef";

    /// @notice Register that holds the terms.
    IFacilityRegistry public immutable facilityRegistry;

    /// @notice Deploys the contract for one register.
    /// @param facilities Register that holds the terms.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc ITrancheMetadata
    function uri(uint256 id) external view returns (string memory) {
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        require(valid && facilityRegistry.trancheCapOf(facilityId, seniority) > 0, TrancheUnknown(id));
        IFacilityRegistry.FacilityTerms memory terms = facilityRegistry.termsOf(facilityId);
        IFacilityRegistry.TrancheTerms[] memory tranches = facilityRegistry.tranchesOf(facilityId);
        string memory json = string.concat(
            _head(facilityId, seniority, tranches.length, terms),
            ',"attributes":[',
            _facilityAttributes(facilityId, terms),
            _trancheAttributes(seniority, tranches[seniority]),
            "]}"
        );
        return _dataUri(json);
    }

    /// @inheritdoc ITrancheMetadata
    function contractURI() external pure returns (string memory) {
        return _dataUri(
            '{"name":"Rentroll units","symbol":"GPUH","description":"Each unit is one GPU-hour of a tranche of GPU'
            ' capacity. Units earn attested rent, streamed to their holders, and can be burned for compute."}'
        );
    }

    /// @notice Beginning of a tranche's JSON: name, description and decimals.
    /// @param facilityId The facility.
    /// @param seniority Rank of the tranche.
    /// @param trancheCount Number of tranches of the facility.
    /// @param terms Terms of the facility.
    /// @return JSON without its end.
    function _head(
        uint64 facilityId,
        uint8 seniority,
        uint256 trancheCount,
        IFacilityRegistry.FacilityTerms memory terms
    ) private pure returns (string memory) {
        string memory rank = trancheCount == 1
            ? "single tranche"
            : seniority + 1 == trancheCount ? "residual" : "senior";
        string memory facility = uint256(facilityId).toString();
        string memory gpuClass = _text(terms.gpuClass);
        return string.concat(
            '{"name":"',
            string.concat(gpuClass, " hours, facility ", facility, ", tranche ", uint256(seniority).toString()),
            '","description":"',
            string.concat("One unit is one hour of one ", gpuClass, " at ", _text(terms.site), ". Rank: ", rank),
            '.","decimals":0'
        );
    }

    /// @notice Attributes that all tranches of a facility share.
    /// @param facilityId The facility.
    /// @param terms Terms of the facility.
    /// @return JSON objects, each with a comma after it.
    function _facilityAttributes(uint64 facilityId, IFacilityRegistry.FacilityTerms memory terms)
        private
        pure
        returns (string memory)
    {
        return string.concat(
            string.concat(
                _number("Facility", facilityId),
                _string("Operator", Strings.toChecksumHexString(terms.gpuOperator)),
                _string("GPU class", _text(terms.gpuClass)),
                _string("Site", _text(terms.site))
            ),
            _date("Window start", terms.windowStart),
            _date("Window end", terms.windowEnd),
            _string("Settlement token", Strings.toChecksumHexString(terms.settlementToken))
        );
    }

    /// @notice Attributes of one tranche.
    /// @param seniority Rank of the tranche.
    /// @param tranche Terms of the tranche.
    /// @return JSON objects; the last one has no comma after it.
    function _trancheAttributes(uint8 seniority, IFacilityRegistry.TrancheTerms memory tranche)
        private
        pure
        returns (string memory)
    {
        return string.concat(
            _number("Seniority", seniority),
            _number("Coupon per unit (minor units)", tranche.couponPerUnit),
            // The last attribute, so without the comma.
            '{"trait_type":"Unit cap","value":',
            uint256(tranche.unitCap).toString(),
            "}"
        );
    }

    /// @notice An attribute with a number.
    /// @param name Its name.
    /// @param value Its value.
    /// @return A JSON object and a comma.
    function _number(string memory name, uint256 value) private pure returns (string memory) {
        return string.concat('{"trait_type":"', name, '","value":', value.toString(), "},");
    }

    /// @notice An attribute with a time.
    /// @param name Its name.
    /// @param value UTC seconds.
    /// @return A JSON object and a comma.
    function _date(string memory name, uint256 value) private pure returns (string memory) {
        return string.concat('{"display_type":"date","trait_type":"', name, '","value":', value.toString(), "},");
    }

    /// @notice An attribute with a text.
    /// @param name Its name.
    /// @param value Its value, escaped already.
    /// @return A JSON object and a comma.
    function _string(string memory name, string memory value) private pure returns (string memory) {
        return string.concat('{"trait_type":"', name, '","value":"', value, '"},');
    }

    /// @notice Text of a 32-byte word, safe inside a JSON string.
    /// @dev Letters, digits and harmless marks stay as they are; other ASCII becomes a \u escape, which keeps quotes
    /// inside their string and tags out of pages; bytes that are not ASCII become "?".
    /// @param word Left-aligned text, ends at the first zero byte.
    /// @return The text.
    function _text(bytes32 word) private pure returns (string memory) {
        bytes memory out = new bytes(32 * 6);
        uint256 length = 0;
        for (uint256 i = 0; i < 32 && word[i] != 0; ++i) {
            bytes1 char = word[i];
            if (_isPlain(char)) {
                out[length++] = char;
            } else if (char >= 0x80) {
                out[length++] = "?";
            } else {
                out[length++] = "\\";
                out[length++] = "u";
                out[length++] = "0";
                out[length++] = "0";
                out[length++] = HEX_DIGITS[uint8(char) >> 4];
                out[length++] = HEX_DIGITS[uint8(char) & 0x0f];
            }
        }
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = out[i];
        }
        return string(text);
    }

    /// @notice Whether a character needs no escape.
    /// @param char The character.
    /// @return True if it needs none.
    function _isPlain(bytes1 char) private pure returns (bool) {
        bool letter = (char >= "a" && char <= "z") || (char >= "A" && char <= "Z");
        bool digit = char >= "0" && char <= "9";
        bool mark =
            char == " " || char == "-" || char == "." || char == "_" || char == "/" || char == "+" || char == ",";
        return letter || digit || mark;
    }

    /// @notice Wraps JSON into a data URI.
    /// @param json The JSON.
    /// @return The URI.
    function _dataUri(string memory json) private pure returns (string memory) {
        return string.concat("data:application/json;base64,", Base64.encode(bytes(json)));
    }
}
