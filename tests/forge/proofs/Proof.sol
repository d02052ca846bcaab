// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "../Base.sol";

/// @title What every proof needs
/// @dev `make prove` runs this folder. halmos proves functions that begin with `check_`: `assert` must hold for every
/// input that `vm.assume` lets pass. Products and quotients of whole words are beyond its solver: functions that begin
/// with `testFuzz_` draw their inputs. The comment above each says what holds. A revert is no counterexample of a
/// proof: where a call must not revert, the proof catches it.
abstract contract Proof is Base {}
