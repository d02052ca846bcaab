#!/usr/bin/env node
/*
 * Compiles the contracts that ours are compared with, each by the compiler release that its sources
 * name, from the npm packages beside this file. Writes {abi, bytecode, compiler} a contract into the
 * folder given as argument.
 */
"use strict";

const fs = require("fs");
const path = require("path");

const HERE = __dirname;
const ROOT = path.join(HERE, "..", "..", "node_modules");
const PEERS = path.join(HERE, "node_modules");

/* All are optimized like ours, for the newest EVM that their compiler knows up to prague. */
const UNITS = [
  {
    compiler: path.join(ROOT, "solc"),
    evmVersion: "prague",
    prefixes: { "@openzeppelin/contracts/": path.join(ROOT, "@openzeppelin/contracts"), "src/": path.join(HERE, "src") },
    contracts: {
      "src/PlainERC1155.sol": ["PlainERC1155"],
      "src/AccumulatorERC1155.sol": ["AccumulatorERC1155"],
    },
  },
  {
    compiler: path.join(PEERS, "solc-0.5.16"),
    evmVersion: "istanbul",
    prefixes: {
      "synthetix/": path.join(PEERS, "synthetix"),
      "openzeppelin-solidity-2.3.0/": path.join(PEERS, "openzeppelin-solidity-2.3.0"),
    },
    contracts: { "synthetix/contracts/StakingRewards.sol": ["StakingRewards"] },
  },
  {
    compiler: path.join(PEERS, "solc-0.8.29"),
    evmVersion: "prague",
    prefixes: {
      "eas/": path.join(PEERS, "@ethereum-attestation-service/eas-contracts/contracts"),
      "@openzeppelin/contracts/": path.join(PEERS, "openzeppelin-5.3.0"),
    },
    contracts: { "eas/EAS.sol": ["EAS"], "eas/SchemaRegistry.sol": ["SchemaRegistry"] },
  },
  {
    compiler: path.join(PEERS, "solc-0.8.17"),
    evmVersion: "london",
    prefixes: {
      "t-rex/": path.join(PEERS, "@tokenysolutions/t-rex/contracts"),
      "@onchain-id/solidity/": path.join(PEERS, "@onchain-id/solidity"),
      "@openzeppelin/contracts/": path.join(PEERS, "openzeppelin-4.8.3"),
      "@openzeppelin/contracts-upgradeable/": path.join(PEERS, "openzeppelin-upgradeable-4.8.3"),
    },
    contracts: {
      "t-rex/token/Token.sol": ["Token"],
      "t-rex/registry/implementation/ClaimTopicsRegistry.sol": ["ClaimTopicsRegistry"],
      "t-rex/registry/implementation/IdentityRegistry.sol": ["IdentityRegistry"],
      "t-rex/registry/implementation/IdentityRegistryStorage.sol": ["IdentityRegistryStorage"],
      "t-rex/registry/implementation/TrustedIssuersRegistry.sol": ["TrustedIssuersRegistry"],
      "t-rex/compliance/modular/ModularCompliance.sol": ["ModularCompliance"],
      "t-rex/compliance/modular/modules/CountryAllowModule.sol": ["CountryAllowModule"],
      "t-rex/compliance/modular/modules/ModuleProxy.sol": ["ModuleProxy"],
      "t-rex/proxy/authority/TREXImplementationAuthority.sol": ["TREXImplementationAuthority"],
      "t-rex/proxy/TokenProxy.sol": ["TokenProxy"],
      "t-rex/proxy/ClaimTopicsRegistryProxy.sol": ["ClaimTopicsRegistryProxy"],
      "t-rex/proxy/IdentityRegistryProxy.sol": ["IdentityRegistryProxy"],
      "t-rex/proxy/IdentityRegistryStorageProxy.sol": ["IdentityRegistryStorageProxy"],
      "t-rex/proxy/TrustedIssuersRegistryProxy.sol": ["TrustedIssuersRegistryProxy"],
      "t-rex/proxy/ModularComplianceProxy.sol": ["ModularComplianceProxy"],
      "@onchain-id/solidity/contracts/Identity.sol": ["Identity"],
      "@onchain-id/solidity/contracts/ClaimIssuer.sol": ["ClaimIssuer"],
      "@onchain-id/solidity/contracts/proxy/IdentityProxy.sol": ["IdentityProxy"],
      "@onchain-id/solidity/contracts/proxy/ImplementationAuthority.sol": ["ImplementationAuthority"],
    },
  },
];

/** Text of a source named by one of the unit's prefixes, the longest that fits. */
function readSource(name, prefixes) {
  const fitting = Object.keys(prefixes).filter((prefix) => name.startsWith(prefix));
  if (fitting.length === 0) throw new Error(`no package for ${name}`);
  const prefix = fitting.reduce((a, b) => (a.length > b.length ? a : b));
  return fs.readFileSync(path.join(prefixes[prefix], name.slice(prefix.length)), "utf8");
}

function compileUnit(unit) {
  const compiler = require(unit.compiler);
  const names = Object.keys(unit.contracts);
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(names.map((name) => [name, { content: readSource(name, unit.prefixes) }])),
    settings: {
      evmVersion: unit.evmVersion,
      optimizer: { enabled: true, runs: 1000000 },
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const answer = (name) => {
    try {
      return { contents: readSource(name, unit.prefixes) };
    } catch (error) {
      return { error: error.message };
    }
  };
  const output = JSON.parse(compiler.compile(JSON.stringify(input), { import: answer }));
  const errors = (output.errors || []).filter((e) => e.severity === "error");
  if (errors.length > 0) throw new Error(errors.map((e) => e.formattedMessage).join("\n"));
  return Object.entries(unit.contracts).flatMap(([file, contracts]) =>
    contracts.map((name) => {
      const { abi, evm } = output.contracts[file][name];
      return [name, { abi, bytecode: `0x${evm.bytecode.object}`, compiler: compiler.version() }];
    }),
  );
}

/** Uniswap publishes no sources, but its own build of solc 0.6.11. */
function publishedDistributor() {
  const file = path.join(PEERS, "@uniswap/merkle-distributor/build/MerkleDistributor.json");
  const { abi, bytecode } = JSON.parse(fs.readFileSync(file, "utf8"));
  return ["MerkleDistributor", { abi, bytecode: `0x${bytecode.replace(/^0x/, "")}`, compiler: "0.6.11, as published" }];
}

function main() {
  const target = process.argv[2];
  const found = [...UNITS.flatMap(compileUnit), publishedDistributor()];
  fs.mkdirSync(target, { recursive: true });
  for (const [name, artifact] of found) fs.writeFileSync(path.join(target, `${name}.json`), JSON.stringify(artifact));
}

main();
