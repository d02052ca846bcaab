// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1155Receiver} from "@openzeppelin/contracts/token/ERC1155/IERC1155Receiver.sol";
import {Panic} from "@openzeppelin/contracts/utils/Panic.sol";
import {TokenBase} from "./TokenBase.sol";

/// @dev Answers each of the two hooks as told, and remembers what it was told.
contract ToldReceiver is IERC1155Receiver {
    enum Answer {
        Right,
        Wrong,
        Message,
        Silence,
        Error,
        Panic
    }

    Answer private immutable _single;
    Answer private immutable _batch;
    bytes32 public seenSingle;
    bytes32 public seenBatch;

    error Unwanted(uint256 reason);

    constructor(Answer single, Answer batch) {
        _single = single;
        _batch = batch;
    }

    function onERC1155Received(address operator, address from, uint256 id, uint256 value, bytes calldata data)
        external
        returns (bytes4)
    {
        seenSingle = keccak256(abi.encode(operator, from, id, value, data));
        return _answer(_single) ? this.onERC1155Received.selector : bytes4(0x00c0ffee);
    }

    function onERC1155BatchReceived(
        address operator,
        address from,
        uint256[] calldata ids,
        uint256[] calldata values,
        bytes calldata data
    ) external returns (bytes4) {
        seenBatch = keccak256(abi.encode(operator, from, ids, values, data));
        return _answer(_batch) ? this.onERC1155BatchReceived.selector : bytes4(0x00c0ffee);
    }

    function supportsInterface(bytes4) external pure returns (bool) {
        return true;
    }

    function _answer(Answer answer) private pure returns (bool) {
        require(answer != Answer.Message, "not today");
        if (answer == Answer.Silence) revert();
        require(answer != Answer.Error, Unwanted(7));
        if (answer == Answer.Panic) Panic.panic(Panic.DIVISION_BY_ZERO);
        return answer == Answer.Right;
    }
}

/// @title What a contract is told that receives units, and each way in which it can refuse
/// @notice OpenZeppelin's cases of receivers, at our token; `StandardTest` has the others. Who re-enters or reads in
/// its hook is in `RevenueTest`.
contract ReceiversTest is TokenBase {
    bytes private constant DATA = hex"f00dd00d";
    ToldReceiver.Answer private constant RIGHT = ToldReceiver.Answer.Right;

    function setUp() public override {
        super.setUp();
        mint(ann, SENIOR, 1_000);
        mint(ann, JUNIOR, 2_000);
        // Cleo is a spender here, and nothing but eligible.
        allow(cleo);
    }

    function test_receiver__accepts_one__is_told_who_what_and_the_data() public {
        bytes[2] memory datas = [bytes(""), DATA];
        _approve(ann, cleo);
        for (uint256 i = 0; i < 2; ++i) {
            // Its other hook would refuse: it is not asked.
            ToldReceiver receiver = _receiver(RIGHT, ToldReceiver.Answer.Error);
            _expectSingle(cleo, ann, address(receiver), SENIOR, 400);
            vm.prank(cleo);
            token.safeTransferFrom(ann, address(receiver), SENIOR, 400, datas[i]);
            assertEq(receiver.seenSingle(), keccak256(abi.encode(cleo, ann, SENIOR, 400, datas[i])), "told");
            assertEq(token.balanceOf(address(receiver), SENIOR), 400, "credited");
        }
        assertEq(token.balanceOf(ann, SENIOR), 200, "debited");
    }

    function test_receiver__accepts_many__is_told_who_what_and_the_data() public {
        bytes[2] memory datas = [bytes(""), DATA];
        _approve(ann, cleo);
        for (uint256 i = 0; i < 2; ++i) {
            ToldReceiver receiver = _receiver(ToldReceiver.Answer.Error, RIGHT);
            uint256[] memory ids = two(SENIOR, JUNIOR);
            uint256[] memory values = two(400, 900);
            vm.expectEmit(true, true, true, true, address(token));
            emit IERC1155.TransferBatch(cleo, ann, address(receiver), ids, values);
            vm.prank(cleo);
            token.safeBatchTransferFrom(ann, address(receiver), ids, values, datas[i]);
            assertEq(receiver.seenBatch(), keccak256(abi.encode(cleo, ann, ids, values, datas[i])), "told");
            assertEq(receiver.seenSingle(), bytes32(0), "once");
            assertEq(token.balanceOf(address(receiver), SENIOR), 400, "credited");
            assertEq(token.balanceOf(address(receiver), JUNIOR), 900, "both");
        }
        assertEq(token.balanceOf(ann, SENIOR), 200, "debited");
        assertEq(token.balanceOf(ann, JUNIOR), 200, "both");
    }

    /// @dev A reason is passed on as it came; without one the token says who refused.
    function test_receiver__refuses_in_any_form__nothing_moves() public {
        for (uint8 form = 1; form <= uint8(type(ToldReceiver.Answer).max); ++form) {
            ToldReceiver.Answer answer = ToldReceiver.Answer(form);
            address single = address(_receiver(answer, RIGHT));
            vm.expectRevert(_reason(answer, single));
            send(ann, single, SENIOR, 1);
            vm.expectRevert(_reason(answer, single));
            mint(single, SENIOR, 1);
            address batch = address(_receiver(RIGHT, answer));
            vm.expectRevert(_reason(answer, batch));
            vm.prank(ann);
            token.safeBatchTransferFrom(ann, batch, two(SENIOR, JUNIOR), two(1, 1), "");
            assertEq(token.balanceOf(single, SENIOR) + token.balanceOf(batch, SENIOR), 0, "nothing came");
        }
        assertEq(token.balanceOf(ann, SENIOR), 1_000, "nothing went");
        assertEq(token.totalSupply(SENIOR), 1_000, "nothing made");
    }

    /// @dev The token itself, and any other contract without the hook.
    function test_receiver__refuses_for_want_of_a_hook__nothing_moves() public {
        address[2] memory contracts = [address(token), address(dollar)];
        for (uint256 i = 0; i < 2; ++i) {
            allow(contracts[i]);
            vm.expectRevert(_refusal(contracts[i]));
            send(ann, contracts[i], SENIOR, 1);
            vm.expectRevert(_refusal(contracts[i]));
            vm.prank(ann);
            token.safeBatchTransferFrom(ann, contracts[i], two(SENIOR, JUNIOR), two(1, 1), "");
            vm.expectRevert(_refusal(contracts[i]));
            mint(contracts[i], SENIOR, 1);
        }
    }

    /// @dev As in OpenZeppelin's token: the event of one, and the hook of the function that was called.
    function test_batch__of_one__is_told_as_a_single_transfer() public {
        ToldReceiver receiver = _receiver(ToldReceiver.Answer.Error, RIGHT);
        _expectSingle(ann, ann, address(receiver), SENIOR, 3);
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, address(receiver), one(SENIOR), one(3), DATA);
        assertEq(receiver.seenBatch(), keccak256(abi.encode(ann, ann, one(SENIOR), one(3), DATA)), "the batch hook");
    }

    function test_mint__to_a_receiver__asks_its_single_hook() public {
        ToldReceiver receiver = _receiver(RIGHT, ToldReceiver.Answer.Error);
        mint(address(receiver), JUNIOR, 30);
        bytes memory told = abi.encode(gpuOperator, address(0), JUNIOR, 30, bytes(""));
        assertEq(receiver.seenSingle(), keccak256(told), "told");
        assertEq(token.balanceOf(address(receiver), JUNIOR), 30, "credited");
    }

    function _expectSingle(address operator, address from, address to, uint256 id, uint256 value) private {
        vm.expectEmit(true, true, true, true, address(token));
        emit IERC1155.TransferSingle(operator, from, to, id, value);
    }

    function _reason(ToldReceiver.Answer answer, address receiver) private pure returns (bytes memory) {
        if (answer == ToldReceiver.Answer.Message) return abi.encodeWithSignature("Error(string)", "not today");
        if (answer == ToldReceiver.Answer.Error) return abi.encodeWithSelector(ToldReceiver.Unwanted.selector, 7);
        if (answer == ToldReceiver.Answer.Panic) return abi.encodeWithSignature("Panic(uint256)", 0x12);
        return _refusal(receiver);
    }

    function _refusal(address receiver) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, receiver);
    }

    function _receiver(ToldReceiver.Answer single, ToldReceiver.Answer batch) private returns (ToldReceiver receiver) {
        receiver = new ToldReceiver(single, batch);
        allow(address(receiver));
    }

    function _approve(address holder, address spender) private {
        vm.prank(holder);
        token.setApprovalForAll(spender, true);
    }
}
